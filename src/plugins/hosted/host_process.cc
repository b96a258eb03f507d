#include "plugins/hosted/host_process.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <utility>

#include "base/exit_codes.h"
#include "base/log.h"
#include "base/text.h"

namespace monitor::agent {

using plugin_wire::MessageView;
using plugin_wire::Type;

namespace {

constexpr int64_t kGrace = kNanosPerSecond;
constexpr int64_t kDying = 200 * kNanosPerMilli;
constexpr int64_t kOutputEvery = 100 * kNanosPerMilli;
constexpr size_t kSmall = 1024;        // bytes
constexpr size_t kMostWaiting = 1024;  // packets
constexpr int kLastReads = 8;          // of the output, after the process has ended
constexpr int kMostPackets = 64;       // in one event, because the loop has other work
// Unsolicited messages per second: the agent must read them on its loop.
constexpr uint32_t kMostUnasked = 20'000;
// A longer message counts as several, because reading it costs as much.
constexpr size_t kUnaskedBytes = size_t{4} * 1024;
constexpr rlim_t kProcessorSeconds = 60;  // between two calls of usage(); far more than any plugin may use

bool is_request(Type type) {
  return type == Type::kLoad || type == Type::kRun || type == Type::kSave || type == Type::kRestore;
}

bool is_answer(Type type) {
  return type == Type::kLoaded || type == Type::kFailed || type == Type::kResult || type == Type::kSaved ||
         type == Type::kRestored;
}

std::string signal_name(int number) {
  const char* const text = sigdescr_np(number);
  std::string name = text == nullptr ? fmt::format("signal {}", number) : text;
  return fmt::format("signal {} ({})", number, name);
}

}  // namespace

Result<std::shared_ptr<HostProcess>> HostProcess::start(EventLoop& loop, Worker& worker, const std::string& program,
                                                        std::string name) {
  if (access(program.c_str(), X_OK) != 0) return errno_error(errno, "starting " + program);
  std::shared_ptr<HostProcess> made(new HostProcess(loop, std::move(name)));
  if (Status opened = made->open_ends(program); !opened) return opened.error();
  const std::shared_ptr<HostSpawn> spawn = made->spawn_;
  worker.submit([spawn] { spawn->run(); },
                [spawn, weak = std::weak_ptr<HostProcess>(made)] {
                  if (const auto self = weak.lock()) {
                    self->on_spawned();
                  } else if (spawn->pid != 0) {
                    kill_and_reap(spawn->pid);
                  }
                });
  return made;
}

// Opens both ends of the channel. Messages can be sent on ours before the process runs.
Status HostProcess::open_ends(const std::string& program) {
  std::array<int, 2> ends{};
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) != 0) return errno_error(errno, "socketpair");
  channel_ = Fd(ends[0]);
  Fd theirs(ends[1]);
  fcntl(channel_.get(), F_SETFL, O_NONBLOCK);
  std::array<int, 2> pipe_ends{};
  if (pipe2(pipe_ends.data(), O_CLOEXEC) != 0) return errno_error(errno, "pipe");
  output_ = Fd(pipe_ends[0]);
  Fd their_output(pipe_ends[1]);
  fcntl(output_.get(), F_SETFL, O_NONBLOCK);
  buffer_.resize(plugin_wire::kMaxPacket + 1);
  loop_.watch(channel_.get(), EPOLLIN, [this](uint32_t events) { on_channel(events); });
  loop_.watch(output_.get(), EPOLLIN, [this](uint32_t) { on_output(); });
  spawn_ = std::make_shared<HostSpawn>();
  spawn_->program = program;
  spawn_->channel = std::move(theirs);
  spawn_->output = std::move(their_output);
  return {};
}

void HostProcess::on_spawned() {
  const auto spawn = std::exchange(spawn_, nullptr);
  if (spawn->pid == 0) {
    close_channel();
    return end(spawn->status ? reason_ : spawn->status.error().message());
  }
  pid_ = spawn->pid;
  pidfd_ = std::move(spawn->pidfd);
  loop_.watch(pidfd_.get(), EPOLLIN, [this](uint32_t) { on_exit(); });
  if (!spawn->wanted) ::kill(pid_, SIGKILL);
}

