// Reader: which partitions it reads, and from where.
#include <fmt/format.h>

#include <cstring>
#include <utility>

#include "base/log.h"
#include "base/text.h"
#include "metriclog/kafka/reader.h"
#include "metriclog/kafka/topics.h"

namespace monitor::metriclog::kafka {

namespace {

// What a commit's metadata says: where the snapshot of that moment is.
constexpr std::string_view kHint = "snapshot=";
constexpr int64_t kAsk = 10 * kNanosPerSecond;  // for an answer of a broker

// Nothing: it was committed by something else, an operator's tool.
std::optional<int64_t> hint_of(const rd_kafka_topic_partition_t& committed) {
  const std::string_view text(static_cast<const char*>(committed.metadata), committed.metadata_size);
  if (!text.starts_with(kHint)) return std::nullopt;
  return parse_i64(text.substr(kHint.size()));
}

// Null is no error.
Status as_status(rd_kafka_error_t* error) {
  if (error == nullptr) return {};
  const std::string text = rd_kafka_error_string(error);
  rd_kafka_error_destroy(error);
  return Error(Code::kUnavailable, text);
}

}  // namespace

// On our thread, from within rd_kafka_consumer_poll() or rd_kafka_consumer_close().
void Reader::on_rebalance(rd_kafka_t* handle, rd_kafka_resp_err_t error, rd_kafka_topic_partition_list_t* partitions,
                          void* self) {
  Reader& reader = *static_cast<Reader*>(self);
  const bool revoked = error == RD_KAFKA_RESP_ERR__REVOKE_PARTITIONS;
  auto& pending = revoked ? reader.to_hand_back_ : reader.to_take_over_;
  for (int i = 0; i < partitions->cnt; ++i) pending.insert(partitions->elems[i].partition);
  reader.rebalanced_ = true;
  if (!revoked) reader.assign_awaited_ = reader.assigned_by_group_ = true;
  if (!reader.closing_) return;
  // Nobody polls any more.
  if (revoked) {
    rd_kafka_incremental_unassign(handle, partitions);
  } else {
    rd_kafka_incremental_assign(handle, partitions);
  }
}

Status Reader::settle_rebalance(Events& events) {
  if (!rebalanced_) return {};
  hand_back(std::exchange(to_hand_back_, {}), events);
  if (assign_awaited_) {
    if (auto status = take_over(to_take_over_, events); !status) return status;  // and again in the next poll
  }
  to_take_over_.clear();
  rebalanced_ = assign_awaited_ = false;
  return {};
}

void Reader::hand_back(const std::set<int32_t>& partitions, Events& events) {
  if (partitions.empty()) return;
  const bool lost = rd_kafka_assignment_lost(handle_.get()) != 0;
  const PartitionList list(rd_kafka_topic_partition_list_new(static_cast<int>(partitions.size())));
  ReaderEvent event{.kind = ReaderEvent::Kind::kRevoked};
  for (const int32_t partition : partitions) {
    rd_kafka_topic_partition_list_add(list.get(), kafka_.topic.c_str(), partition);
    to_take_over_.erase(partition);
    const auto position = positions_.find(partition);
    if (position == positions_.end()) continue;
    if (lost) {
      lost_.insert(*position);
    } else {
      event.revoked.push_back(partition);
      verified_.erase(partition);
      latest_.erase(partition);
    }
    positions_.erase(position);
  }
  if (const auto status = as_status(rd_kafka_incremental_unassign(handle_.get(), list.get())); !status) {
    log_debug("handing back partitions", {{"error", status.error()}});
  }
  if (!event.revoked.empty()) events.push_back(std::move(event));
}

// What was lost and did not come back, or not as it was.
void Reader::give_up_lost(Events& events) {
  if (lost_.empty()) return;
  ReaderEvent event{.kind = ReaderEvent::Kind::kRevoked};
  for (const auto& [partition, position] : lost_) event.revoked.push_back(partition);
  lost_.clear();
  events.push_back(std::move(event));
}

// Whether this reader, which lost the partition, can go on with it as it was: nobody else has stored since.
bool Reader::is_unchanged(int32_t partition, const std::map<int32_t, StoredSnapshot>& stored) const {
  if (!lost_.contains(partition)) return false;
  const auto it = stored.find(partition);
  return it == stored.end() || it->second.author == author_;
}

Status Reader::take_over(const std::set<int32_t>& partitions, Events& events) {
  if (!options_.group.empty() && !partitions.empty() && *partitions.rbegin() >= state_partitions_) {
    return grown_error(kafka_.topic, *partitions.rbegin() + 1, state_partitions_);
  }
  const bool by_store = assigned_once_ || options_.start.kind == StartAt::Kind::kStored;
  std::map<int32_t, StoredSnapshot> stored;
  if (!options_.group.empty() && by_store && !partitions.empty()) {
    auto loaded = load_positions(partitions);
    if (!loaded) return loaded.error();
    stored = std::move(*loaded);
  }
  if (options_.snapshots != nullptr && by_store) {
    auto loaded = options_.snapshots->load(log_name_);
    if (!loaded) return loaded.error();
    for (Snapshot& one : *loaded) {
      const int32_t partition = one.partition;
      stored[partition] = {std::move(one)};
    }
  }
  Positions positions;
  Positions starts;
  std::map<int32_t, Start> taken;
  ReaderEvent assigned{.kind = ReaderEvent::Kind::kAssigned};
  Events lost;
  for (const int32_t partition : partitions) {
    const auto bounds = bounds_of(partition, kAsk);
    if (!bounds) return bounds.error();
    Start& start = taken[partition];
    start.bounds = *bounds;
    const auto it = stored.find(partition);
    if (is_unchanged(partition, stored)) {
      start.next = lost_.at(partition);
      if (const auto known = verified_.find(partition); known != verified_.end()) start.anchor = known->second;
    } else if (it != stored.end()) {
      start.next = it->second.snapshot.next_offset;
      start.anchor = decode_anchor(it->second.snapshot.identity).value_or(Anchor());
    } else {
      const auto from = start_of(partition, *bounds, by_store ? StartAt::Kind::kStored : options_.start.kind);
      if (!from) return from.error();
      start.next = starts[partition] = *from;
    }
  }
  if (auto status = identify(taken, lost); !status) return status;
  for (auto& [partition, start] : taken) {
    into_bounds(partition, start.bounds, start.next, lost);
    positions[partition] = start.next;
    const bool unchanged = is_unchanged(partition, stored);
    log_debug("partition is read", {{"partition", partition}, {"from", start.next}, {"unchanged", unchanged}});
    if (unchanged) continue;
    const auto it = stored.find(partition);
    Snapshot snapshot{.partition = partition, .next_offset = -1, .state = {}};
    assigned.assigned.push_back(it == stored.end() ? std::move(snapshot) : std::move(it->second.snapshot));
    assigned.extents.push_back({start.bounds.low, start.next, start.bounds.high, start.bounds.low > 0});
  }
  if (auto status = assign(positions); !status) return status;
  for (const auto& [partition, position] : positions) {
    if (is_unchanged(partition, stored)) lost_.erase(partition);
  }
  give_up_lost(events);
  if (partitions.empty()) return {};
  positions_.insert(positions.begin(), positions.end());
  if (auto status = note(starts); !status) {
    log_warning("position of the group cannot be stored", {{"error", status.error()}});
  }
  assigned_once_ = true;
  connectivity_.clear();
  if (assigned.assigned.empty()) {
    end_trouble(events);  // those that it had before are read on, and the leaders have said where they end
  } else {
    trouble_.clear();
    events.push_back(std::move(assigned));
  }
  events.insert(events.end(), lost.begin(), lost.end());
  return {};
}

// The log may no longer have the position.
void Reader::into_bounds(int32_t partition, const Bounds& bounds, int64_t& next, Events& lost) {
  if (next >= bounds.low) return;
  lost.push_back({.kind = ReaderEvent::Kind::kLost, .partition = partition, .from = next, .to = bounds.low});
  next = bounds.low;
}

// Where a group begins is stored at once: whoever takes over, this reader included, before anything else was stored
// must not begin somewhere else.
Status Reader::note(const Positions& starts) {
  if (options_.group.empty()) return {};
  std::vector<Snapshot> snapshots;
  for (const auto& [partition, offset] : starts)
    snapshots.push_back({.partition = partition, .next_offset = offset, .state = {}});
  return snapshots.empty() ? Status() : store(snapshots);
}

Status Reader::assign(const Positions& positions) {
  const PartitionList list(rd_kafka_topic_partition_list_new(static_cast<int>(positions.size())));
  for (const auto& [partition, offset] : positions) {
    rd_kafka_topic_partition_list_add(list.get(), kafka_.topic.c_str(), partition)->offset = offset;
  }
  if (options_.group.empty()) {
    const auto error = rd_kafka_assign(handle_.get(), list.get());
    return error == RD_KAFKA_RESP_ERR_NO_ERROR ? Status() : to_error(error, "topic " + kafka_.topic);
  }
  return as_status(rd_kafka_incremental_assign(handle_.get(), list.get()));
}

// The newest snapshot counts, whatever is committed; but an offset that someone set by hand counts more.
Result<std::map<int32_t, StoredSnapshot>> Reader::load_positions(const std::set<int32_t>& partitions) const {
  const PartitionList list(rd_kafka_topic_partition_list_new(static_cast<int>(partitions.size())));
  for (const int32_t partition : partitions) {
    rd_kafka_topic_partition_list_add(list.get(), kafka_.topic.c_str(), partition);
  }
  const auto error = rd_kafka_committed(handle_.get(), list.get(), to_millis(kAsk));
  if (error != RD_KAFKA_RESP_ERR_NO_ERROR) return to_error(error, "position of group " + options_.group);
  std::map<int32_t, StoredSnapshot> by_hand;
  std::map<int32_t, StoredSnapshot> without_snapshot;
  Hints hints;
  for (int i = 0; i < list->cnt; ++i) {
    const rd_kafka_topic_partition_t& found = list->elems[i];
    if (found.err != RD_KAFKA_RESP_ERR_NO_ERROR) return to_error(found.err, "position of group " + options_.group);
    const auto hint = found.offset >= 0 ? hint_of(found) : 0;
    hints[found.partition] = hint.value_or(0);
    auto& where = hint ? without_snapshot : by_hand;
    if (found.offset < 0) continue;
    where[found.partition].snapshot = {.partition = found.partition, .next_offset = found.offset, .state = {}};
  }
  auto loaded = snapshots_.load(hints, kAsk);
  if (!loaded) return loaded.error();
  by_hand.merge(*loaded);
  // The topic of the snapshots was deleted, and that of the data was not.
  for (auto& [partition, committed] : without_snapshot) {
    if (by_hand.contains(partition)) continue;
    log_warning("the group's snapshot is gone; it goes on at its committed offset, with nothing known of what it read",
                {{"group", options_.group}, {"partition", partition}, {"offset", committed.snapshot.next_offset}});
    by_hand[partition] = std::move(committed);
  }
  return by_hand;
}

Result<int64_t> Reader::start_of(int32_t partition, const Bounds& bounds, StartAt::Kind kind) const {
  switch (kind) {
    case StartAt::Kind::kEarliest:
      return bounds.low;
    case StartAt::Kind::kStored:
      return waited_for_topic_ || options_.new_group_at_earliest ? bounds.low : bounds.high;
    case StartAt::Kind::kLatest:
      return waited_for_topic_ ? bounds.low : bounds.high;
    case StartAt::Kind::kTime:
      break;
  }
  const PartitionList list(rd_kafka_topic_partition_list_new(1));
  auto* const entry = rd_kafka_topic_partition_list_add(list.get(), kafka_.topic.c_str(), partition);
  entry->offset = (options_.start.time_ns + kNanosPerMilli - 1) / kNanosPerMilli;
  const auto error = rd_kafka_offsets_for_times(handle_.get(), list.get(), to_millis(kAsk));
  if (error != RD_KAFKA_RESP_ERR_NO_ERROR) return to_error(error, "topic " + kafka_.topic);
  if (entry->err != RD_KAFKA_RESP_ERR_NO_ERROR) return to_error(entry->err, "topic " + kafka_.topic);
  return entry->offset >= 0 ? entry->offset : bounds.high;
}

Result<Reader::Bounds> Reader::bounds_of(int32_t partition, int64_t timeout_ns) const {
  Bounds bounds;
  const auto error = rd_kafka_query_watermark_offsets(handle_.get(), kafka_.topic.c_str(), partition, &bounds.low,
                                                      &bounds.high, to_millis(timeout_ns));
  if (error != RD_KAFKA_RESP_ERR_NO_ERROR) {
    return to_error(error, fmt::format("partition {} of topic {}", partition, kafka_.topic));
  }
  return bounds;
}

// Retention took what comes next. It is told, and reading goes on with what there is.
Status Reader::go_on_after_loss(int32_t partition, Events& events) {
  const auto position = positions_.find(partition);
  if (position == positions_.end()) return {};
  const auto bounds = bounds_of(partition, kAsk);
  if (!bounds) return bounds.error();
  if (position->second > bounds->high) return begin_anew(partition, *bounds, events);
  into_bounds(partition, *bounds, position->second, events);
  return fetch_from(*position);
}

Status Reader::fetch_from(const Positions::value_type& position) {
  // A partition that failed in this way is not fetched again after a seek (librdkafka 2.0), only as newly assigned.
  if (options_.group.empty()) return assign(positions_);
  const PartitionList list(rd_kafka_topic_partition_list_new(1));
  rd_kafka_topic_partition_list_add(list.get(), kafka_.topic.c_str(), position.first);
  if (auto status = as_status(rd_kafka_incremental_unassign(handle_.get(), list.get())); !status) return status;
  return assign({position});
}

void Reader::commit(const std::map<int32_t, StoredSnapshot>& positions) {
  const PartitionList list(rd_kafka_topic_partition_list_new(static_cast<int>(positions.size())));
  for (const auto& [partition, stored] : positions) {
    auto* const entry = rd_kafka_topic_partition_list_add(list.get(), kafka_.topic.c_str(), partition);
    entry->offset = stored.snapshot.next_offset;
    const std::string hint = fmt::format("{}{}", kHint, stored.at);
    entry->metadata = rd_kafka_mem_malloc(handle_.get(), hint.size());  // the list's now
    std::memcpy(entry->metadata, hint.data(), hint.size());
    entry->metadata_size = hint.size();
  }
  constexpr int kWithoutWaiting = 1;
  // The partitions may be another member's by now: that member has what it needs.
  const auto error = rd_kafka_commit(handle_.get(), list.get(), kWithoutWaiting);
  if (error != RD_KAFKA_RESP_ERR_NO_ERROR) log_debug("committing offsets", {{"error", rd_kafka_err2str(error)}});
}

}  // namespace monitor::metriclog::kafka
