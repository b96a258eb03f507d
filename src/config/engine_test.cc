// From documents to applied settings, and the documents that are rejected.
#include "config/engine.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <map>

#include "base/event_loop.h"
#include "base/log.h"
#include "base/testing/fake_clock.h"
#include "base/testing/manual_worker.h"
#include "base/time_format.h"
#include "config/schema.h"
#include "config/testing/fake_catalog.h"
#include "config/testing/memory_source.h"

namespace monitor::config {
namespace {

class MemoryDisk final : public Disk {
 public:
  Result<std::string> read_file(const std::string& path, size_t) override {
    const auto found = files.find(path);
    if (found == files.end()) return Error(Code::kNotFound, "no " + path);
    return found->second;
  }
  Status write_file(const std::string& path, std::string_view content) override {
    if (full) return Error(Code::kResourceExhausted, "disk full");
    files[path] = content;
    return {};
  }
  Status make_folder(const std::string&) override { return {}; }
  Status remove_file(const std::string& path) override {
    files.erase(path);
    return {};
  }
  std::map<std::string, std::string> files;
  bool full = false;
};

class FakeApplier final : public Applier {
 public:
  std::optional<Problem> apply(const Settings& s, int64_t r) override {
    if (refuse) {
      Problem problem;
      problem.message = "cannot start";
      return problem;
    }
    settings = s;
    revision = r;
    ++applied;
    return std::nullopt;
  }
  Settings settings;
  int64_t revision = -1;
  int applied = 0;
  bool refuse = false;
};

struct World {
  World() : engine(timers, {"a", {"web", "eu"}}, source, catalog, applier, &last_good) {}
  FakeTimers timers;
  MemorySource source;
  FakeCatalog catalog;
  FakeApplier applier;
  MemoryDisk disk;
  ManualWorker worker;
  LastGood last_good{disk, worker, "/last-good"};
  ConfigEngine engine;
};

const std::string kOwn = "/monitor/config/a";

TEST(Engine, StartsWithDefaultsWithoutDocuments) {
  World w;
  w.engine.start();
  EXPECT_EQ(w.applier.settings.interval_ns, 5 * kNanosPerSecond);
  EXPECT_EQ(w.applier.settings.metrics.size(), 6U);
  EXPECT_EQ(w.applier.revision, 0);
}

TEST(Engine, SeedsDocumentWorksUnchanged) {
  World w;
  w.source.put(kOwn, R"({"interval": 5, "metrics": ["cpu", "memory", "disk read", "disk write", "net in", "net out"],
                         "plugins": ["agent.plugins.deduplication.DeduplicationPlugin"]})");
  w.engine.start();
  EXPECT_EQ(w.engine.state().error, "");
  ASSERT_EQ(w.applier.settings.plugins.size(), 1U);
  EXPECT_EQ(w.applier.settings.plugins[0].name, "deduplication");
}

TEST(Engine, LayersMergeLowestFirst) {
  World w;
  w.source.put("/monitor/defaults", R"({"interval": 10, "labels": {"site": "x", "rack": "1"}})");
  w.source.put("/monitor/groups/web", R"({"interval": 8, "labels": {"rack": null}})");
  w.source.put("/monitor/groups/eu", R"({"send_every": 2, "labels": {"site": "eu"}})");
  w.source.put(kOwn, R"({"interval": "250ms"})");
  w.engine.start();
  EXPECT_EQ(w.applier.settings.interval_ns, 250 * kNanosPerMilli);
  EXPECT_EQ(w.applier.settings.send_every_ns, 2 * kNanosPerSecond);
  EXPECT_EQ(w.applier.settings.labels, (metrics::Labels{{"site", "eu"}}));
  w.source.remove(kOwn);
  EXPECT_EQ(w.applier.settings.interval_ns, 8 * kNanosPerSecond) << "the remaining layers are merged";
}

TEST(Engine, InvalidDocumentKeepsTheRunningSettings) {
  World w;
  w.source.put(kOwn, R"({"interval": 3})");
  w.engine.start();
  const std::vector<std::pair<std::string, std::string>> wrong = {
      {"", "not JSON"},
      {"{", "not JSON"},
      {"nonsense", "not JSON"},
      {"[]", "must be an object"},
      {R"({"interval": 0})", "/interval"},
      {R"({"interval": -1})", "/interval"},
      {R"({"interval": 1e300})", "/interval"},
      {R"({"interval": "5 parsecs"})", "/interval"},
      {R"({"interval": null, "metrics": 5})", "/metrics"},
      {R"({"intervall": 5})", "did you mean \"interval\""},
      {R"({"metrics": ["cpuu"]})", "did you mean \"cpu\""},
      {R"({"metrics": ["cpu", "cpu"]})", "listed twice"},
      {R"({"metrics": [{"name": "cpu", "per_device": true}]})", "option of \"cpu\""},
      {R"({"metrics": [{"name": "cpu", "per_core": 1}]})", "true or false"},
      {R"({"plugins": ["dedup"]})", "unknown plugin"},
      {R"({"plugins": ["filter"]})", "/plugins/0/config/keep"},
      {R"({"plugins": [{"name": "filter", "confg": {}}]})", "did you mean \"config\""},
      {R"({"interval": 5, "interval": 6})", "duplicate key"},
      {R"({"labels": {"a": 1}})", "/labels/a"},
      {"{\"labels\": {\"a\": \"\xFF\"}}", "not JSON"},
      {std::string(10 * kMaxDocumentBytes, ' '), "2621440 bytes"},
      {std::string(1000, '['), "nested deeper"},
  };
  for (const auto& [document, part] : wrong) {
    w.source.put(kOwn, document);
    EXPECT_NE(w.engine.state().error.find(part), std::string::npos)
        << document.substr(0, 60) << " gave: " << w.engine.state().error;
    EXPECT_EQ(w.applier.settings.interval_ns, 3 * kNanosPerSecond);
    EXPECT_EQ(w.engine.state().last_failed, w.source.revision());
  }
  w.source.put(kOwn, R"({"interval": 4})");
  EXPECT_EQ(w.engine.state().error, "");
  EXPECT_EQ(w.applier.settings.interval_ns, 4 * kNanosPerSecond);
}

TEST(Engine, ErrorNamesPathLineAndNearestName) {
  const auto document = Document::parse("{\n  \"metrics\": [\n    \"cpu\",\n    \"memory\",\n    \"dsk read\"\n  ]\n}");
  ASSERT_TRUE(document);
  const auto validated = validate({{"/monitor/config/a", 7, *document}}, FakeCatalog());
  ASSERT_EQ(validated.problems.size(), 1U);
  const Problem& problem = validated.problems[0];
  EXPECT_EQ(problem.path, "/metrics/2");
  EXPECT_EQ(problem.line, 5);
  EXPECT_EQ(problem.got, "\"dsk read\"");
  EXPECT_EQ(problem.known, "disk read");
  EXPECT_EQ(problem.key, "/monitor/config/a");
}

TEST(Engine, RevisionAdvancesWithoutAChangeOfSettings) {
  World w;
  w.source.put(kOwn, R"({"interval": 3})");
  w.engine.start();
  w.source.put(kOwn, R"({"interval":   3})");
  EXPECT_EQ(w.engine.state().applied, w.source.revision());
  EXPECT_EQ(w.applier.revision, w.source.revision());
}

TEST(Engine, DeletingTheLastLayerKeepsTheSettings) {
  World w;
  w.source.put(kOwn, R"({"interval": 3})");
  w.engine.start();
  w.source.remove(kOwn);
  EXPECT_TRUE(w.engine.state().deleted);
  EXPECT_EQ(w.applier.settings.interval_ns, 3 * kNanosPerSecond);
  w.source.put(kOwn, R"({"interval": 4})");
  EXPECT_FALSE(w.engine.state().deleted);
  EXPECT_EQ(w.applier.settings.interval_ns, 4 * kNanosPerSecond);
}

TEST(Engine, ReportsNoDeletionWithoutAnEarlierDocument) {
  World w;
  w.engine.start_without_source(Error(Code::kUnavailable, "nobody there"));
  ASSERT_TRUE(w.engine.running());
  w.engine.start();  // the source answers: no keys
  EXPECT_FALSE(w.engine.state().deleted);
  EXPECT_EQ(w.engine.state().error, "");
}

TEST(Engine, ReportsSettingsThatTheApplierRejects) {
  World w;
  w.source.put(kOwn, R"({"interval": 3})");
  w.engine.start();
  w.applier.refuse = true;
  w.source.put(kOwn, R"({"interval": 4})");
  EXPECT_NE(w.engine.state().error.find("cannot start"), std::string::npos);
  EXPECT_EQ(w.engine.settings().interval_ns, 3 * kNanosPerSecond);
  w.applier.refuse = false;
  w.engine.reevaluate();
  EXPECT_EQ(w.applier.settings.interval_ns, 4 * kNanosPerSecond) << "reevaluate() must try again";
}

TEST(Engine, NamesTheDocumentsThatItRefuses) {
  World w;
  const std::string good = R"({"interval": 3, "groups": ["db"]})";
  w.source.put(kOwn, good);
  w.engine.start();
  EXPECT_EQ(w.engine.state().refused, "");
  const std::string bad = R"({"interval": 0, "groups": ["mail"]})";
  w.source.put("/monitor/groups/mail", "{}");
  w.source.put(kOwn, bad);
  KeySet keys;
  keys.entries[kOwn] = {bad};
  keys.entries["/monitor/groups/mail"] = {"{}"};
  EXPECT_EQ(w.engine.state().refused, contents_mark_of(keys));
  EXPECT_EQ(w.engine.state().refused_groups, (std::vector<std::string>{"web", "eu", "mail"}));
  EXPECT_EQ(w.engine.state().groups, (std::vector<std::string>{"web", "eu", "db"})) << "the groups in force";
  w.source.put(kOwn, std::string(10 * kMaxDocumentBytes, ' '));
  EXPECT_EQ(w.engine.state().refused, "") << "another reader may be able to read it";
}

TEST(Engine, NamesNoOwnDocumentThatOthersDoNotSee) {
  World w;
  ConfigEngine hidden(w.timers, {"a", {}, "/elsewhere"}, w.source, w.catalog, w.applier, nullptr);
  w.source.put("/elsewhere", R"({"interval": 0})");
  w.source.put("/monitor/defaults", R"({"interval": 4})");
  hidden.start();
  KeySet keys;
  keys.entries["/monitor/defaults"] = {R"({"interval": 4})"};
  EXPECT_NE(hidden.state().error, "");
  EXPECT_EQ(hidden.state().refused, contents_mark_of(keys));
}

TEST(Engine, StartsWithTheLastGoodConfiguration) {
  World w;
  w.source.put(kOwn, R"({"interval": 3})");
  w.engine.start();
  ASSERT_FALSE(w.disk.files.contains("/last-good")) << "the loop must not wait for the disk";
  w.worker.run_all();
  ASSERT_TRUE(w.disk.files.contains("/last-good"));

  FakeApplier applier;
  MemorySource broken;
  broken.put(kOwn, "{");
  ConfigEngine second(w.timers, {"a"}, broken, w.catalog, applier, &w.last_good);
  second.start();
  EXPECT_EQ(applier.settings.interval_ns, 3 * kNanosPerSecond);
  EXPECT_NE(second.state().error, "");

  FakeApplier away;
  MemorySource never;
  ConfigEngine third(w.timers, {"a"}, never, w.catalog, away, &w.last_good);
  third.start_without_source(Error(Code::kUnavailable, "no etcd"));
  EXPECT_EQ(away.settings.interval_ns, 3 * kNanosPerSecond);
}

TEST(Engine, DamagedLastGoodIsNotUsed) {
  World w;
  w.source.put(kOwn, R"({"interval": 3})");
  w.engine.start();
  w.worker.run_all();
  const std::string whole = w.disk.files["/last-good"];
  for (size_t cut = 0; cut < whole.size(); ++cut) {
    w.disk.files["/last-good"] = whole.substr(0, cut);
    FakeApplier applier;
    MemorySource never;
    ConfigEngine engine(w.timers, {"a"}, never, w.catalog, applier, &w.last_good);
    engine.start_without_source(Error(Code::kUnavailable, "no etcd"));
    ASSERT_EQ(applier.settings.interval_ns, 5 * kNanosPerSecond) << "cut at " << cut;
  }
}

TEST(Engine, ContinuesOnAFullDisk) {
  World w;
  w.disk.full = true;
  w.source.put(kOwn, R"({"interval": 3})");
  w.engine.start();
  w.worker.run_all();
  EXPECT_EQ(w.applier.settings.interval_ns, 3 * kNanosPerSecond);
}

TEST(Engine, ReadsAndValidatesEveryKindOfValue) {
  World w;
  w.source.put(kOwn, R"({"interval": 2, "log_level": "debug", "spool": {"max": "256MiB", "full": "drop-newest"},
    "metrics": [{"name": "cpu", "interval": "100ms"}, {"name": "net in", "include": ["eth*"], "exclude": ["eth9"]},
                {"name": "processes", "top": 3, "groups": ["a*"]}]})");
  w.engine.start();
  const Settings& s = w.engine.settings();
  EXPECT_EQ(w.engine.state().error, "");
  EXPECT_EQ(s.log_level, LogLevel::kDebug);
  EXPECT_EQ(s.spool_max_bytes, uint64_t{256} << 20);
  EXPECT_EQ(s.spool_drops_newest, true);
  EXPECT_EQ(s.interval_of(s.metrics[0]), 100 * kNanosPerMilli);
  EXPECT_EQ(s.interval_of(s.metrics[1]), 2 * kNanosPerSecond);
  EXPECT_EQ(s.metrics[1].include, std::vector<std::string>{"eth*"});
  EXPECT_EQ(s.metrics[2].count(metrics::kTop), 3);
  EXPECT_EQ(s.metrics[2].patterns_of("groups"), std::vector<std::string>{"a*"});
  EXPECT_TRUE(s.metrics[1].patterns_of("groups").empty());
  EXPECT_EQ(s.metrics[1].count(metrics::kTop), 10) << "the usual value";
  const std::vector<std::pair<std::string, std::string>> wrong = {
      {R"({"log_level": "debugg"})", "did you mean \"debug\""},
      {R"({"log_level": 3})", "must be debug, info, warning, error or off"},
      {R"({"spool": 5})", "/spool"},
      {R"({"spool": {"mx": 1}})", "did you mean \"max\""},
      {R"({"spool": {"max": 1000}})", "1 MiB to 1 TiB"},
      {R"({"spool": {"max": "1 furlong"}})", "/spool/max"},
      {R"({"spool": {"max": -1}})", "/spool/max"},
      {R"({"spool": {"full": "drop"}})", "drop-oldest or drop-newest"},
      {R"({"metrics": [{"name": "cpu", "interval": 0.001}]})", "/metrics/0/interval"},
      {R"({"metrics": [{"name": "cpu", "include": ["a"]}]})", "option of \"cpu\""},
      {R"({"metrics": [{"name": "net in", "include": "eth0"}]})", "must be a list"},
      {R"({"metrics": [{"name": "net in", "include": [""]}]})", "/metrics/0/include/0"},
      {R"({"metrics": [{"name": "processes", "top": -1}]})", "a whole number from 0 to 100"},
      {R"({"metrics": [{"name": "processes", "top": 101}]})", "/metrics/0/top"},
      {R"({"metrics": [{"name": "processes", "top": 2.5}]})", "/metrics/0/top"},
      {R"({"metrics": [{"name": "processes", "groups": "a"}]})", "must be a list"},
      {R"({"metrics": [{"name": "cpu", "top": 5}]})", "option of \"cpu\""},
      {R"({"groups": "web"})", "/groups"},
      {R"({"groups": ["we b"]})", "/groups/0"},
  };
  for (const auto& [document, part] : wrong) {
    w.source.put(kOwn, document);
    EXPECT_NE(w.engine.state().error.find(part), std::string::npos) << document << " gave: " << w.engine.state().error;
    EXPECT_EQ(w.engine.settings().interval_ns, 2 * kNanosPerSecond);
  }
}

