// Reader: assignment of partitions. reader_positions.cc decides where reading starts.
#include <fmt/format.h>

#include <utility>

#include "base/log.h"
#include "metriclog/kafka/reader.h"
#include "metriclog/kafka/topics.h"

namespace monitor::metriclog::kafka {

namespace {

// nullptr means success.
Status as_status(rd_kafka_error_t* error) {
  if (error == nullptr) return {};
  const std::string text = rd_kafka_error_string(error);
  rd_kafka_error_destroy(error);
  return Error(Code::kUnavailable, text);
}

}  // namespace

// Called on our thread, from within rd_kafka_consumer_poll() or rd_kafka_consumer_close().
void Reader::on_rebalance(rd_kafka_t* handle, rd_kafka_resp_err_t error, rd_kafka_topic_partition_list_t* partitions,
                          void* self) {
  Reader& reader = *static_cast<Reader*>(self);
  const bool revoked = error == RD_KAFKA_RESP_ERR__REVOKE_PARTITIONS;
  auto& pending = revoked ? reader.to_hand_back_ : reader.to_take_over_;
  for (int i = 0; i < partitions->cnt; ++i) pending.insert(partitions->elems[i].partition);
  reader.rebalanced_ = true;
  if (!revoked) reader.assign_awaited_ = reader.assigned_by_group_ = true;
  if (!reader.closing_) return;
  // No poll() will follow, so the event is handled at once.
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
    if (auto status = take_over(to_take_over_, events); !status) return status;  // the next poll tries again
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

// Revokes partitions that were lost and did not come back unchanged.
void Reader::give_up_lost(Events& events) {
  if (lost_.empty()) return;
  ReaderEvent event{.kind = ReaderEvent::Kind::kRevoked};
  for (const auto& [partition, position] : lost_) event.revoked.push_back(partition);
  lost_.clear();
  events.push_back(std::move(event));
}

// True if this reader can continue with a partition that it had lost, because nobody else has stored a position since.
bool Reader::is_unchanged(int32_t partition, const StoredSnapshots& stored) const {
  if (!lost_.contains(partition)) return false;
  const auto it = stored.find(partition);
  return it == stored.end() || it->second.author == author_;
}

// Fills in `assigned` for the partitions that changed hands, and returns the positions of all partitions.
Reader::Positions Reader::positions_from(Starts& starts, StoredSnapshots& stored, ReaderEvent& assigned,
                                         Events& lost) const {
  Positions positions;
  for (auto& [partition, start] : starts) {
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
  return positions;
}

Status Reader::take_over(const std::set<int32_t>& partitions, Events& events) {
  if (!options_.group.empty() && !partitions.empty() && *partitions.rbegin() >= state_partitions_) {
    return grown_error(kafka_.topic, *partitions.rbegin() + 1, state_partitions_);
  }
  const bool by_store = assigned_once_ || options_.start.kind == StartAt::Kind::kStored;
  auto stored = by_store ? stored_positions(partitions) : StoredSnapshots();
  if (!stored) return stored.error();
  Positions chosen;
  auto starts = starts_of(partitions, *stored, by_store ? StartAt::Kind::kStored : options_.start.kind, chosen);
  if (!starts) return starts.error();
  Events lost;
  if (auto status = identify(*starts, lost); !status) return status;
  ReaderEvent assigned{.kind = ReaderEvent::Kind::kAssigned};
  const Positions positions = positions_from(*starts, *stored, assigned, lost);
  if (auto status = assign(positions); !status) return status;
  for (const auto& [partition, position] : positions) {
    if (is_unchanged(partition, *stored)) lost_.erase(partition);
  }
  give_up_lost(events);
  if (partitions.empty()) return {};
  positions_.insert(positions.begin(), positions.end());
  if (auto status = note(chosen); !status) {
    log_warning("position of the group cannot be stored", {{"error", status.error()}});
  }
  assigned_once_ = true;
  connectivity_.clear();
  if (assigned.assigned.empty()) {
    end_trouble(events);  // partitions that were read before continue, and their leaders have answered
  } else {
    trouble_.clear();
    events.push_back(std::move(assigned));
  }
  events.insert(events.end(), lost.begin(), lost.end());
  return {};
}

// Moves a position that retention has deleted into the bounds.
void Reader::into_bounds(int32_t partition, const Bounds& bounds, int64_t& next, Events& lost) {
  if (next >= bounds.low) return;
  lost.push_back({.kind = ReaderEvent::Kind::kLost, .partition = partition, .from = next, .to = bounds.low});
  next = bounds.low;
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

// Retention has deleted the next records: reports the loss and continues with the rest.
Status Reader::go_on_after_loss(int32_t partition, Events& events) {
  const auto position = positions_.find(partition);
  if (position == positions_.end()) return {};
  const auto bounds = bounds_of(partition, kBrokerTimeout);
  if (!bounds) return bounds.error();
  if (position->second > bounds->high) return begin_anew(partition, *bounds, events);
  into_bounds(partition, *bounds, position->second, events);
  return fetch_from(*position);
}

Status Reader::fetch_from(const Positions::value_type& position) {
  // After such a failure, librdkafka 2.0 does not fetch a partition again after a seek, only after a new assignment.
  if (options_.group.empty()) return assign(positions_);
  const PartitionList list(rd_kafka_topic_partition_list_new(1));
  rd_kafka_topic_partition_list_add(list.get(), kafka_.topic.c_str(), position.first);
  if (auto status = as_status(rd_kafka_incremental_unassign(handle_.get(), list.get())); !status) return status;
  return assign({position});
}

}  // namespace monitor::metriclog::kafka
