#include "inputs/stream/ingest.h"

#include <algorithm>
#include <unordered_set>
#include <utility>

#include "inputs/stream/session.h"

namespace monitor::server {

namespace {

constexpr const char* kRejected = "monitor_server_batches_rejected_total";
constexpr const char* kRejectedHelp = "Batches that can never be stored, by reason.";

constexpr size_t kMaxHello = size_t{16} * 1024;  // its names' own limits are far below

constexpr size_t kMostPassedOver = 256;  // in one look at those who wait for memory

}  // namespace

IngestMetrics::IngestMetrics(telemetry::Registry& r)
    : stored(r.counter("monitor_server_batches_stored_total", "Batches that the log confirmed.")),
      copies(r.counter("monitor_server_batches_copies_total",
                       "Batches that were sent again while the log had them, and not appended again.")),
      contradictions(r.counter("monitor_server_batches_contradicting_total",
                               "Batches with another content than one of the same sequence that the log has.")),
      retried(r.counter("monitor_server_batches_retried_total", "Batches that agents were asked to send again.")),
      rejected_large(r.counter(kRejected, kRejectedHelp, {{"reason", "too_large"}})),
      rejected_invalid(r.counter(kRejected, kRejectedHelp, {{"reason", "invalid"}})),
      rejected_agent(r.counter(kRejected, kRejectedHelp, {{"reason", "wrong_agent"}})),
      rejected_log(r.counter(kRejected, kRejectedHelp, {{"reason", "log"}})),
      bytes(r.counter("monitor_server_received_bytes_total", "Bytes of batches received.")),
      points(r.counter("monitor_server_points_total", "Points in the batches that were appended.")),
      log_full(r.counter("monitor_server_log_full_total", "Times that a stream had to wait for the log.")),
      paused(r.counter("monitor_server_streams_paused_total", "Times that a stream had to wait for memory.")),
      streams_opened(r.counter("monitor_server_streams_opened_total", "Streams begun by agents.")),
      conflicts(r.counter("monitor_server_agent_id_conflicts_total", "Times that two live hosts had one agent id.")),
      streams(r.gauge("monitor_server_streams", "Open streams.")),
      waiting_bytes(r.gauge("monitor_server_waiting_bytes", "Bytes of batches that wait for the log.")),
      paused_streams(r.gauge("monitor_server_streams_paused", "Streams that wait for memory.")),
      memory_bytes(r.gauge("monitor_server_memory_bytes", "What batches take, of --memory-limit.")),
      append_seconds(r.histogram("monitor_server_append_seconds", "From a batch's append to the log's confirmation.",
                                 telemetry::latency_bounds())) {}

Ingest::Ingest(IngestEnvironment environment, IngestOptions options)
    : env_(std::move(environment)), options_(std::move(options)), metrics_(env_.registry) {}

Ingest::~Ingest() {
  env_.timers.cancel_timer(waiting_timer_);
  env_.timers.cancel_timer(paused_timer_);
  env_.memory.give_back(held_);
}

grpc::CallFactory Ingest::factory() {
  return [this](grpc::ServerCall& call) -> std::unique_ptr<grpc::ServerCallHandler> {
    if (draining_) {
      call.finish({Code::kUnavailable, "the server is shutting down"});
      return nullptr;
    }
    return std::make_unique<Session>(*this, call);
  };
}

grpc::MethodOptions Ingest::method_options() const {
  // A batch that is too large is refused by a word to the agent, not by ending its stream: all that the window lets
  // through is read.
  return {
      .manual_flow_control = true, .max_message_bytes = options_.window_bytes, .max_first_message_bytes = kMaxHello};
}

void Ingest::drain() {
  draining_ = true;
  std::vector<uint32_t> ids;
  ids.reserve(sessions_.size());
  for (const auto& [id, session] : sessions_) ids.push_back(id);
  for (const uint32_t id : ids) {
    if (const auto it = sessions_.find(id); it != sessions_.end()) it->second->drain();
  }
}

uint32_t Ingest::enter(Session& session) {
  do {
    ++last_id_;
  } while (sessions_.contains(last_id_) || orphans_.contains(last_id_));
  sessions_.emplace(last_id_, &session);
  env_.memory.stream_entered();
  metrics_.streams_opened.add();
  metrics_.streams.set(static_cast<double>(sessions_.size()));
  return last_id_;
}

void Ingest::leave(uint32_t id) {
  sessions_.erase(id);
  env_.memory.stream_left();
  std::erase(waiting_, id);
  leave_memory_queue(id);
  metrics_.streams.set(static_cast<double>(sessions_.size()));
}

void Ingest::wait_for_room(uint32_t id) {
  waiting_.push_back(id);
  if (waiting_timer_ != 0) return;
  waiting_timer_ = env_.timers.call_after(options_.full_retry_ns, [this] {
    waiting_timer_ = 0;
    try_waiting();
  });
}

// One batch of each stream in turn: a busy agent does not keep the others out.
void Ingest::try_waiting() {
  std::unordered_set<uint32_t> touched;
  bool room = true;
  while (room && !waiting_.empty()) {
    const uint32_t id = waiting_.front();
    Session& session = *sessions_.at(id);
    room = session.append_waiting();
    waiting_.pop_front();
    if (session.waiting() && room) waiting_.push_back(id);
    if (session.waiting() && !room) waiting_.push_front(id);
    touched.insert(id);
  }
  if (!waiting_.empty() && waiting_timer_ == 0) {
    waiting_timer_ = env_.timers.call_after(options_.full_retry_ns, [this] {
      waiting_timer_ = 0;
      try_waiting();
    });
  }
  for (const uint32_t id : touched) {
    if (const auto it = sessions_.find(id); it != sessions_.end()) it->second->flush();
  }
}

void Ingest::set_waiting_bytes(size_t bytes) {
  waiting_bytes_ = bytes;
  metrics_.waiting_bytes.set(static_cast<double>(bytes));
}

bool Ingest::take_memory(size_t bytes) {
  if (!env_.memory.take(bytes)) return false;
  memory_taken(bytes);
  return true;
}

bool Ingest::take_memory_for_turn(size_t bytes) {
  if (!env_.memory.take_turn(bytes)) return false;
  memory_taken(bytes);
  return true;
}

void Ingest::memory_taken(size_t bytes) {
  held_ += bytes;
  metrics_.memory_bytes.set(static_cast<double>(held_));
}

void Ingest::give_memory_back(size_t bytes) {
  env_.memory.give_back(bytes);
  held_ -= bytes;
  metrics_.memory_bytes.set(static_cast<double>(held_));
}

void Ingest::wait_for_memory(uint32_t id) {
  paused_.push_back(id);
  metrics_.paused.add();
  metrics_.paused_streams.set(static_cast<double>(paused_.size()));
  schedule_resume();
}

void Ingest::leave_memory_queue(uint32_t id) {
  std::erase(paused_, id);
  metrics_.paused_streams.set(static_cast<double>(paused_.size()));
}

void Ingest::schedule_resume() {
  if (paused_.empty() || paused_timer_ != 0) return;
  paused_timer_ = env_.timers.call_after(options_.paused_retry_ns, [this] {
    paused_timer_ = 0;
    resume_paused();
  });
}

// In turn: who was paused first goes first, with memory that is kept for it until it has sent. One that holds its share
// already is passed over.
void Ingest::resume_paused() {
  const size_t share = env_.memory.share();
  size_t passed_over = 0;
  while (passed_over < std::min(paused_.size(), kMostPassedOver)) {
    const uint32_t id = paused_.front();
    Session& session = *sessions_.at(id);
    const size_t turn = session.turn(share);
    if (turn == 0) {
      paused_.pop_front();
      paused_.push_back(id);
      ++passed_over;
      continue;
    }
    if (!take_memory_for_turn(turn)) break;
    paused_.pop_front();
    session.resume(turn);
  }
  metrics_.paused_streams.set(static_cast<double>(paused_.size()));
  schedule_resume();
}

void Ingest::adopt(uint32_t id, uint64_t first_token, std::deque<size_t> costs) {
  const auto left =
      static_cast<size_t>(std::count_if(costs.begin(), costs.end(), [](size_t cost) { return cost != 0; }));
  if (left > 0) orphans_[id] = {first_token, std::move(costs), left};
}

void Ingest::orphan_reported(uint32_t id, uint32_t token_low) {
  const auto found = orphans_.find(id);
  if (found == orphans_.end()) return;
  Orphans& orphans = found->second;
  const uint32_t index = token_low - static_cast<uint32_t>(orphans.first_token);
  if (index >= orphans.costs.size() || orphans.costs[index] == 0) return;
  give_memory_back(std::exchange(orphans.costs[index], 0));
  if (--orphans.left == 0) orphans_.erase(found);
}

void Ingest::on_delivered(std::span<const metriclog::Delivery> deliveries) {
  tell(env_.held.settle(this, deliveries));
  post_to_loop(false, deliveries);
}

void Ingest::on_reset() {
  // Its own sessions are told by the reset itself.
  HeldBatches::Outcomes outcomes = env_.held.reset(this);
  std::erase_if(outcomes, [this](const auto& one) { return one.first.listener == this; });
  tell(outcomes);
  post_to_loop(true, {});
}

void Ingest::tell(const HeldBatches::Outcomes& outcomes) {
  for (const auto& [waiter, delivery] : outcomes) waiter.listener->on_delivered({&delivery, 1});
}

void Ingest::post_to_loop(bool reset, std::span<const metriclog::Delivery> deliveries) {
  {
    const std::lock_guard lock(mutex_);
    mailbox_.insert(mailbox_.end(), deliveries.begin(), deliveries.end());
    mailbox_reset_ = mailbox_reset_ || reset;
    if (std::exchange(mailbox_posted_, true)) return;
  }
  env_.post([this] { settle_deliveries(); });
}

void Ingest::settle_deliveries() {
  std::vector<metriclog::Delivery> deliveries;
  bool reset = false;
  {
    const std::lock_guard lock(mutex_);
    deliveries.swap(mailbox_);
    reset = std::exchange(mailbox_reset_, false);
    mailbox_posted_ = false;
  }
  if (!deliveries.empty()) log_identity_ = env_.log.identity();
  std::unordered_set<uint32_t> touched;
  for (metriclog::Delivery& delivery : deliveries) {
    const auto id = static_cast<uint32_t>(delivery.token >> 32);
    const auto it = sessions_.find(id);
    if (it == sessions_.end()) {
      // Its stream has ended: the agent sends again on the next one.
      orphan_reported(id, static_cast<uint32_t>(delivery.token));
      continue;
    }
    it->second->delivered(static_cast<uint32_t>(delivery.token), delivery.outcome, std::move(delivery.reason));
    touched.insert(id);
  }
  if (reset) {
    for (const auto& [id, orphans] : orphans_) {
      for (const size_t cost : orphans.costs) give_memory_back(cost);
    }
    orphans_.clear();
    for (const auto& [id, session] : sessions_) {
      session->log_reset();
      touched.insert(id);
    }
  }
  // All that is known is acknowledged in one message a stream.
  for (const uint32_t id : touched) {
    if (const auto it = sessions_.find(id); it != sessions_.end()) it->second->flush();
  }
  if (!waiting_.empty()) try_waiting();
  if (!paused_.empty()) resume_paused();
}

}  // namespace monitor::server
