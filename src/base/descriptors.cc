#include "base/descriptors.h"

#include <sys/resource.h>

#include <algorithm>

namespace monitor {

namespace {

// Hard limits of a billion exist, and child programs may iterate over all descriptors.
constexpr rlim_t kMost = 1 << 20;

}  // namespace

size_t raise_descriptor_limit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return 0;
  const rlim_t wanted = std::min(limit.rlim_max, kMost);
  if (limit.rlim_cur < wanted) {
    rlimit raised = limit;
    raised.rlim_cur = wanted;
    if (setrlimit(RLIMIT_NOFILE, &raised) == 0) limit = raised;
  }
  return static_cast<size_t>(std::min(limit.rlim_cur, kMost));
}

}  // namespace monitor
