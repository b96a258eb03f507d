#include "analysis/consume/consumer.h"

#include <fmt/format.h>

#include <utility>

#include "base/log.h"
#include "base/protowire.h"
#include "base/text.h"
#include "metrics/decode.h"
#include "metrics/json_form.h"

namespace monitor::analysis {

namespace {

using metriclog::ReaderEvent;
using metriclog::Record;
using metriclog::Snapshot;

constexpr int64_t kLateAtAgent = 2 * kNanosPerSecond;
constexpr int64_t kLateOnTheWay = 10 * kNanosPerSecond;

// Fields of a snapshot's state; Dedupe's entries are field 1.
constexpr uint32_t kFramesTaken = 2;

uint64_t frames_taken_of(std::string_view state) {
  protowire::Reader reader(state);
  while (const auto field = reader.next()) {
    if (field->number == kFramesTaken) return field->value;
  }
  return 0;
}

}  // namespace

bool is_late(const metrics::Envelope& envelope, int64_t frame_time_ns, int64_t log_time_ns) {
  const auto send_every = static_cast<int64_t>(envelope.send_every_ns);
  return envelope.appended_ns - frame_time_ns > send_every + kLateAtAgent ||
         log_time_ns - envelope.appended_ns > kLateOnTheWay;
}

Result<metrics::Batch> decode_record(const Record& record) {
  const std::string_view type = record.header("content-type");
  if (type == "application/x-protobuf") return metrics::decode_batch(record.value);
  if (type == "application/json") return metrics::batch_from_json(record.value);
  return Error(Code::kInvalidArgument,
               fmt::format("content type is {}, known are application/x-protobuf and application/json",
                           type.empty() ? "missing" : json_quote(type)));
}

ConsumeMetrics::ConsumeMetrics(telemetry::Registry& r)
    : batches(r.counter("monitor_analysis_batches_total", "Batches read, without duplicates.")),
      duplicates(r.counter("monitor_analysis_duplicates_total", "Batches that were seen before.")),
      skipped(r.counter("monitor_analysis_skipped_total", "Records that could not be decoded.")),
      lost(r.counter("monitor_analysis_lost_records_total", "Records that retention took before they were read.")) {}

Result<bool> Consumer::step(int64_t timeout_ns) {
  if (event_ == events_.size()) {
    auto events = reader_.poll(timeout_ns);
    if (!events) return events.error();
    events_ = std::move(*events);
    event_ = record_ = 0;
  }
  for (; event_ < events_.size(); ++event_) {
    if (!handle(events_[event_])) return false;
    record_ = 0;
  }
  return true;
}

bool Consumer::handle(ReaderEvent& event) {
  switch (event.kind) {
    case ReaderEvent::Kind::kAssigned:
      assign(event.assigned);
      break;
    case ReaderEvent::Kind::kRevoked:
      for (const int32_t partition : event.revoked) {
        partitions_.erase(partition);
        sink_.on_revoked(partition);
      }
      break;
    case ReaderEvent::Kind::kRecords:
      for (; record_ < event.records.size(); ++record_) {
        if (!take(event.records[record_])) return false;
      }
      break;
    case ReaderEvent::Kind::kLost:
      metrics_.lost.add(static_cast<uint64_t>(event.to - event.from));
      log_warning("records lost to retention before they were read",
                  {{"partition", event.partition}, {"from", event.from}, {"to", event.to}});
      sink_.on_lost(event.partition, event.from, event.to);
      break;
    case ReaderEvent::Kind::kTrouble:
      log_warning("log cannot be read at the moment", {{"error", event.text}});
      sink_.on_trouble(event.text);
      break;
  }
  return true;
}

void Consumer::assign(const std::vector<Snapshot>& snapshots) {
  for (const Snapshot& snapshot : snapshots) {
    Partition& partition = partitions_[snapshot.partition] = Partition();
    partition.next_offset = snapshot.next_offset;
    partition.frames_taken = frames_taken_of(snapshot.state);
    auto dedupe = Dedupe::decode(snapshot.state);
    if (dedupe) {
      partition.dedupe = std::move(*dedupe);
    } else {
      // Reading goes on where it was: at worst a batch is shown twice.
      log_warning("snapshot not understood", {{"partition", snapshot.partition}, {"error", dedupe.error()}});
    }
    sink_.on_assigned(snapshot.partition);
  }
}

bool Consumer::take(const Record& record) {
  Partition& partition = partitions_[record.partition];
  const uint64_t first_frame = record.offset == partition.next_offset ? partition.frames_taken : 0;
  auto batch = decode_record(record);
  if (!batch) {
    metrics_.skipped.add();
    log_warning(
        "record skipped",
        {{"partition", record.partition}, {"offset", record.offset}, {"key", record.key}, {"error", batch.error()}});
    sink_.on_skipped(record, batch.error());
  } else if (partition.dedupe.seen(batch->agent_id, batch->incarnation, batch->sequence)) {
    metrics_.duplicates.add();
  } else {
    const size_t taken = first_frame + sink_.on_batch(record, *batch, first_frame);
    if (taken < batch->frames.size()) {
      partition.moved = partition.moved || taken != first_frame || partition.next_offset != record.offset;
      partition.next_offset = record.offset;
      partition.frames_taken = taken;
      return false;
    }
    metrics_.batches.add();
    partition.dedupe.add(batch->agent_id, batch->incarnation, batch->sequence, record.time_ns);
  }
  partition.next_offset = record.offset + 1;
  partition.frames_taken = 0;
  partition.moved = true;
  return true;
}

Status Consumer::store() {
  std::vector<Snapshot> snapshots;
  for (auto& [number, partition] : partitions_) {
    if (!partition.moved) continue;
    Snapshot snapshot{.partition = number, .next_offset = partition.next_offset};
    partition.dedupe.prune();
    partition.dedupe.encode(snapshot.state);
    protowire::put_uint64(snapshot.state, kFramesTaken, partition.frames_taken);
    snapshots.push_back(std::move(snapshot));
  }
  if (snapshots.empty()) return {};
  if (auto status = reader_.store(snapshots); !status) return status;
  for (const Snapshot& snapshot : snapshots) partitions_[snapshot.partition].moved = false;
  return {};
}

size_t Consumer::state_bytes() const {
  constexpr size_t kBytesPerIncarnation = 64;
  size_t bytes = 0;
  for (const auto& [number, partition] : partitions_) bytes += partition.dedupe.incarnations() * kBytesPerIncarnation;
  return bytes;
}

bool Consumer::stored_all() const {
  for (const auto& [number, partition] : partitions_) {
    if (partition.moved) return false;
  }
  return true;
}

}  // namespace monitor::analysis
