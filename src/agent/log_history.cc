#include "agent/log_history.h"

#include <algorithm>

namespace monitor::agent {

void LogHistory::restore(const PendingReports& reports, const std::vector<SettledSequences>& earlier) {
  for (const metrics::Elsewhere& one : reports.elsewhere) {
    IntervalSet sequences;
    sequences.add(one.first_sequence, one.last_sequence);
    add(one.incarnation, one.log, sequences);
  }
  std::vector<SettledSequences> others = earlier;
  std::erase_if(others, [this](const SettledSequences& one) { return one.incarnation == incarnation_; });
  close(reports.log, others);
  // A spool whose disk failed at first is restored late; the server may have named its log by then.
  if (!named_) log_ = reports.log;
  delivered_ = false;
  first_carrier_ = 0;
}

bool LogHistory::named(std::string_view log, const std::function<std::vector<SettledSequences>()>& settled) {
  named_ = true;
  if (log == log_) return false;
  close(log_, settled());
  log_ = log;
  delivered_ = false;
  first_carrier_ = 0;
  return true;
}

// The sequences settled since the previous period.
void LogHistory::close(const std::string& log, const std::vector<SettledSequences>& settled) {
  for (const SettledSequences& one : settled) {
    IntervalSet rest = one.sequences;
    for (const Period& period : periods_) {
      if (period.incarnation == one.incarnation) rest.remove(period.sequences);
    }
    add(one.incarnation, log, rest);
  }
  forget_oldest();
}

void LogHistory::add(const std::string& incarnation, const std::string& log, const IntervalSet& sequences) {
  if (sequences.empty()) return;
  const auto same = std::ranges::find_if(
      periods_, [&](const Period& one) { return one.incarnation == incarnation && one.log == log; });
  if (same != periods_.end()) return same->sequences.add(sequences);
  periods_.push_back({incarnation, log, sequences});
}

void LogHistory::forget_oldest() {
  size_t ranges = 0;
  for (const Period& period : periods_) ranges += period.sequences.intervals().size();
  while (ranges > kMaxRanges) {
    // Ranges of this incarnation come last, and remain known as belonging to no other log.
    const auto other =
        std::ranges::find_if(periods_, [this](const Period& one) { return one.incarnation != incarnation_; });
    if (other != periods_.end()) {
      ranges -= other->sequences.intervals().size();
      periods_.erase(other);
      continue;
    }
    const uint64_t last = periods_.back().sequences.last();
    periods_.clear();
    periods_.push_back({incarnation_, "", {}});
    periods_.back().sequences.add(1, last);
    return;
  }
}

std::vector<metrics::Elsewhere> LogHistory::carry(uint64_t sequence) {
  std::vector<metrics::Elsewhere> result;
  if (delivered_) return result;
  result = records();
  std::erase_if(result, [this](const metrics::Elsewhere& one) { return one.log.empty() || one.log == log_; });
  if (!result.empty() && first_carrier_ == 0) first_carrier_ = sequence;
  return result;
}

void LogHistory::carried(uint64_t sequence) {
  delivered_ = delivered_ || (first_carrier_ != 0 && first_carrier_ <= sequence);
}

std::vector<metrics::Elsewhere> LogHistory::records() const {
  std::vector<metrics::Elsewhere> result;
  for (const Period& period : periods_) {
    for (const auto& [first, last] : period.sequences.intervals()) {
      result.push_back({period.incarnation, period.log, first, last});
    }
  }
  return result;
}

}  // namespace monitor::agent
