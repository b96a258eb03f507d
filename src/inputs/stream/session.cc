#include "inputs/stream/session.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <deque>
#include <utility>

#include "base/hex.h"
#include "base/log.h"
#include "base/mutant.h"
#include "base/text.h"
#include "metrics/json_form.h"

namespace monitor::server {

namespace {

using metriclog::LogWriter;
using metriclog::Outcome;
using stream::Receiver;

// Of the memory budget, for a copy of a batch that the log has.
constexpr size_t kCopyCost = 128;
constexpr int64_t kTellConflictEvery = 60 * kNanosPerSecond;

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
          .log = log.identity()};
}

// What a stream's bookkeeping costs: a batch in flight here and in the receiver. Below the first bound it is not
// counted: an ordinary stream stays there; above, it is taken from the budget in steps.
constexpr size_t kPerInFlight = 64;
constexpr size_t kFreeOverhead = size_t{64} * 1024;
constexpr size_t kOverheadStep = size_t{16} * 1024;
constexpr size_t kFlushAt = size_t{16} * 1024;  // of refusals that wait for what is in flight before them
constexpr size_t kMaxReason = 1024;             // bytes of a refusal's text

}  // namespace

Session::Session(Ingest& ingest, grpc::ServerCall& call)
    : ingest_(ingest),
      call_(call),
      receiver_(receiver_options(ingest.options_, ingest.env_.log)),
      id_(ingest.enter(*this)) {
  hello_timer_ = ingest_.env_.timers.call_after(ingest_.options_.hello_timeout_ns, [this] {
    hello_timer_ = 0;
    end(Error(Code::kDeadlineExceeded,
              fmt::format("stream: no Hello within {} s", ingest_.options_.hello_timeout_ns / kNanosPerSecond)));
  });
}

Session::~Session() {
  ingest_.env_.timers.cancel_timer(hello_timer_);
  ingest_.env_.timers.cancel_timer(retry_timer_);
  ended_ = true;  // nothing is said to the call any more
  end_turn();
  free_overhead();
  drop_waiting();
  leave_orphans();
  leave_table();
  ingest_.leave(id_);
}

void Session::on_cancelled() {
  ended_ = true;
  end_turn();
  free_overhead();
  drop_waiting();
  leave_table();
}

void Session::leave_table() {
  if (!live_) return;
  ingest_.env_.streams.remove(live_);
  live_.reset();
}

