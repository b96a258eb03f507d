// How documents change when fields are edited, and the schema that validates them.
#include "config/edit.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "config/schema.h"
#include "config/testing/fake_catalog.h"

namespace monitor::config {
namespace {

TEST(Edit, StartsFromDefaultsWithoutADocument) {
  const auto text = edit_document(std::nullopt, {{"interval", "7"}}, true, Edited::kOwn, FakeCatalog());
  ASSERT_TRUE(text);
  const auto document = Document::parse(*text);
  ASSERT_TRUE(document);
  const auto validated = validate({{"k", 0, *document}}, FakeCatalog());
  EXPECT_EQ(validated.settings.interval_ns, 7 * kNanosPerSecond);
  EXPECT_EQ(validated.settings.metrics.size(), 6U);
}

TEST(Edit, ChangesOnlyNamedFields) {
  const auto text = edit_document(R"({"interval": 2, "metrics": ["cpu"]})", {{"interval", "\"1m\""}}, true,
                                  Edited::kOwn, FakeCatalog());
  ASSERT_TRUE(text);
  EXPECT_EQ(*text, "{\n    \"interval\": \"1m\",\n    \"metrics\": [\n        \"cpu\"\n    ]\n}\n");
  EXPECT_FALSE(edit_document(R"({"interval": 2})", {{"interval", "0"}}, false, Edited::kOwn, FakeCatalog()));
}

TEST(Edit, AllowsGroupsOnlyInAnAgentsOwnDocument) {
  const FieldChange groups{"groups", R"(["web"])"};
  EXPECT_TRUE(edit_document(std::nullopt, {groups}, false, Edited::kOwn, FakeCatalog()));
  EXPECT_FALSE(edit_document(std::nullopt, {groups}, false, Edited::kShared, FakeCatalog()));
}

std::string edited(const std::optional<std::string>& current, const std::string& change,
                   const std::string& below = "{}") {
  const auto field = parse_field(change);
  if (!field) return field.error().message();
  const auto text = edit_document(current, {*field}, false, Edited::kOwn, FakeCatalog(), below);
  return text ? Document::parse(*text)->value().dump() : text.error().message();
}

TEST(Edit, AddsAndRemovesEntriesOfLists) {
  EXPECT_EQ(edited(R"({"metrics":["cpu"]})", "metrics+=memory"), R"({"metrics":["cpu","memory"]})");
  EXPECT_EQ(edited(R"({"metrics":["cpu","memory"]})", "metrics-=cpu"), R"({"metrics":["memory"]})");
  EXPECT_EQ(edited(R"({"metrics":["cpu"]})", "metrics-=memory"), R"({"metrics":["cpu"]})");
  EXPECT_EQ(edited(R"({"metrics":["cpu"]})", R"(metrics+=["cpu","load","swap"])"),
            R"({"metrics":["cpu","load","swap"]})");
  // An entry is known by its name: an object replaces it, a name leaves its options.
  EXPECT_EQ(edited(R"({"metrics":["cpu"]})", R"(metrics+={"name":"cpu","per_core":true})"),
            R"({"metrics":[{"name":"cpu","per_core":true}]})");
  EXPECT_EQ(edited(R"({"metrics":[{"name":"cpu","per_core":true}]})", "metrics+=cpu"),
            R"({"metrics":[{"name":"cpu","per_core":true}]})");
  EXPECT_EQ(edited(R"({"metrics":[{"name":"cpu","per_core":true},"load"]})", "metrics-=cpu"),
            R"({"metrics":["load"]})");
}

TEST(Edit, AListBeginsWithWhatIsInEffect) {
  EXPECT_EQ(edited(std::nullopt, "metrics+=load", R"({"metrics":["cpu"]})"), R"({"metrics":["cpu","load"]})");
  EXPECT_EQ(edited(R"({"metrics":null})", "metrics+=load", R"({"metrics":["cpu"]})"), R"({"metrics":["cpu","load"]})");
  EXPECT_EQ(edited(std::nullopt, "metrics+=load"),
            R"({"metrics":["cpu","memory","disk read","disk write","net in","net out","load"]})");
  EXPECT_EQ(edited(std::nullopt, "groups+=web"), R"({"groups":["web"]})");
}

TEST(Edit, OnlyListsHaveEntries) {
  using ::testing::HasSubstr;
  EXPECT_THAT(edited(std::nullopt, "interval+=5"), HasSubstr("+= and -= need a list"));
  EXPECT_THAT(edited(std::nullopt, "labels+=x"), HasSubstr("must be an object"));
  EXPECT_THAT(edited(std::nullopt, "metricss+=cpu"), HasSubstr("metrics"));
  EXPECT_THAT(edited(std::nullopt, "+=cpu"), HasSubstr("+"));
  EXPECT_TRUE(check_unchanged(R"({"metrics":["cpu"]})", R"({"metrics":["load"]})", {*parse_field("metrics+=swap")}));
}

TEST(Schema, DefaultsAreValid) {
  const auto document = Document::parse(default_document());
  ASSERT_TRUE(document);
  EXPECT_TRUE(validate({{"k", 0, *document}}, FakeCatalog()).problems.empty());
  for (const Setting& one : settings()) {
    const std::string name(one.name);
    const size_t slash = name.find('/');
    std::string text = "{\"" + name.substr(slash + 1) + "\": " + std::string(one.example) + "}";
    if (slash != std::string::npos) text = fmt::format(R"({{"{}": {}}})", name.substr(0, slash), text);
    const auto example = Document::parse(text);
    ASSERT_TRUE(example) << text;
    EXPECT_TRUE(validate({{"k", 0, *example, true}}, FakeCatalog()).ok()) << text;
  }
}

TEST(Schema, AcceptsEveryMetricOptionWhereItApplies) {
  for (const Selector& selector : selectors()) {
    for (const MetricOption& option : metric_options()) {
      const auto document =
          Document::parse("{\"metrics\": [{\"name\": \"" + std::string(selector.name) + "\", \"" +
                          std::string(option.setting.name) + "\": " + std::string(option.setting.example) + "}]}");
      ASSERT_TRUE(document);
      EXPECT_EQ(validate({{"k", 0, *document}}, FakeCatalog()).ok(), option.applies_to(selector.name))
          << selector.name << " " << option.setting.name;
    }
  }
}

}  // namespace
}  // namespace monitor::config