TEST(Engine, AddsDefaultMetricsAndLetsOthersBeMissing) {
  World w;
  w.source.put(kOwn,
               R"({"metrics": [{"name": "cpu", "per_core": true}, "default", "sensors?", "of another version?"]})");
  w.engine.start();
  EXPECT_EQ(w.engine.state().error, "");
  const auto& metrics = w.engine.settings().metrics;
  std::vector<std::string> names;
  for (const auto& one : metrics) names.push_back(one.name);
  EXPECT_EQ(names,
            (std::vector<std::string>{"cpu", "sensors", "memory", "disk read", "disk write", "net in", "net out"}));
  EXPECT_TRUE(metrics[0].has("per_core")) << "the list's own entry counts";
  EXPECT_TRUE(metrics[1].has(kOptional));
  EXPECT_FALSE(metrics[2].has(kOptional));
  for (const std::string wrong :
       {R"({"metrics": ["sensor"]})", R"({"metrics": [{"name": "default", "counters": true}]})",
        R"({"metrics": ["cpu", "cpu?"]})", R"({"metrics": ["?"]})"}) {
    w.source.put(kOwn, wrong);
    EXPECT_NE(w.engine.state().error.find("/metrics/"), std::string::npos) << wrong << ": " << w.engine.state().error;
  }
}

