// From documents to what is in force, and what is refused on the way.
#include "config/engine.h"

#include <gtest/gtest.h>

#include <map>

#include "config/edit.h"
#include "config/memory_source.h"
#include "config/schema.h"

namespace monitor::config {
namespace {

class FakeCatalog final : public PluginCatalog {
 public:
  std::vector<std::string> plugin_names() const override { return {"deduplication", "filter"}; }
  std::optional<Problem> check_plugin(const std::string& name, const std::string& config) const override {
    if (name != "filter" || config != "{}") return std::nullopt;
    Problem problem;
    problem.path = "/keep";
    problem.message = "must have a pattern";
    return problem;
  }
};

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
  World() : engine({"a", {"web", "eu"}, "", "/last-good"}, source, catalog, applier, disk) {}
  MemorySource source;
  FakeCatalog catalog;
  FakeApplier applier;
  MemoryDisk disk;
  ConfigEngine engine;
};

const std::string kOwn = "/monitor/config/a";

TEST(Engine, StartsOnDefaultsWhenThereIsNothing) {
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
  EXPECT_EQ(w.applier.settings.interval_ns, 8 * kNanosPerSecond) << "what is left is merged";
}

TEST(Engine, WrongDocumentLeavesTheRunningOne) {
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

TEST(Engine, RefusalNamesPathLineAndNearest) {
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

TEST(Engine, RevisionAdvancesThoughTheResultIsTheSame) {
  World w;
  w.source.put(kOwn, R"({"interval": 3})");
  w.engine.start();
  w.source.put(kOwn, R"({"interval":   3})");
  EXPECT_EQ(w.engine.state().applied, w.source.revision());
  EXPECT_EQ(w.applier.revision, w.source.revision());
}

TEST(Engine, DeletingTheLastLayerKeepsWhatRuns) {
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

TEST(Engine, WhatNeverWasThereIsNotDeleted) {
  World w;
  w.engine.start_without_source(Error(Code::kUnavailable, "nobody there"));
  ASSERT_TRUE(w.engine.running());
  w.engine.start();  // the source answers: no keys
  EXPECT_FALSE(w.engine.state().deleted);
  EXPECT_EQ(w.engine.state().error, "");
}

TEST(Engine, ApplierMayRefuse) {
  World w;
  w.source.put(kOwn, R"({"interval": 3})");
  w.engine.start();
  w.applier.refuse = true;
  w.source.put(kOwn, R"({"interval": 4})");
  EXPECT_NE(w.engine.state().error.find("cannot start"), std::string::npos);
  EXPECT_EQ(w.engine.settings().interval_ns, 3 * kNanosPerSecond);
  w.applier.refuse = false;
  w.engine.reevaluate();
  EXPECT_EQ(w.applier.settings.interval_ns, 4 * kNanosPerSecond) << "an input changed: tried again";
}

TEST(Engine, StartsOnTheLastGoodOne) {
  World w;
  w.source.put(kOwn, R"({"interval": 3})");
  w.engine.start();
  ASSERT_TRUE(w.disk.files.contains("/last-good"));

  FakeApplier applier;
  MemorySource broken;
  broken.put(kOwn, "{");
  ConfigEngine second({"a", {}, "", "/last-good"}, broken, w.catalog, applier, w.disk);
  second.start();
  EXPECT_EQ(applier.settings.interval_ns, 3 * kNanosPerSecond);
  EXPECT_NE(second.state().error, "");

  FakeApplier away;
  MemorySource never;
  ConfigEngine third({"a", {}, "", "/last-good"}, never, w.catalog, away, w.disk);
  third.start_without_source(Error(Code::kUnavailable, "no etcd"));
  EXPECT_EQ(away.settings.interval_ns, 3 * kNanosPerSecond);
}

TEST(Engine, DamagedLastGoodIsNotUsed) {
  World w;
  w.source.put(kOwn, R"({"interval": 3})");
  w.engine.start();
  const std::string whole = w.disk.files["/last-good"];
  for (size_t cut = 0; cut < whole.size(); ++cut) {
    w.disk.files["/last-good"] = whole.substr(0, cut);
    FakeApplier applier;
    MemorySource never;
    ConfigEngine engine({"a", {}, "", "/last-good"}, never, w.catalog, applier, w.disk);
    engine.start_without_source(Error(Code::kUnavailable, "no etcd"));
    ASSERT_EQ(applier.settings.interval_ns, 5 * kNanosPerSecond) << "cut at " << cut;
  }
}

TEST(Engine, FullDiskStopsNothing) {
  World w;
  w.disk.full = true;
  w.source.put(kOwn, R"({"interval": 3})");
  w.engine.start();
  EXPECT_EQ(w.applier.settings.interval_ns, 3 * kNanosPerSecond);
}

TEST(Edit, WritesDefaultsWhenThereIsNothing) {
  const auto text = edit_document(std::nullopt, {{"interval", "7"}}, true, FakeCatalog());
  ASSERT_TRUE(text);
  const auto document = Document::parse(*text);
  ASSERT_TRUE(document);
  const auto validated = validate({{"k", 0, *document}}, FakeCatalog());
  EXPECT_EQ(validated.settings.interval_ns, 7 * kNanosPerSecond);
  EXPECT_EQ(validated.settings.metrics.size(), 6U);
}

TEST(Edit, ChangesOnlyWhatIsNamed) {
  const auto text =
      edit_document(R"({"interval": 2, "metrics": ["cpu"]})", {{"interval", "\"1m\""}}, true, FakeCatalog());
  ASSERT_TRUE(text);
  EXPECT_EQ(*text, "{\n    \"interval\": \"1m\",\n    \"metrics\": [\n        \"cpu\"\n    ]\n}\n");
  EXPECT_FALSE(edit_document(R"({"interval": 2})", {{"interval", "0"}}, false, FakeCatalog()));
}

TEST(Schema, DefaultsAreValid) {
  const auto document = Document::parse(default_document());
  ASSERT_TRUE(document);
  EXPECT_TRUE(validate({{"k", 0, *document}}, FakeCatalog()).problems.empty());
  for (const Setting& one : settings()) {
    const auto example = Document::parse("{\"" + std::string(one.name) + "\": " + std::string(one.example) + "}");
    ASSERT_TRUE(example) << one.name;
    EXPECT_TRUE(validate({{"k", 0, *example}}, FakeCatalog()).ok()) << one.name;
  }
}

}  // namespace
}  // namespace monitor::config
