#include "bin/server_heap.h"

#include <malloc.h>

#include <algorithm>

namespace monitor {

#ifdef __GLIBC__

namespace {

constexpr int64_t kTrimEvery = 5 * kNanosPerSecond;
// zstd's memory for one small produce batch is 4 MB. If it went back to the system each time, the kernel would have to
// supply and clear it again for the next batch.
constexpr int kKeep = 6 << 20;

}  // namespace

// A record is allocated on the loop that received it, read by the log's client, and freed on the thread that confirms
// it. With one arena per thread, every free goes to another thread's arena through a slow path and leaves cold memory,
// which took a third of all CPU time under load.
void share_one_heap() {
  mallopt(M_ARENA_MAX, 1);
  mallopt(M_TRIM_THRESHOLD, kKeep);
  mallopt(M_MMAP_THRESHOLD, kKeep);
}

void HeapTrimmer::look(int64_t now_ns) {
  if (now_ns - trimmed_ns_ < kTrimEvery) return;
  const struct mallinfo2 heap = mallinfo2();
  if (heap.fordblks < std::max<size_t>(2 * kKeep, heap.uordblks / 8)) return;
  trimmed_ns_ = now_ns;
  malloc_trim(kKeep);
}

#else

void share_one_heap() {}
void HeapTrimmer::look(int64_t /*now_ns*/) {}

#endif

}  // namespace monitor
