#include "simulation/reader_host.h"

#include <map>
#include <utility>

#include "consume/consumer.h"
#include "telemetry/registry.h"

namespace monitor::simulation {

namespace {

constexpr const char* kGroup = "readers";

}  // namespace

// The reader's process. It sits between consumer and log, and records which snapshots are stored.
struct ReaderHost::Process final : public analysis::View, public metriclog::LogReader {
  explicit Process(ReaderHost& owner)
      : ledger(owner.environment_.ledger),
        random(owner.environment_.random),
        reader(owner.environment_.cluster.log().reader(
            {.group = kGroup, .start = {.kind = metriclog::StartAt::Kind::kStored}})),
        consumer(*this, {this, &built}, registry) {}

  // --- metriclog::LogReader
  Result<std::vector<metriclog::ReaderEvent>> poll(int64_t timeout_ns) override { return reader->poll(timeout_ns); }
  void wake() override {}
  Status store(std::span<const metriclog::Snapshot> snapshots) override {
    const bool fails = failing > 0;
    if (fails) --failing;
    if (!fails || random.below(2) == 0) {
      if (const Status stored = reader->store(snapshots); !stored) return stored;
      for (const metriclog::Snapshot& one : snapshots) commit(one.partition);
    }
    if (fails) return Error(Code::kUnavailable, "the snapshot timed out");
    return {};
  }

  // --- analysis::View
  size_t take(const metriclog::Record& record, const metrics::Batch& batch, size_t first_frame) override {
    const size_t rest = batch.frames.size() - first_frame;
    if (slowly && rest > 0 && random.below(3) == 0) return 0;
    Entry* const entry = ledger.find(batch.incarnation, batch.sequence);
    if (entry == nullptr) {
      ledger.fail("a reader received an unknown batch");
      return rest;
    }
    // A heartbeat also counts.
    open[record.partition].emplace_back(batch.incarnation, batch.sequence);
    return rest;
  }
  void on_skipped(const metriclog::Record&, const Error& why) override {
    ledger.fail("a reader cannot read: " + why.message());
  }
  void on_lost(int32_t, int64_t, int64_t) override { ledger.fail("a reader missed records"); }
  void on_assigned(int32_t partition) override { open[partition].clear(); }
  void on_revoked(int32_t partition) override { open.erase(partition); }

  void commit(int32_t partition) {
    for (const auto& [incarnation, sequence] : open[partition]) {
      Entry* const entry = ledger.find(incarnation, sequence);
      if (++entry->counted > 1) ledger.fail("a reader counted batch " + std::to_string(sequence) + " twice");
    }
    open[partition].clear();
  }
  bool uncommitted() const {
    for (const auto& [partition, batches] : open) {
      if (!batches.empty()) return true;
    }
    return false;
  }

  Ledger& ledger;
  Random& random;
  telemetry::Registry registry;
  analysis::Ledger built;
  std::unique_ptr<metriclog::LogReader> reader;
  analysis::Consumer consumer;
  std::map<int32_t, std::vector<std::pair<std::string, uint64_t>>> open;
  int failing = 0;
  bool slowly = false;
  bool reading = false;
  bool storing = false;
  Life life;
};

ReaderHost::ReaderHost(Environment environment) : environment_(environment) {}
ReaderHost::~ReaderHost() = default;

void ReaderHost::start() {
  process_ = std::make_unique<Process>(*this);
  read();
}

void ReaderHost::kill() { process_.reset(); }

void ReaderHost::wake() {
  if (!process_ || std::exchange(process_->reading, true)) return;
  const auto wait = static_cast<int64_t>(environment_.random.below(200)) * kNanosPerMilli;
  environment_.schedule.after(wait, process_->life.guard([this] { read(); }));
}

void ReaderHost::read() {
  process_->reading = false;
  const auto taken = process_->consumer.step(0);
  if (!taken) return environment_.ledger.fail("a reader cannot read: " + taken.error().message());
  if (!*taken) wake();
  if (process_->storing || process_->consumer.stored_all()) return;
  process_->storing = true;
  const auto wait = static_cast<int64_t>(environment_.random.below(1000)) * kNanosPerMilli;
  environment_.schedule.after(wait, process_->life.guard([this] {
    process_->storing = false;
    store();
  }));
}

// Partitions that another member has taken over no longer belong to this one; it learns this by polling.
void ReaderHost::store() {
  for (int clear = 0; clear < 2;) {
    const auto taken = process_->consumer.step(0);
    if (!taken) return;
    if (*taken) ++clear;
  }
  if (!process_->consumer.store()) wake();
}

void ReaderHost::finish() {
  process_->failing = 0;
  process_->slowly = false;
  read();
  store();
}

void ReaderHost::fail_snapshots(int count) {
  if (process_) process_->failing = count;
}
void ReaderHost::take_slowly(bool slowly) {
  if (process_) process_->slowly = slowly;
}

const analysis::Ledger* ReaderHost::built() const { return process_ ? &process_->built : nullptr; }

ReaderState ReaderHost::state() const {
  if (!process_) return ReaderState::kDown;
  return process_->uncommitted() ? ReaderState::kUncommitted : ReaderState::kCaughtUp;
}

}  // namespace monitor::simulation
