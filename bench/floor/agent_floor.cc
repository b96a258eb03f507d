// The floor of an agent: reads open files at a fixed interval without parsing them. With a port, it also writes each
// batch to a file and to an HTTP/2 stream, and reads the acknowledgement. Every batch has the same bytes, which a real
// agent sent.
//
//   bench-agent-floor interval_us=N FILE...
//   bench-agent-floor interval_us=N ticks_a_batch=N port=N batch=FILE file=FILE FILE...
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <iterator>

#include "floor/arguments.h"
#include "floor/http2_writer.h"
#include "floor/sweep.h"

namespace monitor::bench {
namespace {

constexpr int64_t kSecond = 1'000'000'000;

timespec to_timespec(int64_t ns) { return {ns / kSecond, ns % kSecond}; }

[[noreturn]] void collect(Sweep& sweep, int64_t interval_ns) {
  for (int64_t due = now_ns() + interval_ns;; due += interval_ns) {
    const timespec until = to_timespec(due);
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, nullptr) != 0) {
    }
    sweep.read_all();
  }
}

[[noreturn]] void collect_and_send(Sweep& sweep, int64_t interval_ns, const Arguments& arguments) {
  std::ifstream saved(arguments.text("batch"), std::ios::binary);
  const std::string message{std::istreambuf_iterator<char>(saved), {}};
  const int file = open(arguments.text("file").c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (message.empty() || file < 0) {
    std::perror("batch= and file=");
    std::exit(74);  // NOLINT(concurrency-mt-unsafe): single-threaded
  }
  const int64_t ticks_a_batch = arguments.number("ticks_a_batch");
  Http2Writer stream(static_cast<uint16_t>(arguments.number("port")));
  int64_t ticks = 0;
  for (int64_t due = now_ns() + interval_ns;; due += interval_ns) {
    while (true) {
      const int64_t now = now_ns();
      if (now >= due) break;
      const timespec wait = to_timespec(due - now);
      pollfd socket{stream.socket(), POLLIN, 0};
      if (ppoll(&socket, 1, &wait, nullptr) > 0) stream.read();
    }
    sweep.read_all();
    if (++ticks % ticks_a_batch != 0) continue;
    if (::write(file, message.data(), message.size()) < 0) std::perror("file=");
    stream.write(message);
  }
}

int run(const Arguments& arguments) {
  Sweep sweep(arguments.rest());
  const int64_t interval_ns = arguments.number("interval_us") * 1000;
  std::puts("ready");
  static_cast<void>(std::fflush(stdout));
  if (arguments.has("port")) collect_and_send(sweep, interval_ns, arguments);
  collect(sweep, interval_ns);
}

}  // namespace
}  // namespace monitor::bench

int main(int argc, char** argv) { return monitor::bench::run(monitor::bench::Arguments(argc, argv)); }
