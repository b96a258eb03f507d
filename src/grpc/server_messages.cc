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
  auto& stream = static_cast<Stream&>(base);
  stream.in_data = true;
  while (!stream.over() && stream.handler != nullptr) {
    const size_t before = bytes.size();
    const Deframer::Next next = stream.deframer.next(bytes);
    give_back(stream,
              stream.window.received(before - bytes.size(), stream.deframer.body_taken(), stream.deframer.length()));
    if (next == Deframer::Next::kMessage) {
      stream.window.delivered(stream.deframer.message().size());
      if (std::exchange(stream.first_message, false)) {
        const size_t most = stream.method->options.max_message_bytes;
        stream.deframer.set_max_message_bytes(most != 0 ? most : limits_.max_message_bytes);
      }
      if (!stream.method->options.single_request) stream.message_since_ns = 0;
      // The request is kept in memory until the client ends its stream.
      if (stream.method->options.single_request && !grow(stream, stream.deframer.message().size())) break;
      stream.handler->on_message(stream.deframer.message());
      continue;
    }
    incomplete(stream, next);
    break;
  }
  stream.in_data = false;
  if (stream.over()) {
    stream.deframer = Deframer(0);
  } else if (!stream.deframer.between_messages()) {
    watch_message(stream);
  }
}

// The received bytes end in the middle of a message.
void ServerSession::Impl::incomplete(Stream& stream, Deframer::Next next) {
  partial_bytes_ += stream.deframer.partial_bytes() - stream.partial;
  stream.partial = stream.deframer.partial_bytes();
  if (next == Deframer::Next::kTooLong) {
    finish(stream,
           {Code::kResourceExhausted, "received message of " + std::to_string(stream.deframer.length()) +
                                          " bytes exceeds the limit of " +
                                          std::to_string(stream.deframer.max_message_bytes())},
           {});
  } else if (next == Deframer::Next::kCompressed) {
    finish(stream, {Code::kInternal, "a message is marked as compressed, without an agreed encoding"}, {});
  } else if (partial_bytes_ > limits_.max_partial_bytes) {
    finish(stream, {Code::kResourceExhausted, "too many incomplete messages on this connection"}, {});
  } else if (!charge()) {
    finish(stream,
           {Code::kResourceExhausted, "incomplete messages of all connections exceed the server's memory limit"}, {});
  }
}

// Starts the timer for a message: a call's first one, or one that has begun.
void ServerSession::Impl::watch_message(Stream& stream) {
  if (limits_.message_timeout_ns == 0 || stream.remote_closed) return;
  if (stream.message_since_ns == 0 || stream.message_timer == 0) {
    stream.message_since_ns = timers_.clock().mono_ns();
  }
  // The timer keeps running from message to message, since a busy stream has many.
  if (stream.message_timer != 0) return;
  stream.message_timer = timers_.call_after(limits_.message_timeout_ns, [this, &stream] { message_due(stream); });
}

void ServerSession::Impl::message_due(Stream& stream) {
  stream.message_timer = 0;
  if (stream.over() || stream.remote_closed || stream.message_since_ns == 0) return;
  const std::shared_ptr<Impl> keep = shared_from_this();
  const int64_t now = timers_.clock().mono_ns();
  if (stream.window.unconfirmed() > 0) stream.message_since_ns = now;
  const auto extra = static_cast<int64_t>(stream.deframer.length() / kLeastBytesPerSecond) * kNanosPerSecond;
  const int64_t allowed = limits_.message_timeout_ns + extra;
  if (now - stream.message_since_ns < allowed) {
    stream.message_timer = timers_.call_at(stream.message_since_ns + allowed, [this, &stream] { message_due(stream); });
    return;
  }
  std::unique_ptr<ServerCallHandler> handler = std::move(stream.handler);
  finish(stream,
         {Code::kDeadlineExceeded, "no complete message within " + std::to_string(allowed / kNanosPerSecond) + " s"},
         {});
  if (handler == nullptr) return;
  handler->on_cancelled();
  over_.push_back(std::move(handler));
  schedule_events();
}

// Charges the call until it is closed. Returns false after refusing the call for lack of memory.
bool ServerSession::Impl::grow(Stream& stream, size_t bytes) {
  stream.cost += bytes;
  call_bytes_ += bytes;
  if (charge()) return true;
  finish(stream, {Code::kResourceExhausted, "the calls of all connections exceed the server's memory limit"}, {});
  return false;
}

// A call costs memory before its first message, mostly for headers, which it keeps until it ends.
bool ServerSession::Impl::charge_call(Stream& stream) {
  size_t bytes = kPerCall + stream.request_path.size() + stream.content_type.size() + stream.encoding.size();
  for (const auto& [key, value] : stream.request_metadata) bytes += key.size() + value.size() + kPerHeader;
  return grow(stream, bytes);
}

void ServerSession::Impl::drop_call(Stream& stream) {
  call_bytes_ -= std::exchange(stream.cost, 0);
  charge();
}

void ServerSession::Impl::drop_partial(Stream& stream) {
  timers_.cancel_timer(std::exchange(stream.message_timer, 0));
  partial_bytes_ -= std::exchange(stream.partial, 0);
  if (!stream.in_data) stream.deframer = Deframer(0);
  charge();
}

}  // namespace monitor::grpc
