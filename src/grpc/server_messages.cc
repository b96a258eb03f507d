// ServerSession: receives messages from DATA frames, with limits on size, memory and time.
#include <memory>
#include <string>
#include <utility>

#include "grpc/server_session_impl.h"

namespace monitor::grpc {
namespace {
constexpr size_t kLeastBytesPerSecond = 4096;  // minimum rate of a long message
// Estimated memory of a call here, in nghttp2 and in its handler, and the overhead of each header.
constexpr size_t kPerCall = size_t{4} * 1024;
constexpr size_t kPerHeader = 64;
}  // namespace

void ServerSession::Impl::on_data(Http2Stream& base, std::string_view bytes) {
  static_cast<Stream&>(base).receive(bytes);
}

void ServerSession::Impl::Stream::receive(std::string_view bytes) {
  in_data = true;
  while (!over() && handler != nullptr) {
    const size_t before = bytes.size();
    const Deframer::Next next = deframer.next(bytes);
    session.give_back(*this, window.received(before - bytes.size(), deframer.body_taken(), deframer.length()));
    if (next != Deframer::Next::kMessage) {
      incomplete(next);
      break;
    }
    window.delivered(deframer.message().size());
    if (std::exchange(first_message, false)) {
      const size_t most = method->options.max_message_bytes;
      deframer.set_max_message_bytes(most != 0 ? most : session.limits_.max_message_bytes);
    }
    if (!method->options.single_request) message_since_ns = 0;
    // It is kept until the client is done.
    if (method->options.single_request && !grow(deframer.message().size())) break;
    handler->on_message(deframer.message());
  }
  in_data = false;
  if (over()) {
    deframer = Deframer(0);
  } else if (!deframer.between_messages()) {
    watch_message();
  }
}

// The received bytes end in the middle of a message.
void ServerSession::Impl::Stream::incomplete(Deframer::Next next) {
  session.held_.partial += deframer.partial_bytes() - partial;
  partial = deframer.partial_bytes();
  if (next == Deframer::Next::kTooLong) {
    finish(
        {Code::kResourceExhausted, "received message of " + std::to_string(deframer.length()) +
                                       " bytes exceeds the limit of " + std::to_string(deframer.max_message_bytes())},
        {});
  } else if (next == Deframer::Next::kCompressed) {
    finish({Code::kInternal, "a message is marked as compressed, without an agreed encoding"}, {});
  } else if (session.held_.partial > session.limits_.max_partial_bytes) {
    finish({Code::kResourceExhausted, "too many incomplete messages on this connection"}, {});
  } else if (!session.held_.charge()) {
    finish({Code::kResourceExhausted, "incomplete messages of all connections exceed the server's memory limit"}, {});
  }
}

// Starts the timer for a message: a call's first one, or one that has begun.
void ServerSession::Impl::Stream::watch_message() {
  const int64_t limit = session.limits_.message_timeout_ns;
  if (limit == 0 || remote_closed) return;
  if (message_since_ns == 0 || message_timer == 0) message_since_ns = session.timers_.clock().mono_ns();
  // The timer keeps running from message to message, since a busy stream has many.
  if (message_timer != 0) return;
  message_timer = session.timers_.call_after(limit, [this] { message_due(); });
}

void ServerSession::Impl::Stream::message_due() {
  message_timer = 0;
  if (over() || remote_closed || message_since_ns == 0) return;
  const std::shared_ptr<Session> keep = session.shared_from_this();
  const int64_t now = session.timers_.clock().mono_ns();
  if (window.unconfirmed() > 0) message_since_ns = now;
  const auto extra = static_cast<int64_t>(deframer.length() / kLeastBytesPerSecond) * kNanosPerSecond;
  const int64_t allowed = session.limits_.message_timeout_ns + extra;
  if (now - message_since_ns < allowed) {
    message_timer = session.timers_.call_at(message_since_ns + allowed, [this] { message_due(); });
    return;
  }
  std::unique_ptr<ServerCallHandler> ended = std::move(handler);
  finish({Code::kDeadlineExceeded, "no complete message within " + std::to_string(allowed / kNanosPerSecond) + " s"},
         {});
  if (ended == nullptr) return;
  ended->on_cancelled();
  session.over_.push_back(std::move(ended));
  session.schedule_events();
}

bool ServerSession::Impl::Stream::grow(size_t bytes) {
  cost += bytes;
  session.held_.calls += bytes;
  if (session.held_.charge()) return true;
  finish({Code::kResourceExhausted, "the calls of all connections exceed the server's memory limit"}, {});
  return false;
}

bool ServerSession::Impl::Stream::charge_headers() {
  size_t bytes = kPerCall + request_path.size() + content_type.size() + encoding.size();
  for (const auto& [key, value] : request_metadata) bytes += key.size() + value.size() + kPerHeader;
  return grow(bytes);
}

void ServerSession::Impl::Stream::drop_partial() {
  session.timers_.cancel_timer(std::exchange(message_timer, 0));
  session.held_.partial -= std::exchange(partial, 0);
  if (!in_data) deframer = Deframer(0);
  session.held_.charge();
}

}  // namespace monitor::grpc
