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
#include "payload/decode.h"

namespace monitor::analysis {

namespace {

using metriclog::ReaderEvent;
using metriclog::Record;
using metriclog::Snapshot;

constexpr int64_t kLateAtAgent = 2 * kNanosPerSecond;
constexpr int64_t kLateOnTheWay = 10 * kNanosPerSecond;

}  // namespace

bool is_late(const metrics::Envelope& envelope, int64_t frame_time_ns, int64_t log_time_ns) {
  // The value comes from the agent and may be anything.
  constexpr uint64_t kLongest = INT64_MAX - kLateAtAgent;
  const auto send_every = static_cast<int64_t>(std::min(envelope.send_every_ns, kLongest));
  return elapsed_ns(frame_time_ns, envelope.appended_ns) > send_every + kLateAtAgent ||
         has_waited(envelope, log_time_ns);
}

bool has_waited(const metrics::Envelope& envelope, int64_t log_time_ns) {
  return elapsed_ns(envelope.appended_ns, log_time_ns) > kLateOnTheWay;
}

int64_t clock_error_ns(const metrics::Envelope& envelope, int64_t log_time_ns) {
  // Agents drop batches that have waited for longer than Dedupe keeps them; one more day allows for the way to the log.
  constexpr int64_t kMostBehind = Dedupe::kKeepNs + int64_t{24} * 3600 * kNanosPerSecond;
  if (envelope.appended_ns == 0) return 0;
  const int64_t ahead = elapsed_ns(log_time_ns, envelope.appended_ns);
  return ahead > kMostAhead || ahead < -kMostBehind ? ahead : 0;
}

Result<metrics::Batch> decode_record(const Record& record) {
  // Its first byte tells payload v2 from all other forms, so it needs no header.
  if (payload::is_payload(record.value)) return payload::decode(record.value, record.key);
  const std::string_view type = record.header("content-type");
  if (type == "application/x-protobuf") return metrics::decode_batch(record.value);
  if (type == "application/json") return metrics::batch_from_json(record.value);
  return Error(Code::kInvalidArgument,
               fmt::format("content type is {}, known are application/x-protobuf and application/json",
                           type.empty() ? "missing" : json_quote(type)));
}

ConsumeMetrics::ConsumeMetrics(telemetry::Registry& r)
    : batches(r.counter("monitor_analysis_batches_total", "Batches read, without duplicates.")),
      duplicates(r.counter("monitor_analysis_duplicates_total", "Batches that were read before.")),
      conflicts(r.counter("monitor_analysis_conflicts_total",
                          "Batches whose content differs from an earlier batch with the same sequence.")),
      skipped(r.counter("monitor_analysis_skipped_total", "Records that could not be decoded.")),
      lost(r.counter("monitor_analysis_lost_records_total", "Records that retention deleted before they were read.")) {}

Consumer::Consumer(metriclog::LogReader& reader, std::vector<View*> views, telemetry::Registry& registry)
    : reader_(reader),
      views_(std::move(views)),
      needs_values_(std::ranges::any_of(views_, [](const View* view) { return view->needs_values(); })),
      metrics_(registry) {}

Result<bool> Consumer::step(int64_t timeout_ns) {
  if (event_ == events_.size()) {
    reader_.reuse(std::move(events_));
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
        for (View* view : views_) view->on_revoked(partition);
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
      for (View* view : views_) view->on_trouble(event.text);
      break;
    case ReaderEvent::Kind::kRecovered:
      end_trouble();
      break;
  }
  return true;
}

// Anything that comes from the log shows that it is readable.
void Consumer::end_trouble() {
  if (!std::exchange(in_trouble_, false)) return;
  log_info("log can be read again");
  for (View* view : views_) view->on_recovered();
}

void Consumer::move_to(Partition& partition, int64_t offset) {
  partition.next_offset = partition.position = offset;
  partition.taken.clear();
  partition.moved = true;
}

void Consumer::lose(const ReaderEvent& event) {
  metrics_.lost.add(static_cast<uint64_t>(event.to - event.from));
  log_warning("records lost to retention before they were read",
              {{"partition", event.partition}, {"from", event.from}, {"to", event.to}});
  move_to(partitions_[event.partition], event.to);
  for (View* view : views_) view->on_lost(event.partition, event.from, event.to);
}

// Batches of the old log stay known, because an agent may have sent them to the new log again.
void Consumer::begin_anew(const ReaderEvent& event) {
  metrics_.lost.add(static_cast<uint64_t>(event.lost));
  log_warning("the log was deleted and created again since it was last read; reading the new one from its start",
              {{"partition", event.partition},
               {"position", event.from},
               {"start", event.to},
               {"end", event.extents.empty() ? event.to : event.extents.front().end},
               {"known_lost", event.lost}});
  Partition& partition = partitions_[event.partition];
  move_to(partition, event.to);
  if (!event.extents.empty()) partition.end_at_start = event.extents.front().end;
  for (View* view : views_) view->on_lost(event.partition, event.from, event.from + event.lost);
}

Status Consumer::assign(const ReaderEvent& event) {
  for (size_t i = 0; i < event.assigned.size(); ++i) {
    const Snapshot& snapshot = event.assigned[i];
    const metriclog::Extent& extent = event.extents[i];
    Partition& partition = partitions_[snapshot.partition] = Partition();
    partition.position = extent.next;
    partition.end_at_start = extent.end;
    if (auto status = restore(snapshot, extent, partition); !status) return status;
    for (View* view : views_) view->on_assigned(snapshot.partition);
  }
  return {};
}

Status Consumer::restore(const Snapshot& snapshot, const metriclog::Extent& extent, Partition& partition) {
  partition.next_offset = snapshot.next_offset;
  const SnapshotState state = read_snapshot_state(snapshot.state);
  auto dedupe = Dedupe::decode(snapshot.state);
  if (!dedupe) {
    // Reading continues at the position; at worst, some batches are shown twice.
    log_warning("snapshot is malformed", {{"partition", snapshot.partition}, {"error", dedupe.error()}});
  } else {
    partition.dedupe = std::move(*dedupe);
    if (auto status = check_kinds(snapshot.partition, state); !status) return status;
  }
  for (View* view : views_) {
    const ViewState* const known = state.find(view->kind());
    partition.taken.push_back(known == nullptr ? Taken() : known->taken);
    if (auto status = rebuild(*view, state, extent, snapshot.partition, dedupe.ok()); !status) return status;
  }
  return {};
}

// The next snapshot would lose the state of another reader's views, so a group belongs to one kind of reader.
Status Consumer::check_kinds(int32_t partition, const SnapshotState& state) const {
  if (state.empty) return {};  // the start of a new group is stored without a state, and fits any reader
  const auto refused = [&](std::string_view theirs, std::string_view ours) {
    return Error(Code::kAborted,
                 fmt::format("partition {}: the group's snapshots are of {}, not of {}; read with another --group-id",
                             partition, theirs, ours));
  };
  const auto mine = std::ranges::find_if(views_, [](const View* view) { return !view->kind().empty(); });
  const std::string_view name = mine == views_.end() ? kNoView : (*mine)->kind();
  for (const ViewState& one : state.views) {
    const bool known = std::ranges::any_of(views_, [&](const View* view) { return view->kind() == one.kind; });
    if (!known && one.kind != name) return refused(one.kind, name);
  }
  for (const View* view : views_) {
    if (view->kind().empty() || view->unusable_snapshot() == View::Unusable::kBeginsAnew) continue;
    if (state.find(view->kind()) != nullptr) continue;
    return refused(state.views.empty() ? kNoView : state.views.front().kind, view->kind());
  }
  return {};
}

Status Consumer::rebuild(View& view, const SnapshotState& state, const metriclog::Extent& extent, int32_t partition,
                         bool dedupe_understood) {
  if (view.kind().empty() || state.empty) {
    view.fresh(partition, extent);
    return {};
  }
  const ViewState* const known = state.find(view.kind());
  Status built = Error(Code::kDataLoss, "it has no state of this view");
  if (!dedupe_understood) {
    built = Error(Code::kDataLoss, "its list of seen batches is malformed");
  } else if (known != nullptr && known->version > view.version()) {
    built = Error(Code::kDataLoss, fmt::format("made by a newer version of this program ({} {}, known up to {})",
                                               view.kind(), known->version, view.version()));
  } else if (known != nullptr) {
    built = view.decode(partition, known->version, known->bytes);
  }
  if (built) return {};
  if (view.unusable_snapshot() == View::Unusable::kStops) {
    return Error(Code::kDataLoss, fmt::format("snapshot of partition {}: {}; start over with --from earliest",
                                              partition, built.error().message()));
  }
  log_warning("a view starts over from here; the others continue",
              {{"view", view.kind()}, {"partition", partition}, {"reason", built.error()}});
  view.fresh(partition, extent);
  return {};
}

Result<const metrics::Batch*> Consumer::decode(const Record& record) {
  if (payload::is_payload(record.value)) {
    return needs_values_ ? batches_v2_.decode(record.value, record.key)
                         : envelopes_v2_.decode(record.value, record.key);
  }
  // A batch in protobuf does not start with '{', which saves a look at the header. If it is neither protobuf nor JSON,
  // the header is used for the error.
  if (!record.value.starts_with('{')) {
    if (needs_values_) {
      auto batch = batches_.decode(record.value);
      if (batch) return batch;
    } else if (auto batch = envelopes_.decode(record.value)) {
      return batch;
    }
  }
  auto batch = decode_record(record);
  if (!batch) return batch.error();
  metrics::carry_resource(*batch);
  return keep(std::move(*batch));
}

const metrics::Batch* Consumer::keep(metrics::Batch batch) { return &(decoded_ = std::move(batch)); }

bool Consumer::take(const Record& record) {
  Partition& partition = partitions_[record.partition];
  const auto decoded = decode(record);
  if (!decoded) {
    metrics_.skipped.add();
    log_warning(
        "record skipped",
        {{"partition", record.partition}, {"offset", record.offset}, {"key", record.key}, {"error", decoded.error()}});
    for (View* view : views_) view->on_skipped(record, decoded.error());
  } else {
    const metrics::Batch& batch = **decoded;
    const Digest digest = digest_of(record, batch);
    const auto verdict = partition.dedupe.look(batch.agent_id, batch.incarnation, batch.sequence, digest);
    if (verdict.kind == Dedupe::Verdict::Kind::kNew) {
      if (!take_batch(record, batch, digest, partition, verdict.run)) return false;
    } else if (verdict.kind == Dedupe::Verdict::Kind::kCopy) {
      metrics_.duplicates.add();
      for (View* view : views_) view->apply_copy(record, batch);
    } else {
      take_conflict(record, batch, verdict.first_offset);
    }
  }
  move_to(partition, record.offset + 1);
  return true;
}

// It is unknown which of the two is the agent's own. The first one counts, and the other one is reported.
void Consumer::take_conflict(const Record& record, const metrics::Batch& batch, int64_t first_offset) {
  metrics_.conflicts.add();
  log_warning("batch conflicts with another one of the same sequence; the first one counts",
              {{"agent", batch.agent_id},
               {"host", batch.hostname},
               {"incarnation", hex(batch.incarnation)},
               {"sequence", batch.sequence},
               {"partition", record.partition},
               {"first_offset", first_offset},
               {"offset", record.offset},
               {"next", "another program writes under this agent's name; see monitor-analysis ledger"}});
  for (View* view : views_) view->apply_conflict(record, batch, first_offset);
}

// Returns false if a view took only a part of the batch; later views have taken nothing then.
bool Consumer::take_batch(const Record& record, const metrics::Batch& batch, Digest digest, Partition& partition,
                          Dedupe::Run* run) {
  if (record.offset != partition.next_offset || partition.taken.size() != views_.size()) {
    partition.moved = partition.moved || record.offset != partition.next_offset;
    partition.next_offset = record.offset;
    partition.taken.assign(views_.size(), {});
  }
  for (size_t i = 0; i < views_.size(); ++i) {
    Taken& taken = partition.taken[i];
    if (taken.whole) continue;
    const uint64_t first = std::min<uint64_t>(taken.frames, batch.frames.size());
    taken.frames = first + views_[i]->take(record, batch, first);
    taken.whole = taken.frames >= batch.frames.size();
    partition.moved = partition.moved || taken.whole || taken.frames != first;
    if (!taken.whole) return false;
  }
  metrics_.batches.add();
  partition.dedupe.add(batch.agent_id, batch.incarnation, batch.sequence, digest, {record.offset, record.time_ns}, run);
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
    for (size_t i = 0; i < views_.size(); ++i) {
      if (views_[i]->kind().empty()) continue;
      std::string bytes;
      views_[i]->encode(number, bytes);
      const Taken taken = i < partition.taken.size() ? partition.taken[i] : Taken();
      append_view_state(snapshot.state, {std::string(views_[i]->kind()), views_[i]->version(), bytes, taken});
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
