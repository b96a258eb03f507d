#include "bin/analysis/recorded_data.h"

#include <fmt/format.h>
#include <signal.h>
#include <stdlib.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <set>
#include <utility>

#include "base/clock.h"
#include "base/text.h"
#include "bin/analysis/recorded_facts.h"
#include "consume/consumer.h"
#include "metriclog/start_at.h"
#include "telemetry/registry.h"
#include "views/history/series_source.h"
#include "views/history/store.h"
#include "views/ledger/ledger.h"
#include "views/unusual/scored_source.h"

namespace monitor {

namespace {

namespace fs = std::filesystem;
namespace history = analysis::history;

constexpr int64_t kNanosPerMs = 1'000'000;
// Batches arrive after their time, and those of a spool much later.
constexpr int64_t kReadOnNs = 3600 * kNanosPerSecond;
constexpr int64_t kPatienceNs = 15 * kNanosPerSecond;
// Rules ask for scores of one moment after another, and each reading of them begins a week before.
constexpr int64_t kAheadMs = int64_t{6} * 3600 * 1000;
constexpr uint64_t kMostPoints = 1'000'000'000;  // about 1.2 GB on disk

// A history, and what is known of agents.
class HistoryData : public RecordedData {
 public:
  Status open(const std::string& path) {
    auto reader = history::HistoryReader::open(path);
    if (!reader) return reader.error().with_context("the history " + path);
    reader_ = std::move(*reader);
    auto facts = history::AgentFactsReader::open(history::facts_path(path));
    if (facts) facts_ = std::move(*facts);
    stored_ = std::make_unique<history::HistorySource>(*reader_, history::SourceLimits(), facts_.get());
    source_ = std::make_unique<analysis::unusual::ScoredSource>(
        *stored_, analysis::unusual::ScoredOptions{.reader = reader_.get(), .ahead_ms = kAheadMs});
    return {};
  }
  query::SeriesSource& source() override { return *source_; }

 private:
  std::unique_ptr<history::HistoryReader> reader_;
  std::unique_ptr<history::AgentFactsReader> facts_;  // nullptr: there are none
  std::unique_ptr<history::HistorySource> stored_;
  std::unique_ptr<analysis::unusual::ScoredSource> source_;
};

// A folder that is removed with all it contains.
class TemporaryFolder {
 public:
  TemporaryFolder() = default;
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  ~TemporaryFolder() {
    std::error_code ignored;
    if (!path_.empty()) fs::remove_all(path_, ignored);
  }
  Status create() {
    std::error_code fault;
    std::string pattern = fs::temp_directory_path(fault).string();
    if (fault) return errno_error(fault.value(), "finding the folder for temporary files ($TMPDIR)");
    pattern += "/monitor-rules.XXXXXX";
    if (mkdtemp(pattern.data()) == nullptr) return errno_error(errno, "creating " + pattern);
    path_ = std::move(pattern);
    return {};
  }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

// Signals wait while it lives; pending() says whether one does.
class BlockedSignals {
 public:
  BlockedSignals() {
    sigemptyset(&set_);
    for (const int one : {SIGINT, SIGTERM, SIGHUP}) sigaddset(&set_, one);
    pthread_sigmask(SIG_BLOCK, &set_, &before_);
  }
  BlockedSignals(const BlockedSignals&) = delete;
  BlockedSignals& operator=(const BlockedSignals&) = delete;
  ~BlockedSignals() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

  static bool pending() {
    sigset_t waiting;
    sigpending(&waiting);
    return sigismember(&waiting, SIGINT) == 1 || sigismember(&waiting, SIGTERM) == 1 ||
           sigismember(&waiting, SIGHUP) == 1;
  }

 private:
  sigset_t set_{};
  sigset_t before_{};
};

// How far the log was read.
class ReadingProgress final : public analysis::View {
 public:
  explicit ReadingProgress(int64_t until_ns) : until_ns_(until_ns) {}

  bool needs_values() const override { return false; }
  void apply(const metriclog::Record& record, const metrics::Batch& batch) override {
    for (const metrics::Frame& frame : batch.frames) points_ += frame.points.size();
    if (record.time_ns > until_ns_) past_.insert(record.partition);
  }
  void on_trouble(const std::string& text) override { trouble_ = text; }
  void on_recovered() override { trouble_.clear(); }

  // Partitions whose records are newer than what is wanted.
  size_t past() const { return past_.size(); }
  uint64_t points() const { return points_; }
  const std::string& trouble() const { return trouble_; }