TEST(Engine, FollowsTheGroupsOfTheDocument) {
  World w;
  w.source.put("/monitor/groups/web", R"({"interval": 7, "labels": {"role": "web"}})");
  w.source.put("/monitor/groups/db", R"({"interval": 8, "labels": {"role": "db"}})");
  w.source.put(kOwn, R"({"send_every": 2})");
  w.engine.start();
  EXPECT_EQ(w.engine.settings().interval_ns, 7 * kNanosPerSecond) << "the group of the command line";
  w.source.put(kOwn, R"({"groups": ["db", "web"]})");
  EXPECT_EQ(w.engine.settings().interval_ns, 8 * kNanosPerSecond)
      << "later groups take precedence, and web keeps its place";
  EXPECT_EQ(w.engine.state().groups, (std::vector<std::string>{"web", "eu", "db"}));
  w.source.put("/monitor/groups/db", R"({"interval": 9})");
  EXPECT_EQ(w.engine.settings().interval_ns, 9 * kNanosPerSecond);
  EXPECT_EQ(w.engine.settings().labels, (metrics::Labels{{"role", "web"}}));
  w.source.put(kOwn, "{}");
  EXPECT_EQ(w.engine.settings().interval_ns, 7 * kNanosPerSecond);
  w.source.put("/monitor/groups/db", R"({"interval": 1})");
  EXPECT_EQ(w.engine.settings().interval_ns, 7 * kNanosPerSecond) << "the group is no longer listed";
  w.source.put("/monitor/defaults", R"({"groups": ["db"]})");
  EXPECT_NE(w.engine.state().error.find("only in an agent's own document"), std::string::npos);
}

