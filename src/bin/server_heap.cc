#include "bin/server_heap.h"

#include <malloc.h>

#include <algorithm>

namespace monitor {

#ifdef __GLIBC__

namespace {

constexpr int64_t kTrimEvery = 5 * kNanosPerSecond;
constexpr size_t kWorthwhile = size_t{1} << 20;

}  // namespace

// A record is allocated on the loop that received it, read by the log's client, and freed on the thread that confirms
// it. With one arena per thread, every free goes to another thread's arena through a slow path and leaves cold memory,
// which took a third of all CPU time under load.
void share_one_heap() { mallopt(M_ARENA_MAX, 1); }

void HeapTrimmer::look(int64_t now_ns) {
  if (now_ns - trimmed_ns_ < kTrimEvery) return;
  const struct mallinfo2 heap = mallinfo2();
  if (heap.fordblks < std::max(kWorthwhile, heap.uordblks / 8)) return;
  trimmed_ns_ = now_ns;
  malloc_trim(0);
}

#else

void share_one_heap() {}
void HeapTrimmer::look(int64_t /*now_ns*/) {}

#endif

}  // namespace monitor
