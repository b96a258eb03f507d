// A plugin in a host, with a host that is played: starting, ticks, failures, quarantine, state. And the chain with it.
#include "agent/plugins/hosted_plugin.h"

#include <gtest/gtest.h>

#include "agent/plugins/chain.h"
#include "agent/plugins/plugin_report.h"

namespace monitor::agent {
namespace {

using plugin_wire::Type;
using Kind = HostedPlugin::Outcome::Kind;
using Phase = HostedPlugin::Phase;

constexpr int64_t kMs = kNanosPerMilli;

// What was sent to it, and what it is made to answer.
class FakeLink final : public HostLink {
 public:
  struct Sent {
    Type type;
    uint32_t instance;
    uint32_t number;
    std::string payload;
  };
  uint32_t add(Listener& listener) override {
    listeners[++instances] = &listener;
    return instances;
  }
  void remove(uint32_t instance) override { listeners.erase(instance); }
  void send(Type type, uint32_t instance, uint32_t number, std::string_view payload, std::string_view rest) override {
    sent.push_back({type, instance, number, std::string(payload) + std::string(rest)});
  }
  void kill(const std::string& reason) override { killed = reason; }
  bool ended() const override { return !killed.empty(); }

  void answer(Type type, const std::string& payload, uint32_t instance = 1) {
    const auto at = listeners.find(instance);
    if (at != listeners.end()) at->second->on_message({type, instance, sent.back().number, payload});
  }
  void loaded(bool state = false, uint32_t instance = 1) {
    answer(Type::kLoaded, plugin_wire::Loaded{"p", "1", state ? 1U : 0U}.encode(), instance);
  }
  void result(plugin_wire::Verdict verdict, const std::vector<metrics::Point>& points = {}, uint32_t dropped = 0) {
    std::string payload;
    plugin_wire::put_result_head(payload, {verdict, static_cast<uint32_t>(points.size()), dropped});
    payload += plugin_wire::bytes_of(points);
    answer(Type::kResult, payload);
  }
  void end(const std::string& reason, bool guilty = true) {
    const auto all = std::exchange(listeners, {});
    for (const auto& [instance, listener] : all) listener->on_end(reason, guilty);
  }

  std::map<uint32_t, Listener*> listeners;
  std::vector<Sent> sent;
  std::string killed;
  uint32_t instances = 0;
};

class FakeLinks final : public HostLinks {
 public:
  Result<std::shared_ptr<HostLink>> link_for(config::PluginKind, const std::string&) override {
    all.push_back(std::make_shared<FakeLink>());
    return std::shared_ptr<HostLink>(all.back());
  }
  FakeLink& last() { return *all.back(); }
  std::vector<std::shared_ptr<FakeLink>> all;
};

config::PluginEntry entry_of(bool drop = false) {
  config::PluginEntry entry;
  entry.name = "p";
  entry.kind = config::PluginKind::kNative;
  entry.drop_on_failure = drop;
  return entry;
}

struct World {
  World() : plugin(timers, table, links, entry_of()) {
    plugin.start([this] { ++settled; });
    series = *table.intern({"cpu", {}, "1", metrics::Kind::kGauge, false, 0});
  }
  void running(bool state = false) {
    links.last().loaded(state);
    ASSERT_EQ(plugin.phase(), Phase::kRunning);
  }
  metrics::Tick tick(double value = 1) const {
    metrics::Tick tick;
    metrics::Point point;
    point.series = series;
    point.real = value;
    tick.points.push_back(point);
    return tick;
  }
  void run() {
    plugin.run(tick(), [this](const HostedPlugin::Outcome& outcome) {
      outcomes.push_back(outcome.kind);
      reason = outcome.reason;
      points = outcome.points == nullptr ? std::vector<metrics::Point>() : *outcome.points;
      over = outcome.over;
    });
  }