TEST(Engine, AppliesADocumentThatNamesAnEmptyGroup) {
  World w;
  w.source.put(kOwn, R"({"interval": 2})");
  w.engine.start();
  w.source.put(kOwn, R"({"interval": 3, "groups": ["nobody"]})");
  EXPECT_EQ(w.engine.settings().interval_ns, 3 * kNanosPerSecond);
  EXPECT_EQ(w.engine.state().groups, (std::vector<std::string>{"web", "eu", "nobody"}));
  w.source.put(kOwn, R"({"interval": 4})");
  EXPECT_EQ(w.engine.settings().interval_ns, 4 * kNanosPerSecond);
  EXPECT_EQ(w.engine.state().groups, (std::vector<std::string>{"web", "eu"}));
}

std::string until(const World& w, int64_t seconds, const std::string& rest) {
  const int64_t end = w.timers.clock().wall_ns() + seconds * kNanosPerSecond;
  return "{\"expires_at\": \"" + format_rfc3339(end, 3) + "\", " + rest + "}";
}

TEST(Engine, OverridesTakePrecedenceAndExpire) {
  World w;
  w.source.put(kOwn, R"({"interval": 5})");
  w.engine.start();
  w.source.put("/monitor/overrides/groups/web/slow", until(w, 100, R"("interval": 60)"));
  EXPECT_EQ(w.engine.settings().interval_ns, 60 * kNanosPerSecond);
  w.source.put("/monitor/overrides/agents/a/quick", until(w, 30, R"("interval": "100ms")"));
  EXPECT_EQ(w.engine.settings().interval_ns, 100 * kNanosPerMilli)
      << "the agent's override is above those of its groups";
  w.source.put("/monitor/overrides/all/calm", until(w, 200, R"("interval": 20, "log_level": "debug")"));
  EXPECT_EQ(w.engine.settings().interval_ns, 100 * kNanosPerMilli) << "those of all agents are the lowest";
  EXPECT_EQ(w.engine.settings().log_level, LogLevel::kDebug);
  EXPECT_EQ(w.engine.state().overrides, (std::vector<std::string>{"all/calm", "groups/web/slow", "agents/a/quick"}));
  w.timers.advance(31 * kNanosPerSecond);
  EXPECT_EQ(w.engine.settings().interval_ns, 60 * kNanosPerSecond) << "it has expired, although its key still exists";
  w.timers.advance(70 * kNanosPerSecond);
  EXPECT_EQ(w.engine.settings().interval_ns, 20 * kNanosPerSecond) << "it is above the agent's own document";
  w.timers.advance(100 * kNanosPerSecond);
  EXPECT_EQ(w.engine.settings().interval_ns, 5 * kNanosPerSecond);
  w.source.put("/monitor/overrides/agents/a/open", R"({"interval": 3})");
  EXPECT_EQ(w.engine.settings().interval_ns, 3 * kNanosPerSecond)
      << "without a time, an override lasts as long as its key";
  w.source.remove("/monitor/overrides/agents/a/open");
  EXPECT_EQ(w.engine.settings().interval_ns, 5 * kNanosPerSecond);
}

