#include "views/unusual/scored_source.h"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>
#include <utility>

#include "views/history/series_labels.h"
#include "views/unusual/minutes.h"

namespace monitor::analysis::unusual {

namespace {

using Matchers = std::span<const query::Matcher>;

constexpr int64_t kMinuteMs = kMinuteNs / kNanosPerMilli;

int64_t bounded_ns(int64_t ms) {
  constexpr int64_t kMost = INT64_MAX / kNanosPerMilli / 2;
  return std::clamp(ms, -kMost, kMost) * kNanosPerMilli;
}

int64_t end_ms(int64_t minute) { return (minute + 1) * kMinuteMs; }

std::string text_of(Matchers matchers) {
  std::string text;
  for (const query::Matcher& one : matchers) text += one.to_string() + "\n";
  return text;
}

}  // namespace

Result<std::vector<query::StoredSeries>> ScoredSource::own_series(std::string_view function, Matchers matchers,
                                                                  int64_t from_ms, int64_t to_ms) {
  if (function != "unusual") return data_.own_series(function, matchers, from_ms, to_ms);
  if (options_.board != nullptr) {
    const int64_t first = minute_of(bounded_ns(from_ms)) - 1;
    if (options_.reader == nullptr || first >= options_.board->first_minute()) {
      Found found = from_board(matchers, from_ms, to_ms);
      if (Status fits = check_size(found); !fits) return fits.error();
      return found;
    }
  }
  if (options_.reader == nullptr) return SeriesSource::own_series(function, matchers, from_ms, to_ms);
  return options_.ahead_ms > 0 ? kept(matchers, from_ms, to_ms) : compute(matchers, from_ms, to_ms);
}

ScoredSource::Found ScoredSource::from_board(Matchers matchers, int64_t from_ms, int64_t to_ms) const {
  Found found;
  for (const auto& scores : options_.board->agents()) {
    if (!history::may_match(matchers, scores->agent)) continue;
    for (const SeriesScores& series : scores->series) {
      query::StoredSeries stored;
      for (const Score& score : series.recent) {
        const int64_t ms = end_ms(score.minute);
        if (ms >= from_ms && ms <= to_ms) stored.points.push_back({ms, score.value});
      }
      if (stored.points.empty()) continue;
      auto labels = history::selected_labels(matchers, series.series, scores->agent);
      if (!labels) continue;
      stored.labels = std::move(*labels);
      found.push_back(std::move(stored));
    }
  }
  return found;
}

Result<ScoredSource::Found> ScoredSource::kept(Matchers matchers, int64_t from_ms, int64_t to_ms) {
  Kept& kept = kept_[text_of(matchers)];
  if (from_ms < kept.from_ms || to_ms > kept.to_ms) {
    auto computed = compute(matchers, from_ms, to_ms + options_.ahead_ms);
    if (!computed) return computed;
    kept = {from_ms, to_ms + options_.ahead_ms, std::move(*computed)};
  }
  Found found;
  for (const query::StoredSeries& series : kept.series) {
    const auto from = std::ranges::lower_bound(series.points, from_ms, {}, &query::Point::time_ms);
    const auto to = std::ranges::upper_bound(series.points, to_ms, {}, &query::Point::time_ms);
    if (from < to) found.push_back({series.labels, {from, to}});
  }
  return found;
}

Result<ScoredSource::Found> ScoredSource::compute(Matchers matchers, int64_t from_ms, int64_t to_ms) {
  Found found;
  const auto agents = options_.reader->agents();
  if (!agents) return agents.error();
  for (const history::KnownAgent& agent : *agents) {
    if (!history::may_match(matchers, agent)) continue;
    if (Status done = compute_agent(agent, matchers, from_ms, to_ms, found); !done) return done.error();
    if (Status fits = check_size(found); !fits) return fits.error();
  }
  return found;
}

Status ScoredSource::compute_agent(const history::KnownAgent& agent, Matchers matchers, int64_t from_ms, int64_t to_ms,
                                   Found& found) {
  // The first minute that may end in the time, and the first one that ends after it.
  const int64_t from = minute_of(bounded_ns(from_ms)) - 1;
  const int64_t to = minute_of(bounded_ns(to_ms));
  MinutesRequest request{.agent = agent.name, .from = monitor::unusual::first_needed(from), .to = to};
  request.selects = [&](const metrics::Series& series) {
    return history::selected_labels(matchers, series, agent).has_value();
  };
  request.check = options_.check;
  struct Scored {
    SeriesScorer scorer;
    query::StoredSeries stored;
  };
  std::unordered_map<std::string, Scored> all;
  Status read = read_minutes(*options_.reader, request, [&](const history::RangeSeries& part) {
    const std::string key = metrics::identity(part.series);
    auto place = all.find(key);
    if (place == all.end()) {
      auto labels = history::selected_labels(matchers, part.series, agent);
      if (!labels) return;
      place = all.emplace(key, Scored{scorer_of(part.series), {std::move(*labels), {}}}).first;
    }
    Scored& scored = place->second;
    for (size_t i = 0; i < part.times_ns.size(); ++i) {
      const int64_t minute = minute_at(part, i);
      scored.scorer.add(minute, extremes_at(part, i));
      const int64_t ms = end_ms(minute);
      if (ms < from_ms || ms > to_ms) continue;
      if (const auto score = scored.scorer.score()) scored.stored.points.push_back({ms, *score});
    }
  });
  if (!read) return read;
  for (auto& [key, scored] : all) {
    if (!scored.stored.points.empty()) found.push_back(std::move(scored.stored));
  }
  return {};
}

Status ScoredSource::check_size(const Found& found) const {
  size_t points = 0;
  size_t bytes = 0;
  for (const query::StoredSeries& one : found) {
    points += one.points.size();
    bytes += one.bytes();
  }
  if (points <= options_.max_points && bytes <= max_bytes_) return {};
  return Error(Code::kResourceExhausted,
               fmt::format("unusual() finds {} scores, which need {} bytes of memory; the query may find {} and has {} "
                           "bytes left: select fewer series or a shorter time",
                           points, bytes, options_.max_points, max_bytes_));
}

}  // namespace monitor::analysis::unusual
