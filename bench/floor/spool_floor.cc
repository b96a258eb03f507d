// The floor of the spool: writes records of a fixed size to a file one after another, or reads them.
//
//   bench-spool-floor write file=FILE records=N bytes=N
//   bench-spool-floor read file=FILE records=N bytes=N
//   bench-spool-floor scan FILE...    reads both ends of each file, and all of the last one
//
// Prints the CPU microseconds per record, or the milliseconds of the scan.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <ctime>
#include <string>
#include <vector>

#include "floor/arguments.h"

namespace monitor::bench {
namespace {

int64_t clock_ns(clockid_t id) {
  timespec time{};
  clock_gettime(id, &time);
  return time.tv_sec * 1'000'000'000 + time.tv_nsec;
}
int64_t cpu_ns() { return clock_ns(CLOCK_PROCESS_CPUTIME_ID); }

int scan(const std::vector<std::string>& paths) {
  constexpr off_t kEnd = 104;  // bytes of a segment's header or footer
  std::string buffer(size_t{64} * 1024, 'x');
  const int64_t begin = clock_ns(CLOCK_MONOTONIC);
  for (size_t i = 0; i < paths.size(); ++i) {
    const int file = open(paths[i].c_str(), O_RDONLY | O_CLOEXEC);
    struct stat info{};
    if (file < 0 || fstat(file, &info) != 0) {
      std::perror(paths[i].c_str());
      return 74;
    }
    const bool last = i + 1 == paths.size();
    if (pread(file, buffer.data(), kEnd, 0) != kEnd) return 74;
    if (!last && pread(file, buffer.data(), kEnd, info.st_size - kEnd) != kEnd) return 74;
    while (last && read(file, buffer.data(), buffer.size()) > 0) {
    }
    close(file);
  }
  std::printf("ms=%.3f\n", static_cast<double>(clock_ns(CLOCK_MONOTONIC) - begin) / 1e6);
  return 0;
}

int run(const Arguments& arguments) {
  const std::vector<std::string> words = arguments.rest();
  if (!words.empty() && words[0] == "scan") return scan({words.begin() + 1, words.end()});
  const bool writes = !words.empty() && words[0] == "write";
  const int64_t records = arguments.number("records");
  std::string buffer(static_cast<size_t>(arguments.number("bytes")), 'x');
  const int flags = writes ? O_WRONLY | O_CREAT | O_TRUNC : O_RDONLY;
  const int file = open(arguments.text("file").c_str(), flags | O_CLOEXEC, 0600);
  if (file < 0) {
    std::perror("file=");
    return 74;
  }
  const auto size = static_cast<ssize_t>(buffer.size());
  const int64_t begin = cpu_ns();
  for (int64_t i = 0; i < records; ++i) {
    const ssize_t done =
        writes ? ::write(file, buffer.data(), buffer.size()) : pread(file, buffer.data(), buffer.size(), i * size);
    if (done != size) {
      std::perror("a record");
      return 74;
    }
  }
  std::printf("us=%.3f\n", static_cast<double>(cpu_ns() - begin) / 1e3 / static_cast<double>(records));
  return 0;
}

}  // namespace
}  // namespace monitor::bench

int main(int argc, char** argv) { return monitor::bench::run(monitor::bench::Arguments(argc, argv)); }
