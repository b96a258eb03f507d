#include "base/memory_dumps.h"

#include <sys/prctl.h>

namespace monitor {

void deny_memory_dumps() {
  // Fails only for values other than 0 and 1 (prctl(2)).
  prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

}  // namespace monitor