 private:
  const int64_t until_ns_;
  std::set<int32_t> past_;
  uint64_t points_ = 0;
  std::string trouble_;
};

// A log, read into a temporary history.
class LogData final : public HistoryData {
 public:
  Status read(const metriclog::Log& log, const std::string& address, int64_t from_ns, int64_t to_ns, bool agents) {
    if (auto status = folder_.create(); !status) return status;
    const std::string path = folder_.path() + "/history.db";
    const BlockedSignals blocked;
    const SystemClock clock;
    telemetry::Registry registry;
    constexpr int64_t kEver = int64_t{100} * 365 * analysis::kDayNs;
    auto store = history::HistoryStore::open(
        {.path = path, .keep_ns = {kEver, kEver, kEver, kEver}, .max_bytes = UINT64_MAX}, clock, registry);
    if (!store) return store.error();
    auto reader =
        log.reader({.snapshots = store->get(), .start = {.kind = metriclog::StartAt::Kind::kTime, .time_ns = from_ns}});
    if (!reader) return reader.error();
    analysis::Ledger ledger;
    RecordedFacts facts(history::facts_path(path), ledger);
    ReadingProgress progress(to_ns + kReadOnNs);
    std::vector<analysis::View*> views = {&progress, store->get()};
    if (agents) views = {&progress, &facts, store->get(), &ledger};
    analysis::Consumer consumer(**reader, views, registry);
    if (auto status = consume(consumer, progress, clock, log.is_file()); !status) {
      return status.error().with_context(address);
    }
    if (auto status = facts.finish(std::min(to_ns, clock.wall_ns())); !status) return status;
    store->reset();
    return open(path);
  }

 private:
  // `file`: what is not there now is not waited for.
  static Status consume(analysis::Consumer& consumer, const ReadingProgress& progress, const Clock& clock, bool file) {
    constexpr int64_t kPoll = 100 * kNanosPerMs;
    const int64_t deadline = clock.mono_ns() + kPatienceNs;
    int64_t stored = clock.mono_ns();
    while (consumer.partitions() == 0 || !(consumer.reached_end() || progress.past() == consumer.partitions())) {
      const auto went_on = consumer.step(kPoll);
      if (!went_on) return went_on.error();
      if (BlockedSignals::pending()) return Error(Code::kCancelled, "the reading was interrupted");
      if (progress.points() > kMostPoints) {
        return Error(Code::kResourceExhausted,
                     fmt::format("the log holds more than {} values in this time; choose a shorter one", kMostPoints));
      }
      const bool in_vain = clock.mono_ns() > deadline || (file && !progress.trouble().empty());
      if (consumer.partitions() == 0 && in_vain) {
        return Error(Code::kUnavailable, fmt::format("the log cannot be read{}{}",
                                                     progress.trouble().empty() ? "" : ": ", progress.trouble()));
      }
      if (clock.mono_ns() - stored < kNanosPerSecond) continue;
      if (auto status = consumer.store(); !status) return status;
      stored = clock.mono_ns();
    }
    return consumer.store();
  }

  TemporaryFolder folder_;
};

Result<int64_t> time_of(std::string_view text, int64_t now_ns) {
  const auto at = metriclog::parse_start(text, now_ns);
  if (at && at->kind == metriclog::StartAt::Kind::kTime) return at->time_ns;
  return Error(Code::kInvalidArgument,
               fmt::format("got {}, expected a time (2026-11-22T12:00:00Z) or an age (-1d)", json_quote(text)));
}

}  // namespace

Result<std::unique_ptr<RecordedData>> RecordedData::of_history(const std::string& path) {
  auto data = std::make_unique<HistoryData>();
  if (auto status = data->open(path); !status) return status.error();
  return std::unique_ptr<RecordedData>(std::move(data));
}

Result<std::unique_ptr<RecordedData>> RecordedData::of_log(LogFlags& flags, int64_t from_ns, int64_t to_ns,
                                                           bool agents) {
  if (const std::string fault = check_log_flags(flags); !fault.empty()) return Error(Code::kInvalidArgument, fault);
  const auto log = flags.open();
  if (!log) return log.error();
  auto data = std::make_unique<LogData>();
  if (auto status = data->read(**log, flags.address(), from_ns, to_ns, agents); !status) return status.error();
  return std::unique_ptr<RecordedData>(std::move(data));
}

Result<rules::RecordedSamples> recorded_samples(const std::string& spec, const LogFlags& flags) {
  constexpr std::string_view kScheme = "log:";
  const size_t space = spec.rfind(' ');
  const size_t dots = space == std::string::npos ? space : spec.find("..", space);
  if (!spec.starts_with(kScheme) || dots == std::string::npos) {
    return Error(Code::kInvalidArgument, fmt::format("got {}, expected log:ADDRESS FROM..TO", json_quote(spec)));
  }
  const SystemClock clock;
  const int64_t now = clock.wall_ns();
  const auto from = time_of(trim(std::string_view(spec).substr(space, dots - space)), now);
  if (!from) return from.error().with_context("FROM");
  const auto to = time_of(trim(std::string_view(spec).substr(dots + 2)), now);
  if (!to) return to.error().with_context("TO");
  if (*from >= *to) return Error(Code::kInvalidArgument, "FROM must be before TO");
  std::string address(trim(std::string_view(spec).substr(kScheme.size(), space - kScheme.size())));
  if (address.starts_with("kafka:") && address.find('/') == std::string::npos) address += "/" + flags.kafka.topic;
  const auto log = metriclog::open(address, flags.kafka.properties);
  if (!log) return log.error();
  auto data = std::make_shared<LogData>();
  if (auto status = data->read(**log, address, *from, *to, true); !status) return status.error();
  query::SeriesSource* const source = &data->source();
  return rules::RecordedSamples{.source = {std::move(data), source}, .start_ms = *from / kNanosPerMs};
}

}  // namespace monitor
