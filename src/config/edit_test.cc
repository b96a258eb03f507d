// How documents change when fields are edited, and the schema that validates them.
#include "config/edit.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

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
