#include "metriclog/open/open.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

namespace monitor::metriclog {
namespace {

TEST(OpenLog, KnowsEachBackendByItsScheme) {
  const auto file = open("sqlite:/nowhere/log.db");
  ASSERT_TRUE(file);
  EXPECT_TRUE((*file)->is_file());
  EXPECT_FALSE((*file)->has_dead_letters());
  EXPECT_EQ((*file)->dead_letters("x").error().code(), Code::kFailedPrecondition);
  const auto topic = open("kafka:a:9092,[::1]:9092/monitoring-data");
  ASSERT_TRUE(topic);
  EXPECT_FALSE((*topic)->is_file());
  EXPECT_TRUE((*topic)->has_dead_letters());
}

TEST(OpenLog, RejectsInvalidAddresses) {
  for (const char* bad : {"", "sqlite", "sqlite:", "kafka:", "kafka:a:9092", "kafka:a:9092/", "kafka:/t", "oracle:x"}) {
    const auto log = open(bad);
    ASSERT_FALSE(log) << bad;
    EXPECT_EQ(log.error().code(), Code::kInvalidArgument) << bad;
  }
  EXPECT_THAT(open("oracle:x").error().message(), ::testing::HasSubstr("sqlite:PATH or kafka:HOST:PORT/TOPIC"));
}

TEST(OpenLog, WriterAndReaderUseTheSameLog) {
  const std::string folder = testing::TempDir() + "open-log-" + std::to_string(getpid());
  std::filesystem::create_directories(folder);
  std::filesystem::permissions(folder, std::filesystem::perms::owner_all);
  const auto log = open("sqlite:" + folder + "/log.db");
  ASSERT_TRUE(log);
  const SystemClock clock;
  const auto writer = (*log)->writer({}, clock);
  ASSERT_TRUE(writer) << writer.error().message();
  const auto reader = (*log)->reader({});
  ASSERT_TRUE(reader);
  ASSERT_TRUE((*reader)->poll(kNanosPerSecond));
  EXPECT_EQ((*reader)->identity(), (*writer)->identity());
  EXPECT_TRUE((*log)->browser());
  std::filesystem::remove_all(folder);
}

TEST(OpenLog, PassesSettingsToTheBackend) {
  const auto log = open("kafka:127.0.0.1:1/t", {{"no.such.setting", "1"}});
  ASSERT_TRUE(log);
  const auto reader = (*log)->reader({});
  ASSERT_FALSE(reader);
  EXPECT_EQ(reader.error().code(), Code::kInvalidArgument);
}

}  // namespace
}  // namespace monitor::metriclog
