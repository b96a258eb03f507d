#include "consume/consumer.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/hex.h"
#include "base/log.h"
#include "base/protowire.h"
#include "base/text.h"
#include "metrics/decode.h"
#include "metrics/json_form.h"
#include "metrics/resource.h"

namespace monitor::analysis {

namespace {

using metriclog::ReaderEvent;
using metriclog::Record;
using metriclog::Snapshot;

constexpr int64_t kLateAtAgent = 2 * kNanosPerSecond;
constexpr int64_t kLateOnTheWay = 10 * kNanosPerSecond;

// Fields of a snapshot's state; Dedupe's entries are field 1.
constexpr uint32_t kFramesTaken = 2;
constexpr uint32_t kBuiltKind = 3;
constexpr uint32_t kBuilt = 4;

struct State {
  uint64_t frames_taken = 0;
  std::string_view kind;
  std::string_view built;
};

State state_of(std::string_view bytes) {
  State state;
  protowire::Reader reader(bytes);
  while (const auto field = reader.next()) {
    if (field->number == kFramesTaken) state.frames_taken = field->value;
    if (field->number == kBuiltKind) state.kind = field->bytes;
    if (field->number == kBuilt) state.built = field->bytes;
  }
  return state;
}

}  // namespace

bool is_late(const metrics::Envelope& envelope, int64_t frame_time_ns, int64_t log_time_ns) {
  // An agent's word, which may be anything.
  constexpr uint64_t kLongest = INT64_MAX - kLateAtAgent;
  const auto send_every = static_cast<int64_t>(std::min(envelope.send_every_ns, kLongest));
  return elapsed_ns(frame_time_ns, envelope.appended_ns) > send_every + kLateAtAgent ||
         has_waited(envelope, log_time_ns);
}

bool has_waited(const metrics::Envelope& envelope, int64_t log_time_ns) {
  return elapsed_ns(envelope.appended_ns, log_time_ns) > kLateOnTheWay;
}

int64_t clock_error_ns(const metrics::Envelope& envelope, int64_t log_time_ns) {
  // Agents drop what has waited for longer than Dedupe keeps; a day more is left for the way.
  constexpr int64_t kMostBehind = Dedupe::kKeepNs + int64_t{24} * 3600 * kNanosPerSecond;
  if (envelope.appended_ns == 0) return 0;
  const int64_t ahead = elapsed_ns(log_time_ns, envelope.appended_ns);
  return ahead > kMostAhead || ahead < -kMostBehind ? ahead : 0;
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
      conflicts(r.counter("monitor_analysis_conflicts_total",
                          "Batches whose content is not that of the one seen before under their sequence.")),
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
    const auto done = handle(events_[event_]);
    if (!done || !*done) return done;
    record_ = 0;
  }
  return true;
}

Result<bool> Consumer::handle(ReaderEvent& event) {
  switch (event.kind) {
    case ReaderEvent::Kind::kAssigned:
      end_trouble();
      if (auto status = assign(event); !status) return status.error();
      break;
    case ReaderEvent::Kind::kRevoked:
      for (const int32_t partition : event.revoked) {
        partitions_.erase(partition);
        if (built_ != nullptr) built_->forget(partition);
        sink_.on_revoked(partition);
      }
      break;
    case ReaderEvent::Kind::kRecords:
      end_trouble();
      for (; record_ < event.records.size(); ++record_) {
        if (!take(event.records[record_])) return false;
      }
      break;
    case ReaderEvent::Kind::kLost:
      lose(event);
      break;
    case ReaderEvent::Kind::kReplaced:
      begin_anew(event);
      break;
    case ReaderEvent::Kind::kTrouble:
      log_warning("log cannot be read at the moment", {{"error", event.text}});
      in_trouble_ = true;
      sink_.on_trouble(event.text);
      break;
    case ReaderEvent::Kind::kRecovered:
      end_trouble();
      break;
  }
  return true;
}

