// The floor of the collector of processes: lists /proc and reads stat and io of each process at a fixed interval,
// without parsing them. With keep=1, it keeps the files open instead of opening them each time, for comparison.
//
//   bench-process-floor interval_us=N [keep=1]
#include <dirent.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cstddef>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <vector>

#include "floor/arguments.h"
#include "floor/sweep.h"

namespace monitor::bench {
namespace {

constexpr int64_t kSecond = 1'000'000'000;

class ProcessSweep {
 public:
  explicit ProcessSweep(bool keep) : keep_(keep), folder_(open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC)) {
    rlimit files{};
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
  }

  void read_all() {
    if (keep_ && !kept_.empty()) {
      for (const int file : kept_) static_cast<void>(pread(file, buffer_.data(), buffer_.size(), 0));
      return;
    }
    lseek(folder_, 0, SEEK_SET);
    while (true) {
      const long size = syscall(SYS_getdents64, folder_, entries_.data(), entries_.size());
      if (size <= 0) return;
      for (long at = 0; at < size;) {
        const char* const entry = entries_.data() + at;
        uint16_t length = 0;
        std::memcpy(&length, entry + offsetof(dirent64, d_reclen), sizeof length);
        const char* const name = entry + offsetof(dirent64, d_name);
        if (*name >= '1' && *name <= '9') {
          read_file(name, "stat");
          read_file(name, "io");
        }
        at += length;
      }
    }
  }

 private:
  void read_file(const char* pid, const char* name) {
    std::array<char, 32> path{};
    char* end = stpncpy(path.data(), pid, 16);
    *end++ = '/';
    stpncpy(end, name, 8);
    const int file = openat(folder_, path.data(), O_RDONLY | O_CLOEXEC);
    if (file < 0) return;
    static_cast<void>(read(file, buffer_.data(), buffer_.size()));
    if (keep_) {
      kept_.push_back(file);
    } else {
      close(file);
    }
  }

  bool keep_;
  int folder_;
  std::vector<int> kept_;
  std::array<char, 32'768> entries_{};
  std::array<char, 2048> buffer_{};
};

[[noreturn]] void run(const Arguments& arguments) {
  ProcessSweep sweep(arguments.has("keep"));
  const int64_t interval_ns = arguments.number("interval_us") * 1000;
  std::puts("ready");
  static_cast<void>(std::fflush(stdout));
  for (int64_t due = now_ns() + interval_ns;; due += interval_ns) {
    const timespec until{due / kSecond, due % kSecond};
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, nullptr) != 0) {
    }
    sweep.read_all();
  }
}

}  // namespace
}  // namespace monitor::bench

int main(int argc, char** argv) { monitor::bench::run(monitor::bench::Arguments(argc, argv)); }
