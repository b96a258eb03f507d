// Which records a change adds and drops, and how versions of two origins are merged.
#include "config/history/trail.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/clock.h"
#include "config/history/versions.h"

namespace monitor::config {
namespace {

using ::testing::ElementsAre;

constexpr int64_t kNow = int64_t{1767323040} * kNanosPerSecond;  // 2026-01-02T03:04:00Z

ChangeNote note(const std::string& author = "alice") { return {author, AuthorKind::kEtcdUser, "", "why", "set", kNow}; }

ChangeRecord record(uint64_t number, const std::optional<std::string>& text) {
  ChangeRecord one;
  one.number = number;
  one.note = note();
  set_text(one, text);
  return one;
}

TEST(TrailTest, TheFirstChangeIsNumberOne) {
  const TrailStep step = next_step(std::nullopt, {}, "a", note(), false);
  ASSERT_EQ(step.added.size(), 1U);
  EXPECT_EQ(step.added[0].number, 1U);
  EXPECT_EQ(step.added[0].text, "a");
  EXPECT_EQ(step.dropped_through, 0U);
}

TEST(TrailTest, AnOlderDocumentGetsARecordOfItsOwn) {
  const TrailStep step = next_step(std::nullopt, {"before", 9}, "a", note(), false);
  ASSERT_EQ(step.added.size(), 2U);
  EXPECT_TRUE(step.added[0].found);
  EXPECT_EQ(step.added[0].revision, 9);
  EXPECT_EQ(step.added[0].text, "before");
  EXPECT_EQ(step.added[0].note.author, "");
  EXPECT_EQ(step.added[0].note.at_ns, kNow);
  EXPECT_EQ(step.added[1].number, 2U);
  EXPECT_EQ(step.added[1].note.author, "alice");
}

TEST(TrailTest, NoticesWhatWasChangedByHand) {
  const TrailStep changed = next_step(record(4, "a"), {"by hand", 20}, "b", note(), false);
  ASSERT_EQ(changed.added.size(), 2U);
  EXPECT_EQ(changed.added[0].text, "by hand");
  EXPECT_EQ(changed.added[0].number, 5U);
  EXPECT_EQ(changed.added[1].number, 6U);
  const TrailStep deleted = next_step(record(4, "a"), {}, "b", note(), false);
  ASSERT_EQ(deleted.added.size(), 2U);
  EXPECT_TRUE(deleted.added[0].deleted());
  EXPECT_EQ(deleted.added[0].note.kind, AuthorKind::kUnknown);
  EXPECT_EQ(next_step(record(4, "a"), {"a", 20}, "b", note(), false).added.size(), 1U);
}

TEST(TrailTest, AnOverrideThatEndedHasNoAuthor) {
  const auto over = record(1, R"({"interval": 1, "expires_at": "2026-01-02T03:00:00Z"})");
  const auto found = unrecorded(over, {}, kNow, true);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->note.kind, AuthorKind::kExpiry);
  EXPECT_EQ(found->note.at_ns, kNow - 240 * kNanosPerSecond);
  const auto ended_early = unrecorded(record(1, R"({"expires_at": "2026-01-02T03:05:00Z"})"), {}, kNow, true);
  ASSERT_TRUE(ended_early);
  EXPECT_EQ(ended_early->note.kind, AuthorKind::kUnknown);
}

TEST(TrailTest, IsBoundedInNumberAndSize) {
  EXPECT_EQ(next_step(record(50, "a"), {"a", 1}, "b", note(), false).dropped_through, 0U);
  EXPECT_EQ(next_step(record(60, "a"), {"a", 1}, "b", note(), false).dropped_through, 61 - kMostChanges - 1);
  EXPECT_EQ(next_step(record(60, "a"), {"a", 1}, "b", note(), true).dropped_through, 61 - kMostChangesOfMany - 1);
  const std::string large(kMostKeptBytes, 'x');
  EXPECT_EQ(next_step(record(60, "a"), {"a", 1}, large, note(), false).dropped_through, 61 - kLeastChanges - 1);
}

Version version(int64_t revision, const std::string& text, bool recorded, bool deleted = false) {
  Version one;
  one.stored = {text, revision};
  one.recorded = recorded;
  one.deleted = deleted;
  one.written_ns = revision;
  return one;
}

std::vector<std::string> shown(const std::vector<Version>& versions) {
  std::vector<std::string> out;
  for (const Version& one : versions) {
    out.push_back(std::to_string(one.stored.revision) + (one.deleted ? " deleted" : "=" + one.stored.value) +
                  (one.recorded ? "" : "?"));
  }
  return out;
}

TEST(VersionsTest, AddsVersionsThatNoRecordTells) {
  std::vector<Version> all = {version(30, "c", true), version(10, "a", true)};
  add_versions(all, {version(40, "d", false), version(30, "c", false), version(20, "b", false), version(10, "a", false),
                     version(5, "0", false)});
  EXPECT_THAT(shown(all), ElementsAre("40=d?", "30=c", "20=b?", "10=a", "5=0?"));
}

TEST(VersionsTest, GivesAFoundDeletionItsRevision) {
  std::vector<Version> all = {version(30, "c", true), version(0, "", false, true), version(10, "a", true)};
  add_versions(all, {version(30, "c", false), version(21, "", false, true), version(20, "b", false)});
  EXPECT_THAT(shown(all), ElementsAre("30=c", "21 deleted?", "20=b?", "10=a"));
}

}  // namespace
}  // namespace monitor::config
