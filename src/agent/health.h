// The health of a running agent, by a Unix socket in its folder: `monitor-agent health` connects, and the agent answers
// with one short text and closes. The agent reads nothing from the socket, so a client can neither ask it for anything
// nor hold it up. The folder has mode 0700: only the agent's user and root can connect.
//
// An answer shows that the agent's event loop runs. It contains two lines: "ready" or "not ready", and the line that
// `systemctl status` shows.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/disk.h"
#include "base/event_loop.h"
#include "base/result.h"

namespace monitor::agent {

struct Health {
  bool ready = false;  // a configuration is applied, and the output delivers
  std::string status;  // one line, for people
};

// Answers on `folder`/health.sock. All calls on the loop's thread, which must outlive it. The destructor removes the
// socket.
class HealthSocket {
 public:
  // Replaces a socket that an earlier run has left: whoever opens it must hold the lock of the folder. Errors: the
  // folder's filesystem has no sockets, or cannot be written.
  static Result<std::unique_ptr<HealthSocket>> open(EventLoop& loop, const std::string& folder,
                                                    std::function<Health()> health);
  ~HealthSocket();
  HealthSocket(const HealthSocket&) = delete;
  HealthSocket& operator=(const HealthSocket&) = delete;

 private:
  HealthSocket(EventLoop& loop, std::string path, Fd fd, std::function<Health()> health);
  void answer_all();

  EventLoop& loop_;
  std::string path_;
  Fd fd_;
  std::function<Health()> health_;
};

// Asks the agent of a folder. Blocks for at most `timeout_ns`. kNotFound: no agent runs with this folder.
// kDeadlineExceeded: it runs and does not answer. kDataLoss: what answers is no agent.
Result<Health> ask_health(const std::string& folder, int64_t timeout_ns);

}  // namespace monitor::agent
