// Reader: detects a partition that is no longer the one in which its position was taken.
#include <algorithm>
#include <utility>

#include "base/clock.h"
#include "base/log.h"
#include "metriclog/kafka/reader.h"

namespace monitor::metriclog::kafka {

namespace {

constexpr int64_t kLookEvery = 10 * kNanosPerSecond;
constexpr int64_t kLookAgain = 2 * kNanosPerSecond;  // retry if there was no answer
constexpr int64_t kAskAtStart = 10 * kNanosPerSecond;
constexpr int64_t kAsk = 1 * kNanosPerSecond;

int64_t now_ns() { return SystemClock().mono_ns(); }

}  // namespace

ReaderEvent Reader::replaced(int32_t partition, const Bounds& bounds, int64_t next) const {
  const auto known = verified_.find(partition);
  const int64_t end = known == verified_.end() ? 0 : known->second.log_end;
  ReaderEvent event{.kind = ReaderEvent::Kind::kReplaced, .partition = partition, .from = next, .to = bounds.low};
  event.lost = std::max<int64_t>(end - next, 0);
  event.extents.push_back({bounds.low, bounds.low, bounds.high, bounds.low > 0});
  return event;
}

// Compares the stored anchor of a position with the record at its offset. If there is no stored anchor, the record
// before the position becomes the anchor.
Status Reader::identify(Starts& starts, Events& events) {
  std::map<int32_t, int64_t> ask;
  for (const auto& [partition, start] : starts) {
    const int64_t offset = start.anchor.valid() ? start.anchor.offset : start.next - 1;
    if (offset >= start.bounds.low && offset < start.bounds.high) ask[partition] = offset;
  }
  const auto found = probe_.at(ask, kAskAtStart);
  if (!found) return found.error();
  for (auto& [partition, start] : starts) {
    const auto there = found->find(partition);
    const Anchor& kept = start.anchor;
    const bool gone = kept.valid() && kept.offset >= start.bounds.high;
    const bool another = kept.valid() && there != found->end() && !there->second.is(kept);
    if (kept.valid()) {
      verified_[partition] = kept;
    } else if (there != found->end()) {
      verified_[partition] = there->second;
    }
    if (gone || another || start.next > start.bounds.high) {
      events.push_back(replaced(partition, start.bounds, start.next));
      start.next = start.bounds.low;
      verified_.erase(partition);
      latest_.erase(partition);
    } else if (const auto known = verified_.find(partition); known != verified_.end()) {
      known->second.log_end = start.bounds.high;
    }
  }
  next_identity_look_ns_ = now_ns() + kLookEvery;
  return {};
}

// From the broker's last fetch response.
int64_t Reader::known_end(int32_t partition) const {
  Bounds bounds;
  const auto error =
      rd_kafka_get_watermark_offsets(handle_.get(), kafka_.topic.c_str(), partition, &bounds.low, &bounds.high);
  return error == RD_KAFKA_RESP_ERR_NO_ERROR ? std::max<int64_t>(bounds.high, 0) : 0;
}

// The first record of a partition in each poll suffices as an anchor.
void Reader::note_anchor(const rd_kafka_message_t& message) {
  if (!noted_in_poll_.insert(message.partition).second) return;
  Anchor anchor = anchor_of(message);
  anchor.log_end = std::max(anchor.offset + 1, known_end(message.partition));
  latest_[message.partition] = anchor;
  verified_.try_emplace(message.partition, anchor);
}

// A topic that is recreated while it is read, and grows beyond the position between two reads, causes no error. So it
// is checked regularly.
Status Reader::look_at_identity(Events& events) {
  if (now_ns() < next_identity_look_ns_ || rebalanced_ || away_reported_) return {};
  next_identity_look_ns_ = now_ns() + kLookAgain;
  std::map<int32_t, int64_t> ask;
  for (const auto& [partition, position] : positions_) {
    if (const auto known = verified_.find(partition); known != verified_.end()) ask[partition] = known->second.offset;
  }
  const auto found = probe_.at(ask, kAsk);
  if (!found) return {};  // reader_presence.cc reports that Kafka is absent
  next_identity_look_ns_ = now_ns() + kLookEvery;
  for (const auto& [partition, offset] : ask) {
    const auto record = found->find(partition);
    const bool same = record != found->end() && record->second.is(verified_.at(partition));
    if (!same) {
      // Another record, or none. Retention may have deleted it, unless the log now ends before its offset.
      const auto bounds = bounds_of(partition, kAsk);
      if (!bounds) return {};
      if (record != found->end() || offset >= bounds->high) {
        if (auto status = begin_anew(partition, *bounds, events); !status) return status;
        continue;
      }
    }
    if (const auto latest = latest_.find(partition); latest != latest_.end()) verified_[partition] = latest->second;
    Anchor& known = verified_[partition];
    known.log_end = std::max(known.log_end, known_end(partition));
  }
  return {};
}

Status Reader::begin_anew(int32_t partition, const Bounds& bounds, Events& events) {
  const auto position = positions_.find(partition);
  if (position == positions_.end()) return {};
  events.push_back(replaced(partition, bounds, position->second));
  position->second = bounds.low;
  verified_.erase(partition);
  latest_.erase(partition);
  return fetch_from(*position);
}

}  // namespace monitor::metriclog::kafka
