// ServerLooker: reads the servers' heartbeats from the log on a thread of its own, since an unreachable log blocks for
// seconds. servers() may be called from any thread.
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
  // kLog: logs when the last server stops writing the log, and when a server writes it again.
  enum class Tell { kNothing, kLog };

  // The flags must outlive it.
  ServerLooker(const LogFlags& flags, const Clock& clock, Tell tell = Tell::kNothing);
  ~ServerLooker();
  ServerLooker(const ServerLooker&) = delete;
  ServerLooker& operator=(const ServerLooker&) = delete;

  analysis::Servers servers() const;

 private:
  void run();
  void log_change(const analysis::Servers& now);

  const LogFlags& flags_;
  const Clock& clock_;
  const Tell tell_;
  analysis::Servers logged_;  // used only by the thread
  mutable std::mutex mutex_;  // guards the members below
  std::condition_variable wake_;
  bool stop_ = false;
  analysis::ServerWatch watch_;
  std::thread thread_;  // last, because it uses the other members
};

// For a program that reads the log once and cannot wait for heartbeats: logs how long no server has written the log, by
// this host's clock. Logs nothing if the log has no heartbeats.
void log_absent_servers(const LogFlags& flags, const Clock& clock);

}  // namespace monitor
