#include "rules/layered_source.h"

#include <algorithm>
#include <iterator>

#include "rules/group_state.h"

namespace monitor::rules {

namespace {

// Names that no metric of an agent has: only rules write them. Looking for them in the data would cost as much as a
// query that finds something.
bool only_from_rules(std::span<const query::Matcher> matchers) {
  return std::ranges::any_of(matchers, [](const query::Matcher& one) {
    return one.label() == query::kNameLabel && one.kind() == query::Matcher::Kind::kEqual &&
           (one.value() == "ALERTS" || one.value() == "ALERTS_FOR_STATE" || one.value().find(':') != std::string::npos);
  });
}

}  // namespace

Result<std::vector<query::StoredSeries>> LayeredSource::select(std::span<const query::Matcher> matchers,
                                                               int64_t from_ms, int64_t to_ms) {
  auto results = results_.select(matchers, from_ms, to_ms);
  if (!results || only_from_rules(matchers)) return results;
  auto data = data_.select(matchers, from_ms, to_ms);
  if (!data || results->empty()) return data;
  SeriesSet known;
  for (const query::StoredSeries& one : *results) known.insert(one.labels);
  std::erase_if(*data, [&known](const query::StoredSeries& one) { return known.contains(one.labels); });
  std::ranges::move(*results, std::back_inserter(*data));
  return data;
}

}  // namespace monitor::rules
