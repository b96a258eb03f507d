// The chain with a plugin in a fake host.
#include <gtest/gtest.h>

#include "base/testing/fake_clock.h"
#include "plugins/chain/chain.h"
#include "plugins/chain/plugin_report.h"
#include "plugins/hosted/testing/fake_links.h"

namespace monitor::agent {
namespace {

using plugin_wire::Type;

class Told final : public DropSink {
 public:
  void dropped(metrics::Drop drop) override {
    all.push_back(drop.reason + "/" + drop.plugin + "/" + std::to_string(drop.points));
  }
  std::vector<std::string> all;
};

// Fake plugins that start when the test says so.
class FakeHosted final : public HostedPlugins {
 public:
  FakeHosted(Timers& timers, metrics::SeriesTable& table, HostLinks& links)
      : timers_(timers), table_(table), links_(links) {}
  Made make(const std::vector<config::PluginEntry>& entries) override {
    Made made;
    if (entries.empty()) return made;
    if (prepared == nullptr || !(prepared->entry() == entries[0])) {
      prepared = std::make_shared<HostedPlugin>(timers_, table_, links_, entries[0]);
      prepared->start([] {});
    }
    made.pending = !prepared->settled();
    made.refusal = prepared->refusal();
    if (!made.pending && made.refusal.empty()) made.plugins = {std::exchange(prepared, nullptr)};
    return made;
  }
  std::shared_ptr<HostedPlugin> prepared;

 private:
  Timers& timers_;
  metrics::SeriesTable& table_;
  HostLinks& links_;
};

struct ChainWorld {
  ChainWorld() {
    series = *table.intern({"cpu", {}, "1", metrics::Kind::kGauge, false, 0});
    chain.set_on_progress([this] { ++progress; });
  }
  // Applies the configuration and starts its plugin.
  void start(const config::PluginEntry& entry) {
    auto problem = chain.configure({entry});
    ASSERT_TRUE(problem && problem->pending);
    links.last().loaded(true);
    ASSERT_FALSE(chain.configure({entry}));
  }
  void push(double value) {
    metrics::Tick tick;
    metrics::Point point;
    point.series = series;
    point.real = value;
    tick.points.push_back(point);
    chain.push(tick);
    chain.pump();
  }

