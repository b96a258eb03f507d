#include "simulation/producer.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

#include "base/hex.h"
#include "payload/decode.h"

namespace monitor::simulation {

using metriclog::Outcome;

LogCluster::LogCluster(Schedule& /*schedule*/, const Clock& clock, int32_t partitions, Ledger& ledger)
    : log_(clock, {.partitions = partitions}), ledger_(ledger) {}

void LogCluster::store(const std::string& key, const metriclog::Headers& headers, const std::string& value) {
  ledger_.stored(key, value);
  std::vector<std::pair<std::string_view, std::string_view>> views(headers.begin(), headers.end());
  log_.writer().append({key, views, value}, null_listener_, 0);
  if (on_stored_) on_stored_();
}

metriclog::LogWriter::Accepted Producer::append(const metriclog::RecordView& record,
                                                metriclog::DeliveryListener& listener, uint64_t token) {
  if (pending_.size() >= cluster_.conditions.room) return Accepted::kFull;
  const uint64_t id = next_id_++;
  Pending& one = pending_[id];
  one.key = record.key;
  for (const auto& [name, value] : record.headers) {
    if (name == "incarnation" || name == "sequence") one.name.append(value).append(" ");
  }
  if (const auto head = payload::read_head(record.value); record.headers.empty() && head) {
    one.name = fmt::format("{} {} ", hex(head->incarnation), head->sequence);
  }
  if (!known_.insert(one.name).second) cluster_.fail("a server appends a batch twice: " + one.name);
  for (const auto& [name, value] : record.headers) one.headers.emplace_back(std::string(name), std::string(value));
  one.value = record.value;
  one.listener = &listener;
  one.delivery = {.token = token, .outcome = Outcome::kStored, .reason = {}};
  last_store_ns_ = std::max(last_store_ns_, schedule_.now_ns() + cluster_.conditions.store_ns);
  schedule_.at(last_store_ns_, life_.guard([this, id] { due(id); }));
  return Accepted::kYes;
}

void Producer::due(uint64_t id) {
  const auto it = pending_.find(id);
  if (it == pending_.end()) return;
  Pending& one = it->second;
  const Conditions& conditions = cluster_.conditions;
  const uint64_t fate = conditions.retry_percent + conditions.reject_percent == 0 ? 100 : random_.below(100);
  if (fate < conditions.retry_percent) {
    one.delivery.outcome = Outcome::kRetry;
    one.delivery.reason = "timed out";
  } else if (fate < conditions.retry_percent + conditions.reject_percent) {
    one.delivery.outcome = Outcome::kRejected;
    one.delivery.reason = "invalid: refused";
  }
  const bool counts = one.delivery.outcome == Outcome::kStored;
  if (counts || (one.delivery.outcome == Outcome::kRetry && random_.below(2) == 0)) {
    cluster_.store(one.key, one.headers, one.value);
    one.stored = true;
  }
  if (conditions.silent) return;
  int64_t wait = conditions.report_ns;
  if (conditions.reordered) wait = static_cast<int64_t>(random_.below(static_cast<uint64_t>(wait) + 1));
  if (wait == 0) return report(id);
  schedule_.after(wait, life_.guard([this, id] { report(id); }));
}

void Producer::report(uint64_t id) {
  const auto it = pending_.find(id);
  if (it == pending_.end()) return;
  const Pending one = std::move(it->second);
  pending_.erase(it);
  if (one.delivery.outcome != Outcome::kStored) known_.erase(one.name);
  one.listener->on_delivered({&one.delivery, 1});
}

void Producer::store_some_pending() {
  size_t reach = random_.below(pending_.size() + 1);
  for (auto& [id, one] : pending_) {
    if (reach-- == 0) break;
    if (!one.stored && one.delivery.outcome == Outcome::kStored) cluster_.store(one.key, one.headers, one.value);
  }
}

void Producer::rebuild() {
  store_some_pending();
  std::set<metriclog::DeliveryListener*> listeners;
  for (const auto& [id, one] : pending_) listeners.insert(one.listener);
  for (const auto& [id, one] : pending_) known_.erase(one.name);
  pending_.clear();
  for (metriclog::DeliveryListener* const listener : listeners) listener->on_reset();
}

}  // namespace monitor::simulation