void Session::on_message(std::string_view message) {
  if (ended_) return;
  const auto event = receiver_.receive(message);
  if (!event) return end(event.error());
  switch (event->kind) {
    case Receiver::Event::Kind::kNothing:
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
  ingest_.env_.timers.cancel_timer(std::exchange(hello_timer_, 0));
  const stream::Hello& hello = receiver_.hello();
  live_ = std::make_shared<LiveStream>();
  live_->agent_id = hello.agent_id;
  live_->incarnation = hello.incarnation;
  live_->hostname = hello.hostname;
  live_->peer = call_.peer();
  live_->end = [&ingest = ingest_, id = id_](const Error& error) {
    ingest.env_.post([&ingest, id, error] {
      if (const auto it = ingest.sessions_.find(id); it != ingest.sessions_.end()) it->second->end(error);
    });
  };
  live_->tell_conflict = [&ingest = ingest_, id = id_](const std::string& who) {
    ingest.env_.post([&ingest, id, who] {
      if (const auto it = ingest.sessions_.find(id); it != ingest.sessions_.end()) it->second->tell_conflict(who);
    });
  };
  if (auto status = ingest_.env_.streams.add(live_, ingest_.options_.max_streams_per_agent); !status) {
    live_.reset();
    return end(status.error());
  }
  log_info("stream opened", {{"agent", hello.agent_id},
                             {"host", hello.hostname},
                             {"incarnation", hex(hello.incarnation)},
                             {"version", hello.version},
                             {"peer", call_.peer()}});
  flush();
}

void Session::take_batch(const Receiver::Event& event, size_t message_bytes) {
  look_for_rival();
  if (ended_) return;
  ingest_.metrics_.bytes.add(event.batch.size());
  in_flight_.push_back(
      {.token = event.token, .bytes = message_bytes, .since_ns = ingest_.env_.timers.clock().mono_ns()});
  append(event.token, event.batch);
  // Confirmations write the acknowledgements; here only a refusal can have something to say.
  if (in_flight_.empty() || receiver_.outbox_bytes() > kFlushAt) flush();
  charge_overhead();
}

// Two runs of one agent id that both speak after the other's Hello: a cloned host, or an id that was given twice.
// Looked for when another run has said Hello, and each minute from then on, so that both agents know for how long it
// lasts.
void Session::look_for_rival() {
  if (!live_) return;
  const int64_t now = ingest_.env_.timers.clock().mono_ns();
  const bool first = live_->has_rival.exchange(false, std::memory_order_relaxed);
  if (!first && (!in_conflict_ || now - conflict_told_ns_ < kTellConflictEvery)) return;
  const auto rival = ingest_.env_.streams.rival_of(*live_);
  in_conflict_ = rival != nullptr;
  if (!rival) return;
  if (first) {
    ingest_.metrics_.conflicts.add();
    log_warning("agent_id_conflict", {{"agent", live_->agent_id},
                                      {"host", live_->hostname},
                                      {"peer", live_->peer},
                                      {"other_host", rival->hostname},
                                      {"other_peer", rival->peer},
                                      {"next", "both are stored; give one of them another --agent-id"}});
  }
  const auto name = [](const LiveStream& one) { return fmt::format("{} ({})", one.hostname, one.peer); };
  rival->tell_conflict(name(*live_));
  tell_conflict(name(*rival));
}

void Session::tell_conflict(const std::string& who) {
  if (ended_) return;
  const int64_t now = ingest_.env_.timers.clock().mono_ns();
  // Both find each other, at about the same time.
  if (in_conflict_ && conflict_told_ns_ != 0 && now - conflict_told_ns_ < kTellConflictEvery / 2) return;
  conflict_told_ns_ = now;
  in_conflict_ = true;
  receiver_.notify({std::string(stream::Notice::kAgentIdConflict),
                    fmt::format("{} sends under the agent id {}, too; give one of them another --agent-id", who,
                                receiver_.hello().agent_id)});
  flush();
}

void Session::append(uint64_t token, std::string_view batch) {
  const auto view = ingest_.checker_.check(batch);
  IngestMetrics& metrics = ingest_.metrics_;
  if (!view) {
    const bool large = view.error().code() == Code::kResourceExhausted;
    return reject(
        token, large ? metrics.rejected_large : metrics.rejected_invalid,
        fmt::format("{}: {}", large ? metrics::reason::kTooLarge : metrics::reason::kInvalid, view.error().message()));
  }
  // The incarnation may be an earlier one of the same agent: its spool outlives its process.
  if (view->agent_id != receiver_.hello().agent_id) {
    return reject(token, metrics.rejected_agent,
                  fmt::format("invalid: permission denied, the batch is of agent {}, the stream of agent {}",
                              view->agent_id, receiver_.hello().agent_id));
  }
  if (const Status counters = check_counters(*view); !counters) {
    return reject(token, metrics.rejected_invalid,
                  fmt::format("{}: {}", metrics::reason::kInvalid, counters.error().message()));
  }
  const HeldBatches::Id id = ingest_.env_.held.id_of(*view, batch);
  if (!paused_ && take_copy(token, ingest_.env_.held.join(id, waiter(token)))) {
    // It waits for the log's word on the first as if it had been appended itself, at no more than its places in queues.
    if (!afford(kCopyCost)) return pause(token, kCopyCost);
    flight_of(token)->cost = kCopyCost;
    held_ += kCopyCost;
    return;
  }
  const size_t cost = batch.size() + MemoryBudget::kPerBatch;
  if (paused_ || !afford(cost)) return pause(token, cost);
  flight_of(token)->cost = cost;
  held_ += cost;
  // What waits goes first: the log keeps the order of the stream, and streams that wait have their turn.
  if (ingest_.waiting_.empty() && waiting_.empty() && append_to_log(token, batch, *view, id)) {
    metrics.points.add(view->points);
    if (is_mutant("ack_before_confirmation")) receiver_.stored(token);
    return;
  }
  metrics.log_full.add();
  if (waiting_.empty()) ingest_.wait_for_room(id_);
  waiting_.push_back({token, std::string(batch), id});
  ingest_.set_waiting_bytes(ingest_.waiting_bytes_ + batch.size());
}

// A later batch of a run cannot have fewer ticks behind it. Only the highest is remembered: replays come in between.
Status Session::check_counters(const metrics::BatchView& view) {
  if (view.incarnation != receiver_.hello().incarnation) return {};
  const bool later = view.sequence >= last_sequence_;
  const bool fits = later ? view.ticks_due >= last_ticks_due_ && view.ticks_missed >= last_ticks_missed_
                          : view.ticks_due <= last_ticks_due_ && view.ticks_missed <= last_ticks_missed_;
  if (!fits) {
    return Error(Code::kInvalidArgument,
                 fmt::format("batch: {} ticks due and {} missed at sequence {}, {} and {} at sequence {}: they go back",
                             view.ticks_due, view.ticks_missed, view.sequence, last_ticks_due_, last_ticks_missed_,
                             last_sequence_));
  }
  if (!later) return {};
  last_sequence_ = view.sequence;
  last_ticks_due_ = view.ticks_due;
  last_ticks_missed_ = view.ticks_missed;
  return {};
}

// True: it is a copy of what the log has or is about to have, and will be answered as that is.
bool Session::take_copy(uint64_t token, HeldBatches::State state) {
  if (state != HeldBatches::State::kHeld && state != HeldBatches::State::kStored) return false;
  flight_of(token)->copy = true;
  if (state == HeldBatches::State::kHeld) return true;
  const metriclog::Delivery stored{.token = waiter(token).token, .outcome = Outcome::kStored, .reason = {}};
  ingest_.on_delivered({&stored, 1});
  return true;
}

// While others wait for memory, a stream takes what was kept for it, and beyond that no more than its share.
bool Session::afford(size_t cost) {
  if (turn_ >= cost) {
    turn_ -= cost;
    return true;
  }
  end_turn();
  const bool others_wait = !ingest_.paused_.empty();
  if (others_wait && held_ + cost > ingest_.env_.memory.share()) return false;
  return ingest_.take_memory(cost);
}

void Session::end_turn() {
  ingest_.env_.timers.cancel_timer(std::exchange(turn_timer_, 0));
  if (turn_ != 0) ingest_.give_memory_back(std::exchange(turn_, 0));
}

// There is no memory for it: it and what comes after it is not kept, and the agent gets no more room to send. Nothing
// is asked for again before there is room for it.
void Session::pause(uint64_t token, size_t cost) {
  if (!paused_at_) {
    paused_at_ = token;
    paused_cost_ = cost;
  }
  if (!std::exchange(paused_, true)) {
    end_turn();
    ingest_.wait_for_memory(id_);
  }
  settle(token);
}

size_t Session::turn(size_t share) const {
  if (held_ == 0) return std::max(paused_cost_, std::min(withheld_, share));
  if (held_ + paused_cost_ > share) return 0;
  return std::max(paused_cost_, std::min(withheld_, share - held_));
}

void Session::resume(size_t taken) {
  paused_ = false;
  turn_ = taken;
  turn_timer_ = ingest_.env_.timers.call_after(ingest_.options_.turn_ns, [this] {
    turn_timer_ = 0;
    end_turn();
  });
  const auto from = std::exchange(paused_at_, std::nullopt);
  if (from && receiver_.retry(*from)) ingest_.metrics_.retried.add();
  release_withheld();
  flush();
}

void Session::give_back(size_t bytes) {
  if (paused_ || retry_timer_ != 0 || outbox_full()) {
    withheld_ += bytes;
  } else if (!ended_) {
    call_.consumed(bytes);
  }
}

void Session::release_withheld() {
  if (paused_ || retry_timer_ != 0 || withheld_ == 0 || ended_ || outbox_full()) return;
  call_.consumed(std::exchange(withheld_, 0));
}

bool Session::outbox_full() const { return call_.unsent_bytes() >= ingest_.options_.max_unsent_bytes; }

// Replies that an agent does not read, and what it makes us remember of tiny batches, are bounded and in the budget.
void Session::charge_overhead() {
  if (ended_) return;
  const size_t outbox = receiver_.outbox_bytes();
  if (outbox > ingest_.options_.max_outbox_bytes) {
    return end(Error(Code::kResourceExhausted,
                     fmt::format("stream: the agent does not read its replies: {} bytes wait, the limit is {}; read "
                                 "them, and send again on a new stream",
                                 outbox + call_.unsent_bytes(), ingest_.options_.max_outbox_bytes)));
  }
  const size_t used = outbox + in_flight_.size() * kPerInFlight;
  const size_t wanted = used <= kFreeOverhead ? 0 : (used / kOverheadStep + 1) * kOverheadStep;
  if (wanted <= overhead_) {
    ingest_.give_memory_back(overhead_ - wanted);
  } else if (!ingest_.take_memory(wanted - overhead_)) {
    return end(Error(Code::kResourceExhausted,
                     fmt::format("stream: {} batches and {} bytes of replies wait, and the server's memory limit is "
                                 "reached; send again on a new stream",
                                 in_flight_.size(), outbox + call_.unsent_bytes())));
  }
  overhead_ = wanted;
}

void Session::free_overhead() { ingest_.give_memory_back(std::exchange(overhead_, 0)); }

Session::InFlight* Session::flight_of(uint64_t token) {
  if (in_flight_.empty() || token < in_flight_.front().token) return nullptr;
  const auto index = static_cast<size_t>(token - in_flight_.front().token);
  return index < in_flight_.size() ? &in_flight_[index] : nullptr;
}

void Session::release(InFlight& flight) {
  held_ -= flight.cost;
  ingest_.give_memory_back(std::exchange(flight.cost, 0));
}

void Session::leave_orphans() {
  if (in_flight_.empty()) return;
  std::deque<size_t> costs;
  for (const InFlight& flight : in_flight_) costs.push_back(flight.cost);
  ingest_.adopt(id_, in_flight_.front().token, std::move(costs));
}

bool Session::append_to_log(uint64_t token, std::string_view batch, const metrics::BatchView& view,
                            const HeldBatches::Id& id) {
  std::array<char, 2 * metrics::kIncarnationBytes> incarnation{};
  hex_to(view.incarnation, incarnation.data());
  const fmt::format_int sequence(view.sequence);
  const fmt::format_int revision(view.config_revision);
  const bool json = ingest_.options_.encoding == Encoding::kJson;
  const std::array<std::pair<std::string_view, std::string_view>, 5> headers = {{
      {"agent", view.agent_id},
      {"incarnation", {incarnation.data(), incarnation.size()}},
      {"sequence", {sequence.data(), sequence.size()}},
      {"config-revision", {revision.data(), revision.size()}},
      {"content-type", json ? "application/json" : "application/x-protobuf"},
  }};
  std::string converted;
  if (json) {
    const auto decoded = metrics::decode_batch(batch, ingest_.options_.limits);
    if (!decoded) {
      reject(token, ingest_.metrics_.rejected_invalid, "invalid: " + decoded.error().message());
      return true;
    }
    converted = metrics::batch_to_json(*decoded);
  }
  return append_record(token, {view.agent_id, headers, json ? std::string_view(converted) : batch}, view, id);
}

bool Session::append_record(uint64_t token, const metriclog::RecordView& record, const metrics::BatchView& view,
                            const HeldBatches::Id& id) {
  const HeldBatches::Waiter self = waiter(token);
  const HeldBatches::State state = ingest_.env_.held.hold(id, self);
  if (take_copy(token, state)) return true;
  if (state == HeldBatches::State::kOther) {
    ingest_.metrics_.contradictions.add();
    log_warning("batch contradicts another of the same sequence; both are stored, readers count the first",
                {{"agent", view.agent_id},
                 {"incarnation", hex(view.incarnation)},
                 {"sequence", view.sequence},
                 {"host", receiver_.hello().hostname},
                 {"peer", call_.peer()}});
  }
  if (ingest_.env_.log.append(record, ingest_, self.token) == LogWriter::Accepted::kYes) return true;
  Ingest::tell(ingest_.env_.held.release(self));
  return false;
}

bool Session::append_waiting() {
  const Waiting& oldest = waiting_.front();
  const auto view = ingest_.checker_.check(oldest.batch);
  if (view && !append_to_log(oldest.token, oldest.batch, *view, oldest.id)) return false;
  if (view) ingest_.metrics_.points.add(view->points);
  ingest_.set_waiting_bytes(ingest_.waiting_bytes_ - oldest.batch.size());
  waiting_.pop_front();
  return true;
}

void Session::delivered(uint32_t token_low, Outcome outcome, std::string reason) {
  if (in_flight_.empty()) return;
  const uint32_t index = token_low - static_cast<uint32_t>(in_flight_.front().token);
  if (index >= in_flight_.size() || in_flight_[index].settled) return;
  InFlight& flight = in_flight_[index];
  const uint64_t token = flight.token;
  switch (outcome) {
    case Outcome::kStored: {
      const int64_t took = ingest_.env_.timers.clock().mono_ns() - flight.since_ns;
      ingest_.metrics_.append_seconds.observe(static_cast<double>(took) / 1e9);
      (flight.copy ? ingest_.metrics_.copies : ingest_.metrics_.stored).add();
      retry_ns_ = 0;
      settle(flight);
      receiver_.set_log(ingest_.log_identity_);
      receiver_.stored(token);
      return;
    }
    case Outcome::kRejected:
      return reject(token, ingest_.metrics_.rejected_log, std::move(reason));
    case Outcome::kRetry:
      log_debug("log did not take a batch", {{"reason", reason}});
      return ask_again(token);
  }
}

void Session::reject(uint64_t token, telemetry::Counter& counter, std::string reason) {
  counter.add();
  log_warning("batch rejected", {{"agent", receiver_.hello().agent_id}, {"reason", reason}});
  if (reason.size() > kMaxReason) reason = sanitize_utf8(reason.substr(0, kMaxReason));
  const auto index = static_cast<size_t>(token - in_flight_.front().token);
  settle(in_flight_[index]);
  receiver_.reject(token, std::move(reason));
}

// Gives the bytes back to the agent's window. May take elements off in_flight_'s front, `flight` among them.
void Session::settle(InFlight& flight) {
  flight.settled = true;
  release(flight);
  give_back(flight.bytes);
  while (!in_flight_.empty() && in_flight_.front().settled) in_flight_.pop_front();
}

void Session::settle(uint64_t token) {
  InFlight* const flight = flight_of(token);
  if (flight != nullptr && !flight->settled) settle(*flight);
}

// From `token` on, all is sent again. What waits is of that, unless the token is from before a rewind; or what waits
// came before a copy, which has its answer from elsewhere.
void Session::ask_again(uint64_t token) {
  settle(token);
  flush();  // acknowledgements that are due go out before the pause
  if (!receiver_.retry(token)) return;
  paused_at_.reset();  // a token that is no more: the agent sends it again, and it may not be kept again
  ingest_.metrics_.retried.add();
  drop_waiting(token);
  if (retry_timer_ != 0 || ended_) return;
  const IngestOptions& options = ingest_.options_;
  retry_ns_ = std::clamp(retry_ns_ * 2, options.min_retry_ns, options.max_retry_ns);
  const int64_t half = retry_ns_ / 2;
  const int64_t pause = half + static_cast<int64_t>(ingest_.env_.random.below(static_cast<uint64_t>(half) + 1));
  retry_timer_ = ingest_.env_.timers.call_after(pause, [this] {
    retry_timer_ = 0;
    release_withheld();
    flush();
  });
}

void Session::drop_waiting(uint64_t token) {
  while (!waiting_.empty() && waiting_.back().token >= token) {
    const Waiting& waiting = waiting_.back();
    ingest_.set_waiting_bytes(ingest_.waiting_bytes_ - waiting.batch.size());
    InFlight* const flight = flight_of(waiting.token);
    if (flight != nullptr) release(*flight);
    if (!ended_) settle(waiting.token);
    waiting_.pop_back();
  }
  if (waiting_.empty()) std::erase(ingest_.waiting_, id_);
}

void Session::log_reset() {
  end_turn();
  if (in_flight_.empty()) return;
  drop_waiting();
  ingest_.metrics_.retried.add(in_flight_.size());
  for (InFlight& flight : in_flight_) {
    release(flight);
    if (!flight.settled) give_back(flight.bytes);
  }
  in_flight_.clear();
  receiver_.retry_all();
  paused_at_.reset();
  if (!std::exchange(paused_, false)) return;
  ingest_.leave_memory_queue(id_);
  release_withheld();
}

void Session::drain() {
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
  end_turn();
  free_overhead();
  drop_waiting();
  leave_table();
  call_.finish({error.code(), error.message()});
}

void Session::flush() {
  if (ended_ || retry_timer_ != 0) return;
  while (call_.unsent_bytes() < ingest_.options_.max_unsent_bytes) {
    const auto message = receiver_.next();
    if (message) {
      call_.write(*message);
      continue;
    }
    if (receiver_.finished() || (half_closed_ && receiver_.open() == 0)) {
      ended_ = true;
      free_overhead();
      leave_table();
      call_.finish({});
      return;
    }
    break;
  }
  release_withheld();
  if (overhead_ != 0) charge_overhead();
}

}  // namespace monitor::server
