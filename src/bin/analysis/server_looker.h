// Looks for servers' heartbeats in the log, on a thread of its own: asking a log that does not answer takes seconds.
// servers() may be called from any thread.
#pragma once

#include <condition_variable>
#include <mutex>
#include <thread>

#include "base/clock.h"
#include "bin/log/log_flags.h"
#include "views/fleet/server_watch.h"

namespace monitor {

class ServerLooker {
 public:
  // The flags must outlive it.
  ServerLooker(const LogFlags& flags, const Clock& clock);
  ~ServerLooker();
  ServerLooker(const ServerLooker&) = delete;
  ServerLooker& operator=(const ServerLooker&) = delete;

  analysis::Servers servers() const;

 private:
  void run();

  const LogFlags& flags_;
  const Clock& clock_;
  mutable std::mutex mutex_;  // guards what follows
  std::condition_variable wake_;
  bool stop_ = false;
  analysis::ServerWatch watch_;
  std::thread thread_;  // last: it uses the rest
};

}  // namespace monitor
