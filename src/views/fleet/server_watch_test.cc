#include "views/fleet/server_watch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace monitor::analysis {
namespace {

using metriclog::Heartbeat;
using ::testing::HasSubstr;
using State = Servers::State;

constexpr int64_t kSecond = kNanosPerSecond;

// Looks every second from `from` to `to`, at the heartbeats that `beats` returns for the time.
template <typename Beats>
int64_t watch(ServerWatch& watch, int64_t from, int64_t to, Beats beats) {
  int64_t at = from;
  for (; at <= to; at += kSecond) watch.take(beats(at), at);
  return at - kSecond;
}

std::vector<Heartbeat> beating(int64_t at) {
  return {{.writer = "w", .count = static_cast<uint64_t>(at / Heartbeat::kEvery), .time_ns = at}};
}

TEST(ServerWatch, ServerIsWritingWithHeartbeatsAndAwayWithout) {
  ServerWatch servers;
  int64_t at = watch(servers, 100 * kSecond, 110 * kSecond, beating);
  EXPECT_EQ(servers.judge(at).state, State::kWriting);
  const auto dead = [](int64_t) { return beating(110 * kSecond); };
  at = watch(servers, 111 * kSecond, 124 * kSecond, dead);
  EXPECT_EQ(servers.judge(at).state, State::kWriting) << "two missed heartbeats are not enough";
  at = watch(servers, 125 * kSecond, 126 * kSecond, dead);
  EXPECT_EQ(servers.judge(at).state, State::kAway);
  EXPECT_EQ(servers.judge(at).last_ns, 110 * kSecond);
  at = watch(servers, 127 * kSecond, 131 * kSecond, beating);
  EXPECT_EQ(servers.judge(at).state, State::kWriting) << "the server is back";
}

TEST(ServerWatch, LogWithoutHeartbeatsStaysUnknown) {
  ServerWatch servers;
  const int64_t at = watch(servers, 100 * kSecond, 500 * kSecond, [](int64_t) { return std::vector<Heartbeat>(); });
  EXPECT_EQ(servers.judge(at).state, State::kUnknown);
  EXPECT_EQ(silence_of(servers.judge(at), at - kSecond, at), "");
  EXPECT_THAT(silence_of(servers.judge(at), at - 40 * kSecond, at),
              HasSubstr("for 40s; it is unknown whether a server writes"));
}

TEST(ServerWatch, WrongClockOfTheLogDoesNotMakeAServerAway) {
  ServerWatch servers;
  const auto off = [](int64_t at) {
    auto beats = beating(at);
    beats[0].time_ns -= 7200 * kSecond;
    return beats;
  };
  servers.take(off(100 * kSecond), 100 * kSecond);
  EXPECT_EQ(servers.judge(100 * kSecond).state, State::kUnknown) << "no heartbeat has arrived yet";
  const int64_t at = watch(servers, 101 * kSecond, 200 * kSecond, off);
  EXPECT_EQ(servers.judge(at).state, State::kWriting);
}

TEST(ServerWatch, PauseBetweenLooksResetsTheState) {
  ServerWatch servers;
  int64_t at = watch(servers, 100 * kSecond, 110 * kSecond, beating);
  EXPECT_EQ(servers.judge(at + 60 * kSecond).state, State::kUnknown);
  servers.take(beating(110 * kSecond), 300 * kSecond);
  EXPECT_EQ(servers.judge(300 * kSecond).state, State::kUnknown);
  at = watch(servers, 301 * kSecond, 316 * kSecond, [](int64_t) { return beating(110 * kSecond); });
  EXPECT_EQ(servers.judge(at).state, State::kAway);
}

TEST(ServerWatch, OneOfSeveralServersIsEnoughAndAllStoppedIsReportedAtOnce) {
  ServerWatch servers;
  const auto two = [](int64_t at) {
    auto beats = beating(at);
    beats.push_back({.writer = "dead", .count = 3, .time_ns = 50 * kSecond});
    return beats;
  };
  const int64_t at = watch(servers, 100 * kSecond, 160 * kSecond, two);
  EXPECT_EQ(servers.judge(at).state, State::kWriting);
  auto beats = two(at);
  beats[0].ended = true;
  servers.take(beats, at + kSecond);
  EXPECT_EQ(servers.judge(at + kSecond).state, State::kWriting) << "one of the two has not announced its end";
  beats[1].ended = true;
  servers.take(beats, at + 2 * kSecond);
  EXPECT_EQ(servers.judge(at + 2 * kSecond).state, State::kStopped);
  EXPECT_THAT(silence_of(servers.judge(at + 2 * kSecond), 0, at), HasSubstr("(it was stopped)"));
}

TEST(ServerWatch, ReportsSilentAgentsWhileAServerWrites) {
  ServerWatch servers;
  const int64_t at = watch(servers, 100 * kSecond, 160 * kSecond, beating);
  EXPECT_THAT(silence_of(servers.judge(at), at - 45 * kSecond, at), HasSubstr("no data from any agent for 45s; a"));
  EXPECT_EQ(silence_of(servers.judge(at), 0, at), "") << "no agent has ever sent data";
}

}  // namespace
}  // namespace monitor::analysis
