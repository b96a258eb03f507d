// How the server's session treats a hostile or broken client. Frames are built by hand (RFC 9113, 4 and 6).
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/random.h"
#include "base/testing/fake_clock.h"
#include "grpc/testing/frames.h"
#include "grpc/testing/session_pair.h"

namespace monitor::grpc {
namespace {

using testing::HasSubstr;

std::string request(std::string_view path, std::string_view method = "POST",
                    std::string_view content_type = "application/grpc") {
  return literal(":method", method) + literal(":scheme", "http") + literal(":path", path) + literal(":authority", "x") +
         literal("te", "trailers") + literal("content-type", content_type);
}

class FloodTest : public testing::Test {
 protected:
  void start() {
    methods_.add_method("/test.T/M", recording_factory(records_, [](ServerRecord& record) {
                          record.on_message = [](ServerCall& call, std::string_view m) { call.write(m); };
                        }));
    server_ = std::make_unique<ServerSession>(timers_, limits_, methods_, PeerInfo{"memory:1", nullptr}, events_);
    receive(std::string(kPreface) + frame(kSettings, 0, 0, ""));
  }
  void receive(const std::string& bytes) {
    server_->receive(bytes);
    timers_.advance(0);
  }
  std::string take() {
    std::string all;
    while (true) {
      const std::string bytes(server_->pending_output());
      if (bytes.empty()) return all;
      server_->consume_output(bytes.size());
      all += bytes;
    }
  }
  // Repeats `bytes` until the server ends the connection; returns the number of repetitions.
  int rounds_until_end(const std::string& bytes, int most = 100'000) {
    for (int i = 1; i <= most; ++i) {
      receive(bytes);
      output_ += take();
      timers_.advance(0);
      if (server_->finished()) return i;
    }
    return most + 1;
  }