HostProcess::~HostProcess() {
  loop_.cancel_timer(grace_timer_);
  loop_.cancel_timer(output_timer_);
  if (channel_.valid()) loop_.unwatch(channel_.get());
  if (output_.valid()) loop_.unwatch(output_.get());
  if (spawn_ != nullptr) spawn_->wanted = false;
  if (pid_ != 0) {
    loop_.unwatch(pidfd_.get());
    kill_and_reap(pid_);
  }
  // The last output often explains a crash best.
  for (int i = 0; i < kLastReads && output_.valid() && read_output() > 0; ++i) {
  }
  print(partial_);
}

uint32_t HostProcess::add(Listener& listener) {
  const uint32_t instance = next_instance_++;
  listeners_.emplace(instance, &listener);
  return instance;
}

void HostProcess::remove(uint32_t instance) {
  if (listeners_.erase(instance) == 0) return;
  send(Type::kUnload, instance, 0, "", "");
  if (listeners_.empty()) let_go();
}

// Closes the channel, which ends the host. If a plugin prevents that, the process is killed.
void HostProcess::let_go() {
  if (gone() || ending_) return;
  ending_ = true;
  if (waiting_.empty()) {
    close_channel();
  }
  loop_.cancel_timer(grace_timer_);
  grace_timer_ = loop_.call_after(kGrace, [this] {
    grace_timer_ = 0;
    end_process();
  });
}

void HostProcess::send(Type type, uint32_t instance, uint32_t number, std::string_view payload, std::string_view rest) {
  if (!channel_.valid()) return;
  if (is_request(type)) at_work_.push_back(instance);
  const size_t total = payload.size() + rest.size();
  if (waiting_.empty() && total <= plugin_wire::kMaxPart) {
    // The usual case: one packet, in pieces.
    plugin_wire::Header header = plugin_wire::header_of(type, instance, number, total);
    if (total <= kSmall) {
      // Sending one piece is faster than sending three.
      std::array<char, sizeof header + kSmall> packet;
      std::memcpy(packet.data(), &header, sizeof header);
      std::copy(payload.begin(), payload.end(), packet.data() + sizeof header);
      std::copy(rest.begin(), rest.end(), packet.data() + sizeof header + payload.size());
      if (::send(channel_.get(), packet.data(), sizeof header + total, MSG_NOSIGNAL | MSG_DONTWAIT) >= 0) return;
    }
    std::array<iovec, 3> parts = {{{&header, sizeof header},
                                   {const_cast<char*>(payload.data()), payload.size()},
                                   {const_cast<char*>(rest.data()), rest.size()}}};
    msghdr message{};
    message.msg_iov = parts.data();
    message.msg_iovlen = parts.size();
    if (sendmsg(channel_.get(), &message, MSG_NOSIGNAL | MSG_DONTWAIT) >= 0) return;
  }
  for (std::string& packet :
       plugin_wire::packets_of({type, instance, number, std::string(payload) + std::string(rest)})) {
    waiting_.push_back(std::move(packet));
  }
  write_waiting();
  if (!channel_.valid()) return;
  if (waiting_.size() > kMostWaiting) return kill("it does not read its messages");
  if (!waiting_.empty()) loop_.change_watch(channel_.get(), EPOLLIN | EPOLLOUT);
}

void HostProcess::write_waiting() {
  while (!waiting_.empty()) {
    const std::string& packet = waiting_.front();
    if (::send(channel_.get(), packet.data(), packet.size(), MSG_NOSIGNAL | MSG_DONTWAIT) < 0) {
      if (errno == EINTR) continue;
      if (errno == EAGAIN || errno == EWOULDBLOCK || errno == ENOBUFS) return;
      waiting_.clear();  // the process has ended, which the pidfd reports
      break;
    }
    waiting_.pop_front();
  }
  loop_.change_watch(channel_.get(), EPOLLIN);
  if (ending_) close_channel();
}

