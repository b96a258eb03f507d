// The minimal cost of sending a batch through another process: the same number of bytes both ways over a SEQPACKET
// pair, without any processing.
//
//   bench-packet-echo there=BYTES back=BYTES count=N
//
// Prints us=MEDIAN, the median round trip.
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <ctime>
#include <vector>

#include "floor/arguments.h"

namespace {

int64_t now_ns() {
  timespec time{};
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1'000'000'000LL + time.tv_nsec;
}

[[noreturn]] void echo(int channel, size_t back) {
  std::vector<char> buffer(1 << 20);
  while (recv(channel, buffer.data(), buffer.size(), 0) > 0) send(channel, buffer.data(), back, 0);
  _exit(0);
}

}  // namespace

int main(int argc, char** argv) {
  const monitor::bench::Arguments arguments(argc, argv);
  const auto there = static_cast<size_t>(arguments.number("there"));
  const auto back = static_cast<size_t>(arguments.number("back"));
  const int64_t count = arguments.number("count");
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends) != 0) return 1;
  const pid_t child = fork();
  if (child == 0) {
    close(ends[0]);
    echo(ends[1], back);
  }
  close(ends[1]);
  std::vector<char> buffer(1 << 20);
  std::vector<int64_t> times;
  for (int64_t i = 0; i < count; ++i) {
    const int64_t start = now_ns();
    if (send(ends[0], buffer.data(), there, 0) < 0 || recv(ends[0], buffer.data(), buffer.size(), 0) < 0) return 1;
    times.push_back(now_ns() - start);
  }
  close(ends[0]);
  waitpid(child, nullptr, 0);
  std::nth_element(times.begin(), times.begin() + static_cast<int64_t>(times.size() / 2), times.end());
  std::printf("us=%.3f\n", static_cast<double>(times[times.size() / 2]) / 1e3);
  return 0;
}
