// Reader: where reading of a partition starts, and the positions that it stores.
#include <fmt/format.h>

#include <cstring>
#include <utility>

#include "base/log.h"
#include "base/text.h"
#include "metriclog/kafka/reader.h"

namespace monitor::metriclog::kafka {

namespace {

// Metadata of a commit: the offset of its snapshot in the snapshot topic.
constexpr std::string_view kHint = "snapshot=";

// Nothing if another program committed the offset, such as an operator's tool.
std::optional<int64_t> hint_of(const rd_kafka_topic_partition_t& committed) {
  const std::string_view text(static_cast<const char*>(committed.metadata), committed.metadata_size);
  if (!text.starts_with(kHint)) return std::nullopt;
  return parse_i64(text.substr(kHint.size()));
}

}  // namespace

// Where earlier readers stopped: the group's positions in Kafka, or else the caller's own snapshots.
Result<Reader::StoredSnapshots> Reader::stored_positions(const std::set<int32_t>& partitions) const {
  StoredSnapshots stored;
  if (!options_.group.empty() && !partitions.empty()) {
    auto loaded = load_positions(partitions);
    if (!loaded) return loaded.error();
    stored = std::move(*loaded);
  }
  if (options_.snapshots == nullptr) return stored;
  auto loaded = options_.snapshots->load(log_name_);
  if (!loaded) return loaded.error();
  for (Snapshot& one : *loaded) {
    const int32_t partition = one.partition;
    stored[partition] = {std::move(one)};
  }
  return stored;
}

// `chosen` receives the offsets of partitions that nobody has read before.
Result<Reader::Starts> Reader::starts_of(const std::set<int32_t>& partitions, const StoredSnapshots& stored,
                                         StartAt::Kind kind, Positions& chosen) const {
  Starts starts;
  for (const int32_t partition : partitions) {
    const auto bounds = bounds_of(partition, kBrokerTimeout);
    if (!bounds) return bounds.error();
    Start& start = starts[partition];
    start.bounds = *bounds;
    const auto it = stored.find(partition);
    if (is_unchanged(partition, stored)) {
      start.next = lost_.at(partition);
      if (const auto known = verified_.find(partition); known != verified_.end()) start.anchor = known->second;
    } else if (it != stored.end()) {
      start.next = it->second.snapshot.next_offset;
      start.anchor = decode_anchor(it->second.snapshot.identity).value_or(Anchor());
    } else {
      const auto from = start_of(partition, *bounds, kind);
      if (!from) return from.error();
      start.next = chosen[partition] = *from;
    }
  }
  return starts;
}

// The newest snapshot takes precedence over the committed offset, but an offset that an operator has set takes
// precedence over both.
Result<Reader::StoredSnapshots> Reader::load_positions(const std::set<int32_t>& partitions) const {
  const PartitionList list(rd_kafka_topic_partition_list_new(static_cast<int>(partitions.size())));
  for (const int32_t partition : partitions) {
    rd_kafka_topic_partition_list_add(list.get(), kafka_.topic.c_str(), partition);
  }
  const auto error = rd_kafka_committed(handle_.get(), list.get(), to_millis(kBrokerTimeout));
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
  auto loaded = snapshots_.load(hints, kBrokerTimeout);
  if (!loaded) return loaded.error();
  by_hand.merge(*loaded);
  // The snapshot topic was deleted, but the data topic was not.
  for (auto& [partition, committed] : without_snapshot) {
    if (by_hand.contains(partition)) continue;
    log_warning(
        "the group's snapshot is missing; reading continues at the committed offset, without the state built before",
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
  const auto error = rd_kafka_offsets_for_times(handle_.get(), list.get(), to_millis(kBrokerTimeout));
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

// Stores a new group's start at once. The next reader of the partition, which may be this one, must start at the same
// offset even if nothing else was stored in between.
Status Reader::note(const Positions& starts) {
  if (options_.group.empty()) return {};
  std::vector<Snapshot> snapshots;
  for (const auto& [partition, offset] : starts)
    snapshots.push_back({.partition = partition, .next_offset = offset, .state = {}});
  return snapshots.empty() ? Status() : store(snapshots);
}

void Reader::commit(const std::map<int32_t, StoredSnapshot>& positions) {
  const PartitionList list(rd_kafka_topic_partition_list_new(static_cast<int>(positions.size())));
  for (const auto& [partition, stored] : positions) {
    auto* const entry = rd_kafka_topic_partition_list_add(list.get(), kafka_.topic.c_str(), partition);
    entry->offset = stored.snapshot.next_offset;
    const std::string hint = fmt::format("{}{}", kHint, stored.at);
    entry->metadata = rd_kafka_mem_malloc(handle_.get(), hint.size());  // librdkafka frees it with the list
    std::memcpy(entry->metadata, hint.data(), hint.size());
    entry->metadata_size = hint.size();
  }
  constexpr int kWithoutWaiting = 1;
  // A failure is harmless: if another member holds the partitions by now, it has read the snapshot.
  const auto error = rd_kafka_commit(handle_.get(), list.get(), kWithoutWaiting);
  if (error != RD_KAFKA_RESP_ERR_NO_ERROR) log_debug("committing offsets", {{"error", rd_kafka_err2str(error)}});
}

}  // namespace monitor::metriclog::kafka