  FakeTimers timers;
  metrics::SeriesTable table;
  FakeLinks links;
  metrics::SeriesId series = 0;
  HostedPlugin plugin;
  int settled = 0;
  std::vector<Kind> outcomes;
  std::vector<metrics::Point> points;
  std::string reason;
  uint64_t over = 0;
};

TEST(HostedPlugin, StartsAndRuns) {
  World w;
  EXPECT_FALSE(w.plugin.settled());
  w.running();
  EXPECT_EQ(w.settled, 1);
  w.run();
  ASSERT_EQ(w.links.last().sent.size(), 3U) << "load, series, run";
  EXPECT_EQ(w.links.last().sent[1].type, Type::kSeries);
  EXPECT_TRUE(w.outcomes.empty()) << "it answers later";
  w.links.last().result(plugin_wire::Verdict::kUnchanged);
  w.run();
  EXPECT_EQ(w.links.last().sent.size(), 4U) << "a series is told once";
  w.links.last().result(plugin_wire::Verdict::kDropped);
  w.run();
  w.links.last().result(plugin_wire::Verdict::kChanged, w.tick(7).points);
  EXPECT_EQ(w.outcomes, (std::vector<Kind>{Kind::kUnchanged, Kind::kDropped, Kind::kChanged}));
  ASSERT_EQ(w.points.size(), 1U);
  EXPECT_EQ(w.points[0].real, 7);
}

TEST(HostedPlugin, WhatCannotStartSaysWhy) {
  World w;
  w.links.last().answer(Type::kFailed, "no good");
  EXPECT_EQ(w.settled, 1);
  EXPECT_EQ(w.plugin.refusal(), "no good");
  World late;
  late.timers.advance(HostedPlugin::kStartWithin);
  EXPECT_EQ(late.plugin.refusal(), "it did not start within 5s");
  EXPECT_FALSE(late.links.last().killed.empty());
  World dead;
  dead.links.last().end("it ended by signal 11");
  EXPECT_EQ(dead.plugin.refusal(), "it ended by signal 11");
}

TEST(HostedPlugin, OwnSeriesAreInternedAndChecked) {
  World w;
  w.running();
  w.run();
  std::string defined;
  plugin_wire::put_series(defined, plugin_wire::kOwnSeries, {"new", {}, "1", metrics::Kind::kGauge, false, 0});
  w.links.last().answer(Type::kDefine, defined);
  auto points = w.tick().points;
  points[0].series = plugin_wire::kOwnSeries;
  w.links.last().result(plugin_wire::Verdict::kChanged, points);
  ASSERT_EQ(w.outcomes.size(), 1U);
  EXPECT_EQ(w.table.at(w.points.at(0).series).name, "new");
  w.run();
  points[0].series = plugin_wire::kOwnSeries + 1;
  w.links.last().result(plugin_wire::Verdict::kChanged, points);
  EXPECT_EQ(w.outcomes.back(), Kind::kFailed);
  EXPECT_EQ(w.reason, "it sent a point of series 1, which it did not define");
  EXPECT_FALSE(w.links.last().killed.empty()) << "it is not to be trusted any more";
}

TEST(HostedPlugin, ASeriesThatItWasNotToldOfIsRefused) {
  World w;
  ASSERT_TRUE(w.table.intern({"secret", {}, "1", metrics::Kind::kGauge, false, 0}));
  w.running();
  w.run();
  auto points = w.tick().points;
  points[0].series = 1;
  w.links.last().result(plugin_wire::Verdict::kChanged, points);
  EXPECT_EQ(w.outcomes.back(), Kind::kFailed);
}

TEST(HostedPlugin, TooManySeriesCostPointsNotTheTable) {
  World w;
  w.running();
  w.run();
  std::string defined;
  std::vector<metrics::Point> points;
  for (uint32_t i = 0; i < HostedPlugin::kMostNewSeries + 10; ++i) {
    plugin_wire::put_series(defined, plugin_wire::kOwnSeries + i,
                            {"s" + std::to_string(i), {}, "1", metrics::Kind::kGauge, false, 0});
    metrics::Point point;
    point.series = plugin_wire::kOwnSeries + i;
    points.push_back(point);
  }
  w.links.last().answer(Type::kDefine, defined);
  w.links.last().result(plugin_wire::Verdict::kChanged, points);
  EXPECT_EQ(w.points.size(), HostedPlugin::kMostNewSeries);
  EXPECT_EQ(w.over, 10U);
  EXPECT_EQ(w.table.size(), 1 + HostedPlugin::kMostNewSeries);
  EXPECT_EQ(w.plugin.error(), "it has made 5000 series, the limit; points of more are dropped");
  // The host is started anew, and defines them again.
  w.links.last().end("gone");
  w.timers.advance(HostedPlugin::kFirstWait);
  w.running();
  w.run();
  w.links.last().answer(Type::kDefine, defined);
  w.links.last().result(plugin_wire::Verdict::kChanged, points);
  EXPECT_EQ(w.points.size(), HostedPlugin::kMostNewSeries);
  EXPECT_EQ(w.table.size(), 1 + HostedPlugin::kMostNewSeries);
}

TEST(HostedPlugin, ANewVersionHasNoMoreSeriesThanTheOld) {
  World w;
  w.running();
  const auto defined = [](uint32_t from) {
    std::string all;
    for (uint32_t i = 0; i < HostedPlugin::kMostNewSeries; ++i) {
      plugin_wire::put_series(all, plugin_wire::kOwnSeries + i,
                              {"s" + std::to_string(from + i), {}, "1", metrics::Kind::kGauge, false, 0});
    }
    return all;
  };
  w.links.last().answer(Type::kDefine, defined(0));
  auto next = std::make_shared<HostedPlugin>(w.timers, w.table, w.links, entry_of());
  next->start([] {});
  w.links.last().loaded();
  next->take_over(std::shared_ptr<HostedPlugin>(&w.plugin, [](HostedPlugin*) {}));
  w.links.last().answer(Type::kDefine, defined(1'000'000));
  EXPECT_EQ(w.table.size(), 1 + HostedPlugin::kMostNewSeries);
}

TEST(HostedPlugin, ADeadlineCostsTheHostAndTheTick) {
  World w;
  w.running();
  w.run();
  w.timers.advance(HostedPlugin::kNativeDeadline - 1);
  EXPECT_TRUE(w.outcomes.empty());
  w.timers.advance(1);
  EXPECT_EQ(w.outcomes, std::vector<Kind>{Kind::kFailed});
  EXPECT_EQ(w.reason, "it did not answer within 1s");
  EXPECT_EQ(w.plugin.phase(), Phase::kWaiting);
  w.run();
  EXPECT_EQ(w.outcomes.back(), Kind::kAbsent) << "meanwhile";
  w.timers.advance(HostedPlugin::kFirstWait);
  ASSERT_EQ(w.links.all.size(), 2U);
  w.running();
  EXPECT_EQ(w.plugin.restarts(), 1U);
  EXPECT_EQ(w.plugin.error(), "it did not answer within 1s") << "it is still said";
  w.run();
  EXPECT_EQ(w.links.last().sent[1].type, Type::kSeries) << "the new host knows nothing";
}

TEST(HostedPlugin, KeepsFailingAndIsLeftAlone) {
  World w;
  for (size_t i = 0; i < HostedPlugin::kMostFailures; ++i) {
    w.running();
    w.run();
    w.links.last().end("it ended by signal 11");
    w.timers.advance((HostedPlugin::kFirstWait << i));
  }
  EXPECT_EQ(w.plugin.phase(), Phase::kQuarantined);
  const size_t hosts = w.links.all.size();
  w.run();
  EXPECT_EQ(w.outcomes.back(), Kind::kAbsent);
  w.timers.advance(HostedPlugin::kQuarantine / 2);
  EXPECT_EQ(w.links.all.size(), hosts);
  w.timers.advance(HostedPlugin::kQuarantine / 2);
  ASSERT_EQ(w.links.all.size(), hosts + 1) << "tried once more";
  w.running();
  w.run();
  w.links.last().end("again");
  EXPECT_EQ(w.plugin.phase(), Phase::kQuarantined) << "one more is enough";
}

TEST(HostedPlugin, WhatItSaysIsBounded) {
  World w;
  w.running();
  testing::internal::CaptureStderr();
  const auto say = [&] {
    for (uint64_t i = 0; i < LineLimit::kMost + 30; ++i) {
      w.links.last().answer(Type::kLog, plugin_wire::LogLine{1, "a line"}.encode());
      w.links.last().answer(Type::kLog, plugin_wire::LogLine{0, "of no interest"}.encode());
    }
  };
  say();
  w.timers.advance(LineLimit::kPeriod);
  say();
  w.timers.advance(LineLimit::kPeriod);
  const std::string text = testing::internal::GetCapturedStderr();
  const auto count = [&](std::string_view what) {
    size_t n = 0;
    for (size_t at = 0; (at = text.find(what, at)) != std::string::npos; ++at) ++n;
    return n;
  };
  EXPECT_EQ(count("plugin says plugin=p line=\"a line\""), 2 * LineLimit::kMost);
  EXPECT_EQ(count("lines of a plugin were left out plugin=p lines=30 limit=50 in=10s"), 2U);
  EXPECT_TRUE(w.timers.idle()) << "nothing waits where nothing was left out";
}

TEST(HostedPlugin, ErrorsInARowAreAsGoodAsCrashes) {
  World w;
  w.running();
  for (size_t i = 0; i + 1 < HostedPlugin::kMostFailures; ++i) {
    w.run();
    w.links.last().answer(Type::kFailed, "threw");
  }
  w.run();
  w.links.last().result(plugin_wire::Verdict::kUnchanged);
  for (size_t i = 0; i + 1 < HostedPlugin::kMostFailures; ++i) {
    w.run();
    w.links.last().answer(Type::kFailed, "threw");
    EXPECT_EQ(w.plugin.phase(), Phase::kRunning) << "a good one between: they count anew";
  }
  w.run();
  w.links.last().answer(Type::kFailed, "threw");
  EXPECT_EQ(w.plugin.phase(), Phase::kQuarantined);
  EXPECT_EQ(w.outcomes.back(), Kind::kFailed);
}

TEST(HostedPlugin, AnInnocentOneIsStartedAgainAtOnce) {
  World w;
  w.running();
  w.links.last().end("another did it", false);
  ASSERT_EQ(w.links.all.size(), 2U);
  w.running();
  EXPECT_EQ(w.plugin.error(), "");
}

TEST(HostedPlugin, AnswersThatNobodyAskedForEndIt) {
  for (const Type type : {Type::kResult, Type::kSaved, Type::kLoaded, Type::kFailed, Type::kRun}) {
    World w;
    w.running();
    w.links.last().answer(type, "");
    EXPECT_FALSE(w.links.last().killed.empty()) << static_cast<int>(type);
  }
}

// Two versions that both keep a state and run: the next is to take the place of the old one.
struct Replacement : World {
  Replacement() {
    old->start([] {});
    old_link = links.all.back();
    old_link->loaded(true);
    next.start([] {});
    link = links.all.back();
    link->loaded(true);
  }
  std::shared_ptr<HostedPlugin> old =
      std::make_shared<HostedPlugin>(timers, table, static_cast<HostLinks&>(links), entry_of());
  HostedPlugin next{timers, table, links, entry_of()};
  std::shared_ptr<FakeLink> old_link;
  std::shared_ptr<FakeLink> link;
};

TEST(HostedPlugin, StateGoesOver) {
  Replacement w;
  w.next.take_over(w.old);
  int done = 0;
  w.next.run(w.tick(), [&](const HostedPlugin::Outcome&) { ++done; });
  EXPECT_EQ(w.link->sent.size(), 1U) << "ticks wait";
  EXPECT_EQ(w.old_link->sent.back().type, Type::kSave);
  w.old_link->answer(Type::kSaved, "the state");
  EXPECT_EQ(w.link->sent.back().type, Type::kRestore);
  EXPECT_EQ(w.link->sent.back().payload, "the state");
  w.link->answer(Type::kRestored, "");
  EXPECT_EQ(w.link->sent.back().type, Type::kRun);
  w.link->result(plugin_wire::Verdict::kUnchanged);
  EXPECT_EQ(done, 1);
}

TEST(HostedPlugin, AStateThatDoesNotComeIsEmpty) {
  Replacement w;
  w.next.take_over(w.old);
  w.next.run(w.tick(), [](const HostedPlugin::Outcome&) {});
  w.timers.advance(HostedPlugin::kHandOverWithin);
  EXPECT_EQ(w.link->sent.back().type, Type::kRun) << "it goes on without";
}

// A new version whose restore() ends its process, or never comes back, while a tick waits for it.
TEST(HostedPlugin, OneThatDiesOfTheStateCostsTheTickThatWaits) {
  for (const bool late : {false, true}) {
    Replacement w;
    w.next.take_over(w.old);
    std::vector<Kind> outcomes;
    w.next.run(w.tick(), [&](const HostedPlugin::Outcome& outcome) { outcomes.push_back(outcome.kind); });
    w.old_link->answer(Type::kSaved, "the state");
    if (late) {
      w.timers.advance(HostedPlugin::kHandOverWithin);
    } else {
      w.link->end("it ended by signal 11");
    }
    EXPECT_EQ(outcomes, std::vector<Kind>{Kind::kFailed});
    EXPECT_EQ(w.next.phase(), Phase::kWaiting);
  }
}

TEST(HostedPlugin, AHostThatIsEndingIsNotAskedForItsState) {
  Replacement w;
  w.old_link->kill("another script did it");
  w.next.take_over(w.old);
  w.next.run(w.tick(), [](const HostedPlugin::Outcome&) {});
  EXPECT_EQ(w.link->sent.back().type, Type::kRun) << "at once";
}

TEST(HostedPlugin, ADeadlineThatIsGivenHoldsForScriptsToo) {
  for (const int64_t given : {int64_t{0}, 50 * kMs}) {
    World w;
    config::PluginEntry entry = entry_of();
    entry.kind = config::PluginKind::kScript;
    entry.deadline_ns = given;
    HostedPlugin script(w.timers, w.table, w.links, entry);
    script.start([] {});
    w.links.last().loaded();
    std::string reason;
    script.run(w.tick(), [&](const HostedPlugin::Outcome& outcome) { reason = outcome.reason; });
    w.timers.advance((given == 0 ? HostedPlugin::kScriptDeadline : given) - 1);
    EXPECT_EQ(reason, "");
    w.timers.advance(1);
    EXPECT_EQ(reason, given == 0 ? "it did not answer within 10s" : "it did not answer within 50ms");
  }
}

// --- The chain

class Told final : public DropSink {
 public:
  void dropped(const What& what) override {
    all.push_back(std::string(what.reason) + "/" + std::string(what.plugin) + "/" + std::to_string(what.points));
  }
  std::vector<std::string> all;
};

// Plugins of which the test decides when they have started.
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
  // In force, with its plugin running.
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

TEST(Chain, WhatAFailureCostsHasAName) {
  ChainWorld w;
  w.start(entry_of());
  w.push(1);
  w.push(2);
  w.links.last().end("it ended by signal 11");
  EXPECT_EQ(w.told.all, std::vector<std::string>{"failed/p/1"});
  EXPECT_EQ(w.out, std::vector<double>{2}) << "the chain goes on without it";
  const auto state = w.chain.states().at(0);
  EXPECT_EQ(state.failures, 1U);
  EXPECT_EQ(state.skipped, 1U);
  EXPECT_EQ(state.state, "waiting");
  EXPECT_EQ(state.error, "it ended by signal 11");
}

TEST(Chain, OnFailureDropDropsMeanwhile) {
  ChainWorld w;
  w.start(entry_of(true));
  w.push(1);
  w.links.last().end("gone");
  w.push(2);
  EXPECT_EQ(w.told.all, (std::vector<std::string>{"failed/p/1", "failed/p/1"}));
  EXPECT_TRUE(w.out.empty());
}

TEST(Chain, WhatIsTakenOutCountsThoughAsMuchIsAdded) {
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
  EXPECT_EQ(w.chain.points_added(), 4U) << "three are new: one was taken out";
  w.push(1);
  w.links.last().result(plugin_wire::Verdict::kChanged, {point});
  EXPECT_EQ(w.told.all.size(), 2U) << "a point that is changed is not taken out";
  EXPECT_EQ(w.chain.points_inside(), 0U);
}

TEST(Chain, ATraceNamesAlsoThoseThatDoNotRun) {
  for (const bool drop : {false, true}) {
    ChainWorld w;
    w.start(entry_of(drop));
    std::string trace;
    w.chain.set_trace([&](const PluginState& plugin, const metrics::Tick& before, const metrics::Tick* after,
                          std::string_view failure) { trace += trace_text(w.table, plugin, before, after, failure); });
    ASSERT_TRUE(w.chain.configure({entry_of(drop), {"my_plugin", "{}"}}) == std::nullopt);
    w.links.last().end("it ended by signal 11");
    w.push(1);
    const std::string then = drop ? "it drops the tick\nmy_plugin (built-in): not reached: the tick ended before\n"
                                  : "the tick goes on without it\nmy_plugin (built-in), 0";
    EXPECT_EQ(trace.find("p (native): does not run (waiting): it ended by signal 11; " + then), 0U) << trace;
  }
}

TEST(Chain, AShadowChangesNothingAndCosts) {
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
  EXPECT_EQ(state.ticks_dropped, 2U) << "what it would have dropped, and what its end would have cost";
}

TEST(Chain, ReplacingWaitsForTheTickInHandAndKeepsWhatIsCounted) {
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
  EXPECT_EQ(old.sent.back().type, Type::kRun) << "the tick in hand is still its";
  w.push(2);
  old.result(plugin_wire::Verdict::kUnchanged);
  EXPECT_EQ(w.out, std::vector<double>{1});
  EXPECT_EQ(old.sent.back().type, Type::kSave);
  old.answer(Type::kSaved, "s");
  fresh.answer(Type::kRestored, "");
  fresh.result(plugin_wire::Verdict::kUnchanged);
  EXPECT_EQ(w.out, (std::vector<double>{1, 2}));
  EXPECT_EQ(w.chain.states().at(0).replaced, 1U);
  EXPECT_EQ(w.chain.states().at(0).ticks_in, 2U);
  EXPECT_TRUE(w.told.all.empty());
}

TEST(Chain, GivingUpCountsWhatIsInside) {
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
