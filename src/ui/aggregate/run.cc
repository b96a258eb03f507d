#include "ui/aggregate/run.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "base/log.h"
#include "base/text.h"
#include "base/time_format.h"
#include "consume/consumer.h"
#include "consume/send_queue.h"
#include "ui/aggregate/format.h"
#include "views/aggregate/aggregate_view.h"

namespace monitor::analysis {

namespace {

constexpr int64_t kLongestPoll = 1 * kNanosPerSecond;
constexpr int64_t kStoreEvery = 1 * kNanosPerSecond;
// Encoding and storing a large state must leave time for reading.
constexpr int64_t kStoreShare = 20;
constexpr int64_t kSettle = 1 * kNanosPerSecond;
constexpr int64_t kTellEvery = 60 * kNanosPerSecond;
constexpr int64_t kReachTimeout = 10 * kNanosPerSecond;
// Kafka reassigns the partitions of a dead group member only after 20 s.
constexpr int64_t kGroupTimeout = 30 * kNanosPerSecond;

class Run final : private View {
 public:
  Run(const AggregateOptions& options, metriclog::LogReader& reader, Output& output, const Clock& clock,
      telemetry::Registry& registry, const std::atomic<bool>& stop)
      : options_(options),
        output_(output),
        clock_(clock),
        stop_(stop),
        view_(options.spec, registry),
        printer_(options.spec, options.format, options.header_every),
        consumer_(reader, {&view_, this}, registry) {
    if (options.count) view_.limit(*options.count);
    if (options.output != nullptr) {
      queue_.emplace(*options.output, [](const metriclog::Record& record, const std::string& reason) {
        log_error("the output rejects a row; it is left out", {{"key", record.key}, {"reason", reason}});
      });
    }
  }

  Result<AggregateSummary> run() {
    start_ns_ = progress_ns_ = clock_.mono_ns();
    while (!done()) {
      if (Status went = turn(); !went) {
        if (went.error().code() == Code::kCancelled) return summary();
        return went.error();
      }
    }
    if (!assigned_ && timed_out()) return unreachable(*options_.timeout_ns);
    if (Status ended = end(); !ended && ended.error().code() != Code::kCancelled) return ended.error();
    return summary();
  }

 private:
  // Itself a view, to notice what the consumer does.
  void apply(const metriclog::Record& /*record*/, const metrics::Batch& /*batch*/) override { progress(); }
  bool needs_values() const override { return false; }
  void on_skipped(const metriclog::Record& /*record*/, const Error& /*why*/) override { progress(); }
  void on_lost(int32_t /*partition*/, int64_t /*from*/, int64_t /*to*/) override { progress(); }
  void on_trouble(const std::string& text) override { trouble_ = text; }
  void on_recovered() override { trouble_.clear(); }
  void on_assigned(int32_t /*partition*/) override {
    progress();
    changed_ = true;
    if (!std::exchange(assigned_, true)) start_ns_ = clock_.mono_ns();
  }
  void on_revoked(int32_t /*partition*/) override { changed_ = true; }

  void progress() {
    progressed_ = true;
    trouble_.clear();
  }

  Status turn() {
    const auto went_on = consumer_.step(std::max<int64_t>(0, std::min(kLongestPoll, left())));
    if (!went_on) return went_on.error();
    if (std::exchange(progressed_, false)) progress_ns_ = clock_.mono_ns();
    if (Status whole = check_partitions(); !whole) return whole;
    if (options_.once && clock_.mono_ns() - progress_ns_ > reach_timeout()) return unreachable(reach_timeout());
    // Silence only means something when everything was read.
    if (trouble_.empty() && consumer_.reached_end() && !options_.once) view_.pass(clock_.mono_ns());
    if (Status written = write(view_.take_rows()); !written) return written;
    tell();
    store(false);
    return {};
  }

  int64_t reach_timeout() const {
    return options_.timeout_ns ? *options_.timeout_ns : options_.group ? kGroupTimeout : kReachTimeout;
  }
  Error unreachable(int64_t timeout_ns) const {
    if (!trouble_.empty()) {
      return Error(Code::kUnavailable,
                   fmt::format("the log could not be reached for {}: {}", format_duration(timeout_ns), trouble_));
    }
    if (options_.group && consumer_.partitions() == 0) {
      return Error(Code::kAborted,
                   "other members of the group hold the whole log; use their output, or omit --group-id");
    }
    return Error(Code::kUnavailable, fmt::format("the log delivered nothing for {}", format_duration(timeout_ns)));
  }

  // Rows without the dimension `agent` need all partitions. A member that has had them all waits until it has them
  // again, so that a second member that was started by mistake ends alone.
  Status check_partitions() {
    if (!view_.spans_partitions() || !options_.partitions) return {};
    if (std::exchange(changed_, false)) {
      const auto all = options_.partitions();
      whole_ = all && consumer_.partitions() >= *all;
      if (!all) changed_ = true;  // asks again
      if (whole_) had_all_ = true;
      if (!whole_ && all) partial_since_ns_ = clock_.mono_ns();
      view_.set_paused(!whole_);
    }
    if (whole_ || had_all_ || consumer_.partitions() == 0 || changed_) return {};
    if (clock_.mono_ns() - partial_since_ns_ < kGroupTimeout / 3) return {};
    return Error(Code::kAborted,
                 fmt::format("another member of the group holds some of the log's partitions, and groups without "
                             "`agent` in --by need all of them; run one program in the group, or add agent to --by"));
  }

