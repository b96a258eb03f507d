// ServerSession: the connection: limits, draining, deferred events.
#include "grpc/server_session.h"

#include <utility>
#include <vector>

#include "base/hash64.h"
#include "grpc/server_session_impl.h"

namespace monitor::grpc {
namespace {
// Time for calls that were in flight when the client received GOAWAY.
constexpr int64_t kDrainRoundTrip = kNanosPerSecond;
// Memory that a connection may hold without charging the shared budget, and the step in which it charges.
constexpr size_t kFreeBytes = size_t{16} * 1024;
constexpr size_t kChargeStep = size_t{16} * 1024;

Http2Options http2_options(const ServerLimits& limits) {
  Http2Options out;
  out.server = true;
  out.max_concurrent_streams = limits.max_concurrent_streams;
  out.stream_window_bytes = limits.stream_window_bytes;
  out.connection_window_bytes = limits.connection_window_bytes;
  out.max_header_list_bytes = limits.max_header_list_bytes;
  out.header_burst_bytes = limits.header_burst_bytes;
  out.header_bytes_per_second = limits.header_bytes_per_second;
  out.header_burst_fields = limits.header_burst_fields;
  out.header_fields_per_second = limits.header_fields_per_second;
  out.header_timeout_ns = limits.header_timeout_ns;
  out.keepalive_interval_ns = limits.keepalive_interval_ns;
  out.keepalive_timeout_ns = limits.keepalive_timeout_ns;
  return out;
}

// Clients that connected at the same time, after a restart of the server, do not all leave at the same time. The
// address with its port is as good as a random number here.
int64_t age_limit(const ServerLimits& limits, std::string_view address) {
  const double unit = static_cast<double>(hash64({}, address) >> 11) * 0x1p-53;
  return static_cast<int64_t>(static_cast<double>(limits.max_age_ns) * (1 + limits.max_age_jitter * (2 * unit - 1)));
}

}  // namespace

ServerSession::Impl::Impl(Timers& timers, const ServerLimits& limits, const MethodTable& methods, PeerInfo peer,
                          ServerSessionHandler& handler)
    : Session(timers, http2_options(limits), handler),
      limits_(limits),
      methods_(methods),
      peer_(std::move(peer)),
      resets_(limits.reset_burst, limits.resets_per_second),
      controls_(limits.control_burst, limits.controls_per_second),
      windows_(limits.window_burst, limits.windows_per_second),
      idle_(timers, limits.idle_timeout_ns,
            [this] {
              if (active_ > 0) return true;
              drain();
              return false;
            }),
      stall_(timers, limits.stall_timeout_ns,
             [this] {
               if (held_.unsent > 0) {
                 const std::string unread = std::to_string(held_.unsent);
                 close(Error(Code::kResourceExhausted, "the client reads nothing: " + unread + " bytes wait for it"));
               }
               return false;
             }),
      held_(limits.buffers) {
  if (limits_.handshake_timeout_ns > 0) {
    handshake_timer_ = timers_.call_after(limits_.handshake_timeout_ns, [this] {
      handshake_timer_ = 0;
      fail(Error(Code::kUnavailable, "the client sent no SETTINGS in time"));
    });
  }
  if (limits_.max_age_ns > 0) {
    age_timer_ = timers_.call_after(age_limit(limits_, peer_.address), [this] {
      drain();
      age_timer_ = limits_.max_age_grace_ns == 0 ? 0 : timers_.call_after(limits_.max_age_grace_ns, [this] {
        age_timer_ = 0;
        close(Error(Code::kUnavailable, "the connection's age limit and grace period have passed"));
      });
    });
  }
  idle_.start();
}

ServerSession::Impl::~Impl() {
  cancel_timers();
  // Handlers may use their calls while they are destroyed, so the calls are destroyed last.
  for (auto& [stream, owner] : streams_) {
    stream->gone = true;
    stream->handler.reset();
  }
}

void ServerSession::Impl::cancel_timers() {
  for (Timers::TimerId* timer : {&handshake_timer_, &age_timer_, &drain_timer_}) {
    timers_.cancel_timer(std::exchange(*timer, 0));
  }
  idle_.stop();
  stall_.stop();
  for (auto& [stream, owner] : streams_) {
    timers_.cancel_timer(std::exchange(stream->deadline_timer, 0));
    timers_.cancel_timer(std::exchange(stream->message_timer, 0));
  }
}

void ServerSession::Impl::detach() {
  detach_handler();
  cancel_timers();
  for (auto& [stream, owner] : streams_) stream->gone = true;
}

void ServerSession::Impl::fail(const Error& error) {
  if (finished_ || !attached()) return;
  finished_ = true;
  finish_reason_ = error;
  schedule_events();
}

// --- The connection.

void ServerSession::Impl::on_settings() {
  if (std::exchange(ready_, true)) return;
  timers_.cancel_timer(std::exchange(handshake_timer_, 0));
  if (limits_.first_call_timeout_ns == 0) return;
  handshake_timer_ = timers_.call_after(limits_.first_call_timeout_ns, [this] {
    handshake_timer_ = 0;
    close(Error(Code::kUnavailable, "the client started no call in time"));
  });
}

void ServerSession::Impl::on_goaway_received(uint32_t /*h2_error*/, std::string_view /*debug_data*/) {
  finish_reason_ = Error(Code::kUnavailable, "the client went away");
}

void ServerSession::Impl::on_control_frame(ControlFrame frame) {
  const int64_t now = timers_.clock().mono_ns();
  if (frame == ControlFrame::kReset) {
    if (!resets_.take(now)) stop_reading("too_many_resets");
    return;
  }
  if (frame == ControlFrame::kWindow) {
    if (!windows_.take(now)) stop_reading("too_many_window_updates");
    return;
  }
  if (!controls_.take(now)) stop_reading("too_many_control_frames");
  if (frame != ControlFrame::kPing || limits_.min_ping_interval_ns == 0) return;
  // Tolerates a tenth, so that network jitter does not punish a client that keeps to the interval.
  const int64_t least = limits_.min_ping_interval_ns / 10 * 9;
  const bool too_soon = last_ping_ns_ != 0 && now - last_ping_ns_ < least;
  last_ping_ns_ = now;
  if (too_soon && ++ping_strikes_ > limits_.max_ping_strikes) stop_reading("too_many_pings");
}

void ServerSession::Impl::on_flood(std::string_view what) {
  const std::shared_ptr<Session> keep = shared_from_this();
  final_goaway_sent_ = true;
  terminate(H2Error::kEnhanceYourCalm, what);
  fail(Error(Code::kResourceExhausted, std::string(what)));
}

void ServerSession::Impl::on_goaway_sent(const Error& error) {
  if (final_goaway_sent_) return;  // reported already
  final_goaway_sent_ = true;
  finish_reason_ = error.with_context("the client broke HTTP/2");
}

void ServerSession::Impl::drain() {
  if (draining_ || finished_) return;
  draining_ = true;
  finish_reason_ = Error(Code::kUnavailable, "drained");
  // Calls in flight when the client receives the notice are still accepted.
  submit_shutdown_notice();
  submit_probe();
  std::vector<Stream*> running;
  for (auto& [stream, owner] : streams_) {
    if (stream->handler != nullptr && !stream->over()) running.push_back(stream);
  }
  // A call that ends stays in streams_ until HTTP/2 is done with it.
  for (Stream* stream : running) stream->handler->on_draining();
  drain_timer_ = timers_.call_after(kDrainRoundTrip, [this] {
    drain_timer_ = 0;
    final_goaway();
  });
}

void ServerSession::Impl::final_goaway() {
  timers_.cancel_timer(std::exchange(drain_timer_, 0));
  if (!draining_ || final_goaway_sent_) return;
  final_goaway_sent_ = true;
  submit_goaway(H2Error::kNoError, "");
}

void ServerSession::Impl::close(const Error& reason) {
  if (finished_) return;
  finish_reason_ = reason;
  final_goaway_sent_ = true;
  const H2Error code = reason.code() == Code::kResourceExhausted ? H2Error::kEnhanceYourCalm : H2Error::kNoError;
  terminate(code, reason.message());
  fail(reason);
}

// --- Memory held for the client.

bool HeldMemory::charge() {
  if (budget == nullptr) return true;
  const size_t held = partial + unsent + calls;
  const size_t wanted = held <= kFreeBytes ? 0 : (held / kChargeStep + 1) * kChargeStep;
  if (wanted < charged) budget->give_back(charged - wanted, wanted);
  if (wanted > charged && !budget->take(wanted - charged, charged)) return false;
  charged = wanted;
  return true;
}

// --- Deferred events.

void ServerSession::Impl::deliver_writable(SessionStream& base) {
  auto& stream = static_cast<Stream&>(base);
  if (!stream.over() && stream.handler != nullptr) stream.handler->on_writable();
}

void ServerSession::Impl::deliver_events() {
  if (closed_.empty() && over_.empty()) return;
  // Moved out first, since destructors of handlers may call into this session.
  const std::vector<std::unique_ptr<Stream>> closed = std::move(closed_);
  std::vector<std::unique_ptr<ServerCallHandler>> over = std::move(over_);
  closed_.clear();
  over_.clear();
  for (const auto& stream : closed) forget_writable(*stream);
  over.clear();
}

void ServerSession::Impl::end_calls() {
  finished_ = true;
  std::vector<Stream*> running;
  running.reserve(streams_.size());
  for (auto& [stream, owner] : streams_) running.push_back(stream);
  for (Stream* stream : running) {
    if (attached()) stream->cancelled();
  }
  deliver_events();
}

// --- Public interface.

ServerSession::ServerSession(Timers& timers, const ServerLimits& limits, const MethodTable& methods, PeerInfo peer,
                             ServerSessionHandler& handler)
    : impl_(std::make_shared<Impl>(timers, limits, methods, std::move(peer), handler)) {}
ServerSession::~ServerSession() { impl_->detach(); }

void ServerSession::receive(std::string_view bytes) { impl_->receive(bytes); }
std::string_view ServerSession::pending_output() { return impl_->pending_output(); }
void ServerSession::consume_output(size_t bytes) { impl_->consume_output(bytes); }
void ServerSession::connection_lost(const Error& error) { impl_->fail(error); }
bool ServerSession::finished() const { return impl_->finished(); }
void ServerSession::set_peer_certificate(const PeerCertificate* certificate) {
  impl_->peer().certificate = certificate;
}
size_t ServerSession::active_calls() const { return impl_->active_calls(); }
void ServerSession::drain() { impl_->drain(); }
void ServerSession::close(const Error& reason) { impl_->close(reason); }

}  // namespace monitor::grpc
