#include "bin/agent_memory.h"

#include <malloc.h>

#include "base/resident.h"

namespace monitor {

void share_agent_heap() {
#ifdef __GLIBC__
  mallopt(M_ARENA_MAX, 1);
#endif
}

void AgentMemory::look(int64_t mono_ns) {
  if (due_ns_ == 0) return disturbed(mono_ns);
  if (mono_ns < due_ns_) return;
  due_ns_ = mono_ns + kEvery;
  release_free_heap();
  release_program_pages();
}

}  // namespace monitor