TEST(Engine, OverrideExpiresEvenIfTheNewestDocumentIsInvalid) {
  World w;
  w.source.put(kOwn, R"({"interval": 5})");
  w.engine.start();
  w.source.put("/monitor/overrides/agents/a/quick", until(w, 30, R"("interval": 1)"));
  w.source.put(kOwn, R"({"interval": -1})");
  EXPECT_NE(w.engine.state().error, "") << "the error is reported although the override hides it";
  EXPECT_EQ(w.engine.settings().interval_ns, kNanosPerSecond);
  w.timers.advance(31 * kNanosPerSecond);
  EXPECT_EQ(w.engine.settings().interval_ns, 5 * kNanosPerSecond);
  EXPECT_NE(w.engine.state().error, "") << "the failed document is still reported";
}

TEST(Engine, OverrideExpiresWhenTheClockIsSet) {
  World w;
  w.source.put(kOwn, R"({"interval": 5})");
  w.engine.start();
  w.source.put("/monitor/overrides/agents/a/quick", until(w, 3600, R"("interval": 1)"));
  w.timers.fake_clock().step_wall(3600 * kNanosPerSecond);
  w.timers.advance(290 * kNanosPerSecond);
  EXPECT_EQ(w.engine.settings().interval_ns, kNanosPerSecond) << "the new time is not confirmed yet";
  w.timers.advance(30 * kNanosPerSecond);
  EXPECT_EQ(w.engine.settings().interval_ns, 5 * kNanosPerSecond);
}

