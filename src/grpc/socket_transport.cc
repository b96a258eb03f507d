#include "grpc/socket_transport.h"

#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

namespace monitor::grpc {
namespace {
constexpr size_t kReadBytes = size_t{64} * 1024;
// Bytes read in one turn, so that a fast sender does not monopolize the loop.
constexpr int kReadsPerWake = 8;
constexpr int64_t kReadTime = kNanosPerMilli;
// Time for the peer to read the last output: closing a socket with unread input discards it (TCP reset).
constexpr int64_t kLingerTimeout = kNanosPerSecond;
}  // namespace

SocketTransport::SocketTransport(EventLoop& loop, int fd, std::unique_ptr<SecureTransform> secure, ByteMachine& machine,
                                 Owner& owner, int64_t stall_timeout_ns)
    : loop_(loop),
      fd_(fd),
      secure_(std::move(secure)),
      machine_(machine),
      owner_(owner),
      stall_timeout_ns_(stall_timeout_ns) {}

SocketTransport::~SocketTransport() { close(); }

void SocketTransport::start() {
  loop_.watch(fd_, EPOLLIN, [this](uint32_t events) { on_events(events); });
  if (secure_ == nullptr) {
    secured_ = true;
    owner_.on_secured(nullptr);
  }
  if (state_ != State::kClosed) want_flush();
}

void SocketTransport::close() {
  if (state_ == State::kClosed) return;
  state_ = State::kClosed;
  loop_.cancel_timer(std::exchange(stall_timer_, 0));
  loop_.unwatch(fd_);
  ::close(fd_);
}

void SocketTransport::want_flush() {
  if (flush_due_ || state_ != State::kOpen) return;
  flush_due_ = true;
  // on_events() flushes at its end; a blocked socket flushes when it is writable.
  if (in_io_ || blocked_) return;
  loop_.at_turn_end([self = shared_from_this()] {
    if (self->state_ != State::kOpen || !self->flush_due_ || self->blocked_) return;
    self->in_io_ = true;
    self->flush();
    self->in_io_ = false;
  });
}

void SocketTransport::on_events(uint32_t events) {
  const std::shared_ptr<SocketTransport> keep = shared_from_this();
  in_io_ = true;
  if ((events & EPOLLOUT) != 0 && state_ == State::kOpen) {
    set_blocked(false);
    flush_due_ = true;
  }
  if ((events & ~static_cast<uint32_t>(EPOLLOUT)) != 0) read_ready();
  if (state_ == State::kOpen && flush_due_ && !blocked_) flush();
  in_io_ = false;
}

void SocketTransport::read_ready() {
  char buffer[kReadBytes];
  const int64_t begun = loop_.clock().mono_ns();
  for (int i = 0; i < kReadsPerWake && state_ != State::kClosed; ++i) {
    const ssize_t got = recv(fd_, buffer, sizeof buffer, 0);
    if (got < 0) {
      if (errno == EINTR) continue;
      if (errno != EAGAIN) lost(errno_error(errno, "reading"));
      return;
    }
    if (got == 0) return lost(Error(Code::kUnavailable, "the peer closed the connection"));
    if (state_ == State::kOpen && !take_input({buffer, static_cast<size_t>(got)})) return;
    if (static_cast<size_t>(got) < sizeof buffer || loop_.clock().mono_ns() - begun > kReadTime) return;
  }
}

bool SocketTransport::take_input(std::string_view bytes) {
  // Any input may produce output; flush() checks.
  if (secure_ == nullptr) {
    machine_.receive(bytes);
    return state_ == State::kOpen;
  }
  std::string plain;
  const Status status = secure_->receive(bytes, plain);
  flush_due_ = true;
  if (!secured_ && secure_->ready()) {
    secured_ = true;
    owner_.on_secured(secure_->peer_certificate());
    if (state_ != State::kOpen) return false;
  }
  if (!plain.empty()) machine_.receive(plain);
  if (state_ != State::kOpen) return false;
  if (status.ok() && !secure_->peer_closed()) return true;
  flush();
  if (state_ != State::kOpen) return false;
  if (status.ok()) {
    lost(Error(Code::kUnavailable, "the peer closed the connection"));
  } else {
    secure_failed(status.error());
  }
  return false;
}

// Called after the TLS alert was sent. The socket lingers, because closing it with unread input would discard the
// alert, which tells the peer why it was refused.
void SocketTransport::secure_failed(const Error& error) {
  linger();
  if (!secured_) owner_.on_handshake_failed(error);
  machine_.connection_lost(error);
}

void SocketTransport::flush() {
  flush_due_ = false;
  const bool drained = secure_ == nullptr ? flush_plain() : flush_secure();
  if (state_ == State::kOpen && drained) finish_if_done();
}

bool SocketTransport::flush_plain() {
  while (state_ == State::kOpen) {
    const std::string_view bytes = machine_.pending_output();
    if (bytes.empty()) return true;
    const ssize_t sent = write_some(bytes);
    if (sent < 0) return false;
    const bool all = static_cast<size_t>(sent) == bytes.size();
    if (sent > 0) machine_.consume_output(static_cast<size_t>(sent));
    if (!all) return false;
  }
  return false;
}

bool SocketTransport::flush_secure() {
  while (state_ == State::kOpen) {
    if (secured_ && cipher_.empty()) {
      const std::string_view plain = machine_.pending_output();
      const size_t size = plain.size();
      if (size > 0) {
        if (const Status sent = secure_->send(plain); !sent.ok()) {
          lost(sent.error());
          return false;
        }
        machine_.consume_output(size);
        if (state_ != State::kOpen) return false;
      }
    }
    secure_->take_output(cipher_);
    if (cipher_.empty()) return true;
    const ssize_t sent = write_some(cipher_);
    if (sent < 0) return false;
    cipher_.erase(0, static_cast<size_t>(sent));
    if (!cipher_.empty()) return false;
  }
  return false;
}

ssize_t SocketTransport::write_some(std::string_view bytes) {
  ssize_t sent = -1;
  do {
    sent = send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
  } while (sent < 0 && errno == EINTR);
  if (sent < 0 && errno != EAGAIN) {
    lost(errno_error(errno, "writing"));
    return -1;
  }
  if (sent > 0) progress_ns_ = loop_.clock().mono_ns();
  if (sent < static_cast<ssize_t>(bytes.size())) set_blocked(true);
  return std::max<ssize_t>(sent, 0);
}

void SocketTransport::set_blocked(bool blocked) {
  if (blocked == blocked_) return;
  blocked_ = blocked;
  loop_.change_watch(fd_, blocked ? EPOLLIN | EPOLLOUT : EPOLLIN);
  if (!blocked || stall_timeout_ns_ == 0 || stall_timer_ != 0) return;
  progress_ns_ = loop_.clock().mono_ns();
  stall_timer_ = loop_.call_after(stall_timeout_ns_, [this] { stall_due(); });
}

void SocketTransport::stall_due() {
  stall_timer_ = 0;
  if (!blocked_) return;
  if (loop_.clock().mono_ns() - progress_ns_ < stall_timeout_ns_) {
    stall_timer_ = loop_.call_at(progress_ns_ + stall_timeout_ns_, [this] { stall_due(); });
    return;
  }
  const std::shared_ptr<SocketTransport> keep = shared_from_this();
  lost(Error(Code::kUnavailable, "the peer reads nothing"));
}

void SocketTransport::lost(const Error& error) {
  const bool was_open = state_ == State::kOpen;
  close();
  if (was_open) machine_.connection_lost(error);
  owner_.on_transport_closed();
}

void SocketTransport::finish_if_done() {
  if (!machine_.finished()) return;
  if (secure_ != nullptr && secured_) {
    secure_->close();
    flush_secure();
    if (state_ != State::kOpen) return;
  }
  linger();
}

void SocketTransport::linger() {
  state_ = State::kLingering;
  shutdown(fd_, SHUT_WR);
  arm_end();
}

void SocketTransport::end_soon() {
  want_flush();
  arm_end();
}

void SocketTransport::arm_end() {
  if (state_ == State::kClosed) return;
  loop_.cancel_timer(std::exchange(stall_timer_, 0));
  stall_timer_ = loop_.call_after(kLingerTimeout, [this] {
    stall_timer_ = 0;
    const std::shared_ptr<SocketTransport> keep = shared_from_this();
    close();
    owner_.on_transport_closed();
  });
}

}  // namespace monitor::grpc
