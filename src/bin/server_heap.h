// How monitor-server uses the heap of glibc. With another C library, nothing is done.
#pragma once

#include <cstdint>

#include "base/clock.h"

namespace monitor {

// Gives all threads one heap. Call it before the first thread starts.
void share_one_heap();

// Returns heap memory to the system after a flood or after many connections have closed, but not so often that a busy
// server would have to request it again and again. On one thread.
class HeapTrimmer {
 public:
  // Call it about once a second, with the monotonic time.
  void look(int64_t now_ns);

 private:
  int64_t trimmed_ns_ = 0;
};

}  // namespace monitor
