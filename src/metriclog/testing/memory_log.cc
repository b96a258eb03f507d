#include "metriclog/testing/memory_log.h"

#include <algorithm>
#include <chrono>
#include <set>
#include <utility>

namespace monitor::metriclog {

namespace {

constexpr const char* kLogName = "memory";
constexpr size_t kMaxRecordsPerPoll = 500;
constexpr int64_t kFirstOffset = 1;

}  // namespace

class MemoryLog::Writer final : public LogWriter {
 public:
  explicit Writer(MemoryLog& log) : log_(log) {}

  Accepted append(const RecordView& record, DeliveryListener& listener, uint64_t token) override {
    return log_.append(record, listener, token);
  }
  bool flush(int64_t timeout_ns) override {
    std::unique_lock lock(log_.mutex_);
    return log_.changed_.wait_for(lock, std::chrono::nanoseconds(timeout_ns), [this] { return log_.held_.empty(); });
  }
  std::string trouble() const override {
    const std::lock_guard lock(log_.mutex_);
    return log_.trouble_;
  }
  Status failure() const override { return {}; }
  std::string identity() const override { return log_.options_.identity; }

 private:
  MemoryLog& log_;
};

class MemoryLog::Reader final : public LogReader {
 public:
  Reader(MemoryLog& log, ReaderOptions options) : log_(log), options_(std::move(options)) {
    const std::lock_guard lock(log_.mutex_);
    if (options_.group.empty()) {
      for (size_t i = 0; i < log_.partitions_.size(); ++i) target_.insert(static_cast<int32_t>(i));
      return;
    }
    Group& group = log_.groups_[options_.group];
    group.members.push_back(this);
    log_.rebalance(group);
  }

  ~Reader() override {
    const std::lock_guard lock(log_.mutex_);
    if (options_.group.empty()) return;
    Group& group = log_.groups_[options_.group];
    std::erase(group.members, this);
    log_.rebalance(group);
  }

  Result<std::vector<ReaderEvent>> poll(int64_t timeout_ns) override {
    std::unique_lock lock(log_.mutex_);
    std::vector<ReaderEvent> events = collect();
    if (events.empty() && timeout_ns > 0) {
      log_.changed_.wait_for(lock, std::chrono::nanoseconds(timeout_ns), [&] {
        events = collect();
        return !events.empty() || woken_;
      });
    }
    woken_ = false;
    return events;
  }

  Status store(std::span<const Snapshot> snapshots) override {
    if (options_.snapshots != nullptr) return options_.snapshots->store(kLogName, snapshots);
    const std::lock_guard lock(log_.mutex_);
    if (options_.group.empty()) return {};
    for (const Snapshot& snapshot : snapshots) {
      const bool held = next_.contains(snapshot.partition) && !taken_.contains(snapshot.partition);
      if (target_.contains(snapshot.partition) && held) {
        log_.groups_[options_.group].stored[snapshot.partition] = snapshot;
      }
    }
    return {};
  }

  std::string identity() const override { return log_.options_.identity; }
  void wake() override {
    const std::lock_guard lock(log_.mutex_);
    woken_ = true;
    log_.changed_.notify_all();
  }

  void set_target(std::set<int32_t> target) {
    for (const auto& [partition, next] : next_) {
      if (!target.contains(partition)) taken_.insert(partition);
    }
    target_ = std::move(target);
  }

 private:
  std::vector<ReaderEvent> collect() {
    std::vector<ReaderEvent> events;
    if (reported_trouble_ != log_.trouble_) {
      reported_trouble_ = log_.trouble_;
      const bool well = reported_trouble_.empty();
      events.push_back(
          {.kind = well ? ReaderEvent::Kind::kRecovered : ReaderEvent::Kind::kTrouble, .text = reported_trouble_});
    }
    collect_revoked(events);
    collect_assigned(events);
    for (auto& [partition, next] : next_) {
      collect_records(partition, next, events);
      if (events.size() > 1 && events.back().records.size() >= kMaxRecordsPerPoll) break;
    }
    return events;
  }

  void collect_revoked(std::vector<ReaderEvent>& events) {
    ReaderEvent event{.kind = ReaderEvent::Kind::kRevoked};
    std::erase_if(next_, [&](const auto& entry) {
      if (target_.contains(entry.first) && !taken_.contains(entry.first)) return false;
      event.revoked.push_back(entry.first);
      return true;
    });
    taken_.clear();
    if (!event.revoked.empty()) events.push_back(std::move(event));
  }

  void collect_assigned(std::vector<ReaderEvent>& events) {
    ReaderEvent event{.kind = ReaderEvent::Kind::kAssigned};
    for (const int32_t partition : target_) {
      if (next_.contains(partition)) continue;
      event.assigned.push_back(start_of(partition));
      const Partition& data = log_.partitions_[static_cast<size_t>(partition)];
      event.extents.push_back({data.first, next_[partition], data.end(), data.first > kFirstOffset});
    }
    if (!event.assigned.empty()) events.push_back(std::move(event));
  }

