#include "views/aggregate/data_time.h"

#include <algorithm>

#include "consume/consumer.h"

namespace monitor::analysis {

namespace {

// A record is stored soon after the newest data in it. A reader that starts knows only when the record was stored.
constexpr int64_t kOnTheWay = 10 * kNanosPerSecond;

}  // namespace

bool DataTime::Reading::undelivered(const Agent& agent, int64_t at_ns) const {
  return !agent.stopped && agent.reached_ns < at_ns && elapsed_ns(agent.seen_ns, now_ns) <= Progress::kForgetAfter;
}

void DataTime::expect(const std::string& agent, const std::string& host, int64_t seen_ns) {
  expected_.expect(agent, seen_ns - kOnTheWay, seen_ns);
  hosts_[agent] = host;
  expects_ = true;
}

void DataTime::forget(const std::string& agent, int64_t seen_until_ns) {
  expected_.forget(agent, seen_until_ns);
  for (auto& [number, partition] : partitions_) partition.progress.forget(agent, seen_until_ns);
}

void DataTime::fresh(int32_t partition, const metriclog::Extent& /*extent*/) { partitions_[partition] = {}; }

void DataTime::apply(const metriclog::Record& record, const metrics::Batch& batch) {
  Partition& partition = partitions_[record.partition];
  partition.progress.note(record, batch, clock_error_ns(batch, record.time_ns));
  partition.quiet.heard = quiet_.heard = true;
  partition.any = heard_ = true;
  if (expects_) expected_.forget(batch.agent_id);
  std::string& host = hosts_[batch.agent_id];
  if (host != batch.hostname) host = batch.hostname;
}

// INT64_MAX: there is no active agent.
int64_t DataTime::slowest_active() const {
  int64_t slowest = INT64_MAX;
  const auto take = [&slowest](const Progress::AgentTime& agent) {
    if (agent.active) slowest = std::min(slowest, agent.reached_ns);
  };
  for (const auto& [number, partition] : partitions_) partition.progress.for_each(take);
  expected_.for_each(take);
  return slowest;
}

std::shared_ptr<const DataTime::Agents> DataTime::agents() const {
  auto all = std::make_shared<Agents>();
  const auto take = [&](const Progress::AgentTime& agent) {
    Agent& known = (*all)[agent.name];
    if (agent.seen_ns < known.seen_ns) return;
    const auto host = hosts_.find(agent.name);
    known = {.host = host == hosts_.end() ? "" : host->second,
             .reached_ns = std::max(known.reached_ns, agent.reached_ns),
             .seen_ns = agent.seen_ns,
             .stopped = agent.stopped};
  };
  expected_.for_each(take);
  for (const auto& [number, partition] : partitions_) partition.progress.for_each(take);
  return all;
}

int64_t DataTime::Quiet::look(int64_t mono_ns, bool at_end) {
  if (heard || !at_end) since_ns = mono_ns;
  heard = false;
  return mono_ns - since_ns;
}

// Agents that are only expected may have been silent since long before the start.
void DataTime::note_expected(int64_t silence_ns, int64_t wall_ns) {
  if (!heard_ && silence_ns > Progress::kIdle) {
    expected_.set_silence(0);
    silence_ns = std::max(silence_ns, elapsed_ns(expected_.now_ns(), wall_ns));
  }
  expected_.set_silence(silence_ns);
}

DataTime::Reading DataTime::read(int64_t mono_ns, int64_t wall_ns, bool at_end) {
  const int64_t silence = quiet_.look(mono_ns, at_end);
  note_expected(silence, wall_ns);
  int64_t now = expected_.now_ns();
  int64_t newest = expected_.newest_ns();
  for (auto& [number, partition] : partitions_) {
    partition.progress.set_silence(partition.quiet.look(mono_ns, at_end));
    if (!partition.any) continue;
    now = std::max(now, partition.progress.now_ns());
    newest = std::max(newest, partition.progress.newest_ns());
  }
  const bool quiet = silence > Progress::kIdle;
  if (newest == INT64_MIN) now = wall_ns;  // there is no data at all
  int64_t reached = slowest_active();
  if (reached == INT64_MAX) reached = quiet ? elapsed_ns(Progress::kIdle, now) : newest;
  // The clock of the log may be wrong. While data comes, the data itself is the limit.
  if (!quiet) reached = std::min(reached, newest);
  watermark_ns_ = std::max(watermark_ns_, reached);
  return {.watermark_ns = watermark_ns_, .now_ns = now, .agents = agents()};
}

}  // namespace monitor::analysis
