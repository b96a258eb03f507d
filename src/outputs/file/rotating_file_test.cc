#include "outputs/file/rotating_file.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "base/testing/fault_disk.h"

namespace monitor::agent {
namespace {

using monitor::testing::DiskCall;
using monitor::testing::DiskFault;
using monitor::testing::DiskOp;
using monitor::testing::FaultDisk;

const std::string kPath = "/out/metrics.jsonl";

struct World {
  explicit World(uint64_t max_bytes = 100, uint64_t files = 3) : options{kPath, max_bytes, files} {
    EXPECT_TRUE(disk.make_folder("/out"));
    start();
  }
  void start() {
    file.reset();
    file = std::make_unique<RotatingFile>(disk, options);
  }
  std::string content(const std::string& suffix = "") {
    const auto all = disk.contents();
    const auto found = all.find(kPath + suffix);
    return found == all.end() ? "(missing)" : found->second;
  }
  void fail(DiskOp op, DiskFault fault) {
    disk.set_judge([=](const DiskCall& call) { return call.op == op ? std::optional(fault) : std::nullopt; });
  }

  FaultDisk disk;
  RotatingFileOptions options;
  std::unique_ptr<RotatingFile> file;
};

TEST(RotatingFile, OpenCreatesTheFileAndAppendAddsToIt) {
  World w;
  ASSERT_TRUE(w.file->open());
  EXPECT_EQ(w.content(), "");
  EXPECT_TRUE(w.file->append("a\n"));
  EXPECT_TRUE(w.file->append("b\nc\n"));
  EXPECT_EQ(w.content(), "a\nb\nc\n");
}

TEST(RotatingFile, AppendedBlockSurvivesAPowerLoss) {
  for (uint64_t seed = 1; seed <= 50; ++seed) {
    World w;
    ASSERT_TRUE(w.file->open());
    ASSERT_TRUE(w.file->append("a\n"));
    SeededRandom random(seed);
    w.disk.lose_power(random);
    EXPECT_EQ(w.content(), "a\n") << seed;
  }
}

TEST(RotatingFile, OpenReportsAFileThatCannotBeCreated) {
  World w;
  w.fail(DiskOp::kCreate, DiskFault::kNoSpace);
  const Status opened = w.file->open();
  ASSERT_FALSE(opened);
  EXPECT_NE(opened.error().message().find(kPath), std::string::npos) << opened.error().message();
}

TEST(RotatingFile, RotatesBeforeABlockThatExceedsTheLimit) {
  World w(10, 3);
  ASSERT_TRUE(w.file->open());
  for (const char* const line : {"11111111\n", "22222222\n", "33333333\n", "44444444\n"}) {
    ASSERT_TRUE(w.file->append(line));
  }
  EXPECT_EQ(w.content(), "44444444\n");
  EXPECT_EQ(w.content(".1"), "33333333\n");
  EXPECT_EQ(w.content(".2"), "22222222\n");
  EXPECT_EQ(w.content(".3"), "(missing)");
  EXPECT_EQ(w.file->rotations(), 3U);
}

TEST(RotatingFile, WritesABlockLargerThanTheLimitToItsOwnFile) {
  World w(4, 2);
  ASSERT_TRUE(w.file->open());
  ASSERT_TRUE(w.file->append("a\n"));
  ASSERT_TRUE(w.file->append("123456789\n"));
  EXPECT_EQ(w.content(), "123456789\n");
  EXPECT_EQ(w.content(".1"), "a\n");
}

TEST(RotatingFile, RemovesTheOldContentIfThereIsOneFile) {
  World w(4, 1);
  ASSERT_TRUE(w.file->open());
  ASSERT_TRUE(w.file->append("aaa\n"));
  ASSERT_TRUE(w.file->append("bbb\n"));
  EXPECT_EQ(w.content(), "bbb\n");
  EXPECT_EQ(w.content(".1"), "(missing)");
}

TEST(RotatingFile, InterruptedRotationLosesNoFile) {
  World w(4, 4);
  ASSERT_TRUE(w.file->open());
  w.disk.put(kPath + ".2", "old\n");  // .1 was moved to .2, then the process was killed
  ASSERT_TRUE(w.file->append("aaa\n"));
  ASSERT_TRUE(w.file->append("bbb\n"));
  EXPECT_EQ(w.content(".1"), "aaa\n");
  EXPECT_EQ(w.content(".2"), "old\n");
}

TEST(RotatingFile, FailedAppendLeavesNothingBehind) {
  for (const auto& [op, fault] : {std::pair{DiskOp::kWrite, DiskFault::kNoSpace}, {DiskOp::kSync, DiskFault::kIo}}) {
    World w;
    ASSERT_TRUE(w.file->open());
    ASSERT_TRUE(w.file->append("a\n"));
    w.fail(op, fault);
    EXPECT_FALSE(w.file->append("b\nc\n"));
    w.disk.set_judge({});
    EXPECT_EQ(w.content(), "a\n") << to_string(op);
    EXPECT_TRUE(w.file->append("d\n"));
    EXPECT_EQ(w.content(), "a\nd\n") << to_string(op);
  }
}

TEST(RotatingFile, ContinuesShortWrites) {
  World w;
  ASSERT_TRUE(w.file->open());
  int writes = 0;
  w.disk.set_judge([&](const DiskCall& call) {
    return call.op == DiskOp::kWrite && writes++ == 0 ? std::optional(DiskFault::kShort) : std::nullopt;
  });
  EXPECT_TRUE(w.file->append("12345678\n"));
  EXPECT_EQ(writes, 2);
  EXPECT_EQ(w.content(), "12345678\n");
}

TEST(RotatingFile, RemovesATornLineWhateverItsLength) {
  for (const size_t length : {size_t{1}, size_t{1000}, size_t{65535}, size_t{65536}, size_t{200'000}}) {
    World w(uint64_t{1} << 20);
    w.disk.put(kPath, "a\nb\n" + std::string(length, 'x'));
    ASSERT_TRUE(w.file->open());
    EXPECT_EQ(w.content(), "a\nb\n") << length;
    w.disk.put(kPath, std::string(length, 'x'));
    EXPECT_TRUE(w.file->append("c\n"));
    EXPECT_EQ(w.content(), "c\n") << length;
  }
}

TEST(RotatingFile, FollowsAFileThatIsMovedRemovedOrTruncated) {
  World w;
  ASSERT_TRUE(w.file->open());
  ASSERT_TRUE(w.file->append("a\n"));
  ASSERT_TRUE(w.disk.rename_file(kPath, kPath + "-20260101"));
  ASSERT_TRUE(w.file->append("b\n"));
  EXPECT_EQ(w.content("-20260101"), "a\n");
  EXPECT_EQ(w.content(), "b\n");
  ASSERT_TRUE(w.disk.remove_file(kPath));
  ASSERT_TRUE(w.file->append("c\n"));
  EXPECT_EQ(w.content(), "c\n");
  w.disk.put(kPath, "");
  ASSERT_TRUE(w.file->append("d\n"));
  EXPECT_EQ(w.content(), "d\n");
}

TEST(RotatingFile, CrashAtAnyCallLosesNoAppendedBlock) {
  for (uint64_t call = 1; call < 80; ++call) {
    World w(10, 50);
    ASSERT_TRUE(w.file->open());
    w.disk.crash_at(w.disk.calls() + call);
    std::string appended;
    std::string tried;
    for (char line = 'a'; line <= 'h' && !w.disk.crashed(); ++line) {
      tried = std::string(5, line) + "\n";
      if (w.file->append(tried)) appended += tried;
    }
    w.file.reset();
    w.disk.restart();
    w.start();
    ASSERT_TRUE(w.file->open());
    std::string found;
    for (int i = 20; i > 0; --i) {
      const std::string content = w.content("." + std::to_string(i));
      if (content != "(missing)") found += content;
    }
    found += w.content();
    EXPECT_TRUE(found == appended || found == appended + tried) << call << ": " << found << " of " << appended;
  }
}

}  // namespace
}  // namespace monitor::agent
