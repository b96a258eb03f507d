#include "doctor/options_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace monitor::doctor {
namespace {

constexpr const char* kFile =
    "# Where to send to.\n#MONITOR_AGENT_SERVER=monitor.example.org:50051\n\nMONITOR_AGENT_GROUP=web\n# the end\n";

TEST(EditOptions, PutsAnOptionBelowTheCommentThatShowsIt) {
  EXPECT_EQ(*edit_options(kFile, {{"MONITOR_AGENT_SERVER", "a:1"}}),
            "# Where to send to.\n#MONITOR_AGENT_SERVER=monitor.example.org:50051\nMONITOR_AGENT_SERVER=a:1\n\n"
            "MONITOR_AGENT_GROUP=web\n# the end\n");
}

TEST(EditOptions, ReplacesInPlaceAndAppendsTheRest) {
  EXPECT_EQ(*edit_options("A=1\nB=2\nA=3\n", {{"A", "x y"}, {"C", "4"}}), "B=2\nA=\"x y\"\nC=4\n");
  EXPECT_EQ(*edit_options("", {{"A", "1"}}), "A=1\n");
  EXPECT_EQ(*edit_options("A=1\n", {{"A", ""}}), "A=\n");
}

TEST(EditOptions, IsIdempotent) {
  const OptionChanges changes = {{"MONITOR_AGENT_SERVER", "a:1"}, {"X", "$y"}};
  const auto once = edit_options(kFile, changes);
  ASSERT_TRUE(once.ok());
  EXPECT_EQ(*edit_options(*once, changes), *once);
  EXPECT_EQ(line_diff(*once, *once), "");
}

TEST(EditOptions, RemovesAnOption) {
  EXPECT_EQ(*edit_options("A=1\nB=2\n", {{"A", std::nullopt}, {"C", std::nullopt}}), "B=2\n");
}

TEST(EditOptions, RefusesWhatItCannotWriteOrRead) {
  EXPECT_FALSE(edit_options("", {{"A", "two\nlines"}}).ok());
  EXPECT_FALSE(edit_options("not an option\n", {{"A", "1"}}).ok());
}

TEST(LineDiff, ShowsRemovedAndAddedLines) { EXPECT_EQ(line_diff("A=1\nB=2\n", "A=3\nB=2\n"), "-A=1\n+A=3\n"); }

}  // namespace
}  // namespace monitor::doctor
