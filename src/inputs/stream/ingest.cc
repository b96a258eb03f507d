#include "inputs/stream/ingest.h"

#include <unordered_set>
#include <utility>

#include "inputs/stream/session.h"

namespace monitor::server {

namespace {

constexpr size_t kMaxHello = size_t{16} * 1024;  // far above the limits of the names in it

}  // namespace

Ingest::Ingest(IngestEnvironment environment, IngestOptions options)
    : context_(std::move(environment), std::move(options),
               [this](const std::unordered_set<uint32_t>& ids) { flush(ids); }),
      orphans_(context_.memory) {}

Ingest::~Ingest() = default;

void Ingest::post(uint32_t id, std::function<void(Session&)> call) {
  context_.env.post([this, id, call = std::move(call)] {
    if (const auto it = sessions_.find(id); it != sessions_.end()) call(*it->second);
  });
}

void Ingest::adopt(uint32_t id, uint64_t first_token, std::deque<size_t> costs) {
  orphans_.adopt(id, first_token, std::move(costs));
}

grpc::CallFactory Ingest::factory() {
  return [this](grpc::ServerCall& call) -> std::unique_ptr<grpc::ServerCallHandler> {
    if (draining_) {
      call.finish({Code::kUnavailable, "the server is shutting down"});
      return nullptr;
    }
    return std::make_unique<Session>(context_, *this, call);
  };
}

grpc::MethodOptions Ingest::method_options() const {
  // A batch that is too large is rejected with a message instead of ending the stream, so everything that fits into the
  // window is read.
  return {.manual_flow_control = true,
          .max_message_bytes = context_.options.window_bytes,
          .max_first_message_bytes = kMaxHello};
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
  context_.env.memory.stream_entered();
  context_.metrics.streams_opened.add();
  context_.metrics.streams.set(static_cast<double>(sessions_.size()));
  return last_id_;
}

void Ingest::leave(uint32_t id) {
  sessions_.erase(id);
  context_.env.memory.stream_left();
  context_.log_queue.leave(id);
  context_.metrics.streams.set(static_cast<double>(sessions_.size()));
}

void Ingest::on_delivered(std::span<const metriclog::Delivery> deliveries) {
  HeldBatches::deliver(context_.env.held.settle(this, deliveries));
  post_to_loop(false, deliveries);
}

void Ingest::on_reset() {
  // This loop's sessions handle the reset themselves.
  HeldBatches::Outcomes outcomes = context_.env.held.reset(this);
  std::erase_if(outcomes, [this](const auto& one) { return one.first.listener == this; });
  HeldBatches::deliver(outcomes);
  post_to_loop(true, {});
}

void Ingest::post_to_loop(bool reset, std::span<const metriclog::Delivery> deliveries) {
  {
    const std::lock_guard lock(mutex_);
    mailbox_.insert(mailbox_.end(), deliveries.begin(), deliveries.end());
    mailbox_reset_ = mailbox_reset_ || reset;
    if (std::exchange(mailbox_posted_, true)) return;
  }
  context_.env.post([this] { take_deliveries(); });
}

void Ingest::take_deliveries() {
  std::vector<metriclog::Delivery> deliveries;
  bool reset = false;
  {
    const std::lock_guard lock(mutex_);
    deliveries.swap(mailbox_);
    reset = std::exchange(mailbox_reset_, false);
    mailbox_posted_ = false;
  }
  if (!deliveries.empty()) context_.log_identity = context_.env.log.identity();
  std::unordered_set<uint32_t> touched;
  for (metriclog::Delivery& delivery : deliveries) {
    const auto id = static_cast<uint32_t>(delivery.token >> 32);
    const auto it = sessions_.find(id);
    if (it == sessions_.end()) {
      // Its stream has ended: the agent sends the batch again on the next stream.
      orphans_.reported(id, static_cast<uint32_t>(delivery.token));
      continue;
    }
    it->second->delivered(static_cast<uint32_t>(delivery.token), delivery.outcome, std::move(delivery.reason));
    touched.insert(id);
  }
  if (reset) {
    orphans_.reset();
    for (const auto& [id, session] : sessions_) {
      session->log_reset();
      touched.insert(id);
    }
  }
  // Writes one message per stream, which acknowledges everything.
  flush(touched);
  if (!context_.log_queue.empty()) context_.log_queue.append();
  context_.memory.resume();
}

void Ingest::flush(const std::unordered_set<uint32_t>& ids) {
  for (const uint32_t id : ids) {
    if (const auto it = sessions_.find(id); it != sessions_.end()) it->second->flush();
  }
}

}  // namespace monitor::server
