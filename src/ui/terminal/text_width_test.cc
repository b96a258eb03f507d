#include "ui/terminal/text_width.h"

#include <gtest/gtest.h>

namespace monitor::analysis {
namespace {

TEST(TextWidth, CountsColumnsAsATerminalDoes) {
  EXPECT_EQ(text_width("agent-001"), 9U);
  EXPECT_EQ(text_width("größe"), 5U);
  EXPECT_EQ(text_width("日本"), 4U);
  EXPECT_EQ(text_width("e\u0301"), 1U) << "a combining accent takes no column of its own";
  EXPECT_EQ(text_width("한글"), 4U);
  EXPECT_EQ(text_width("🔥"), 2U);
  EXPECT_EQ(text_width("⣿▁"), 2U);
  EXPECT_EQ(text_width("\xff\xfe"), 2U) << "bytes that are not UTF-8";
}

TEST(TextWidth, FitsExactlyWithoutSplittingAWideCharacter) {
  EXPECT_EQ(fit_left("ab", 4), "ab  ");
  EXPECT_EQ(fit_right("ab", 4), "  ab");
  EXPECT_EQ(fit_left("abcdef", 4), "abcd");
  EXPECT_EQ(fit_left("abcdef", 4, "~"), "abc~");
  EXPECT_EQ(fit_left("日本語", 5), "日本 ");
  EXPECT_EQ(fit_left("日本語", 4, "~"), "日~ ");
  EXPECT_EQ(fit_left("e\u0301e\u0301e\u0301", 2), "e\u0301e\u0301");
  EXPECT_EQ(fit_left("abc", 0, "~"), "");
  EXPECT_EQ(fit_left("abc", 1, "~"), "a");
}

TEST(TextWidth, ReplacesWhatAsciiCannotShow) {
  EXPECT_EQ(to_ascii("größe 日本"), "gr??e ????");
  EXPECT_EQ(to_ascii("a\xff"), "a?");
}

}  // namespace
}  // namespace monitor::analysis
