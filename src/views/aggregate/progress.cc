#include "views/aggregate/progress.h"

#include <algorithm>

#include "base/protowire.h"

namespace monitor::analysis {

namespace {

enum : uint32_t { kLogNow = 1, kNewest = 2, kWatermark = 3, kAgent = 4 };
enum : uint32_t { kName = 1, kReached = 2, kSeen = 3, kSendEvery = 4, kStopped = 5 };

constexpr int64_t kLongestSendEvery = int64_t{600} * kNanosPerSecond;

int64_t later(int64_t time_ns, int64_t by_ns) {
  int64_t sum = 0;
  return __builtin_add_overflow(time_ns, by_ns, &sum) ? INT64_MAX : sum;
}

}  // namespace

void Progress::note(const metriclog::Record& record, const metrics::Batch& batch, int64_t off_ns) {
  log_now_ns_ = record.time_ns;
  silence_ns_ = 0;
  auto found = agents_.find(batch.agent_id);
  if (found == agents_.end()) {
    if (agents_.size() >= kMaxAgents) {
      std::erase_if(agents_, [&](const auto& a) { return elapsed_ns(a.second.seen_ns, log_now_ns_) > kForgetAfter; });
      if (agents_.size() >= kMaxAgents) return;  // nobody waits for this one
    }
    found = agents_.emplace(batch.agent_id, Agent()).first;
  }
  Agent& agent = found->second;
  // A batch is closed after its last tick, and before the next one.
  int64_t reached = batch.appended_ns;
  if (!batch.frames.empty()) reached = std::max(reached, batch.frames.back().time_ns);
  reached = elapsed_ns(off_ns, reached);
  agent.reached_ns = std::max(agent.reached_ns, reached);
  agent.seen_ns = std::max(agent.seen_ns, record.time_ns);
  agent.send_every_ns =
      static_cast<int64_t>(std::min<uint64_t>(batch.send_every_ns, static_cast<uint64_t>(kLongestSendEvery)));
  agent.stopped = batch.final_batch;
  newest_ns_ = std::max(newest_ns_, reached);
}

void Progress::for_each(const std::function<void(const AgentTime& agent)>& visit) const {
  const int64_t now = now_ns();
  for (const auto& [name, agent] : agents_) {
    visit({.name = name,
           .reached_ns = agent.reached_ns,
           .seen_ns = agent.seen_ns,
           .stopped = agent.stopped,
           .active = is_active(agent, now)});
  }
}

void Progress::expect(const std::string& agent, int64_t reached_ns, int64_t seen_ns) {
  if (agents_.size() >= kMaxAgents) return;
  agents_[agent] = {.reached_ns = reached_ns, .seen_ns = seen_ns, .send_every_ns = 0, .stopped = false};
  log_now_ns_ = std::max(log_now_ns_, seen_ns);
  newest_ns_ = std::max(newest_ns_, reached_ns);
}

void Progress::forget(std::string_view agent, int64_t seen_until_ns) {
  const auto found = agents_.find(agent);
  if (found != agents_.end() && found->second.seen_ns <= seen_until_ns) agents_.erase(found);
}

int64_t Progress::now_ns() const { return later(log_now_ns_, silence_ns_); }

bool Progress::is_active(const Agent& agent, int64_t now_ns) const {
  if (agent.stopped) return false;
  return elapsed_ns(agent.seen_ns, now_ns) <= kIdle + 2 * agent.send_every_ns &&
         elapsed_ns(agent.reached_ns, now_ns) <= kMaxLag + 2 * agent.send_every_ns;
}

int64_t Progress::watermark(int64_t beyond_ns) {
  if (newest_ns_ == INT64_MIN) return watermark_ns_;
  const int64_t now = now_ns();
  int64_t reached = INT64_MAX;
  for (const auto& [name, agent] : agents_) {
    if (is_active(agent, now)) reached = std::min(reached, agent.reached_ns);
  }
  if (reached == INT64_MAX) reached = elapsed_ns(kIdle, now);
  watermark_ns_ = std::max(watermark_ns_, std::min(reached, later(newest_ns_, beyond_ns)));
  return watermark_ns_;
}

void Progress::encode(std::string& out) const {
  protowire::put_sfixed64(out, kLogNow, log_now_ns_);
  protowire::put_sfixed64(out, kNewest, newest_ns_);
  protowire::put_sfixed64(out, kWatermark, watermark_ns_);
  for (const auto& [name, agent] : agents_) {
    std::string bytes;
    protowire::put_bytes(bytes, kName, name);
    protowire::put_sfixed64(bytes, kReached, agent.reached_ns);
    protowire::put_sfixed64(bytes, kSeen, agent.seen_ns);
    protowire::put_uint64(bytes, kSendEvery, static_cast<uint64_t>(agent.send_every_ns));
    protowire::put_uint64(bytes, kStopped, agent.stopped ? 1 : 0);
    protowire::put_message(out, kAgent, bytes);
  }
}

Status Progress::decode(std::string_view bytes) {
  const Error bad(Code::kDataLoss, "aggregates: the progress of the agents is malformed");
  // A time that is not there is 0, which is not written.
  newest_ns_ = watermark_ns_ = 0;
  protowire::Reader reader(bytes);
  while (const auto field = reader.next()) {
    if (field->number == kLogNow) log_now_ns_ = field->as_signed();
    if (field->number == kNewest) newest_ns_ = field->as_signed();
    if (field->number == kWatermark) watermark_ns_ = field->as_signed();
    if (field->number != kAgent) continue;
    std::string name;
    Agent agent{.reached_ns = 0};
    protowire::Reader inner(field->bytes);
    while (const auto part = inner.next()) {
      if (part->number == kName) name = part->bytes;
      if (part->number == kReached) agent.reached_ns = part->as_signed();
      if (part->number == kSeen) agent.seen_ns = part->as_signed();
      if (part->number == kSendEvery) {
        if (part->value > static_cast<uint64_t>(kLongestSendEvery)) return bad;
        agent.send_every_ns = static_cast<int64_t>(part->value);
      }
      if (part->number == kStopped) agent.stopped = part->value != 0;
    }
    if (inner.failed() || name.empty() || agents_.size() >= kMaxAgents) return bad;
    if (!agents_.emplace(std::move(name), agent).second) return bad;
  }
  if (reader.failed()) return bad;
  return {};
}

}  // namespace monitor::analysis
