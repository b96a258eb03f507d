// When each metric is read, across changes of the configuration.
#include "agent/scheduler.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <string>

#include "base/clock.h"
#include "base/random.h"

namespace monitor::agent {
namespace {

constexpr int64_t kS = kNanosPerSecond;
constexpr int64_t kMs = kNanosPerMilli;

// Settings with metrics that have their own intervals.
config::Settings settings(int64_t interval_ns, const std::map<std::string, int64_t>& metrics) {
  config::Settings result;
  result.interval_ns = interval_ns;
  for (const auto& [name, own] : metrics) result.metrics.push_back({.name = name, .interval_ns = own});
  return result;
}

// Reads like the agent, and records when each metric was read.
struct Reader {
  void configure(const config::Settings& wanted) { scheduler.configure(wanted, now, now); }
  void until(int64_t end) {
    while (scheduler.next_due() <= end) {
      now = std::max(now, scheduler.next_due());
      const Scheduler::Due due = scheduler.take(now);
      for (const auto& metric : scheduler.at(due.index).selections) times[metric.name].push_back(now);
      missed += due.missed;
      if (scheduler.join(due.index)) scheduler.erase(due.index);
    }
    now = end;
  }
  std::vector<int64_t> in_ms(const std::string& metric) const {
    std::vector<int64_t> result;
    for (const int64_t time : times.at(metric)) result.push_back(time / kMs);
    return result;
  }

