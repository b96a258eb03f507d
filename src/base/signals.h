// Signals as events of a loop: SIGTERM and SIGINT ask for an orderly stop, a second one ends the process at once. One
// that follows within 250 ms is the same request: timeout(1) signals the process and then its whole group.
// SIGHUP asks to read files again. SIGPIPE is ignored.
//
// block_signals() comes first in main(), before any thread is started and anything slow is done: threads inherit the
// mask, and a signal that arrives early waits. It also ties a supervised process to its supervisor: where
// MONITOR_SUPERVISOR_PID names the parent process, the death of that one, however sudden, is a SIGTERM.
#pragma once

#include <functional>

#include "base/disk.h"
#include "base/event_loop.h"

namespace monitor {

void block_signals();
// For work without a loop: SIGINT, SIGTERM and SIGHUP end the process again. Before any other thread is started.
void let_signals_end_process();

class Signals {
 public:
  using Handler = std::function<void(int signal)>;
  // `on_stop` is called once; `on_reload` may be empty.
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
  int64_t asked_ns_ = 0;  // when the stop was asked for, by the monotonic clock
};

}  // namespace monitor
