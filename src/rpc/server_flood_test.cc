// What a hostile or broken client does to the server's session: frames are written here by hand (RFC 9113, 4 and 6).
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/random.h"
#include "rpc/testing/frames.h"
#include "rpc/testing/session_pair.h"

namespace monitor::rpc {
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
  // Repeats until the server has enough; the number of rounds it took.
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

TEST_F(FloodTest, SettingsPriorityAndEmptyDataHaveABudget) {
  const std::string headers = frame(kHeaders, 4, 1, request("/test.T/M"));
  for (const std::string& bytes :
       {frame(kSettings, 0, 0, ""), frame(kPriority, 0, 3, std::string("\0\0\0\0\x10", 5)), frame(kData, 0, 1, "")}) {
    start();
    receive(headers);
    EXPECT_LE(rounds_until_end(bytes), 1100);
    EXPECT_THAT(output_, HasSubstr("too_many_control_frames"));
  }
}

TEST_F(FloodTest, RapidResetsHaveABudget) {
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

TEST_F(FloodTest, ContinuationsHaveAnEnd) {
  start();
  receive(frame(kHeaders, 0, 1, request("/test.T/M")));
  EXPECT_LE(rounds_until_end(frame(kCont, 0, 1, literal("x", "y"))), 1100);
}

TEST_F(FloodTest, LargeHeadersEndTheCallOnly) {
  start();
  std::string block = request("/test.T/M");
  for (int i = 0; i < 200; ++i) block += literal("key" + std::to_string(i), std::string(100, 'v'));
  receive(frame(kHeaders, 0, 1, block.substr(0, 16'000)) + frame(kCont, 4, 1, block.substr(16'000)));
  EXPECT_TRUE(records_.empty());
  receive(frame(kHeaders, 4, 3, request("/test.T/M")));
  EXPECT_EQ(records_.size(), 1U);
  EXPECT_FALSE(server_->finished());
}

// A small block whose entries are repeated by reference: each costs one byte on the wire and much here.
TEST_F(FloodTest, HeaderBombIsNotStored) {
  start();
  std::string block = request("/test.T/M");
  std::string entry(1, '\x40');  // literal with indexing
  entry += '\x01';
  entry += 'k';
  entry += "\x7f\x81\x1e";  // 3968 bytes follow
  entry += std::string(3968 + 0, 'v');
  receive(frame(kHeaders, 0, 1, block + entry) + frame(kCont, 4, 1, std::string(10'000, '\xbe')));
  EXPECT_TRUE(records_.empty());
  EXPECT_LT(take().size(), 1000U);
}

TEST_F(FloodTest, IncompleteMessagesShareALimit) {
  limits_.max_partial_bytes = 100'000;
  limits_.stream_window_bytes = 65'535;
  start();
  const std::string part = std::string("\0\0\x10\0\0", 5) + std::string(16'000, 'x');  // of a mebibyte
  for (uint32_t id = 1; id < 41; id += 2) {
    receive(frame(kHeaders, 4, id, request("/test.T/M")) + frame(kData, 0, id, part));
  }
  take();
  int running = 0;
  for (const auto& record : records_) running += record->call != nullptr ? 1 : 0;
  EXPECT_LE(running, 7);
  EXPECT_FALSE(server_->finished());
}

TEST_F(FloodTest, PeerThatNeverReadsIsCutAtTheLimit) {
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

TEST_F(FloodTest, AnswersThatNobodyReadsHaveALimit) {
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

TEST_F(FloodTest, SilentClientIsCutAfterTheHandshakeTimeout) {
  server_ = std::make_unique<ServerSession>(timers_, limits_, methods_, PeerInfo{"memory:1", nullptr}, events_);
  timers_.advance(limits_.handshake_timeout_ns);
  EXPECT_TRUE(server_->finished());
}

TEST_F(FloodTest, OtherHttpIsAnsweredInHttp) {
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

TEST_F(FloodTest, GarbageEndsTheSession) {
  SeededRandom random(7);
  for (int round = 0; round < 300; ++round) {
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
  }
}

}  // namespace
}  // namespace monitor::rpc
