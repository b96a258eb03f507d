#include "plugins/builtin/derive.h"

#include <algorithm>
#include <numeric>
#include <stdexcept>
#include <utility>

#include "base/clock.h"

namespace monitor::agent {

void Derive::initialize(Options& options, metrics::SeriesTable& table) {
  table_ = &table;
  static const std::vector<std::pair<std::string, What>> kWhat = {
      {"rate", What::kRate}, {"delta", What::kDelta}, {"moving_average", What::kMovingAverage}, {"sum", What::kSum}};
  static constexpr std::string_view kSuffixes[] = {".rate", ".delta", ".average", ".sum"};
  std::vector<std::string> names;
  names.reserve(kWhat.size());
  for (const auto& [name, what] : kWhat) names.push_back(name);
  const std::string name = options.one_of("what", "rate", names);
  for (const auto& [known, what] : kWhat) {
    if (known == name) what_ = what;
  }
  match_ = options.patterns("match");
  if (match_.empty()) options.refuse("match", "must have a pattern");
  suffix_ = options.text("suffix", kSuffixes[static_cast<size_t>(what_)]);
  window_ = static_cast<size_t>(options.number("window", 5, 2, 10'000));
  keep_ = options.boolean("keep", true);
  by_ = options.names("by");
  sources_.emplace(table, [this](metrics::SeriesId id) { return source_of(id); });
}

Derive::Source Derive::source_of(metrics::SeriesId id) const {
  const metrics::Series& from = table_->at(id);
  Source source;
  source.matches =
      std::any_of(match_.begin(), match_.end(), [&](const SeriesPattern& pattern) { return pattern.matches(from); });
  if (!source.matches) return source;
  metrics::Series to = from;
  to.name += suffix_;
  to.kind = metrics::Kind::kGauge;
  to.integer = false;
  to.exponent = 0;
  if (what_ == What::kRate) to.unit = from.unit == "1" || from.unit.empty() ? "1/s" : from.unit + "/s";
  if (what_ == What::kSum) {
    std::erase_if(to.labels,
                  [&](const auto& label) { return std::find(by_.begin(), by_.end(), label.first) == by_.end(); });
  }
  source.to = table_->intern(std::move(to));
  return source;
}

std::optional<double> Derive::derive(metrics::SeriesId id, double value, int64_t mono_ns) {
  const auto [at, first] = memories_.try_emplace(id);
  Memory& memory = at->second;
  if (what_ == What::kMovingAverage) {
    if (memory.window.size() < window_) {
      memory.window.push_back(value);
    } else {
      memory.window[memory.next] = value;
      memory.next = (memory.next + 1) % window_;
    }
    return std::accumulate(memory.window.begin(), memory.window.end(), 0.0) / static_cast<double>(memory.window.size());
  }
  const double last = std::exchange(memory.last, value);
  const int64_t since = std::exchange(memory.mono_ns, mono_ns);
  if (first) return std::nullopt;
  if (what_ == What::kDelta) return value - last;
  if (value < last || mono_ns <= since) return std::nullopt;
  return (value - last) * static_cast<double>(kNanosPerSecond) / static_cast<double>(mono_ns - since);
}

bool Derive::run(metrics::Tick& tick) {
  std::map<metrics::SeriesId, double> made;
  for (const metrics::Point& point : tick.points) {
    const Source& source = sources_->at(point.series);
    if (!source.matches || !source.to) continue;
    const double value = table_->value(point);
    if (what_ == What::kSum) {
      made[*source.to] += value;
    } else if (const auto derived = derive(point.series, value, tick.due_mono_ns)) {
      made[*source.to] = *derived;
    }
  }
  taken_out_ =
      keep_ ? 0 : std::erase_if(tick.points, [this](const auto& point) { return sources_->at(point.series).matches; });
  for (const auto& [series, value] : made) {
    metrics::Point point;
    point.series = series;
    point.real = value;
    tick.points.push_back(point);
  }
  return !tick.points.empty();
}

void Derive::forget_series(const std::vector<metrics::SeriesId>& gone) {
  for (const metrics::SeriesId id : gone) memories_.erase(id);
}

// The state stays within one process, so series numbers and monotonic times remain valid.
std::string Derive::save() const {
  std::string state;
  const auto put = [&state](const auto& value) { state.append(reinterpret_cast<const char*>(&value), sizeof value); };
  for (const auto& [series, memory] : memories_) {
    put(series);
    put(memory.mono_ns);
    put(memory.last);
    put(memory.next);
    put(memory.window.size());
    for (const double value : memory.window) put(value);
  }
  return state;
}

void Derive::restore(std::string_view state) {
  const auto take = [&state](auto& value) {
    if (state.size() < sizeof value) throw std::runtime_error("its state is damaged");
    std::copy_n(state.data(), sizeof value, reinterpret_cast<char*>(&value));
    state.remove_prefix(sizeof value);
  };
  while (!state.empty()) {
    metrics::SeriesId series = 0;
    Memory memory;
    size_t size = 0;
    take(series);
    take(memory.mono_ns);
    take(memory.last);
    take(memory.next);
    take(size);
    if (size > state.size() / sizeof(double)) throw std::runtime_error("its state is damaged");
    memory.window.resize(size);
    for (double& value : memory.window) take(value);
    // If the window has another size, it starts empty.
    if (size > window_ || memory.next >= window_) {
      memory.window.clear();
      memory.next = 0;
    }
    memories_[series] = std::move(memory);
  }
}

}  // namespace monitor::agent