  Snapshot start_of(int32_t partition) {
    const Partition& data = log_.partitions_[static_cast<size_t>(partition)];
    Snapshot snapshot{.partition = partition, .next_offset = -1};
    int64_t start = data.end();
    switch (options_.start.kind) {
      case StartAt::Kind::kEarliest:
        start = data.first;
        break;
      case StartAt::Kind::kTime: {
        const auto it = std::ranges::find_if(
            data.records, [this](const Record& record) { return record.time_ns >= options_.start.time_ns; });
        if (it != data.records.end()) start = it->offset;
        break;
      }
      case StartAt::Kind::kLatest:
        break;
      case StartAt::Kind::kStored: {
        if (options_.snapshots != nullptr) {
          start = start_of_own(partition, snapshot);
          break;
        }
        if (options_.group.empty()) break;
        auto& stored = log_.groups_[options_.group].stored;
        const auto it = stored.find(partition);
        if (it != stored.end()) {
          snapshot = it->second;
          start = snapshot.next_offset;
        } else {
          if (options_.new_group_at_earliest) start = data.first;
          // Stored at once, so that another member that takes over before the first store misses nothing.
          stored[partition] = {.partition = partition, .next_offset = start};
        }
        break;
      }
    }
    next_[partition] = start;
    return snapshot;
  }

  // The start according to the reader's own store.
  int64_t start_of_own(int32_t partition, Snapshot& snapshot) {
    const auto loaded = options_.snapshots->load(kLogName);
    if (loaded) {
      for (const Snapshot& one : *loaded) {
        if (one.partition == partition) snapshot = one;
      }
    }
    if (snapshot.next_offset >= 0) return snapshot.next_offset;
    const Partition& data = log_.partitions_[static_cast<size_t>(partition)];
    return options_.new_group_at_earliest ? data.first : data.end();
  }

  void collect_records(int32_t partition, int64_t& next, std::vector<ReaderEvent>& events) {
    const Partition& data = log_.partitions_[static_cast<size_t>(partition)];
    if (next < data.first) {
      events.push_back({.kind = ReaderEvent::Kind::kLost, .partition = partition, .from = next, .to = data.first});
      next = data.first;
    }
    if (next >= data.end()) return;
    ReaderEvent event{.kind = ReaderEvent::Kind::kRecords};
    const auto begin = static_cast<size_t>(next - data.first);
    const size_t end = std::min(data.records.size(), begin + kMaxRecordsPerPoll);
    for (size_t i = begin; i < end; ++i) event.records.push_back(data.records[i]);
    next = event.records.back().offset + 1;
    events.push_back(std::move(event));
  }

