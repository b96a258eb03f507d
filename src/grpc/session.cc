#include "grpc/session.h"

#include <utility>

namespace monitor::grpc {

Session::Session(Timers& timers, const Http2Options& options, ByteMachineHandler& handler)
    : Http2(timers, options), timers_(timers), handler_(&handler) {}

Session::~Session() { timers_.cancel_timer(events_timer_); }

void Session::detach_handler() {
  handler_ = nullptr;
  abort();
  timers_.cancel_timer(std::exchange(events_timer_, 0));
}

// --- Bytes.

void Session::receive(std::string_view bytes) {
  if (finished_) return;
  const std::shared_ptr<Session> keep = shared_from_this();
  in_receive_ = true;
  const Status fed = feed(bytes);
  in_receive_ = false;
  if (!attached()) return;
  if (!fed.ok()) fail(fed.error().with_context("HTTP/2"));
  run_events();
}

std::string_view Session::pending_output() {
  const std::string_view bytes = output();
  // Streams, or the session, may have ended while their frames were prepared.
  if (events_wait() || (!finish_reported_ && (finished_ || done()))) schedule_events();
  return bytes;
}

void Session::consume_output(size_t bytes) {
  output_sent(bytes);
  run_events();
}

void Session::on_want_output() {
  if (attached()) handler_->on_output_wanted();
}

// --- Deferred events.

void Session::check_writable(SessionStream& stream, size_t low_water_bytes) {
  if (!stream.above_low_water || stream.writable_queued || stream.send.size() > low_water_bytes) return;
  stream.above_low_water = false;
  stream.writable_queued = true;
  writable_.push_back(&stream);
}

void Session::forget_writable(SessionStream& stream) {
  if (stream.writable_queued) std::erase(writable_, &stream);
}

void Session::schedule_events() {
  if (in_receive_ || events_timer_ != 0 || !attached()) return;
  events_timer_ = timers_.call_after(0, [this] {
    events_timer_ = 0;
    run_events();
  });
}

void Session::run_events() {
  const std::shared_ptr<Session> keep = shared_from_this();
  if (events_timer_ != 0) timers_.cancel_timer(std::exchange(events_timer_, 0));
  while (attached() && !writable_.empty()) {
    SessionStream* const stream = writable_.back();
    writable_.pop_back();
    stream->writable_queued = false;
    deliver_writable(*stream);
  }
  deliver_events();
  if (!attached() || finish_reported_) return;
  if (!finished_ && !(done() && output_bytes() == 0)) return;
  finish_reported_ = true;
  end_calls();
  if (attached()) handler_->on_finished(finish_reason_);
}

}  // namespace monitor::grpc