// Whatever comes from a log says that it can be read.
void Consumer::end_trouble() {
  if (!std::exchange(in_trouble_, false)) return;
  log_info("log can be read again");
  sink_.on_recovered();
}

void Consumer::lose(const ReaderEvent& event) {
  metrics_.lost.add(static_cast<uint64_t>(event.to - event.from));
  log_warning("records lost to retention before they were read",
              {{"partition", event.partition}, {"from", event.from}, {"to", event.to}});
  Partition& partition = partitions_[event.partition];
  partition.next_offset = partition.position = event.to;
  partition.frames_taken = 0;
  partition.moved = true;
  if (built_ != nullptr) built_->apply_lost(event.partition, event.from, event.to);
  sink_.on_lost(event.partition, event.from, event.to);
}

// What was seen of the old log stays known: an agent may have sent it to the new one again.
void Consumer::begin_anew(const ReaderEvent& event) {
  metrics_.lost.add(static_cast<uint64_t>(event.lost));
  log_warning("the log was deleted and made anew since it was read last; the new one is read from its start",
              {{"partition", event.partition},
               {"position", event.from},
               {"start", event.to},
               {"end", event.extents.empty() ? event.to : event.extents.front().end},
               {"known_lost", event.lost}});
  Partition& partition = partitions_[event.partition];
  partition.next_offset = partition.position = event.to;
  partition.frames_taken = 0;
  partition.moved = true;
  if (!event.extents.empty()) partition.end_at_start = event.extents.front().end;
  if (built_ != nullptr) built_->apply_lost(event.partition, event.from, event.from + event.lost);
  if (event.lost > 0) sink_.on_lost(event.partition, event.from, event.from + event.lost);
}

Status Consumer::assign(const ReaderEvent& event) {
  for (size_t i = 0; i < event.assigned.size(); ++i) {
    const Snapshot& snapshot = event.assigned[i];
    const metriclog::Extent& extent = event.extents[i];
    Partition& partition = partitions_[snapshot.partition] = Partition();
    partition.position = extent.next;
    partition.end_at_start = extent.end;
    if (auto status = restore(snapshot, extent, partition); !status) return status;
    sink_.on_assigned(snapshot.partition);
  }
  return {};
}

Status Consumer::restore(const Snapshot& snapshot, const metriclog::Extent& extent, Partition& partition) {
  partition.next_offset = snapshot.next_offset;
  partition.frames_taken = state_of(snapshot.state).frames_taken;
  auto dedupe = Dedupe::decode(snapshot.state);
  if (!dedupe) {
    // Reading goes on where it was: at worst a batch is shown twice.
    log_warning("snapshot not understood", {{"partition", snapshot.partition}, {"error", dedupe.error()}});
  } else {
    partition.dedupe = std::move(*dedupe);
  }
  return rebuild(snapshot, extent, dedupe.ok());
}

Status Consumer::rebuild(const Snapshot& snapshot, const metriclog::Extent& extent, bool dedupe_understood) {
  const State state = state_of(snapshot.state);
  const std::string_view kind = built_ == nullptr ? "" : built_->kind();
  // Where a group begins is noted without a state, which is anybody's.
  if (!snapshot.state.empty() && dedupe_understood && state.kind != kind) {
    const auto name = [](std::string_view text) { return text.empty() ? "get-metrics" : text; };
    return Error(Code::kAborted,
                 fmt::format("partition {}: the group's snapshots are of {}, not of {}; read with another --group-id",
                             snapshot.partition, name(state.kind), name(kind)));
  }
  if (built_ == nullptr) return {};
  if (snapshot.state.empty()) {
    built_->fresh(snapshot.partition, extent);
    return {};
  }
  const Status built = dedupe_understood ? built_->decode(snapshot.partition, state.built)
                                         : Error(Code::kDataLoss, "its list of seen batches is malformed");
  if (built) return {};
  return Error(Code::kDataLoss, fmt::format("snapshot of partition {}: {}; begin anew with --from earliest",
                                            snapshot.partition, built.error().message()));
}