TEST(Engine, OverrideSurvivesAClockThatIsWrongForAMinute) {
  World w;
  w.source.put(kOwn, R"({"interval": 5})");
  w.engine.start();
  w.source.put("/monitor/overrides/agents/a/quick", until(w, 3600, R"("interval": 1)"));
  w.timers.fake_clock().step_wall(int64_t{30} * 24 * 3600 * kNanosPerSecond);
  w.source.put(kOwn, R"({"interval": 6})");
  w.timers.advance(60 * kNanosPerSecond);
  w.timers.fake_clock().step_wall(int64_t{-30} * 24 * 3600 * kNanosPerSecond);
  w.timers.advance(3500 * kNanosPerSecond);
  EXPECT_EQ(w.engine.settings().interval_ns, kNanosPerSecond);
  w.timers.advance(60 * kNanosPerSecond);
  EXPECT_EQ(w.engine.settings().interval_ns, 6 * kNanosPerSecond) << "the override must end on time";
}

TEST(Engine, RejectsInvalidOverridesByName) {
  World w;
  w.source.put(kOwn, R"({"interval": 5})");
  w.engine.start();
  for (const char* text : {"{", "[]", R"({"expires_at": 5})", R"({"expires_at": "soon"})", R"({"intervl": 5})"}) {
    w.source.put("/monitor/overrides/agents/a/bad", text);
    EXPECT_NE(w.engine.state().error.find("/monitor/overrides/agents/a/bad"), std::string::npos)
        << text << " gave: " << w.engine.state().error;
    EXPECT_EQ(w.engine.settings().interval_ns, 5 * kNanosPerSecond);
  }
}

