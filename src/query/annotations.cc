#include "query/annotations.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/time_format.h"
#include "query/json.h"
#include "query/labels.h"
#include "query/lexer.h"

namespace monitor::query {
namespace {

constexpr size_t kMostShown = 10;   // as Prometheus' API
constexpr size_t kMostKept = 1000;  // a selector may find very many names
constexpr int64_t kNanosPerMs = 1'000'000;

}  // namespace

Annotations::One* Annotations::add(ByText& texts, const std::string& text, size_t begin) {
  if (texts.size() >= kMostKept && !texts.contains(text)) return nullptr;
  return &texts.try_emplace(text, One{.begin = begin, .fixed = {}}).first->second;
}

void Annotations::inform_of_fix(std::string_view metric, const MonotonicityFix& fix, int64_t time_ms, size_t begin) {
  std::string text =
      "PromQL info: input to histogram_quantile needed to be fixed for monotonicity (see "
      "https://prometheus.io/docs/prometheus/latest/querying/functions/#histogram_quantile)";
  if (!metric.empty()) text += " for metric name " + quote_short(metric);
  One* const one = add(infos_, text, begin);
  if (one == nullptr) return;
  if (!one->fixed) one->fixed = Fixed{.fix = fix, .first_ms = time_ms, .last_ms = time_ms, .samples = 0};
  Fixed& all = *one->fixed;
  all.fix.least_bound = std::min(all.fix.least_bound, fix.least_bound);
  all.fix.greatest_bound = std::max(all.fix.greatest_bound, fix.greatest_bound);
  all.fix.greatest_difference = std::max(all.fix.greatest_difference, fix.greatest_difference);
  all.first_ms = std::min(all.first_ms, time_ms);
  all.last_ms = std::max(all.last_ms, time_ms);
  ++all.samples;
}

std::vector<std::string> Annotations::texts(const ByText& all, std::string_view query, const char* kind) {
  std::vector<std::string> found;
  for (const auto& [text, one] : all) {
    if (found.size() == kMostShown) {
      found.push_back(fmt::format("{} more {} annotations omitted", all.size() - kMostShown, kind));
      break;
    }
    std::string shown = text;
    if (one.fixed) {
      const auto time = [](int64_t ms) {
        constexpr int64_t kMost = INT64_MAX / kNanosPerMs;
        return format_rfc3339(std::clamp(ms, -kMost, kMost) * kNanosPerMs, 0);
      };
      shown += fmt::format(", from buckets {} to {}, with a max diff of {:.2g}, over {} samples from {} to {}",
                           value_text(one.fixed->fix.least_bound), value_text(one.fixed->fix.greatest_bound),
                           one.fixed->fix.greatest_difference, one.fixed->samples, time(one.fixed->first_ms),
                           time(one.fixed->last_ms));
    }
    if (!query.empty()) shown += " (" + place_of(query, one.begin) + ")";
    found.push_back(std::move(shown));
  }
  return found;
}

}  // namespace monitor::query