  ServerLimits limits_;
  MethodTable methods_;
  FakeTimers timers_;
  SessionPair::ServerEvents events_;
  std::vector<std::shared_ptr<ServerRecord>> records_;
  std::unique_ptr<ServerSession> server_;
  std::string output_;
};

TEST_F(FloodTest, PingsAboveTheIntervalGetGoaway) {
  start();
  EXPECT_LE(rounds_until_end(frame(kPing, 0, 0, "12345678")), 5);
  EXPECT_THAT(output_, HasSubstr("too_many_pings"));
  EXPECT_EQ(events_.finished->code(), Code::kResourceExhausted);
}

TEST_F(FloodTest, PingsWithinTheIntervalAreAnswered) {
  start();
  for (int i = 0; i < 100; ++i) {
    receive(frame(kPing, 0, 0, "12345678"));
    EXPECT_THAT(take(), HasSubstr("12345678"));
    timers_.advance(10 * kNanosPerSecond);
  }
  EXPECT_FALSE(server_->finished());
}

TEST_F(FloodTest, LimitsSettingsPriorityAndEmptyData) {
  const std::string headers = frame(kHeaders, 4, 1, request("/test.T/M"));
  for (const std::string& bytes :
       {frame(kSettings, 0, 0, ""), frame(kPriority, 0, 3, std::string("\0\0\0\0\x10", 5)), frame(kData, 0, 1, "")}) {
    start();
    receive(headers);
    EXPECT_LE(rounds_until_end(bytes), 1100);
    EXPECT_THAT(output_, HasSubstr("too_many_control_frames"));
  }
}

TEST_F(FloodTest, LimitsUnknownFramesAndPadding) {
  for (const std::string& bytes :
       {frame(0x42, 0, 0, "whatever"), frame(0x42, 0, 1, ""), frame(kData, 8, 1, "\x03" + std::string(3, '\0'))}) {
    start();
    receive(frame(kHeaders, 4, 1, request("/test.T/M")));
    EXPECT_LE(rounds_until_end(bytes, 5000), 1100);
    EXPECT_THAT(output_, HasSubstr("too_many_control_frames"));
  }
}

TEST_F(FloodTest, LimitsRapidResets) {
  start();
  int rounds = 0;
  for (uint32_t id = 1; !server_->finished() && rounds < 5000; id += 2, ++rounds) {
    receive(frame(kHeaders, 4, id, request("/test.T/M")) + frame(kReset, 0, id, std::string("\0\0\0\x8", 4)));
    output_ += take();
  }
  EXPECT_LE(rounds, 1100);
  EXPECT_THAT(output_, HasSubstr("too_many_resets"));
  for (const auto& record : records_) EXPECT_EQ(record->call, nullptr);
}

TEST_F(FloodTest, LimitsContinuations) {
  start();
  receive(frame(kHeaders, 0, 1, request("/test.T/M")));
  EXPECT_LE(rounds_until_end(frame(kCont, 0, 1, literal("x", "y"))), 1100);
}

// A small block that refers to one table entry many times: each reference is one byte on the wire and large when
// decoded.
std::string large_entry() {
  std::string entry = "\x40\x01k";  // literal with indexing
  entry += "\x7f\x81\x1e";          // a value of 3968 bytes follows
  return entry + std::string(3968, 'v');
}
constexpr char kNewestEntry = '\xbe';

TEST_F(FloodTest, HeadersAboveTheLimitEndTheConnection) {
  start();
  std::string block = request("/test.T/M");
  for (int i = 0; i < 200; ++i) block += literal("key" + std::to_string(i), std::string(100, 'v'));
  receive(frame(kHeaders, 0, 1, block.substr(0, 16'000)) + frame(kCont, 4, 1, block.substr(16'000)));
  EXPECT_TRUE(records_.empty());
  EXPECT_TRUE(server_->finished());
  EXPECT_EQ(events_.finished->code(), Code::kResourceExhausted);
  EXPECT_THAT(take(), HasSubstr("header_list_too_large"));
}

TEST_F(FloodTest, HeaderBombIsNotDecodedBeyondTheLimit) {
  for (const bool more_frames : {false, true}) {
    start();
    const std::string refs = std::string(10'000, kNewestEntry);
    receive(frame(kHeaders, more_frames ? 0 : 4, 1, request("/test.T/M") + large_entry() + refs.substr(0, 6'000)) +
            (more_frames ? frame(kCont, 4, 1, refs) : ""));
    EXPECT_TRUE(records_.empty());
    EXPECT_TRUE(server_->finished());
    EXPECT_THAT(take(), HasSubstr("header_list_too_large"));
    const size_t before = take().size();
    receive(frame(kHeaders, 5, 3, request("/test.T/M")));
    EXPECT_TRUE(records_.empty()) << "the server must stop reading";
    EXPECT_EQ(take().size(), before);
  }
}

TEST_F(FloodTest, HeaderBombsInTrailersEndTheConnection) {
  start();
  receive(frame(kHeaders, 4, 1, request("/test.T/M") + large_entry()));
  ASSERT_EQ(records_.size(), 1U);
  receive(frame(kHeaders, 5, 1, std::string(16'000, kNewestEntry)));
  EXPECT_TRUE(server_->finished());
  EXPECT_THAT(take(), HasSubstr("header_list_too_large"));
}

// nghttp2 also decodes blocks that it does not deliver: those of closed, refused, or malformed streams.
TEST_F(FloodTest, ChargesBlocksThatAreNotDelivered) {
  const std::string refs = std::string(16'000, kNewestEntry);
  const std::string first = request("/test.T/M") + large_entry();
  const auto ends = [this](const std::string& what) {
    EXPECT_TRUE(server_->finished()) << what;
    EXPECT_THAT(take(), HasSubstr("too_many_headers")) << what;
  };
  start();
  receive(frame(kHeaders, 4, 1, first) + frame(kReset, 0, 1, std::string("\0\0\0\x8", 4)) +
          frame(kHeaders, 5, 1, refs));
  ends("block of a closed stream");

  limits_.max_concurrent_streams = 1;
  start();
  receive(frame(kHeaders, 4, 1, first) + frame(kHeaders, 5, 3, refs));
  ends("block of a refused stream");

  limits_.max_concurrent_streams = 100;
  start();
  receive(frame(kHeaders, 4, 1, first) + frame(kHeaders, 5, 3, literal("Upper", "case") + refs));
  ends("block of a malformed request");
}

TEST_F(FloodTest, ChargesForbiddenFields) {
  start();
  std::string entry = "\x40\x01k";
  entry +=
      "\x7f\x81\x1e" + std::string(3967, 'v') + '\x01';  // contains a control character, so nghttp2 drops the field
  receive(frame(kHeaders, 4, 1, request("/test.T/M") + entry + std::string(10'000, kNewestEntry)));
  EXPECT_TRUE(server_->finished());
  EXPECT_TRUE(records_.empty());
}

TEST_F(FloodTest, LimitsManySmallBlocks) {
  start();
  receive(frame(kHeaders, 4, 1, request("/test.T/M") + large_entry()) +
          frame(kReset, 0, 1, std::string("\0\0\0\x8", 4)));
  uint32_t id = 3;
  while (!server_->finished() && id < 10'000) {
    receive(frame(kHeaders, 5, id, request("/test.T/M") + std::string(3, kNewestEntry)));
    output_ += take();
    id += 2;
  }
  EXPECT_LT(id, 300U);
  EXPECT_THAT(output_, HasSubstr("too_many_headers"));
}

TEST_F(FloodTest, OrdinaryCallsStayWithinTheHeaderBudget) {
  start();
  uint32_t id = 1;
  for (int second = 0; second < 60; ++second) {
    for (int i = 0; i < 500; ++i, id += 2) {
      receive(frame(kHeaders, 5, id, request("/test.T/M")));
      records_.back()->call->finish({});
      take();
    }
    timers_.advance(kNanosPerSecond);
  }
  EXPECT_FALSE(server_->finished());
}

TEST_F(FloodTest, CountsProvokedStreamErrorsAsResets) {
  start();
  int rounds = 0;
  for (uint32_t id = 1; !server_->finished() && rounds < 5000; id += 2, ++rounds) {
    receive(frame(kHeaders, 4, id, request("/test.T/M")) + frame(kWindow, 0, id, "\x7f\xff\xff\xff"));
    output_ += take();
  }
  EXPECT_LE(rounds, 1100);
  EXPECT_THAT(output_, HasSubstr("too_many_resets"));
}

TEST_F(FloodTest, LimitsWindowUpdates) {
  start();
  EXPECT_LE(rounds_until_end(frame(kWindow, 0, 0, std::string("\0\0\0\1", 4))), 21'000);
  EXPECT_THAT(output_, HasSubstr("too_many_window_updates"));
}

TEST_F(FloodTest, UnfinishedHeaderBlockHasADeadline) {
  const std::string whole = frame(kHeaders, 0, 1, request("/test.T/M"));
  for (const size_t bytes : {whole.size(), whole.size() - 1, size_t{10}}) {
    start();
    receive(whole.substr(0, bytes));
    timers_.advance(limits_.header_timeout_ns - 1);
    EXPECT_FALSE(server_->finished());
    timers_.advance(1);
    EXPECT_TRUE(server_->finished());
    EXPECT_THAT(take(), HasSubstr("header_timeout"));
  }
}

TEST_F(FloodTest, SlowHeaderBlockHasTheSameDeadline) {
  start();
  receive(frame(kHeaders, 0, 1, request("/test.T/M")));
  for (int i = 0; i < 8 && !server_->finished(); ++i) {
    timers_.advance(limits_.header_timeout_ns / 4);
    receive(frame(kCont, 0, 1, literal("x", "y")));
  }
  EXPECT_TRUE(server_->finished());
}

TEST_F(FloodTest, FinishedHeaderBlockHasNoDeadline) {
  limits_.message_timeout_ns = 0;
  start();
  receive(frame(kHeaders, 0, 1, request("/test.T/M")));
  receive(frame(kCont, 4, 1, ""));
  timers_.advance(2 * limits_.header_timeout_ns);
  EXPECT_FALSE(server_->finished());
}

TEST_F(FloodTest, UnfinishedMessageHasADeadline) {
  limits_.keepalive_interval_ns = 0;
  start();
  const std::string half("\0\0\0\0\x64half", 9);
  receive(frame(kHeaders, 4, 1, request("/test.T/M")) + frame(kData, 0, 1, std::string("\0\0\0\0\1x", 6)));
  take();
  timers_.advance(10 * limits_.message_timeout_ns);
  ASSERT_NE(records_[0]->call, nullptr) << "there is no deadline between messages";
  receive(frame(kData, 0, 1, half));
  timers_.advance(limits_.message_timeout_ns - 1);
  receive(frame(kData, 0, 1, "x"));
  EXPECT_NE(records_[0]->call, nullptr);
  timers_.advance(kNanosPerSecond);
  EXPECT_TRUE(records_[0]->cancelled);
  EXPECT_EQ(records_[0]->call, nullptr);
  EXPECT_FALSE(server_->finished()) << "other calls must continue";
}

TEST_F(FloodTest, CallWithoutAFirstMessageHasADeadline) {
  start();
  receive(frame(kHeaders, 4, 1, request("/test.T/M")));
  timers_.advance(limits_.message_timeout_ns);
  EXPECT_TRUE(records_[0]->cancelled);
}

TEST_F(FloodTest, UnfinishedUnaryCallHasADeadline) {
  methods_.add_unary("/test.T/U", [](ServerCall&, std::string_view) { return Result<std::string>("answer"); });
  start();
  receive(frame(kHeaders, 4, 1, request("/test.T/U")) + frame(kData, 0, 1, std::string("\0\0\0\0\1x", 6)));
  EXPECT_EQ(server_->active_calls(), 1U);
  timers_.advance(limits_.message_timeout_ns);
  EXPECT_EQ(server_->active_calls(), 0U);
}

// The server's own window may keep the client from sending the rest.
TEST_F(FloodTest, MessageDeadlineWaitsForConfirmations) {
  limits_.keepalive_interval_ns = 0;
  methods_.add_method("/test.T/Manual", recording_factory(records_), {.manual_flow_control = true});
  start();
  receive(frame(kHeaders, 4, 1, request("/test.T/Manual")) +
          frame(kData, 0, 1, std::string("\0\0\0\0\1x\0\0\0\0\x64half", 15)));
  timers_.advance(5 * limits_.message_timeout_ns);
  ASSERT_NE(records_[0]->call, nullptr);
  records_[0]->call->consumed(1);
  timers_.advance(limits_.message_timeout_ns - 1);
  EXPECT_NE(records_[0]->call, nullptr);
  timers_.advance(kNanosPerSecond);
  EXPECT_EQ(records_[0]->call, nullptr);
}

TEST_F(FloodTest, FirstMessageHasALimitOfItsOwn) {
  methods_.add_method("/test.T/Hello", recording_factory(records_),
                      {.max_message_bytes = 1000, .max_first_message_bytes = 10});
  start();
  const std::string small("\0\0\0\0\x02hi", 7);
  const std::string large = std::string("\0\0\0\0\x64", 5) + std::string(100, 'x');
  receive(frame(kHeaders, 4, 1, request("/test.T/Hello")) + frame(kData, 0, 1, large));
  EXPECT_EQ(records_[0]->call, nullptr);
  receive(frame(kHeaders, 4, 3, request("/test.T/Hello")) + frame(kData, 0, 3, small + large));
  EXPECT_EQ(records_[1]->messages.size(), 2U);
}

TEST_F(FloodTest, ConnectionWithoutACallIsClosed) {
  limits_.first_call_timeout_ns = 20 * kNanosPerSecond;
  limits_.idle_timeout_ns = 60 * kNanosPerSecond;
  start();
  timers_.advance(limits_.first_call_timeout_ns);
  EXPECT_TRUE(server_->finished());
  start();
  receive(frame(kHeaders, 5, 1, request("/test.T/M")));
  records_.back()->call->finish({});
  take();
  timers_.advance(limits_.idle_timeout_ns - kNanosPerSecond);
  EXPECT_FALSE(server_->finished());
  timers_.advance(3 * kNanosPerSecond);
  take();
  timers_.advance(kNanosPerSecond);
  take();
  timers_.advance(0);
  EXPECT_TRUE(server_->finished());
}

// A budget that all connections share.
class SmallBudget final : public ByteBudget {
 public:
  explicit SmallBudget(size_t limit) : limit_(limit) {}
  bool take(size_t bytes, size_t /*held*/) override {
    if (used + bytes > limit_) return false;
    used += bytes;
    return true;
  }
  void give_back(size_t bytes, size_t /*held*/) override { used -= bytes; }
  size_t used = 0;

 private:
  size_t limit_;
};

TEST_F(FloodTest, IncompleteMessagesShareTheServersBudget) {
  SmallBudget budget(100'000);
  limits_.buffers = &budget;
  start();
  const std::string part =
      std::string("\0\0\x10\0\0", 5) + std::string(16'000, 'x');  // the first part of a message of 1 MiB
  for (uint32_t id = 1; id < 41; id += 2) {
    receive(frame(kHeaders, 4, id, request("/test.T/M")) + frame(kData, 0, id, part));
  }
  int running = 0;
  for (const auto& record : records_) running += record->call != nullptr ? 1 : 0;
  EXPECT_LE(running, 7);
  EXPECT_GT(running, 2);
  EXPECT_GT(budget.used, 0U);
  server_.reset();
  EXPECT_EQ(budget.used, 0U);
}

// A few bytes on the wire can decode to large headers, which are held as long as the call.
TEST_F(FloodTest, CallsAndTheirHeadersShareTheServersBudget) {
  SmallBudget budget(100'000);
  limits_.buffers = &budget;
  start();
  const std::string heavy = request("/test.T/M") + literal("key", std::string(10'000, 'v'));
  for (uint32_t id = 1; id < 81; id += 2) receive(frame(kHeaders, 4, id, heavy));
  const auto running = [this] {
    return std::ranges::count_if(records_, [](const auto& record) { return record->call != nullptr; });
  };
  EXPECT_LE(running(), 7);
  EXPECT_GT(running(), 2);
  EXPECT_GT(budget.used, 0U);
  // Their memory is released when the calls end.
  take();
  for (uint32_t id = 1; id < 81; id += 2) receive(frame(kReset, 0, id, std::string("\0\0\0\x08", 4)));
  EXPECT_EQ(running(), 0);
  EXPECT_EQ(budget.used, 0U);
  // Calls without headers are charged as well.
  for (uint32_t id = 101; id < 301; id += 2) receive(frame(kHeaders, 4, id, request("/test.T/M")));
  EXPECT_LE(running(), 24);
  server_.reset();
  EXPECT_EQ(budget.used, 0U);
}

TEST_F(FloodTest, ChargesAUnaryRequestUntilTheClientIsDone) {
  SmallBudget budget(100'000);
  limits_.buffers = &budget;
  methods_.add_unary("/test.T/Unary",
                     [](ServerCall&, std::string_view) -> Result<std::string> { return std::string(); });
  start();
  const std::string whole = std::string("\0\0\0\x3e\x80", 5) + std::string(16'000, 'x');
  for (uint32_t id = 1; id < 41; id += 2) {
    receive(frame(kHeaders, 4, id, request("/test.T/Unary")) + frame(kData, 0, id, whole));
  }
  EXPECT_GT(budget.used, 50'000U);
  EXPECT_LE(server_->active_calls(), 7U);
  server_.reset();
  EXPECT_EQ(budget.used, 0U);
}

TEST_F(FloodTest, UnreadRepliesShareTheServersBudget) {
  SmallBudget budget(100'000);
  limits_.buffers = &budget;
  start();
  receive(frame(kHeaders, 4, 1, request("/test.T/M")));
  for (int i = 0; i < 300 && !server_->finished(); ++i) records_[0]->call->write(std::string(1000, 'x'));
  timers_.advance(0);
  EXPECT_TRUE(records_[0]->cancelled);
  EXPECT_TRUE(server_->finished());
  EXPECT_EQ(events_.finished->code(), Code::kResourceExhausted);
  server_.reset();
  EXPECT_EQ(budget.used, 0U);
}

TEST_F(FloodTest, ClosesAPeerWhoseWindowStaysShut) {
  start();
  receive(frame(kSettings, 0, 0, std::string("\0\4\0\0\0\0", 6)));  // INITIAL_WINDOW_SIZE 0
  receive(frame(kHeaders, 4, 1, request("/test.T/M")) + frame(kData, 0, 1, std::string("\0\0\0\0\1x", 6)));
  take();
  timers_.advance(limits_.stall_timeout_ns);
  EXPECT_TRUE(server_->finished());
  EXPECT_THAT(events_.finished->message(), HasSubstr("reads nothing"));
}

TEST_F(FloodTest, TheStallTimeoutOfAWriteBeginsWithTheWrite) {
  start();
  receive(frame(kHeaders, 4, 1, request("/test.T/M")) + frame(kData, 0, 1, std::string("\0\0\0\0\1x", 6)));
  take();  // the reply; nothing waits any more
  timers_.advance(limits_.stall_timeout_ns - kNanosPerMilli);
  take();
  records_[0]->call->write("late");
  timers_.advance(kNanosPerMilli);
  EXPECT_FALSE(server_->finished());
  timers_.advance(limits_.stall_timeout_ns);
  EXPECT_TRUE(server_->finished());
}

TEST_F(FloodTest, IncompleteMessagesShareALimit) {
  limits_.max_partial_bytes = 100'000;
  limits_.stream_window_bytes = 65'535;
  start();
  const std::string part =
      std::string("\0\0\x10\0\0", 5) + std::string(16'000, 'x');  // the first part of a message of 1 MiB
  for (uint32_t id = 1; id < 41; id += 2) {
    receive(frame(kHeaders, 4, id, request("/test.T/M")) + frame(kData, 0, id, part));
  }
  take();
  int running = 0;
  for (const auto& record : records_) running += record->call != nullptr ? 1 : 0;
  EXPECT_LE(running, 7);
  EXPECT_FALSE(server_->finished());
}

TEST_F(FloodTest, ClosesAPeerThatNeverReads) {
  limits_.max_unsent_bytes = 1'000'000;
  start();
  receive(frame(kHeaders, 4, 1, request("/test.T/M")));
  for (int i = 0; i < 2000 && !records_[0]->cancelled; ++i) {
    if (records_[0]->call != nullptr) records_[0]->call->write(std::string(1000, 'x'));
    timers_.advance(0);
  }
  EXPECT_TRUE(records_[0]->cancelled);
  EXPECT_TRUE(server_->finished());
  EXPECT_EQ(events_.finished->code(), Code::kResourceExhausted);
}

TEST_F(FloodTest, LimitsUnreadPingAnswers) {
  start();
  limits_.min_ping_interval_ns = 0;
  limits_.control_burst = limits_.controls_per_second = 1e9;
  start();
  int rounds = 0;
  while (!server_->finished() && rounds < 100'000) {
    receive(frame(kPing, 0, 0, "12345678"));
    ++rounds;
  }
  EXPECT_LT(rounds, 2000);
}

TEST_F(FloodTest, ClosesASilentClientAfterTheHandshakeTimeout) {
  server_ = std::make_unique<ServerSession>(timers_, limits_, methods_, PeerInfo{"memory:1", nullptr}, events_);
  timers_.advance(limits_.handshake_timeout_ns);
  EXPECT_TRUE(server_->finished());
}

TEST_F(FloodTest, AnswersOtherHttpRequestsWithHttpStatuses) {
  start();
  take();
  receive(frame(kHeaders, 5, 1, request("/", "GET", "text/html")));
  receive(frame(kHeaders, 5, 3, request("/test.T/M", "POST", "application/json")));
  receive(frame(kHeaders, 5, 5, request("/test.T/M", "POST", "application/grpcfoo")));
  const std::string answer = take();
  EXPECT_THAT(answer, HasSubstr("405"));
  EXPECT_THAT(answer, HasSubstr("415"));
  EXPECT_TRUE(records_.empty());
}

// The session ends at once, or when its deadlines pass: random bytes may look like the start of a long frame.
TEST_F(FloodTest, GarbageEndsTheSession) {
  limits_.first_call_timeout_ns = 20 * kNanosPerSecond;
  limits_.idle_timeout_ns = 60 * kNanosPerSecond;
  SeededRandom random(7);
  int at_once = 0;
  for (int round = 0; round < 300; ++round) {
    SCOPED_TRACE(round);
    start();
    std::string bytes;
    if (round % 3 == 0) {
      server_ = std::make_unique<ServerSession>(timers_, limits_, methods_, PeerInfo{"memory:1", nullptr}, events_);
    }
    if (round % 3 == 1) {
      bytes = frame(kHeaders, 4, 1, request("/test.T/M")) + frame(kData, 0, 1, std::string("\0\0\0\0\1x", 6));
      const size_t at = random.below(bytes.size());
      bytes[at] = static_cast<char>(static_cast<unsigned char>(bytes[at]) ^ (1 + random.below(255)));
    }
    std::string noise(200, '\0');
    random.fill(noise.data(), noise.size());
    receive(bytes + noise);
    take();
    timers_.advance(0);
    at_once += server_->finished() ? 1 : 0;
    for (int second = 0; second < 300 && !server_->finished(); ++second) {
      timers_.advance(kNanosPerSecond);
      take();
    }
    EXPECT_TRUE(server_->finished());
  }
  EXPECT_GT(at_once, 250);
}

}  // namespace
}  // namespace monitor::grpc
