// Signals: delivers signals as events of a loop. SIGTERM and SIGINT request an orderly stop, a second one ends the
// process at once. A second signal within 250 ms counts as the same request, since timeout(1) signals the process and
// then its whole group. SIGHUP requests a reload. SIGPIPE is ignored.
//
// main() must call block_signals() first, before it starts a thread or does anything slow: threads inherit the mask,
// and an early signal stays pending. It also ties a supervised process to its supervisor: if MONITOR_SUPERVISOR_PID
// names the parent process, the death of the parent raises SIGTERM.
#pragma once

#include <functional>

#include "base/disk.h"
#include "base/event_loop.h"

namespace monitor {

void block_signals();
// For work without a loop: restores the default, so that SIGINT, SIGTERM and SIGHUP end the process. Call before
// starting any thread.
void let_signals_end_process();

class Signals {
 public:
  using Handler = std::function<void(int signal)>;
  // `on_stop` is called once, with the first SIGTERM or SIGINT. `on_reload` and `on_child` may be empty.
  Signals(EventLoop& loop, Handler on_stop, Handler on_reload = {}, Handler on_child = {});
  ~Signals();
  Signals(const Signals&) = delete;
  Signals& operator=(const Signals&) = delete;

 private:
  void on_readable();

  EventLoop& loop_;
  Handler on_stop_;
  Handler on_reload_;
  Handler on_child_;
  Fd fd_;
  bool stopping_ = false;
  int64_t asked_ns_ = 0;  // monotonic time of the stop request
};

}  // namespace monitor