void HostProcess::on_channel(uint32_t events) {
  if ((events & EPOLLOUT) != 0) write_waiting();
  if (channel_.valid() && (events & ~static_cast<uint32_t>(EPOLLOUT)) != 0) read_channel();
}

// An event usually means one packet. Reads more if there are more, up to a limit.
void HostProcess::read_channel() {
  for (int i = 0; i < kMostPackets && channel_.valid(); ++i) {
    if (!read_packet()) return;
    if (at_work_.empty()) return;  // no answer is due, so there is no need to try again
  }
}

// Returns false if there is nothing more to read, or the host has ended.
bool HostProcess::read_packet() {
  const ssize_t n = recv(channel_.get(), buffer_.data(), buffer_.size(), MSG_DONTWAIT);
  if (n < 0) return errno == EINTR;
  if (n == 0) {
    // The other end is closed: the process has ended, or is broken.
    close_channel();
    if (!ending_ && grace_timer_ == 0) {
      // The process is probably about to end, and its exit status will say more.
      grace_timer_ = loop_.call_after(kDying, [this] {
        grace_timer_ = 0;
        kill("it closed its channel");
      });
    }
    return false;
  }
  if (ending_) return true;
  auto message = assembler_.take({buffer_.data(), static_cast<size_t>(n)});
  if (!message) {
    kill("it sent an invalid message: " + message.error().message());
    return false;
  }
  if (*message) take(**message);
  return true;
}

// True if the host sends more unsolicited messages than any plugin needs.
bool HostProcess::floods(const MessageView& message) {
  if (is_answer(message.type)) return false;
  const int64_t now = loop_.clock().mono_ns();
  if (now - second_begins_ns_ >= kNanosPerSecond) {
    second_begins_ns_ = now;
    said_in_second_ = 0;
  }
  said_in_second_ += 1 + static_cast<uint32_t>(message.payload.size() / kUnaskedBytes);
  return said_in_second_ > kMostUnasked;
}

void HostProcess::take(const MessageView& message) {
  if (floods(message))
    return kill(fmt::format("it sent more than {} unsolicited messages, or {} MiB, in one second", kMostUnasked,
                            kMostUnasked * kUnaskedBytes >> 20));
  if (message.type == Type::kLastWords) {
    last_words_ = plugin_wire::tame(message.payload);
    return;
  }
  if (is_answer(message.type)) {
    if (at_work_.empty() || at_work_.front() != message.instance) {
      return kill("it sent an unexpected answer");
    }
    at_work_.pop_front();
  }
  const auto found = listeners_.find(message.instance);
  if (found != listeners_.end()) found->second->on_message(message);
}

// Like read(); also returns -1 if it would block.
ssize_t HostProcess::read_output() {
  std::array<char, size_t{8} * 1024> buffer{};
  const ssize_t n = read(output_.get(), buffer.data(), buffer.size());
  if (n < 0 && (errno == EINTR || errno == EAGAIN)) return -1;
  if (n <= 0) return 0;
  partial_.append(buffer.data(), static_cast<size_t>(n));
  size_t start = 0;
  for (size_t end = 0; (end = partial_.find('\n', start)) != std::string::npos; start = end + 1) {
    if (!std::exchange(cut_, false)) print(partial_.substr(start, end - start));
  }
  partial_.erase(0, start);
  if (partial_.size() > plugin_wire::kMaxText) {
    // A line that does not end is truncated.
    if (!std::exchange(cut_, true)) print(partial_);
    partial_.clear();
  }
  return n;
}

void HostProcess::print(const std::string& line) {
  if (line.empty() || !log_enabled(LogLevel::kInfo) || !lines_.pass()) return;
  log_info("plugin printed", {{"plugin", name_}, {"line", plugin_wire::tame(line)}});
}

