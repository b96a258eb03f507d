// A plugin in a fake host: starting, ticks, failures, quarantine, state.
#include "plugins/hosted/hosted_plugin.h"

#include <gtest/gtest.h>

#include "base/testing/fake_clock.h"
#include "plugins/hosted/testing/fake_links.h"

namespace monitor::agent {
namespace {

using plugin_wire::Type;
using Kind = HostedPlugin::Outcome::Kind;
using Phase = HostedPlugin::Phase;

constexpr int64_t kMs = kNanosPerMilli;

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
  EXPECT_TRUE(w.outcomes.empty()) << "the answer must come later";
  w.links.last().result(plugin_wire::Verdict::kUnchanged);
  w.run();
  EXPECT_EQ(w.links.last().sent.size(), 4U) << "a series must be sent only once";
  w.links.last().result(plugin_wire::Verdict::kDropped);
  w.run();
  w.links.last().result(plugin_wire::Verdict::kChanged, w.tick(7).points);
  EXPECT_EQ(w.outcomes, (std::vector<Kind>{Kind::kUnchanged, Kind::kDropped, Kind::kChanged}));
  ASSERT_EQ(w.points.size(), 1U);
  EXPECT_EQ(w.points[0].real, 7);
}

TEST(HostedPlugin, ReportsWhyItCannotStart) {
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

TEST(HostedPlugin, InternsAndChecksItsOwnSeries) {
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
  EXPECT_FALSE(w.links.last().killed.empty()) << "a host that sends invalid data must be killed";
}

TEST(HostedPlugin, RejectsASeriesThatItDoesNotKnow) {
  World w;
  ASSERT_TRUE(w.table.intern({"secret", {}, "1", metrics::Kind::kGauge, false, 0}));
  w.running();
  w.run();
  auto points = w.tick().points;
  points[0].series = 1;
  w.links.last().result(plugin_wire::Verdict::kChanged, points);
  EXPECT_EQ(w.outcomes.back(), Kind::kFailed);
}

TEST(HostedPlugin, DropsPointsOfTooManySeries) {
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
  EXPECT_EQ(w.plugin.error(), "it has created 5000 series, which is the limit; points of further series are dropped");
  // The restarted host defines them again.
  w.links.last().end("gone");
  w.timers.advance(HostedPlugin::kFirstWait);
  w.running();
  w.run();
  w.links.last().answer(Type::kDefine, defined);
  w.links.last().result(plugin_wire::Verdict::kChanged, points);
  EXPECT_EQ(w.points.size(), HostedPlugin::kMostNewSeries);
  EXPECT_EQ(w.table.size(), 1 + HostedPlugin::kMostNewSeries);
}

TEST(HostedPlugin, NewVersionSharesTheLimitOfSeries) {
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

TEST(HostedPlugin, MissedDeadlineCostsTheHostAndTheTick) {
  World w;
  w.running();
  w.run();
  w.timers.advance(HostedPlugin::kNativeDeadline - 1);
  EXPECT_TRUE(w.outcomes.empty());
  w.timers.advance(1);
  EXPECT_EQ(w.outcomes, std::vector<Kind>{Kind::kFailed});
  EXPECT_EQ(w.reason, "it did not answer within 1s");
  EXPECT_EQ(w.plugin.error_ns(), w.timers.clock().wall_ns());
  EXPECT_EQ(w.plugin.phase(), Phase::kWaiting);
  w.run();
  EXPECT_EQ(w.outcomes.back(), Kind::kAbsent) << "meanwhile";
  w.timers.advance(HostedPlugin::kFirstWait);
  ASSERT_EQ(w.links.all.size(), 2U);
  w.running();
  EXPECT_EQ(w.plugin.restarts(), 1U);
  EXPECT_EQ(w.plugin.error(), "it did not answer within 1s") << "the error must still be reported";
  w.run();
  EXPECT_EQ(w.links.last().sent[1].type, Type::kSeries) << "the new host must be sent the series again";
}

TEST(HostedPlugin, QuarantinesAPluginThatKeepsFailing) {
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
  ASSERT_EQ(w.links.all.size(), hosts + 1) << "it must be tried once more";
  w.running();
  w.run();
  w.links.last().end("again");
  EXPECT_EQ(w.plugin.phase(), Phase::kQuarantined) << "one more failure is enough";
}

TEST(HostedPlugin, LimitsItsLogLines) {
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
  EXPECT_EQ(count("log lines of a plugin were omitted plugin=p lines=30 limit=50 in=10s"), 2U);
}

TEST(HostedPlugin, CountsErrorsInARowLikeCrashes) {
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
    EXPECT_EQ(w.plugin.phase(), Phase::kRunning) << "a success in between must reset the count";
  }
  w.run();
  w.links.last().answer(Type::kFailed, "threw");
  EXPECT_EQ(w.plugin.phase(), Phase::kQuarantined);
  EXPECT_EQ(w.outcomes.back(), Kind::kFailed);
}

TEST(HostedPlugin, RestartsAnInnocentPluginAtOnce) {
  World w;
  w.running();
  w.links.last().end("another did it", false);
  ASSERT_EQ(w.links.all.size(), 2U);
  w.running();
  EXPECT_EQ(w.plugin.error(), "");
}

TEST(HostedPlugin, EndsAHostThatSendsUnexpectedAnswers) {
  for (const Type type : {Type::kResult, Type::kSaved, Type::kLoaded, Type::kFailed, Type::kRun}) {
    World w;
    w.running();
    w.links.last().answer(type, "");
    EXPECT_FALSE(w.links.last().killed.empty()) << static_cast<int>(type);
  }
}

// Two running versions that both keep a state; the new one is about to replace the old one.
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

TEST(HostedPlugin, PassesTheState) {
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

TEST(HostedPlugin, StartsWithoutAStateThatDoesNotArrive) {
  Replacement w;
  w.next.take_over(w.old);
  w.next.run(w.tick(), [](const HostedPlugin::Outcome&) {});
  w.timers.advance(HostedPlugin::kHandOverWithin);
  EXPECT_EQ(w.link->sent.back().type, Type::kRun) << "it must continue without the state";
}

// A new version whose restore() ends its process, or never returns, while a tick waits for it.
TEST(HostedPlugin, CrashInRestoreCostsTheWaitingTick) {
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

TEST(HostedPlugin, DoesNotRequestTheStateFromAnEndingHost) {
  Replacement w;
  w.old_link->kill("another script did it");
  w.next.take_over(w.old);
  w.next.run(w.tick(), [](const HostedPlugin::Outcome&) {});
  EXPECT_EQ(w.link->sent.back().type, Type::kRun) << "at once";
}

TEST(HostedPlugin, ConfiguredDeadlineAppliesToScripts) {
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

TEST(HostedPlugin, EndsAHostThatSendsBeforeItsSandboxIsComplete) {
  for (const auto& [type, payload] :
       {std::pair{Type::kLoaded, plugin_wire::Loaded{"p", "1", 0}.encode()},
        std::pair{Type::kLog, plugin_wire::LogLine{1, "hello"}.encode()}, std::pair{Type::kDefine, std::string()}}) {
    World w;
    w.links.last().answer(type, payload);
    EXPECT_EQ(w.links.last().killed, "it sent a message before its sandbox was complete");
    EXPECT_EQ(w.plugin.refusal(), "it sent a message before its sandbox was complete");
  }
}

TEST(HostedPlugin, AcceptsTheReportOfTheSandboxOnlyOnceAndBeforeThePluginRuns) {
  World forged_later;
  forged_later.running();
  EXPECT_EQ(forged_later.plugin.confined()->landlock, 7U);
  forged_later.links.last().confined();
  EXPECT_EQ(forged_later.links.last().killed, "it sent an unexpected report of its sandbox");
  World forged_twice;
  forged_twice.links.last().confined();
  forged_twice.links.last().confined();
  EXPECT_EQ(forged_twice.plugin.refusal(), "it sent an unexpected report of its sandbox");
  World damaged;
  damaged.links.last().answer(Type::kConfined, "x");
  EXPECT_EQ(damaged.plugin.refusal(), "it sent an unexpected report of its sandbox");
}

TEST(HostedPlugin, ReportsWhyItCannotBeLoadedBeforeTheSandbox) {
  World w;
  w.links.last().answer(Type::kFailed, "no such file");
  EXPECT_EQ(w.plugin.refusal(), "no such file");
}

TEST(HostedPlugin, QuarantinesAPluginThatUsesTooMuchProcessorTime) {
  World w;
  w.running();
  for (int i = 0; i < 21; ++i) {
    w.links.last().used = HostUsage{i * 500 * kMs, 2, 4096};
    w.timers.advance(500 * kMs);
  }
  EXPECT_EQ(w.plugin.phase(), Phase::kQuarantined);
  EXPECT_EQ(w.links.last().killed, "cpu: it used 1.00 processors over 10s, its limit is 0.50");
  EXPECT_EQ(w.plugin.error(), w.links.last().killed);
  EXPECT_EQ(w.plugin.usage().last().memory, 0U) << "there is no process";
}

TEST(HostedPlugin, QuarantinesAPluginWithTooManyThreads) {
  World w;
  w.running();
  w.links.last().used = HostUsage{0, 17, 4096};
  w.timers.advance(500 * kMs);
  EXPECT_EQ(w.plugin.phase(), Phase::kRunning);
  EXPECT_EQ(w.plugin.usage().threads(), 16U);
  w.links.last().used = HostUsage{0, 6001, 4096};
  w.timers.advance(500 * kMs);
  EXPECT_EQ(w.plugin.phase(), Phase::kQuarantined);
  EXPECT_EQ(w.plugin.error(), "threads: it has 6000, its limit is 16");
}

TEST(HostedPlugin, RejectsAPluginThatStartsTooManyThreadsWhileLoading) {
  World w;
  w.links.last().used = HostUsage{0, 100, 4096};
  w.timers.advance(500 * kMs);
  EXPECT_EQ(w.plugin.refusal(), "threads: it has 99, its limit is 16");
}

}  // namespace
}  // namespace monitor::agent
