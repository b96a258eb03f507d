// ServiceNotifier: reports the state of this process to the service manager that started it (systemd with Type=notify),
// and sends the keep-alives of its watchdog. The keep-alives come from the event loop: a loop that hangs sends none,
// and the manager restarts the process.
//
// A message is a datagram of NAME=VALUE lines to the Unix socket that $NOTIFY_SOCKET names (sd_notify(3)). Without that
// variable, every call does nothing. A message that the manager does not take is lost; the program never waits for it.
//
// Thread contract: the loop's thread. The timers must outlive the notifier.
#pragma once

#include <sys/types.h>
#include <unistd.h>

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "base/disk.h"
#include "base/event_loop.h"

namespace monitor {

// What the service manager passes in the environment. Empty: not set.
struct ServiceEnvironment {
  std::string notify_socket;  // a path, or @NAME for an abstract socket
  std::string watchdog_usec;  // the manager restarts the process after this time without a keep-alive
  std::string watchdog_pid;   // the process that must send them; any if empty

  // Reads the environment, which no other thread may change meanwhile.
  static ServiceEnvironment read();
};

class ServiceNotifier {
 public:
  // Calls its argument on the loop's thread once every thread of the program has shown that it runs.
  using Probe = std::function<void(std::function<void()> alive)>;

  ServiceNotifier(Timers& timers, const ServiceEnvironment& environment, pid_t self = getpid());
  ~ServiceNotifier();
  ServiceNotifier(const ServiceNotifier&) = delete;
  ServiceNotifier& operator=(const ServiceNotifier&) = delete;

  // A program with several loops: a keep-alive is sent only after the probe has answered. Call it before ready().
  void set_probe(Probe probe) { probe_ = std::move(probe); }
  // One line about what the program does, shown by `systemctl status`; asked for with each keep-alive.
  void set_status(std::function<std::string()> status) { status_ = std::move(status); }

  // The program does its work from now on. Starts the keep-alives.
  void ready();
  // An orderly stop has begun. The keep-alives continue while the loop runs.
  void stopping();

 private:
  void keep_alive();
  void send(std::string message);
  // A STATUS line if the status has changed since the last call.
  std::string status_line();

  Timers& timers_;
  std::string socket_;
  Fd fd_;
  int64_t period_ns_ = 0;  // of keep-alives; 0: the manager expects none
  Probe probe_;
  std::function<std::string()> status_;
  std::string last_status_;
  Timers::TimerId timer_ = 0;
};

}  // namespace monitor
