#include "views/history/recent_source.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <utility>

#include "metrics/prometheus_names.h"
#include "views/history/codec.h"
#include "views/history/open_ticks.h"
#include "views/history/series_labels.h"

namespace monitor::analysis::history {

namespace {

constexpr int64_t kNanosPerMs = 1'000'000;
// Old samples are removed when there are so many more than needed.
constexpr size_t kSlack = 64;

std::string text_of(Matchers matchers) {
  std::string text;
  for (const query::Matcher& one : matchers) text += one.to_string() + "\n";
  return text;
}

// As the history's own ranges: dividing by a power of ten is exact to the last digit.
double scaled(double value, const metrics::Series& series) {
  if (!series.integer || series.exponent == 0) return value;
  const double power = metrics::power_of_ten(std::abs(series.exponent));
  return series.exponent < 0 ? value / power : value * power;
}

}  // namespace

Result<std::unique_ptr<RecentSource>> RecentSource::open(const std::string& path, const RecentOptions& options) {
  auto reader = HistoryReader::open(path);
  if (!reader) return reader.error();
  auto db = open_for_reading(path);
  if (!db) return db.error();
  return std::unique_ptr<RecentSource>(new RecentSource(path, std::move(*reader), std::move(*db), options));
}

Result<std::vector<query::StoredSeries>> RecentSource::own_series(std::string_view function, Matchers matchers,
                                                                  int64_t from_ms, int64_t to_ms) {
  if (!facts_) {  // the file is written some seconds after the first start
    auto opened = AgentFactsReader::open(facts_path(path_));
    if (!opened) return std::vector<query::StoredSeries>();
    facts_ = std::move(*opened);
  }
  return facts_->series(function, matchers, from_ms, to_ms);
}

Result<std::vector<query::StoredSeries>> RecentSource::select(Matchers matchers, int64_t from_ms, int64_t to_ms) {
  if (to_ms > now_ms_) {
    if (Status moved = move_to(to_ms); !moved) {
      now_ms_ = INT64_MIN;  // everything is read again
      for (auto& [text, selector] : selectors_) selector.ready = false;
      return moved.error();
    }
  }
  if (now_ms_ - from_ms <= options_.longest_ms) {
    const Selector& selector = remember(matchers, from_ms);
    if (selector.ready && from_ms >= from_ms_) return collect(selector, from_ms, to_ms);
  }
  return HistorySource(*reader_).select(matchers, from_ms, to_ms);
}

RecentSource::Selector& RecentSource::remember(Matchers matchers, int64_t from_ms) {
  Selector& selector = selectors_[text_of(matchers)];
  if (selector.matchers.empty()) selector.matchers.assign(matchers.begin(), matchers.end());
  const int64_t age_ms = now_ms_ - from_ms;
  if (age_ms > selector.age_ms) {
    selector.age_ms = age_ms;
    selector.ready = selector.ready && from_ms >= from_ms_;
  }
  selector.asked_ms = now_ms_;
  return selector;
}

Status RecentSource::move_to(int64_t to_ms) {
  now_ms_ = to_ms;
  std::erase_if(selectors_, [&](const auto& one) { return one.second.asked_ms < to_ms - options_.forget_after_ms; });
  if (selectors_.empty()) return {};
  int64_t longest_ms = 0;
  bool ready = true;
  for (const auto& [text, selector] : selectors_) {
    longest_ms = std::max(longest_ms, selector.age_ms);
    ready = ready && selector.ready;
  }
  if (!ready && to_ms < again_ms_) return {};
  if (!ready) {
    from_ms_ = to_ms - longest_ms;
    return in_snapshot([this] { return rebuild(); });
  }
  from_ms_ = std::max(from_ms_, to_ms - longest_ms);
  return in_snapshot([this]() -> Status {
    auto listed = list_agents();
    if (!listed) return listed.error();
    if (Status updated = update_agents(std::move(*listed)); !updated) return updated;
    return follow();
  });
}

// The other connection reads a state of the file that is at least as new. Ticks that both read count once.
Status RecentSource::in_snapshot(const std::function<Status()>& work) {
  if (Status begun = db_.exec("BEGIN"); !begun) return begun;
  Status done = db_.integer("SELECT count(*) FROM positions") ? Status() : Status(Error(Code::kUnavailable, "reading"));
  if (done) done = reader_->together(work);
  (void)db_.exec("COMMIT");
  return done;
}

Status RecentSource::rebuild() {
  ++rebuilds_;
  agents_.clear();
  positions_.clear();
  points_ = 0;
  for (auto& [text, selector] : selectors_) selector.found.clear();
  auto listed = list_agents();
  if (!listed) return listed.error();
  for (auto& [id, agent] : *listed) {
    const int64_t group = group_of(id);
    if (!positions_.contains(group)) {
      const auto position = last_row(group);
      if (!position) return position.error();
      positions_.emplace(group, *position);
    }
  }
  if (Status updated = update_agents(std::move(*listed)); !updated) return updated;
  for (auto& [text, selector] : selectors_) selector.ready = true;
  if (points_ > options_.max_points) give_up();
  return {};
}

// There is too much to keep. It may be less later.
void RecentSource::give_up() {
  again_ms_ = now_ms_ + options_.forget_after_ms;
  agents_.clear();
  points_ = 0;
  for (auto& [text, selector] : selectors_) {
    selector.ready = false;
    selector.found.clear();
  }
}

Result<std::map<int64_t, RecentSource::Agent>> RecentSource::list_agents() {
  auto select = db_.prepare(
      "SELECT a.id, a.name, json_extract(a.info, '$.host'), count(s.idx), max(s.idx) FROM agents AS a"
      " JOIN series AS s ON s.agent = a.id GROUP BY a.id");
  if (!select) return select.error();
  std::map<int64_t, Agent> listed;
  int rc = select->step();
  for (; rc == SQLITE_ROW; rc = select->step()) {
    Agent agent;
    agent.id = select->integer(0);
    agent.known.name = select->bytes(1);
    agent.known.host = select->bytes(2);
    agent.signature = {select->integer(3), select->integer(4)};
    listed.emplace(agent.id, std::move(agent));
  }
  if (rc != SQLITE_DONE) return db_.error(rc, "reading");
  return listed;
}

Status RecentSource::update_agents(std::map<int64_t, Agent> listed) {
  std::vector<int64_t> gone;
  for (const auto& [id, agent] : agents_) {
    if (!listed.contains(id)) gone.push_back(id);
  }
  for (const int64_t id : gone) remove(id);
  for (auto& [id, now] : listed) {
    const auto found = agents_.find(id);
    const bool same = found != agents_.end() && found->second.signature == now.signature &&
                      found->second.known.host == now.known.host && found->second.known.name == now.known.name;
    if (same) continue;
    if (found != agents_.end()) remove(id);
    if (Status loaded = load(agents_[id] = std::move(now)); !loaded) return loaded;
  }
  return {};
}

void RecentSource::remove(int64_t id) {
  for (const auto& kept : agents_.at(id).series) points_ -= kept ? kept->samples.size() : 0;
  for (auto& [text, selector] : selectors_) selector.found.erase(id);
  agents_.erase(id);
}

Status RecentSource::load(Agent& agent) {
  ++reloads_;
  if (points_ > options_.max_points) return {};
  if (Status listed = list_series(agent); !listed) return listed;
  return read_samples(agent);
}

Status RecentSource::list_series(Agent& agent) {
  auto select =
      db_.prepare("SELECT idx, name, labels, unit, counter, is_integer, exponent FROM series WHERE agent = ?1");
  if (!select) return select.error();
  select->bind(1, agent.id);
  int rc = select->step();
  for (; rc == SQLITE_ROW; rc = select->step()) {
    metrics::Series series{.name = std::string(select->bytes(1)), .labels = {}};
    series.unit = select->bytes(3);
    series.kind = select->integer(4) != 0 ? metrics::Kind::kCounter : metrics::Kind::kGauge;
    series.integer = select->integer(5) != 0;
    series.exponent = static_cast<int>(select->integer(6));
    if (std::ranges::none_of(selectors_, [&](const auto& one) { return may_name(one.second, series); })) continue;
    const auto labels = nlohmann::ordered_json::parse(select->bytes(2), nullptr, false);
    for (const auto& [name, value] : labels.items()) series.labels.emplace_back(name, value.get<std::string>());
    index(agent, static_cast<size_t>(select->integer(0)), series);
  }
  return rc == SQLITE_DONE ? Status() : db_.error(rc, "reading");
}

// Whether the condition on the name, if there is one, allows one of the two names. Building labels costs far more.
bool RecentSource::may_name(const Selector& selector, const metrics::Series& series) {
  const auto fits = [&selector](const std::string& name) {
    return std::ranges::all_of(selector.matchers, [&name](const query::Matcher& one) {
      return one.label() != query::kNameLabel || one.matches(name);
    });
  };
  if (fits(series.name)) return true;
  const char kind = series.kind == metrics::Kind::kCounter ? 'c' : 'g';
  std::string& mapped = prometheus_names_[series.name + "\n" + series.unit + "\n" + kind];
  if (mapped.empty()) mapped = metrics::prometheus_name(series);
  return fits(mapped);
}

void RecentSource::index(Agent& agent, size_t number, const metrics::Series& series) {
  for (auto& [text, selector] : selectors_) {
    if (!may_match(selector.matchers, agent.known) || !may_name(selector, series)) continue;
    auto labels = selected_labels(selector.matchers, series, agent.known);
    if (!labels) continue;
    if (number >= agent.series.size()) agent.series.resize(number + 1);
    if (!agent.series[number]) agent.series[number] = std::make_unique<Kept>(Kept{.series = series, .samples = {}});
    selector.found[agent.id].push_back({agent.series[number].get(), std::move(*labels)});
  }
}

Status RecentSource::read_samples(Agent& agent) {
  std::unordered_map<std::string, Kept*> wanted;
  for (const auto& kept : agent.series) {
    if (kept) wanted.emplace(metrics::to_string(kept->series), kept.get());
  }
  if (wanted.empty()) return {};
  RangeRequest request{.agents = {agent.known.name}, .metric = ""};
  request.selects = [&wanted](const metrics::Series& series) { return wanted.contains(metrics::to_string(series)); };
  request.from_ns = from_ms_ * kNanosPerMs;
  request.to_ns = INT64_MAX;
  request.resolution = Resolution::kFull;
  const auto range = reader_->range(request);
  if (!range) return range.error();
  for (const RangeSeries& one : range->series) {
    const auto found = wanted.find(metrics::to_string(one.series));
    if (found == wanted.end()) continue;
    for (size_t i = 0; i < one.times_ns.size(); ++i) add(*found->second, one.times_ns[i], one.values[i]);
  }
  return {};
}

Result<RecentSource::Position> RecentSource::last_row(int64_t group) {
  auto select = db_.prepare(
      "SELECT id, oldest_ns, length(ticks) FROM open_ticks WHERE id >= ?1 AND id < ?2 ORDER BY id DESC LIMIT 1");
  if (!select) return select.error();
  select->bind(1, first_row(group));
  select->bind(2, first_row(group + 1));
  const int rc = select->step();
  if (rc == SQLITE_DONE) return Position();
  if (rc != SQLITE_ROW) return db_.error(rc, "reading");
  return Position{select->integer(0), select->integer(1), static_cast<size_t>(select->integer(2))};
}

Status RecentSource::follow() {
  for (const auto& [id, agent] : agents_) positions_.try_emplace(group_of(id));
  for (auto& [group, position] : positions_) {
    if (Status followed = follow_group(group, position); !followed) return followed;
  }
  if (points_ > options_.max_points) give_up();
  return {};
}

Status RecentSource::follow_group(int64_t group, Position& position) {
  auto select = db_.prepare("SELECT id, oldest_ns, ticks FROM open_ticks WHERE id >= ?1 AND id < ?2 ORDER BY id");
  if (!select) return select.error();
  select->bind(1, position.id == 0 ? first_row(group) : position.id);
  select->bind(2, first_row(group + 1));
  bool first = true;
  int rc = select->step();
  for (; rc == SQLITE_ROW; rc = select->step()) {
    const Position row{select->integer(0), select->integer(1), select->bytes(2).size()};
    // When five minutes become a block, the rows that remain get other numbers.
    if (std::exchange(first, false) && row != position) return reload_group(group, position);
    if (row != position) take_ticks(select->bytes(2));
    position = row;
  }
  if (rc != SQLITE_DONE) return db_.error(rc, "reading");
  return first && position.id != 0 ? reload_group(group, position) : Status();
}

Status RecentSource::reload_group(int64_t group, Position& position) {
  const auto last = last_row(group);
  if (!last) return last.error();
  position = *last;
  for (auto& [id, agent] : agents_) {
    if (group_of(id) != group) continue;
    ++reloads_;
    if (Status read = read_samples(agent); !read) return read;
  }
  return {};
}

void RecentSource::take_ticks(std::string_view bytes) {
  std::vector<OpenTick> ticks;
  (void)parse_open_ticks(bytes, ticks);  // the rest of a damaged row cannot be read by anybody
  for (const OpenTick& tick : ticks) {
    const auto found = agents_.find(tick.agent);
    if (found == agents_.end()) continue;
    const auto& series = found->second.series;
    PointReader reader(tick.points);
    while (const auto point = reader.next()) {
      if (point->index >= series.size()) break;
      Kept* const kept = series[point->index].get();
      if (kept != nullptr) add(*kept, tick.time_ns, scaled(value_of(*point), kept->series));
    }
  }
}

void RecentSource::add(Kept& kept, int64_t time_ns, double value) {
  std::vector<Sample>& samples = kept.samples;
  if (samples.empty() || time_ns > samples.back().time_ns) {
    samples.push_back({time_ns, value});
    ++points_;
  } else {
    const auto at = std::ranges::lower_bound(samples, time_ns, {}, &Sample::time_ns);
    if (at->time_ns == time_ns) {
      at->value = value;
      return;
    }
    samples.insert(at, {time_ns, value});
    ++points_;
  }
  const int64_t from_ns = from_ms_ * kNanosPerMs;
  if (samples.size() < kSlack || samples[samples.size() / 4].time_ns >= from_ns) return;
  const auto end = std::ranges::lower_bound(samples, from_ns, {}, &Sample::time_ns);
  points_ -= static_cast<size_t>(end - samples.begin());
  samples.erase(samples.begin(), end);
}

std::vector<query::StoredSeries> RecentSource::collect(const Selector& selector, int64_t from_ms, int64_t to_ms) const {
  std::vector<query::StoredSeries> all;
  for (const auto& [agent, series] : selector.found) {
    for (const Found& one : series) {
      const std::vector<Sample>& samples = one.kept->samples;
      auto at = std::ranges::lower_bound(samples, from_ms * kNanosPerMs, {}, &Sample::time_ns);
      // There may be far newer ones, while evaluations are caught up with.
      const auto end = std::ranges::lower_bound(at, samples.end(), (to_ms + 1) * kNanosPerMs, {}, &Sample::time_ns);
      std::vector<query::Point> points;
      points.reserve(static_cast<size_t>(end - at));
      for (; at != end; ++at) {
        const int64_t ms = at->time_ns / kNanosPerMs;
        // Ticks within one millisecond: the last one counts.
        if (!points.empty() && points.back().time_ms == ms) points.pop_back();
        points.push_back({ms, at->value});
      }
      if (!points.empty()) all.push_back({one.labels, std::move(points)});
    }
  }
  return all;
}

}  // namespace monitor::analysis::history
