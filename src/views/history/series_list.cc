#include "views/history/series_list.h"

#include <algorithm>
#include <set>
#include <utility>

#include "views/history/series_labels.h"

namespace monitor::analysis::history {

namespace {

constexpr size_t kCheckEvery = 64;

void add_spellings(const SeriesListRequest& request, Matchers matchers, const metrics::Series& series,
                   const KnownAgent& agent, std::set<query::Labels>& found) {
  if (!request.both_spellings) {
    if (auto labels = selected_labels(matchers, series, agent)) found.insert(std::move(*labels));
    return;
  }
  query::Labels own = own_labels(series, agent);
  query::Labels mapped = prometheus_labels(series, agent);
  const bool finds_own = matches(matchers, own);
  // A selector may name a label in one spelling and leave the metric open.
  const bool finds_mapped = matches(matchers, mapped) || (finds_own && !names_metric(matchers));
  if (finds_own) found.insert(std::move(own));
  if (finds_mapped) found.insert(std::move(mapped));
}

}  // namespace

Status list_series(HistoryReader& reader, const SeriesListRequest& request,
                   const std::function<bool(const query::Labels& labels)>& visit) {
  const auto agents = reader.agents();
  if (!agents) return agents.error();
  static const std::vector<std::vector<query::Matcher>> kAll = {{}};
  const auto& selectors = request.selectors.empty() ? kAll : request.selectors;
  for (const KnownAgent& agent : *agents) {
    if (agent.seen_ns / 1'000'000 < request.from_ms) continue;
    if (std::ranges::none_of(selectors, [&](const auto& one) { return may_match(one, agent); })) continue;
    if (request.check) {
      if (auto status = request.check(); !status) return status;
    }
    const auto known = reader.series(agent.name);
    if (!known) return known.error();
    std::set<query::Labels> found;
    size_t compared = 0;
    for (const metrics::Series& series : *known) {
      // Each may have to match many regular expressions.
      if (++compared % kCheckEvery == 0 && request.check) {
        if (auto status = request.check(); !status) return status;
      }
      for (const auto& matchers : selectors) add_spellings(request, matchers, series, agent, found);
    }
    for (const query::Labels& labels : found) {
      if (!visit(labels)) return {};
    }
  }
  return {};
}

}  // namespace monitor::analysis::history
