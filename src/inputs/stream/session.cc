#include "inputs/stream/session.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/hex.h"
#include "base/log.h"
#include "base/text.h"
#include "inputs/stream/stream_identity.h"

namespace monitor::server {

namespace {

using metriclog::LogWriter;
using metriclog::Outcome;
using stream::Receiver;

stream::ReceiverOptions receiver_options(const IngestOptions& options, const LogWriter& log) {
  const metrics::BatchLimits& limits = options.limits;
  return {.version = options.version,
          .window_bytes = options.window_bytes,
          .limits = {.batch_bytes = limits.batch_bytes,
                     .points = limits.points,
                     .series = limits.series,
                     .labels = limits.labels,
                     .name_bytes = limits.name_bytes,
                     .value_bytes = limits.value_bytes},
          .log = log.identity(),
          .payloads = options.encoding == Encoding::kProtobuf ? std::vector<uint32_t>() : std::vector<uint32_t>{2}};
}

// What the table knows of the stream, without its callbacks.
std::shared_ptr<LiveStream> live_stream_of(const grpc::ServerCall& call, const stream::Hello& hello) {
  auto live = std::make_shared<LiveStream>();
  live->agent_id = hello.agent_id;
  live->incarnation = hello.incarnation;
  live->hostname = hello.hostname;
  live->peer = call.peer();
  if (const PeerCertificate* const certificate = call.peer_certificate(); certificate != nullptr) {
    live->certificate = certificate->number();
    live->authorities = certificate->authorities;
  }
  return live;
}

constexpr size_t kFlushAt = size_t{16} * 1024;  // bytes of pending replies
constexpr size_t kMaxReason = 1024;             // bytes of a rejection's text

}  // namespace

Session::Session(SessionContext& context, SessionOwner& owner, grpc::ServerCall& call)
    : context_(context),
      owner_(owner),
      call_(call),
      receiver_(receiver_options(context.options, context.env.log)),
      memory_(context.memory, context.env.timers, context.options.turn_ns),
      use_(context.env.identities, context.env.timers.clock()),
      conflicts_(context.env.streams, context.metrics),
      id_(owner.enter(*this)) {
  hello_timer_ = context_.env.timers.call_after(context_.options.hello_timeout_ns, [this] {
    hello_timer_ = 0;
    end(Error(Code::kDeadlineExceeded,
              fmt::format("stream: no Hello within {} s", context_.options.hello_timeout_ns / kNanosPerSecond)));
  });
}

Session::~Session() {
  context_.env.timers.cancel_timer(hello_timer_);
  context_.env.timers.cancel_timer(retry_timer_);
  context_.env.timers.cancel_timer(limit_timer_);
  ended_ = true;  // from here on, `call_` is not used any more
  end_stream();
  leave_orphans();
  context_.memory.leave(*this);
  owner_.leave(id_);
}

void Session::on_cancelled() {
  ended_ = true;
  end_stream();
}

// Releases everything except the memory of records that the log holds.
void Session::end_stream() {
  memory_.end_turn();
  (void)memory_.set_overhead(0);
  drop_waiting();
  leave_table();
}

void Session::leave_table() {
  if (!live_) return;
  context_.env.streams.remove(live_);
  live_.reset();
}

void Session::on_message(std::string_view message) {
  if (ended_) return;
  const auto event = receiver_.receive(message);
  if (!event) return end(event.error());
  use_.charge(message.size());
  switch (event->kind) {
    case Receiver::Event::Kind::kNothing:
      (void)stop_at_limits();
      give_back(message.size());
      return;
    case Receiver::Event::Kind::kHello:
      call_.consumed(message.size());
      return welcome();
    case Receiver::Event::Kind::kBatch:
      return take_batch(*event, message.size());
  }
}

void Session::welcome() {
  context_.env.timers.cancel_timer(std::exchange(hello_timer_, 0));
  const stream::Hello& hello = receiver_.hello();
  if (const Status identity = check_stream_identity(call_, hello, context_.options, context_.metrics); !identity) {
    return end(identity.error());
  }
  live_ = live_stream_of(call_, hello);
  live_->end = [&owner = owner_, id = id_](const Error& error) {
    owner.post(id, [error](Session& session) { session.end(error); });
  };
  live_->tell_conflict = [&owner = owner_, id = id_](const std::string& who) {
    owner.post(id, [who](Session& session) { session.tell_conflict(who); });
  };
  use_.enter(hello.agent_id);
  const size_t most = context_.env.identities.limits().streams;
  if (auto status = context_.env.streams.add(live_, most == 0 ? SIZE_MAX : most); !status) {
    live_.reset();
    report_breach(IdentityLimit::kStreams);
    return end(status.error());
  }
  log_info("stream opened", {{"agent", hello.agent_id},
                             {"host", hello.hostname},
                             {"incarnation", hex(hello.incarnation)},
                             {"version", hello.version},
                             {"peer", call_.peer()},
                             {"certificate", live_->certificate.serial.empty() ? "none" : live_->certificate.serial}});
  flush();
}

void Session::take_batch(const Receiver::Event& event, size_t message_bytes) {
  if (live_) {
    if (const auto rival = conflicts_.rival_of(*live_, context_.env.timers.clock().mono_ns())) {
      rival->tell_conflict(describe(*live_));
      tell_conflict(describe(*rival));
    }
  }
  if (ended_) return;
  context_.metrics.bytes.add(event.batch.size());
  flights_.add({.token = event.token, .bytes = message_bytes, .since_ns = context_.env.timers.clock().mono_ns()});
  use_.add_batch();
  append(event.token, event.batch);
  // Acknowledgements are written when the log confirms; here only a rejection can have caused a reply.
  if (flights_.empty() || receiver_.outbox_bytes() > kFlushAt) flush();
  charge_overhead();
}

void Session::tell_conflict(const std::string& who) {
  if (ended_ || !conflicts_.may_notify(context_.env.timers.clock().mono_ns())) return;
  receiver_.notify({std::string(stream::Notice::kAgentIdConflict),
                    fmt::format("{} sends under the agent id {}, too; change the --agent-id of one of them", who,
                                receiver_.hello().agent_id)});
  flush();
}

void Session::release(Flight& flight) { memory_.release(std::exchange(flight.cost, 0)); }

void Session::leave_orphans() {
  if (!flights_.empty()) owner_.adopt(id_, flights_.first_token(), flights_.costs());
}

void Session::delivered(uint32_t token_low, Outcome outcome, std::string reason) {
  Flight* const found = flights_.find_low(token_low);
  if (found == nullptr) return;
  Flight& flight = *found;
  const uint64_t token = flight.token;
  switch (outcome) {
    case Outcome::kStored: {
      const int64_t took = context_.env.timers.clock().mono_ns() - flight.since_ns;
      context_.metrics.append_seconds.observe(static_cast<double>(took) / 1e9);
      (flight.copy ? context_.metrics.copies : context_.metrics.stored).add();
      retry_ns_ = 0;
      settle(flight);
      receiver_.set_log(context_.log_identity);
      receiver_.stored(token);
      return;
    }
    case Outcome::kRejected:
      return reject(token, context_.metrics.rejected_log, std::move(reason));
    case Outcome::kRetry:
      log_debug("log did not accept a batch", {{"reason", reason}});
      return ask_again(token);
  }
}

void Session::reject(uint64_t token, telemetry::Counter& counter, std::string reason) {
  counter.add();
  log_warning("batch rejected", {{"agent", receiver_.hello().agent_id}, {"reason", reason}});
  if (reason.size() > kMaxReason) reason = sanitize_utf8(reason.substr(0, kMaxReason));
  settle(*flights_.find(token));
  receiver_.reject(token, std::move(reason));
}

// Returns the bytes to the agent's window. May forget the oldest flights, `flight` among them.
void Session::settle(Flight& flight) {
  flight.settled = true;
  use_.remove_batches(1);
  release(flight);
  give_back(flight.bytes);
  flights_.forget_settled();
}

void Session::settle(uint64_t token) {
  Flight* const flight = flights_.find(token);
  if (flight != nullptr && !flight->settled) settle(*flight);
}

// Asks the agent to send again from `token` on. This discards the waiting batches too, with two exceptions: `token` is
// from before a rewind, or the batches arrived before a copy whose outcome is that of another batch.
void Session::ask_again(uint64_t token) {
  settle(token);
  flush();  // writes pending acknowledgements before the pause
  if (!receiver_.retry(token)) return;
  paused_at_.reset();  // the token is obsolete, because the agent sends the batch again
  context_.metrics.retried.add();
  drop_waiting(token);
  if (retry_timer_ != 0 || ended_) return;
  const IngestOptions& options = context_.options;
  retry_ns_ = std::clamp(retry_ns_ * 2, options.min_retry_ns, options.max_retry_ns);
  const int64_t half = retry_ns_ / 2;
  const int64_t pause = half + static_cast<int64_t>(context_.env.random.below(static_cast<uint64_t>(half) + 1));
  retry_timer_ = context_.env.timers.call_after(pause, [this] {
    retry_timer_ = 0;
    release_withheld();
    flush();
  });
}

void Session::drop_waiting(uint64_t token) {
  while (!waiting_.empty() && waiting_.back().token >= token) {
    const Waiting& waiting = waiting_.back();
    context_.log_queue.remove_bytes(waiting.batch.size());
    Flight* const flight = flights_.find(waiting.token);
    if (flight != nullptr) release(*flight);
    if (!ended_) settle(waiting.token);
    waiting_.pop_back();
  }
  if (waiting_.empty()) context_.log_queue.leave(id_);
}

void Session::log_reset() {
  memory_.end_turn();
  if (flights_.empty()) return;
  drop_waiting();
  context_.metrics.retried.add(flights_.size());
  for (Flight& flight : flights_) {
    release(flight);
    if (flight.settled) continue;
    use_.remove_batches(1);
    give_back(flight.bytes);
  }
  flights_.clear();
  receiver_.retry_all();
  paused_at_.reset();
  paused_by_limit_ = false;
  if (!std::exchange(paused_, false)) return;
  context_.memory.leave(*this);
  release_withheld();
}

void Session::drain() {
  if (ended_) return;
  receiver_.drain();
  flush();
}

void Session::on_half_close() {
  half_closed_ = true;
  flush();
}

void Session::end(const Error& error) {
  if (std::exchange(ended_, true)) return;
  log_info("stream ended by the server", {{"peer", call_.peer()}, {"error", error}});
  end_stream();
  call_.finish({error.code(), error.message()});
}

void Session::flush() {
  if (ended_ || retry_timer_ != 0) return;
  while (call_.unsent_bytes() < context_.options.max_unsent_bytes) {
    const auto message = receiver_.next();
    if (message) {
      call_.write(*message);
      continue;
    }
    if (receiver_.finished() || (half_closed_ && receiver_.open() == 0)) {
      ended_ = true;
      (void)memory_.set_overhead(0);
      leave_table();
      call_.finish({});
      return;
    }
    break;
  }
  release_withheld();
  if (memory_.overhead() != 0) charge_overhead();
}

}  // namespace monitor::server