Result<metrics::Batch> Consumer::decode(const Record& record) {
  // No batch in protobuf begins with '{', which saves looking for the header. What is neither is looked at again, for
  // what its header says.
  if (record.value.starts_with('{')) return decode_record(record);
  auto batch = sink_.wants_values() ? metrics::decode_batch(record.value) : envelopes_.decode(record.value);
  if (batch) return batch;
  return decode_record(record);
}

bool Consumer::take(const Record& record) {
  Partition& partition = partitions_[record.partition];
  auto batch = decode(record);
  if (batch) metrics::carry_resource(*batch);
  if (!batch) {
    metrics_.skipped.add();
    log_warning(
        "record skipped",
        {{"partition", record.partition}, {"offset", record.offset}, {"key", record.key}, {"error", batch.error()}});
    sink_.on_skipped(record, batch.error());
  } else {
    const Digest digest = digest_of(record, *batch);
    const auto verdict = partition.dedupe.look(batch->agent_id, batch->incarnation, batch->sequence, digest);
    if (verdict.kind == Dedupe::Verdict::Kind::kNew) {
      if (!take_batch(record, *batch, digest, partition)) return false;
    } else if (verdict.kind == Dedupe::Verdict::Kind::kCopy) {
      metrics_.duplicates.add();
      if (built_ != nullptr) built_->apply_copy(record, *batch);
    } else {
      take_conflict(record, *batch, verdict.first_offset);
    }
  }
  partition.next_offset = partition.position = record.offset + 1;
  partition.frames_taken = 0;
  partition.moved = true;
  return true;
}

// Which of the two is the agent's own is not known: the first that came counts, the other is told.
void Consumer::take_conflict(const Record& record, const metrics::Batch& batch, int64_t first_offset) {
  metrics_.conflicts.add();
  log_warning("batch conflicts with another of the same sequence; the one that came first counts",
              {{"agent", batch.agent_id},
               {"host", batch.hostname},
               {"incarnation", hex(batch.incarnation)},
               {"sequence", batch.sequence},
               {"partition", record.partition},
               {"first_offset", first_offset},
               {"offset", record.offset},
               {"next", "somebody writes under this agent's name; see monitor-analysis ledger"}});
  if (built_ != nullptr) built_->apply_conflict(record, batch, first_offset);
}

// False: the sink took a part of it.
bool Consumer::take_batch(const Record& record, const metrics::Batch& batch, Digest digest, Partition& partition) {
  const uint64_t first_frame = record.offset == partition.next_offset ? partition.frames_taken : 0;
  const size_t taken = first_frame + sink_.on_batch(record, batch, first_frame);
  if (taken < batch.frames.size()) {
    partition.moved = partition.moved || taken != first_frame || partition.next_offset != record.offset;
    partition.next_offset = record.offset;
    partition.frames_taken = taken;
    return false;
  }
  metrics_.batches.add();
  partition.dedupe.add(batch.agent_id, batch.incarnation, batch.sequence, digest, {record.offset, record.time_ns});
  if (built_ != nullptr) built_->apply(record, batch);
  return true;
}

bool Consumer::reached_end() const {
  for (const auto& [number, partition] : partitions_) {
    if (partition.position < partition.end_at_start) return false;
  }
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
    if (built_ != nullptr) {
      std::string built;
      built_->encode(number, built);
      protowire::put_bytes(snapshot.state, kBuiltKind, built_->kind());
      protowire::put_message(snapshot.state, kBuilt, built);
    }
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
  constexpr size_t kBytesPerDigest = 8;
  for (const auto& [number, partition] : partitions_) {
    bytes += partition.dedupe.incarnations() * kBytesPerIncarnation + partition.dedupe.digests() * kBytesPerDigest;
  }
  return bytes;
}

bool Consumer::stored_all() const {
  for (const auto& [number, partition] : partitions_) {
    if (partition.moved) return false;
  }
  return true;
}

}  // namespace monitor::analysis
