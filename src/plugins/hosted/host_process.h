// HostProcess: a monitor-plugin-host process, which a worker starts. It has a SEQPACKET socket for messages, a pipe for
// what plugins print, and a pidfd that reports its end. Printed lines go to the log, rate-limited. Messages can be sent
// before it runs. Received messages are copied and validated before use; an invalid one ends the host.
//
// Loop's thread only; loop and worker must outlive it. A host that is released has a short time to finalize its
// plugins, and is then killed. Destroying the object kills it at once.
#pragma once

#include <sys/types.h>

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/disk.h"
#include "base/event_loop.h"
#include "base/result.h"
#include "base/worker.h"
#include "plugins/hosted/host_link.h"
#include "plugins/hosted/host_spawn.h"
#include "plugins/hosted/line_limit.h"

namespace monitor::agent {

class HostProcess final : public HostLink {
 public:
  // `name` is that of the plugin, or "scripts", for the log. A program that cannot be executed is reported at once; a
  // later failure ends the host.
  static Result<std::shared_ptr<HostProcess>> start(EventLoop& loop, Worker& worker, const std::string& program,
                                                    std::string name);
  ~HostProcess() override;

  uint32_t add(Listener& listener) override;
  void remove(uint32_t instance) override;
  void send(plugin_wire::Type type, uint32_t instance, uint32_t number, std::string_view payload,
            std::string_view rest) override;
  void kill(const std::string& reason) override;
  std::optional<HostUsage> usage() override;
  bool ended() const override { return !channel_.valid() || ending_; }

  pid_t pid() const { return pid_; }  // 0: not started, or ended
  // Logs everything that plugins print, without a rate limit.
  void lift_line_limit() { lines_.lift(); }
  // True once the process has ended and this object is no longer needed.
  bool gone() const { return pid_ == 0 && spawn_ == nullptr; }

 private:
  HostProcess(EventLoop& loop, std::string name) : loop_(loop), name_(std::move(name)), lines_(loop, name_) {}
  Status open_ends(const std::string& program);
  void on_spawned();
  void on_channel(uint32_t events);
  void read_channel();
  bool read_packet();
  void take(const plugin_wire::MessageView& message);
  void write_waiting();
  void on_output();
  ssize_t read_output();
  void print(const std::string& line);
  void on_exit();
  std::string reap();
  bool floods(const plugin_wire::MessageView& message);
  void end(const std::string& reason);
  void let_go();
  void end_process();
  void close_channel();

  EventLoop& loop_;
  std::string name_;
  LineLimit lines_;                   // of printed lines
  std::shared_ptr<HostSpawn> spawn_;  // in progress
  pid_t pid_ = 0;
  Fd channel_;
  Fd output_;
  Fd pidfd_;
  bool ending_ = false;
  std::string reason_;      // why the agent ended the process
  std::string last_words_;  // the process's last message, which explains its end
  std::string partial_;     // an unfinished line of its output
  bool cut_ = false;        // the start of that line was already logged
  plugin_wire::Assembler assembler_;
  std::vector<char> buffer_;
  int64_t second_begins_ns_ = 0;
  uint32_t said_in_second_ = 0;      // unsolicited messages
  std::deque<std::string> waiting_;  // packets that the socket has not accepted yet
  std::map<uint32_t, Listener*> listeners_;
  std::deque<uint32_t> at_work_;  // instances with unanswered requests, in the order of their requests
  uint32_t next_instance_ = 1;
  Timers::TimerId grace_timer_ = 0;
  Timers::TimerId output_timer_ = 0;
};

}  // namespace monitor::agent
