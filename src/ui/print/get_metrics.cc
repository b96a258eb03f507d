#include "ui/print/get_metrics.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <memory>
#include <utility>

#include "base/log.h"
#include "base/text.h"
#include "base/time_format.h"
#include "consume/consumer.h"
#include "consume/dead_letters.h"

namespace monitor::analysis {

namespace {

constexpr int64_t kLongestPoll = 1 * kNanosPerSecond;
// The group's state is stored after each output if it is small; a large state (thousands of agents) at most this often.
constexpr int64_t kStoreEvery = 1 * kNanosPerSecond;
constexpr int64_t kKeepTimeout = 5 * kNanosPerSecond;
constexpr size_t kSmallState = size_t{16} * 1024;

class Run final : public View {
 public:
  Run(const GetMetricsOptions& options, metriclog::LogReader& reader, Output& output, const Clock& clock,
      telemetry::Registry& registry, const std::atomic<bool>& stop)
      : options_(options),
        output_(output),
        clock_(clock),
        stop_(stop),
        printer_(make_printer(options.print)),
        dead_letters_(options.dead_letters),
        consumer_(reader, {this}, registry),
        ticks_(registry.counter("monitor_analysis_ticks_total", "Ticks printed.")),
        late_(registry.counter("monitor_analysis_late_ticks_total", "Printed ticks that were late.")),
        delay_(registry.histogram("monitor_analysis_delay_seconds", "From a tick's reading to its printing.",
                                  telemetry::latency_bounds())) {}

  Result<GetMetricsSummary> run() {
    start_ns_ = clock_.mono_ns();
    while (!done()) {
      const auto went_on = consumer_.step(std::min(kLongestPoll, left()));
      if (!went_on) {
        store(true);
        return went_on.error();
      }
      if (!failed_) store(false);
    }
    if (failed_ && failed_->code() != Code::kCancelled) return *failed_;
    store(true);
    if (!assigned_ && timed_out()) {
      if (!trouble_.empty()) {
        // The consumer's warning has said why, unless the log's level suppresses it.
        const std::string why = log_enabled(LogLevel::kWarning) ? "" : ": " + trouble_;
        return Error(Code::kUnavailable,
                     fmt::format("the log could not be reached for {}{}", format_duration(*options_.timeout_ns), why));
      }
      log_warning("no partition was assigned; another member of the group is active");
    }
    return summary();
  }

  std::string_view kind() const override { return kNoView; }
  size_t take(const metriclog::Record& record, const metrics::Batch& batch, size_t first) override {
    const size_t all = batch.frames.size() - first;
    if (!options_.agent.empty() && !glob_match(options_.agent, batch.agent_id)) return all;
    std::string text;
    size_t taken = 0;
    while (taken < all) {
      const metrics::Frame& frame = batch.frames[first + taken];
      // If `count` is reached, the last tick is still printed with all its parts in this batch.
      const bool more = is_more(batch, frame);
      if (full() && !more) break;
      const bool late = is_late(batch, frame.time_ns, record.time_ns);
      const std::string tick = printer_->tick(batch, first + taken, late);
      ++taken;
      if (tick.empty()) continue;
      text += tick;
      if (!more) count(batch, frame, late);
    }
    if (text.empty()) return taken;
    if (auto status = output_.write(text); !status) {
      failed_ = status.error();
      return 0;
    }
    return taken;
  }
  void on_skipped(const metriclog::Record& record, const Error& why) override { dead_letters_.add(record, why); }
  void on_trouble(const std::string& text) override { trouble_ = text; }
  void on_recovered() override { trouble_.clear(); }
  void on_assigned(int32_t /*partition*/) override {
    trouble_.clear();
    if (!assigned_) start_ns_ = clock_.mono_ns();
    assigned_ = true;
  }

 private:
  // True if the frame continues a tick that was already counted, because large ticks come in parts. The first part may
  // have been in an earlier batch, or may have printed nothing.
  bool is_more(const metrics::Batch& batch, const metrics::Frame& frame) const {
    const auto last = counted_.find(batch.agent_id);
    return frame.continued && last != counted_.end() && last->second == std::pair(batch.incarnation, frame.time_ns);
  }
  void count(const metrics::Batch& batch, const metrics::Frame& frame, bool late) {
    counted_[batch.agent_id] = {batch.incarnation, frame.time_ns};
    ticks_.add();
    if (late) late_.add();
    delay_.observe(static_cast<double>(clock_.wall_ns() - frame.time_ns) / 1e9);
  }

  bool full() const { return options_.count && ticks_.value() >= *options_.count; }
  bool timed_out() const { return options_.timeout_ns && clock_.mono_ns() - start_ns_ >= *options_.timeout_ns; }
  bool done() const { return stop_ || failed_ || full() || timed_out(); }
  int64_t left() const {
    return options_.timeout_ns ? start_ns_ + *options_.timeout_ns - clock_.mono_ns() : kLongestPoll;
  }

  void store(bool now) {
    if (consumer_.stored_all()) return;
    if (!now && consumer_.state_bytes() > kSmallState && clock_.mono_ns() - stored_ns_ < kStoreEvery) return;
    stored_ns_ = clock_.mono_ns();
    // Until a record that cannot be decoded is copied, the position must not move past it.
    if (auto status = dead_letters_.settle(kKeepTimeout); !status) {
      log_warning("record that cannot be decoded is not copied yet", {{"error", status.error()}});
      return;
    }
    // Printing continues: after a restart, some ticks may be printed again.
    if (auto status = consumer_.store(); !status) {
      log_warning("position of the group cannot be stored", {{"error", status.error()}});
    }
  }

  GetMetricsSummary summary() const {
    const ConsumeMetrics& m = consumer_.metrics();
    return {.ticks = ticks_.value(),
            .late = late_.value(),
            .skipped = m.skipped.value(),
            .duplicates = m.duplicates.value(),
            .lost = m.lost.value()};
  }

  const GetMetricsOptions& options_;
  Output& output_;
  const Clock& clock_;
  const std::atomic<bool>& stop_;
  const std::unique_ptr<Printer> printer_;
  DeadLetters dead_letters_;
  Consumer consumer_;
  telemetry::Counter& ticks_;
  telemetry::Counter& late_;
  telemetry::Histogram& delay_;
  int64_t start_ns_ = 0;
  int64_t stored_ns_ = 0;
  bool assigned_ = false;
  std::map<std::string, std::pair<std::string, int64_t>> counted_;  // by agent: incarnation and time of its last tick
  std::string trouble_;
  std::optional<Error> failed_;
};

}  // namespace

Result<GetMetricsSummary> run_get_metrics(const GetMetricsOptions& options, metriclog::LogReader& reader,
                                          Output& output, const Clock& clock, telemetry::Registry& registry,
                                          const std::atomic<bool>& stop) {
  return Run(options, reader, output, clock, registry, stop).run();
}

}  // namespace monitor::analysis