  MemoryLog& log_;
  const ReaderOptions options_;
  // Guarded by log_.mutex_: other members that join change target_.
  std::set<int32_t> target_;
  std::map<int32_t, int64_t> next_;  // for the partitions that this reader was told it holds
  std::set<int32_t> taken_;          // which of these another member has held in the meantime
  std::string reported_trouble_;
  bool woken_ = false;
};

MemoryLog::MemoryLog(const Clock& clock, MemoryLogOptions options)
    : clock_(clock),
      options_(options),
      writer_(std::make_unique<Writer>(*this)),
      partitions_(static_cast<size_t>(options.partitions)) {
  for (Partition& partition : partitions_) partition.first = kFirstOffset;
}

MemoryLog::~MemoryLog() = default;

LogWriter& MemoryLog::writer() { return *writer_; }

std::unique_ptr<LogReader> MemoryLog::reader(ReaderOptions options) {
  return std::make_unique<Reader>(*this, std::move(options));
}

int32_t MemoryLog::partition_of(std::string_view key) const {
  uint32_t hash = 2166136261U;  // FNV-1a: the same in every run
  for (const char c : key) hash = (hash ^ static_cast<unsigned char>(c)) * 16777619U;
  return static_cast<int32_t>(hash % static_cast<uint32_t>(options_.partitions));
}

LogWriter::Accepted MemoryLog::append(const RecordView& view, DeliveryListener& listener, uint64_t token) {
  std::vector<Pending> done;
  {
    const std::lock_guard lock(mutex_);
    if (full_ || held_.size() >= options_.max_pending_records) return LogWriter::Accepted::kFull;
    Pending pending{.listener = &listener, .delivery = {.token = token, .outcome = Outcome::kStored, .reason = {}}};
    pending.record.partition = partition_of(view.key);
    pending.record.key = view.key;
    for (const auto& [name, value] : view.headers)
      pending.record.headers.emplace_back(std::string(name), std::string(value));
    pending.record.value = view.value;
    if (view.value.size() > options_.max_record_bytes) {
      pending.delivery.outcome = Outcome::kRejected;
      pending.delivery.reason = "too_large: record of " + std::to_string(view.value.size()) + " bytes, limit " +
                                std::to_string(options_.max_record_bytes);
    } else if (!trouble_.empty()) {
      pending.delivery.outcome = Outcome::kRetry;
      pending.delivery.reason = trouble_;
    } else if (refusals_ > 0) {
      --refusals_;
      pending.delivery.outcome = refusal_;
      pending.delivery.reason = refusal_reason_;
    }
    if (holding_) {
      held_.push_back(std::move(pending));
      return LogWriter::Accepted::kYes;
    }
    settle(pending);
    done.push_back(std::move(pending));
    changed_.notify_all();
  }
  report(done);
  return LogWriter::Accepted::kYes;
}

void MemoryLog::settle(Pending& pending) {
  if (pending.delivery.outcome != Outcome::kStored) return;
  Partition& partition = partitions_[static_cast<size_t>(pending.record.partition)];
  pending.record.offset = partition.end();
  pending.record.time_ns = clock_.wall_ns();
  partition.records.push_back(std::move(pending.record));
}

void MemoryLog::report(std::vector<Pending>& done) {
  for (const Pending& pending : done) pending.listener->on_delivered({&pending.delivery, 1});
}

std::vector<MemoryLog::Pending> MemoryLog::take_held(size_t count) {
  std::vector<Pending> taken;
  while (!held_.empty() && taken.size() < count) {
    taken.push_back(std::move(held_.front()));
    held_.pop_front();
  }
  return taken;
}

size_t MemoryLog::deliver(size_t count) {
  std::vector<Pending> done;
  {
    const std::lock_guard lock(mutex_);
    done = take_held(count);
    for (Pending& pending : done) settle(pending);
    changed_.notify_all();
  }
  report(done);
  return done.size();
}

size_t MemoryLog::deliver_reordered(Random& random) {
  std::vector<Pending> done;
  {
    const std::lock_guard lock(mutex_);
    done = take_held(held_.size());
    for (Pending& pending : done) settle(pending);
    changed_.notify_all();
  }
  for (size_t i = done.size(); i > 1; --i) std::swap(done[i - 1], done[random.below(i)]);
  report(done);
  return done.size();
}

size_t MemoryLog::lose_deliveries(bool stored) {
  std::vector<Pending> lost;
  {
    const std::lock_guard lock(mutex_);
    lost = take_held(held_.size());
    if (stored) {
      for (Pending& pending : lost) settle(pending);
    }
    changed_.notify_all();
  }
  std::set<DeliveryListener*> listeners;
  for (const Pending& pending : lost) listeners.insert(pending.listener);
  for (DeliveryListener* listener : listeners) listener->on_reset();
  return lost.size();
}

void MemoryLog::release_deliveries() {
  {
    const std::lock_guard lock(mutex_);
    holding_ = false;
  }
  deliver(SIZE_MAX);
}

void MemoryLog::hold_deliveries() {
  const std::lock_guard lock(mutex_);
  holding_ = true;
}

void MemoryLog::set_full(bool full) {
  const std::lock_guard lock(mutex_);
  full_ = full;
}

void MemoryLog::set_trouble(const std::string& text) {
  const std::lock_guard lock(mutex_);
  trouble_ = text;
  changed_.notify_all();
}

void MemoryLog::refuse_next(size_t count, Outcome outcome, const std::string& reason) {
  const std::lock_guard lock(mutex_);
  refusals_ = count;
  refusal_ = outcome;
  refusal_reason_ = reason;
}

void MemoryLog::take_before(int32_t partition, int64_t offset) {
  const std::lock_guard lock(mutex_);
  Partition& data = partitions_[static_cast<size_t>(partition)];
  while (data.first < offset && !data.records.empty()) {
    data.records.pop_front();
    ++data.first;
  }
  changed_.notify_all();
}

size_t MemoryLog::held() const {
  const std::lock_guard lock(mutex_);
  return held_.size();
}

int64_t MemoryLog::end_offset(int32_t partition) const {
  const std::lock_guard lock(mutex_);
  return partitions_[static_cast<size_t>(partition)].end();
}

std::vector<Record> MemoryLog::records(int32_t partition) const {
  const std::lock_guard lock(mutex_);
  const auto& data = partitions_[static_cast<size_t>(partition)].records;
  return {data.begin(), data.end()};
}

void MemoryLog::rebalance(Group& group) {
  std::map<Reader*, std::set<int32_t>> targets;
  for (Reader* member : group.members) targets[member];
  if (!group.members.empty()) {
    for (size_t i = 0; i < partitions_.size(); ++i) {
      targets[group.members[i % group.members.size()]].insert(static_cast<int32_t>(i));
    }
  }
  for (auto& [member, target] : targets) member->set_target(std::move(target));
  changed_.notify_all();
}

}  // namespace monitor::metriclog