// Reads little per event, so that a plugin that prints without end is slowed down instead of occupying the agent.
void HostProcess::on_output() {
  const ssize_t n = read_output();
  if (n < 0) return;
  loop_.unwatch(output_.get());
  if (n == 0) {
    print(std::exchange(partial_, {}));  // a last line without a newline
    output_.reset();
    return;
  }
  output_timer_ = loop_.call_after(kOutputEvery, [this] {
    output_timer_ = 0;
    loop_.watch(output_.get(), EPOLLIN, [this](uint32_t) { on_output(); });
  });
}

void HostProcess::kill(const std::string& reason) {
  if (gone()) return;
  if (reason_.empty()) reason_ = reason;
  ending_ = true;
  end_process();
}

std::optional<HostUsage> HostProcess::usage() {
  if (pid_ == 0) return std::nullopt;
  const auto text = PosixDisk().read_file(fmt::format("/proc/{}/stat", pid_), size_t{4} * 1024);
  if (!text) return std::nullopt;
  const auto found =
      parse_host_usage(*text, sysconf(_SC_CLK_TCK), static_cast<uint64_t>(std::max(0L, sysconf(_SC_PAGESIZE))));
  if (!found) return std::nullopt;
  // A backstop in case the agent hangs. Leaves the hard limit unchanged, because only root could raise it again.
  rlimit time{};
  if (prlimit(pid_, RLIMIT_CPU, nullptr, &time) == 0) {
    time.rlim_cur = std::min(time.rlim_max, static_cast<rlim_t>(found->cpu_ns / kNanosPerSecond) + kProcessorSeconds);
    prlimit(pid_, RLIMIT_CPU, &time, nullptr);
  }
  return found;
}

void HostProcess::end_process() {
  if (pid_ != 0) ::kill(pid_, SIGKILL);
  if (spawn_ != nullptr) spawn_->wanted = false;  // kills the process as soon as it exists
}

void HostProcess::on_exit() {
  // The process's last message may still be in the channel.
  for (int i = 0; i < kMostPackets && channel_.valid(); ++i) {
    const ssize_t n = recv(channel_.get(), buffer_.data(), buffer_.size(), MSG_DONTWAIT);
    if (n <= 0) break;
    auto message = assembler_.take({buffer_.data(), static_cast<size_t>(n)});
    if (message && *message && (*message)->type == Type::kLastWords) {
      last_words_ = plugin_wire::tame((*message)->payload);
    }
  }
  const std::string why = reap();
  loop_.unwatch(pidfd_.get());
  pidfd_.reset();
  close_channel();
  end(why);
}

// Describes how the process ended.
std::string HostProcess::reap() {
  siginfo_t info{};
  pid_ = 0;
  if (waitid(P_PIDFD, static_cast<id_t>(pidfd_.get()), &info, WEXITED | WNOHANG) != 0) return "it ended";
  if (!last_words_.empty()) return last_words_;
  if (!reason_.empty()) return reason_;
  // The exit status that the host itself uses for a closed channel.
  if (info.si_code == CLD_EXITED && info.si_status == kExitIo) return "it closed its channel";
  if (info.si_code == CLD_EXITED) return fmt::format("it ended its process with status {}", info.si_status);
  return "it ended by " + signal_name(info.si_status);
}

void HostProcess::end(const std::string& reason) {
  loop_.cancel_timer(std::exchange(grace_timer_, 0));
  const uint32_t worker = at_work_.empty() ? 0 : at_work_.front();
  const bool alone = listeners_.size() == 1;
  // One at a time: a callback may destroy another plugin, which then removes itself from the list.
  while (!listeners_.empty()) {
    const auto [instance, listener] = *listeners_.begin();
    listeners_.erase(listeners_.begin());
    listener->on_end(reason, instance == worker || (worker == 0 && alone));
  }
}

void HostProcess::close_channel() {
  if (channel_.valid()) loop_.unwatch(channel_.get());
  channel_.reset();
  waiting_.clear();
}

}  // namespace monitor::agent
