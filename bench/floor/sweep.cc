#include "floor/sweep.h"

#include <fcntl.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <ctime>

namespace monitor::bench {

Sweep::Sweep(const std::vector<std::string>& paths) {
  for (const std::string& path : paths) {
    files_.push_back(open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (files_.back() >= 0) continue;
    std::perror(path.c_str());
    std::exit(74);  // NOLINT(concurrency-mt-unsafe): single-threaded
  }
}

void Sweep::read_all() {
  for (const int file : files_) {
    // One call reads at most this much; the next call reads the rest.
    off_t at = 0;
    while (true) {
      const ssize_t n = pread(file, buffer_.data(), buffer_.size(), at);
      if (n <= 0) break;
      at += n;
      if (static_cast<size_t>(n) < buffer_.size() / 2) break;
    }
  }
}

int64_t now_ns() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * INT64_C(1'000'000'000) + now.tv_nsec;
}

}  // namespace monitor::bench