TEST(Engine, LastGoodConfigurationKeepsItsOverrides) {
  World w;
  w.source.put(kOwn, R"({"interval": 5})");
  w.source.put("/monitor/overrides/agents/a/quick", until(w, 30, R"("interval": 1)"));
  w.engine.start();
  w.worker.run_all();
  FakeApplier applier;
  MemorySource never;
  ConfigEngine second(w.timers, {"a"}, never, w.catalog, applier, &w.last_good);
  second.start_without_source(Error(Code::kUnavailable, "no etcd"));
  EXPECT_EQ(applier.settings.interval_ns, kNanosPerSecond);
  w.timers.advance(31 * kNanosPerSecond);
  EXPECT_EQ(applier.settings.interval_ns, 5 * kNanosPerSecond);
}

TEST(Engine, SameKeysAtALaterRevisionDoNotReload) {
  World w;
  w.source.put(kOwn, R"({"interval": 5})");
  w.engine.start();
  const uint64_t reloads = w.engine.state().reloads;
  int changes = 0;
  w.engine.set_on_change([&] { ++changes; });
  KeySet same{99, {{kOwn, {R"({"interval": 5})", {}, 1}}}};
  w.engine.on_keys(same);
  EXPECT_EQ(w.engine.state().applied, 99);
  EXPECT_EQ(w.applier.revision, 1) << "batches must carry the document's own revision";
  EXPECT_EQ(w.engine.state().revision, 1);
  EXPECT_EQ(w.engine.state().reloads, reloads);
  EXPECT_EQ(changes, 1);
}

}  // namespace
}  // namespace monitor::config