  FakeTimers timers;
  metrics::SeriesTable table;
  metrics::SeriesId series = 0;
  Told told;
  FakeLinks links;
  FakeHosted hosted{timers, table, links};
  std::vector<double> out;
  Chain chain{table, timers.clock(), told, [this](metrics::Tick& tick) { out.push_back(tick.points.at(0).real); },
              &hosted};
  int progress = 0;
};

TEST(Chain, TicksWaitForAHostedPluginInOrder) {
  ChainWorld w;
  w.start(entry_of());
  w.push(1);
  w.push(2);
  EXPECT_TRUE(w.out.empty());
  EXPECT_EQ(w.chain.queued(), 1U);
  EXPECT_EQ(w.chain.points_inside(), 2U);
  w.links.last().result(plugin_wire::Verdict::kUnchanged);
  EXPECT_EQ(w.out, std::vector<double>{1});
  EXPECT_EQ(w.progress, 1);
  w.links.last().result(plugin_wire::Verdict::kUnchanged);
  EXPECT_EQ(w.out, (std::vector<double>{1, 2}));
  EXPECT_TRUE(w.chain.idle());
  EXPECT_EQ(w.chain.points_inside(), 0U);
}

TEST(Chain, CollectingNeverWaits) {
  ChainWorld w;
  w.start(entry_of());
  for (size_t i = 0; i < Chain::kQueueTicks + 11; ++i) w.push(1);
  EXPECT_EQ(w.told.all.size(), 10U);
  EXPECT_EQ(w.told.all[0], "overflow//1");
}

TEST(Chain, CountsTheCostOfAFailure) {
  ChainWorld w;
  w.start(entry_of());
  w.push(1);
  w.push(2);
  w.links.last().end("it ended by signal 11");
  EXPECT_EQ(w.told.all, std::vector<std::string>{"failed/p/1"});
  EXPECT_EQ(w.out, std::vector<double>{2}) << "the chain must continue without the plugin";
  const auto state = w.chain.states().at(0);
  EXPECT_EQ(state.failed, 1U);
  EXPECT_EQ(state.skipped, 1U);
  EXPECT_EQ(state.state, "waiting");
  EXPECT_EQ(state.error, "it ended by signal 11");
}

TEST(Chain, OnFailureDropDropsTicksMeanwhile) {
  ChainWorld w;
  w.start(entry_of(true));
  w.push(1);
  w.links.last().end("gone");
  w.push(2);
  EXPECT_EQ(w.told.all, (std::vector<std::string>{"failed/p/1", "failed/p/1"}));
  EXPECT_TRUE(w.out.empty());
}

TEST(Chain, CountsRemovedPointsEvenIfAsManyAreAdded) {
  ChainWorld w;
  w.start(entry_of());
  metrics::Point point;
  w.push(1);
  w.links.last().result(plugin_wire::Verdict::kChanged, {point}, 1);
  EXPECT_EQ(w.told.all, std::vector<std::string>{"filtered/p/1"});
  EXPECT_EQ(w.chain.points_added(), 1U);
  EXPECT_EQ(w.chain.points_inside(), 0U);
  EXPECT_EQ(w.chain.states().at(0).points_dropped, 1U);
  w.push(1);
  w.links.last().result(plugin_wire::Verdict::kChanged, {point, point, point}, 1);
  EXPECT_EQ(w.chain.points_added(), 4U) << "three points are new and one was removed";
  w.push(1);
  w.links.last().result(plugin_wire::Verdict::kChanged, {point});
  EXPECT_EQ(w.told.all.size(), 2U) << "a changed point is not removed";
  EXPECT_EQ(w.chain.points_inside(), 0U);
}

TEST(Chain, TraceNamesPluginsThatAreNotRunning) {
  for (const bool drop : {false, true}) {
    ChainWorld w;
    w.start(entry_of(drop));
    std::string trace;
    w.chain.set_trace([&](const config::PluginStatus& plugin, const metrics::Tick& before, const metrics::Tick* after,
                          std::string_view failure) { trace += trace_text(w.table, plugin, before, after, failure); });
    ASSERT_TRUE(w.chain.configure({entry_of(drop), {"my_plugin", "{}"}}) == std::nullopt);
    w.links.last().end("it ended by signal 11");
    w.push(1);
    const std::string then = drop ? "the tick is dropped\nmy_plugin (built-in): not reached: the tick ended before\n"
                                  : "the tick skips the plugin\nmy_plugin (built-in), 0";
    EXPECT_EQ(trace.find("p (native): not running (waiting): it ended by signal 11; " + then), 0U) << trace;
  }
}

TEST(Chain, ShadowChangesNothingButIsCounted) {
  ChainWorld w;
  auto entry = entry_of();
  entry.shadow = true;
  w.start(entry);
  w.push(1);
  w.links.last().result(plugin_wire::Verdict::kDropped);
  w.push(2);
  w.links.last().end("gone");
  w.push(3);
  EXPECT_EQ(w.out, (std::vector<double>{1, 2, 3}));
  EXPECT_TRUE(w.told.all.empty());
  const auto state = w.chain.states().at(0);
  EXPECT_EQ(state.dropped, 2U) << "the ticks that it would have dropped, and the one that its crash would have cost";
}

TEST(Chain, ReplacingWaitsForThePendingTickAndKeepsTheCounts) {
  ChainWorld w;
  w.start(entry_of());
  FakeLink& old = w.links.last();
  w.push(1);
  auto next = entry_of();
  next.version = "2";
  ASSERT_TRUE(w.chain.configure({next})->pending);
  FakeLink& fresh = w.links.last();
  ASSERT_NE(&old, &fresh);
  fresh.loaded(true);
  ASSERT_FALSE(w.chain.configure({next}));
  EXPECT_EQ(old.sent.back().type, Type::kRun) << "the pending tick still belongs to it";
  w.push(2);
  old.result(plugin_wire::Verdict::kUnchanged);
  EXPECT_EQ(w.out, std::vector<double>{1});
  EXPECT_EQ(old.sent.back().type, Type::kSave);
  old.answer(Type::kSaved, "s");
  fresh.answer(Type::kRestored, "");
  fresh.result(plugin_wire::Verdict::kUnchanged);
  EXPECT_EQ(w.out, (std::vector<double>{1, 2}));
  EXPECT_EQ(w.chain.states().at(0).replaced, 1U);
  EXPECT_EQ(w.chain.states().at(0).ticks, 2U);
  EXPECT_TRUE(w.told.all.empty());
}

TEST(Chain, GiveUpCountsTicksInside) {
  ChainWorld w;
  w.start(entry_of());
  w.push(1);
  w.push(2);
  w.chain.give_up();
  EXPECT_EQ(w.told.all.size(), 2U);
  EXPECT_TRUE(w.chain.idle());
  w.links.all.front()->result(plugin_wire::Verdict::kUnchanged);
  EXPECT_TRUE(w.out.empty());
}

}  // namespace
}  // namespace monitor::agent
