// A thousand changes of the configuration, with a clock under the test's control: no tick may be missing or doubled,
// and metrics that a change does not concern must be unaffected.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "agent/agent.h"
#include "base/random.h"
#include "base/testing/fake_clock.h"
#include "metrics/decode.h"
#include "spool/memory_spool.h"

namespace monitor::agent {
namespace {

constexpr int64_t kMs = kNanosPerMilli;
constexpr int kChanges = 1000;
const std::string kWitness = "uptime";
constexpr int64_t kWitnessInterval = 70 * kMs;
const std::vector<std::string> kOthers = {"cpu", "memory", "disk read", "net in", "load", "swap"};
const std::vector<int64_t> kIntervals = {10 * kMs, 25 * kMs, 70 * kMs, 100 * kMs, 333 * kMs, 1000 * kMs};

// One point per selection, with the selection's name.
class NamedSource final : public TickSource {
 public:
  explicit NamedSource(metrics::SeriesTable& table) : table_(table) {}
  void configure(uint64_t schedule, const std::vector<config::MetricSelection>& selections) override {
    selections_[schedule] = selections;
  }
  void baseline(const Timestamp&) override {}
  uint64_t collect(uint64_t schedule, const Timestamp&, metrics::Tick& tick) override {
    TickBuilder out(table_, tick);
    for (const auto& one : selections_[schedule])
      out.add_integer(out.intern(metrics::Series{one.name, {}, "By", metrics::Kind::kGauge, true, 0}), ++reads_);
    return 0;
  }

 private:
  metrics::SeriesTable& table_;
  std::map<uint64_t, std::vector<config::MetricSelection>> selections_;
  int64_t reads_ = 0;
};

class AgentWalk : public ::testing::TestWithParam<uint64_t> {
 protected:
  AgentWalk()
      : source_(table_),
        agent_(timers_, {"a", "h", std::string(16, 'i'), "1.0.0"}, table_, source_),
        spool_(agent_.reports(), timers_.clock()),
        random_(GetParam()) {
    agent_.attach(spool_, [] {});
  }

  template <typename T>
  const T& one_of(const std::vector<T>& list) {
    return list[random_.below(list.size())];
  }

  // The witness is always selected, with the same interval; its place in the list, and everything else, is random.
  config::Settings draw() {
    config::Settings settings;
    settings.interval_ns = one_of(kIntervals);
    settings.send_every_ns = static_cast<int64_t>(random_.below(3)) * 500 * kMs;
    for (const std::string& name : kOthers) {
      if (random_.below(3) == 0) continue;
      settings.metrics.push_back({.name = name, .interval_ns = random_.below(2) == 0 ? 0 : one_of(kIntervals)});
    }
    const auto at = static_cast<std::ptrdiff_t>(random_.below(settings.metrics.size() + 1));
    settings.metrics.insert(settings.metrics.begin() + at, {.name = kWitness, .interval_ns = kWitnessInterval});
    if (random_.below(4) == 0) settings.plugins = {{"rename", R"({"labels":{"a":"b"}})"}};
    if (random_.below(4) == 0) settings.labels = {{"step", std::to_string(random_.below(100))}};
    return settings;
  }

  // The times of a metric's ticks, and the interval that it had since each change.
  struct Told {
    std::vector<int64_t> times;
    std::vector<std::pair<int64_t, int64_t>> intervals;  // (since, ns); 0: not selected
  };

  void note(const config::Settings& settings) {
    const int64_t now = timers_.clock().wall_ns();
    for (const std::string& name : kOthers) {
      const auto found = std::find_if(settings.metrics.begin(), settings.metrics.end(),
                                      [&](const auto& one) { return one.name == name; });
      told_[name].intervals.emplace_back(now, found == settings.metrics.end() ? 0 : settings.interval_of(*found));
    }
  }

  void take() {
    while (const auto outgoing = spool_.next()) {
      const auto batch = metrics::decode_batch(outgoing->bytes);
      ASSERT_TRUE(batch) << batch.error().to_string();
      for (const auto& frame : batch->frames) {
        for (const auto& point : frame.points) told_[batch->series[point.series].name].times.push_back(frame.time_ns);
      }
      spool_.acknowledged(outgoing->id);
    }
  }

  // The longest interval of a metric between two times; 0: it was not always selected.
  static int64_t longest(const Told& told, int64_t from, int64_t to) {
    int64_t result = 0;
    for (size_t i = 0; i < told.intervals.size(); ++i) {
      const bool before = i + 1 < told.intervals.size() && told.intervals[i + 1].first <= from;
      if (before || told.intervals[i].first >= to) continue;
      if (told.intervals[i].second == 0) return 0;
      result = std::max(result, told.intervals[i].second);
    }
    return result;
  }

  FakeTimers timers_;
  metrics::SeriesTable table_;
  NamedSource source_;
  Agent agent_;
  MemorySpool spool_;
  SeededRandom random_;
  std::map<std::string, Told> told_;
};

TEST_P(AgentWalk, MissesNoTickAndDoublesNone) {
  for (int i = 0; i < kChanges; ++i) {
    const config::Settings settings = draw();
    ASSERT_FALSE(agent_.apply(settings, i + 1));
    note(settings);
    timers_.advance(0);
    // Fires timers without any delay: time stops at every millisecond.
    for (auto left = 1 + static_cast<int64_t>(random_.below(400)); left > 0; --left) timers_.advance(kMs);
    take();
  }
  agent_.stop();
  take();
  // Fresh batches are sent before waiting ones, so the times must be sorted.
  for (auto& [name, told] : told_) std::sort(told.times.begin(), told.times.end());
  EXPECT_EQ(agent_.stats().ticks_missed, 0U);
  EXPECT_EQ(agent_.reports().drops().totals().size(), 0U);
  const auto& witness = told_[kWitness].times;
  ASSERT_GT(witness.size(), 1000U);
  for (size_t i = 1; i < witness.size(); ++i) {
    ASSERT_EQ(witness[i] - witness[i - 1], kWitnessInterval) << "tick " << i << " of the metric that never changed";
  }
  size_t held = 0;
  for (const std::string& name : kOthers) {
    const Told& told = told_[name];
    for (size_t i = 1; i < told.times.size(); ++i) {
      ASSERT_GT(told.times[i], told.times[i - 1]) << name << " twice, tick " << i;
      const int64_t most = longest(told, told.times[i - 1], told.times[i]);
      if (most == 0) continue;
      ++held;
      ASSERT_LE(told.times[i] - told.times[i - 1], most) << name << ", tick " << i;
    }
  }
  EXPECT_GT(held, 1000U);
}

INSTANTIATE_TEST_SUITE_P(Seeds, AgentWalk, ::testing::Range<uint64_t>(1, 21));

}  // namespace
}  // namespace monitor::agent
