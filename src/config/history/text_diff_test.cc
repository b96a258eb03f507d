// Differences, checked by applying them.
#include "config/history/text_diff.h"

#include <gtest/gtest.h>

#include <random>

#include "base/text.h"

namespace monitor::config {
namespace {

// Applies a unified diff. "?" if it does not fit.
std::string patched(const std::string& before, const std::string& diff) {
  std::vector<std::string_view> lines;
  if (!before.empty()) lines = split(std::string_view(before).substr(0, before.size() - 1), '\n');
  std::string out;
  size_t at = 0;
  if (diff.empty()) return before;
  for (const std::string_view line : split(std::string_view(diff).substr(0, diff.size() - 1), '\n')) {
    if (line.starts_with("@@ -")) {
      const auto fields = split(line, ' ');
      const auto numbers = split(fields[1].substr(1), ',');
      const size_t begin = *parse_u64(numbers[0]) - (numbers[1] == "0" ? 0 : 1);
      if (begin < at || begin > lines.size()) return "?";
      for (; at < begin; ++at) out.append(lines[at]).append("\n");
      continue;
    }
    if (line[0] != '+' && (at >= lines.size() || lines[at++] != line.substr(1))) return "?";
    if (line[0] != '-') out.append(line.substr(1)).append("\n");
  }
  for (; at < lines.size(); ++at) out.append(lines[at]).append("\n");
  return out;
}

TEST(TextDiffTest, ShowsContextAndLineNumbers) {
  EXPECT_EQ(unified_diff("a\nb\nc\nd\ne\nf\ng\nh\n", "a\nb\nc\nd\nE\nf\ng\nh\n"),
            "@@ -2,7 +2,7 @@\n b\n c\n d\n-e\n+E\n f\n g\n h\n");
  EXPECT_EQ(unified_diff("", "a\n"), "@@ -0,0 +1,1 @@\n+a\n");
  EXPECT_EQ(unified_diff("a\n", ""), "@@ -1,1 +0,0 @@\n-a\n");
  EXPECT_EQ(unified_diff("a\n", "a\n"), "");
}

TEST(TextDiffTest, EveryDifferenceLeadsToTheOtherText) {
  std::mt19937 random(20);  // NOLINT(cert-msc32-c,cert-msc51-cpp): the same texts in every run
  for (int round = 0; round < 2000; ++round) {
    std::string texts[2];
    for (std::string& text : texts) {
      const auto lines = random() % 40;
      for (unsigned i = 0; i < lines; ++i) text.append(1, static_cast<char>('a' + random() % 4)).append("\n");
    }
    ASSERT_EQ(patched(texts[0], unified_diff(texts[0], texts[1])), texts[1]) << texts[0] << "\n" << texts[1];
  }
}

TEST(TextDiffTest, TextsWithNothingInCommonAreReplaced) {
  std::string before;
  std::string after;
  for (int i = 0; i < 3000; ++i) {
    before += "b" + std::to_string(i) + "\n";
    after += "a" + std::to_string(i) + "\n";
  }
  EXPECT_EQ(patched(before, unified_diff(before, after)), after);
}

TEST(TextDiffTest, DocumentsAreComparedAsJson) {
  EXPECT_EQ(document_diff(R"({"interval":5})", "{\n  \"interval\": 5\n}"), "");
  EXPECT_EQ(document_diff(R"({"interval":5})", R"({"interval":7})"),
            "@@ -1,3 +1,3 @@\n {\n-    \"interval\": 5\n+    \"interval\": 7\n }\n");
  EXPECT_EQ(document_diff(std::nullopt, "{}"), "@@ -0,0 +1,1 @@\n+{}\n");
  EXPECT_NE(document_diff("not json", R"({"interval":7})"), "");
  EXPECT_TRUE(same_document(std::nullopt, std::nullopt));
  EXPECT_FALSE(same_document(std::nullopt, "{}"));
  EXPECT_FALSE(same_document("x", "y"));
}

TEST(TextDiffTest, NamesTheValuesThatDiffer) {
  const auto changes = document_changes(R"({"interval":5,"labels":{"a":"1","b":"2"}})",
                                        R"({"labels":{"a":"1","b":"3","c/d":"4"},"metrics":["cpu"]})");
  ASSERT_EQ(changes.size(), 4U);
  EXPECT_EQ(changes[0].pointer, "/interval");
  EXPECT_EQ(changes[0].before, "5");
  EXPECT_EQ(changes[0].after, "");
  EXPECT_EQ(changes[1].pointer, "/labels/b");
  EXPECT_EQ(changes[2].pointer, "/labels/c~1d");
  EXPECT_EQ(changes[3].after, R"(["cpu"])");
}

}  // namespace
}  // namespace monitor::config
