// What the supervisor recognizes in a program's log.
#include "supervisor/log_line.h"

#include <gtest/gtest.h>

#include "base/log.h"

namespace monitor::supervisor {
namespace {

TEST(LogLine, ParsesLogLines) {
  const std::string line = format_log_line(LogFormat::kText, 1'700'000'000'123'000'000, LogLevel::kError,
                                           "listening service=grpc", {{"address", "127.0.0.1:1"}});
  EXPECT_EQ(level_of(line), "ERROR");
  EXPECT_EQ(event_of(line), "listening service=grpc address=127.0.0.1:1");
}

TEST(LogLine, IgnoresEventsWithinFieldValues) {
  const std::string host = "x 2026-11-22T12:00:00.123Z ERROR listening service=grpc address=evil:1 ";
  const std::string line =
      format_log_line(LogFormat::kText, 0, LogLevel::kInfo, "stream opened", {{"agent", "a"}, {"host", host}});
  EXPECT_EQ(level_of(line), "INFO");
  EXPECT_TRUE(event_of(line).starts_with("stream opened agent=a host=\""));
}

TEST(LogLine, IgnoresOtherLines) {
  for (const char* const line :
       {"", " ", "terminate called", "listening service=grpc address=1", "12 INFO x", "2026-11-22T12:00:00.123Z",
        "2026-11-22T12:00:00.123Z ERROR", "2026-11-22T12:00:00.123Z LOUD x", "  2026-11-22T12:00:00.123Z INFO x"}) {
    EXPECT_EQ(level_of(line), "") << line;
    EXPECT_EQ(event_of(line), "") << line;
  }
}

}  // namespace
}  // namespace monitor::supervisor
