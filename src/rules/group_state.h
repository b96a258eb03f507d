// The engine's state of a group between two evaluations, and its encoding. Plain values and pure functions.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "base/result.h"
#include "query/labels.h"
#include "rules/alert.h"

namespace monitor::rules {

// How long a resolved alert is still passed to the sink.
inline constexpr int64_t kReportResolvedMs = int64_t{15} * 60 * 1000;

struct ActiveAlert {
  Alert alert;
  // Since when the expression has had no value, while keep_firing_for or missing data keeps the alert; 0: it has one.
  int64_t absent_since_ms = 0;

  bool operator==(const ActiveAlert&) const = default;
};

using AlertMap = std::unordered_map<query::Labels, ActiveAlert, query::LabelsHash>;
using SeriesSet = std::unordered_set<query::Labels, query::LabelsHash>;

enum class RuleHealth : uint8_t { kUnknown, kOk, kFailed };

struct RuleState {
  AlertMap alerts;    // pending, firing, and resolved for a while
  SeriesSet outputs;  // the series that the last evaluation wrote
  // Not stored; the next evaluation sets them.
  RuleHealth health = RuleHealth::kUnknown;
  std::string last_error;
  int64_t evaluated_ms = 0;
  int64_t took_ns = 0;
};

struct GroupState {
  int64_t evaluated_ms = 0;  // the time of the last evaluation; 0: none yet
  std::vector<RuleState> rules;
};

// The alerts of a rule as bytes, and back. kDataLoss: they cannot be decoded.
std::string encode_alerts(const AlertMap& alerts);
Result<AlertMap> decode_alerts(std::string_view bytes);
std::string encode_series(const SeriesSet& series);
Result<SeriesSet> decode_series(std::string_view bytes);

std::string encode_labels(const query::Labels& labels);
Result<query::Labels> decode_labels(std::string_view bytes);

}  // namespace monitor::rules
