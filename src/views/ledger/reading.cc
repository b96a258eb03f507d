#include "views/ledger/reading.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "base/time_format.h"

namespace monitor::analysis {

namespace {

constexpr int64_t kLongestPoll = 1 * kNanosPerSecond;
constexpr int64_t kStoreEvery = 1 * kNanosPerSecond;

}  // namespace

LedgerReading::LedgerReading(const LedgerReadingOptions& options, metriclog::LogReader& reader, const Clock& clock,
                             telemetry::Registry& registry, const std::atomic<bool>& stop)
    : options_(options),
      reader_(reader),
      clock_(clock),
      stop_(stop),
      ledger_(options.until_ns),
      consumer_(reader, {&ledger_, this}, registry) {}

void LedgerReading::progress() {
  progressed_ = true;
  trouble_.clear();
}

Status LedgerReading::read_to_end() {
  progress_ns_ = clock_.mono_ns();
  while (!stop_ && (consumer_.partitions() == 0 || !consumer_.reached_end())) {
    const int64_t left = progress_ns_ + options_.timeout_ns - clock_.mono_ns();
    if (left <= 0 && !standing_by()) return nothing_came();
    if (const Status read = read_more(left > 0 ? std::min(kLongestPoll, left) : kLongestPoll); !read) return read;
  }
  return {};
}

Status LedgerReading::read_more(int64_t timeout_ns) {
  if (const auto went_on = consumer_.step(timeout_ns); !went_on) return went_on.error();
  if (std::exchange(progressed_, false)) progress_ns_ = clock_.mono_ns();
  store(false);
  return {};
}

// True if other members hold the whole log; with `stands_by`, this one waits to take over.
bool LedgerReading::standing_by() const {
  return options_.stands_by && options_.keep && consumer_.partitions() == 0 && trouble_.empty();
}

Status LedgerReading::nothing_came() const {
  const std::string limit = format_duration(options_.timeout_ns);
  if (!trouble_.empty()) {
    return Error(Code::kUnavailable, fmt::format("the log could not be reached for {}: {}", limit, trouble_));
  }
  if (consumer_.partitions() == 0 && options_.keep) {
    return Error(Code::kAborted, "other members of the group hold the whole log; use their output, or omit --group-id");
  }
  return Error(Code::kUnavailable, fmt::format("the log delivered nothing for {}", limit));
}

void LedgerReading::store(bool now) {
  if (!options_.keep || consumer_.stored_all()) return;
  if (!now && clock_.mono_ns() - stored_ns_ < kStoreEvery) return;
  stored_ns_ = clock_.mono_ns();
  if (const Status stored = consumer_.store(); !stored) {
    log_warning("position of the group cannot be stored", {{"error", stored.error()}});
  }
}

}  // namespace monitor::analysis