  Scheduler scheduler;
  int64_t now = 0;
  uint64_t missed = 0;
  std::map<std::string, std::vector<int64_t>> times;
};

TEST(Scheduler, GivesAMetricItsOwnInterval) {
  Reader r;
  r.configure(settings(5 * kS, {{"a", 0}, {"b", 500 * kMs}, {"c", 0}}));
  EXPECT_EQ(r.scheduler.all().size(), 2U);
  r.until(6 * kS);
  EXPECT_EQ(r.in_ms("a"), (std::vector<int64_t>{1000, 6000}));
  EXPECT_EQ(r.in_ms("c"), r.in_ms("a"));
  EXPECT_EQ(r.times["b"].size(), 12U);
}

TEST(Scheduler, ChangingOneMetricMovesNoOther) {
  Reader r;
  r.configure(settings(kS, {{"a", 0}, {"b", 0}}));
  r.until(2500 * kMs);
  r.configure(settings(kS, {{"a", 0}, {"b", 300 * kMs}, {"c", 0}}));
  r.until(4 * kS);
  EXPECT_EQ(r.in_ms("a"), (std::vector<int64_t>{1000, 2000, 3000, 4000}));
  EXPECT_EQ(r.in_ms("b"), (std::vector<int64_t>{1000, 2000, 2500, 2800, 3100, 3400, 3700, 4000}));
  EXPECT_EQ(r.in_ms("c"), (std::vector<int64_t>{3000, 4000})) << "it joins the schedule of its interval";
}

TEST(Scheduler, MetricThatReturnsToAnIntervalJoinsItsSchedule) {
  Reader r;
  r.configure(settings(kS, {{"a", 0}, {"b", 100 * kMs}}));
  r.until(2550 * kMs);
  r.configure(settings(kS, {{"a", 0}, {"b", 0}}));
  r.until(5 * kS);
  EXPECT_EQ(r.scheduler.all().size(), 1U);
  const auto b = r.in_ms("b");
  EXPECT_EQ(std::vector<int64_t>(b.end() - 4, b.end()), (std::vector<int64_t>{2600, 3000, 4000, 5000}));
}

TEST(Scheduler, ChangesTheIntervalOfAllMetricsAtOnce) {
  Reader r;
  r.configure(settings(5 * kS, {{"a", 0}, {"b", 0}}));
  r.until(3 * kS);
  r.configure(settings(kS, {{"a", 0}, {"b", 0}}));
  EXPECT_EQ(r.scheduler.all().size(), 1U);
  r.until(5 * kS);
  EXPECT_EQ(r.in_ms("a"), (std::vector<int64_t>{1000, 3000, 4000, 5000}));
  r.configure(settings(3 * kS, {{"a", 0}, {"b", 0}}));
  r.until(12 * kS);
  EXPECT_EQ(r.in_ms("a"), (std::vector<int64_t>{1000, 3000, 4000, 5000, 6000, 9000, 12000}));
}

TEST(Scheduler, CountsMissedTicksPerSchedule) {
  Reader r;
  r.configure(settings(kS, {{"a", 0}, {"b", 100 * kMs}}));
  r.until(1 * kS);
  r.now = 1550 * kMs;
  const Scheduler::Due due = r.scheduler.take(r.now);
  EXPECT_EQ(r.scheduler.at(due.index).selections[0].name, "b");
  EXPECT_EQ(due.missed, 4U);
  EXPECT_EQ(r.scheduler.next_due(), 1600 * kMs);
}

TEST(Scheduler, KnowsTheFirstTickAtOrAfterATime) {
  Reader r;
  EXPECT_EQ(r.scheduler.due_after(0), INT64_MAX) << "nothing is configured";
  r.configure(settings(5 * kS, {{"a", 0}, {"b", 7 * kS}}));
  // Due at 1, 6, 11 s ... and at 1, 8, 15 s ...
  EXPECT_EQ(r.scheduler.due_after(0), kS);
  EXPECT_EQ(r.scheduler.due_after(kS), kS);
  EXPECT_EQ(r.scheduler.due_after(kS + 1), 6 * kS);
  EXPECT_EQ(r.scheduler.due_after(6 * kS + 1), 8 * kS);
  EXPECT_EQ(r.scheduler.due_after(15 * kS), 15 * kS);
}

TEST(Scheduler, KeepsTickingWithoutMetrics) {
  Reader r;
  r.configure(settings(kS, {}));
  r.until(2 * kS);
  r.configure(settings(kS, {{"a", 0}}));
  r.until(4 * kS);
  r.configure(settings(2 * kS, {}));
  EXPECT_EQ(r.scheduler.all().size(), 1U);
  EXPECT_EQ(r.times["a"].size(), 2U);
}

// Whatever changes and when, each metric must be read at its interval, and a change must never delay it by more than
// the longer one of its intervals.
TEST(Scheduler, KeepsEveryIntervalInARandomWalk) {
  SeededRandom random(7);
  Reader r;
  const std::vector<std::string> names = {"a", "b", "c", "d"};
  const std::vector<int64_t> intervals = {100 * kMs, 300 * kMs, kS, 2 * kS};
  std::map<std::string, int64_t> last;     // last read
  std::map<std::string, int64_t> allowed;  // maximum time until the next read
  for (int step = 0; step < 2000; ++step) {
    const int64_t top = intervals[random.below(intervals.size())];
    std::map<std::string, int64_t> metrics;
    for (const auto& name : names) {
      if (random.below(5) != 0) metrics[name] = random.below(2) == 0 ? 0 : intervals[random.below(intervals.size())];
    }
    const auto before = r.times;
    r.configure(settings(top, metrics));
    EXPECT_LE(r.scheduler.all().size(), 2 * names.size());
    const int64_t from = r.now;
    r.until(r.now + static_cast<int64_t>(random.below(3000)) * kMs);
    for (const auto& name : names) {
      if (!metrics.contains(name)) {
        EXPECT_EQ(r.times[name].size(), before.contains(name) ? before.at(name).size() : 0) << name;
        allowed.erase(name);
        continue;
      }
      const int64_t interval = metrics[name] == 0 ? top : metrics[name];
      const int64_t since = allowed.contains(name) ? std::max(last[name], int64_t{0}) : from;
      const int64_t limit = std::max(allowed.contains(name) ? allowed[name] : 0, interval);
      const auto& times = r.times[name];
      int64_t previous = since;
      for (auto at = times.begin() + static_cast<std::ptrdiff_t>(before.contains(name) ? before.at(name).size() : 0);
           at != times.end(); ++at) {
        EXPECT_LE(*at - previous, limit) << name << " at step " << step;
        EXPECT_TRUE(previous == since || *at > previous) << name << " twice at step " << step;
        previous = *at;
      }
      EXPECT_LE(r.now - previous, limit) << name << " is late at step " << step;
      last[name] = previous;
      allowed[name] = interval;
    }
  }
  EXPECT_EQ(r.missed, 0U);
}

}  // namespace
}  // namespace monitor::agent