  Status write(const std::vector<AggregateRow>& rows) {
    for (const AggregateRow& row : rows) ++(row.revision > 0 ? summary_.corrections : summary_.rows);
    if (!queue_) return rows.empty() ? Status() : output_.write(printer_.print(rows));
    for (const AggregateRow& row : rows) {
      metriclog::Record record{.key = row_key(options_.spec, row), .value = row_json(options_.spec, row)};
      record.headers.emplace_back("content-type", "application/json");
      record.headers.emplace_back("revision", std::to_string(row.revision));
      queue_->add(std::move(record));
    }
    return settle();
  }

  // Reading waits for the output, and the position is not stored before it.
  Status settle() {
    while (true) {
      const Status settled = queue_->settle(kSettle);
      if (settled) {
        if (std::exchange(output_trouble_, false)) log_info("the output accepts rows again");
        return {};
      }
      if (const Status failed = options_.output->failure(); !failed) return failed;
      if (stop_) return Error(Code::kCancelled, "stopped");
      if (!std::exchange(output_trouble_, true)) {
        log_warning("the output does not accept rows; reading waits for it", {{"error", settled.error()}});
      }
    }
  }

  void tell() {
    const LeftOut& now = view_.left_out();
    if (clock_.mono_ns() - told_ns_ < kTellEvery && told_ns_ != 0) return;
    if (now.too_late == told_.too_late && now.ahead == told_.ahead && now.refused == told_.refused) return;
    told_ns_ = clock_.mono_ns();
    if (now.too_late > told_.too_late) {
      log_warning("points came too late for their windows",
                  {{"points", now.too_late - told_.too_late}, {"next", "keep windows longer with --keep"}});
    }
    if (now.ahead > told_.ahead) {
      log_warning("points from the future of the log are left out", {{"points", now.ahead - told_.ahead}});
    }
    if (now.refused > told_.refused) {
      log_warning("points are left out: there are too many series or windows",
                  {{"points", now.refused - told_.refused},
                   {"limit", options_.spec.max_series},
                   {"among_others", join(view_.take_refused_names(), ", ")},
                   {"next", "aggregate less with --metric or --agent, or raise --max-series"}});
    }
    told_ = now;
  }

  void store(bool now) {
    if (!options_.group || consumer_.stored_all()) return;
    if (!now && clock_.mono_ns() < next_store_ns_) return;
    const int64_t begin = clock_.mono_ns();
    if (const Status stored = consumer_.store(); !stored) {
      log_warning("state of the group cannot be stored", {{"error", stored.error()}});
    }
    const int64_t end = clock_.mono_ns();
    next_store_ns_ = end + std::max(kStoreEvery, kStoreShare * (end - begin));
  }

  Status end() {
    if (options_.once) {
      view_.pass(clock_.mono_ns());  // emits what the last second has made due
      if (Status written = write(view_.take_rows()); !written) return written;
    }
    store(true);
    // The windows of a group stay in its state.
    if (queue_ || options_.group || view_.reached_limit()) return {};
    return write(view_.open_rows());
  }

  bool timed_out() const {
    return options_.timeout_ns && !options_.once && clock_.mono_ns() - start_ns_ >= *options_.timeout_ns;
  }
  bool at_end() const { return options_.once && consumer_.partitions() > 0 && consumer_.reached_end(); }
  bool done() const { return stop_ || view_.reached_limit() || timed_out() || at_end(); }
  int64_t left() const {
    return options_.timeout_ns && !options_.once ? start_ns_ + *options_.timeout_ns - clock_.mono_ns() : kLongestPoll;
  }

  AggregateSummary summary() const {
    AggregateSummary all = summary_;
    all.too_late = view_.left_out().too_late;
    all.ahead = view_.left_out().ahead;
    all.refused = view_.left_out().refused;
    const ConsumeMetrics& m = consumer_.metrics();
    all.duplicates = m.duplicates.value();
    all.skipped = m.skipped.value();
    all.lost = m.lost.value();
    return all;
  }

  const AggregateOptions& options_;
  Output& output_;
  const Clock& clock_;
  const std::atomic<bool>& stop_;
  AggregateView view_;
  RowPrinter printer_;
  std::optional<SendQueue> queue_;
  Consumer consumer_;
  AggregateSummary summary_;
  LeftOut told_;
  int64_t told_ns_ = 0;
  int64_t start_ns_ = 0;
  bool progressed_ = false;  // in the current step
  int64_t progress_ns_ = 0;
  int64_t next_store_ns_ = 0;
  int64_t partial_since_ns_ = 0;
  bool assigned_ = false;
  bool changed_ = false;  // the assignment
  bool whole_ = true;
  bool had_all_ = false;
  bool output_trouble_ = false;
  std::string trouble_;
};

}  // namespace

Result<AggregateSummary> run_aggregate(const AggregateOptions& options, metriclog::LogReader& reader, Output& output,
                                       const Clock& clock, telemetry::Registry& registry,
                                       const std::atomic<bool>& stop) {
  return Run(options, reader, output, clock, registry, stop).run();
}

}  // namespace monitor::analysis
