// The client's session against servers that answer oddly, break rules, or do not speak gRPC, with frames built by hand.
#include "grpc/client_session.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "base/random.h"
#include "base/testing/fake_clock.h"
#include "grpc/testing/frames.h"
#include "grpc/testing/session_pair.h"

namespace monitor::grpc {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;

const std::string kOkHeaders = literal(":status", "200") + literal("content-type", "application/grpc");
const std::string kOneMessage("\0\0\0\0\1x", 6);

class ClientSessionTest : public testing::Test {
 protected:
  void SetUp() override { begin(); }
  void begin() {
    recorder_ = std::make_unique<CallRecorder>();
    events_ = {};
    call_.reset();
    session_ = std::make_unique<ClientSession>(timers_, ClientSessionOptions{}, events_);
    call_ = session_->start("/t.T/M", {}, *recorder_);
    call_->write("request");
    flush();
    receive(frame(kSettings, 0, 0, "") + frame(kSettings, 1, 0, ""));
  }
  void flush() {
    while (true) {
      const size_t size = session_->pending_output().size();
      if (size == 0) return;
      session_->consume_output(size);
    }
  }
  void receive(const std::string& bytes) {
    session_->receive(bytes);
    flush();
    timers_.advance(0);
  }
  // The status of a call that the server answers with `bytes`.
  CallStatus answer(const std::string& bytes) {
    begin();
    receive(bytes);
    EXPECT_EQ(recorder_->done, 1);
    return recorder_->status.value_or(CallStatus{});
  }
  static std::string headers(const std::string& block, bool end) {
    return frame(kHeaders, static_cast<uint8_t>(end ? 5 : 4), 1, block);
  }
  static std::string reset(uint8_t code) { return frame(kReset, 0, 1, std::string(3, '\0') + static_cast<char>(code)); }

  FakeTimers timers_;
  SessionPair::ClientEvents events_;
  std::unique_ptr<CallRecorder> recorder_;
  std::unique_ptr<ClientSession> session_;
  std::unique_ptr<ClientCall> call_;
};

TEST_F(ClientSessionTest, AcceptsTrailersOnly) {
  const CallStatus status =
      answer(headers(kOkHeaders + literal("grpc-status", "5") + literal("grpc-message", "no%20way%"), true));
  EXPECT_EQ(status, (CallStatus{Code::kNotFound, "no way%"}));
  EXPECT_FALSE(recorder_->headers.has_value());
}

TEST_F(ClientSessionTest, SkipsInformationalHeaders) {
  const CallStatus status =
      answer(headers(literal(":status", "100"), false) + headers(kOkHeaders + literal("a", "b"), false) +
             frame(kData, 0, 1, kOneMessage) + headers(literal("grpc-status", "0") + literal("c", "d"), true));
  EXPECT_TRUE(status.ok()) << status.message;
  EXPECT_THAT(*recorder_->headers, ElementsAre(Pair("a", "b")));
  EXPECT_THAT(recorder_->trailers, ElementsAre(Pair("c", "d")));
  EXPECT_THAT(recorder_->messages, ElementsAre("x"));
}

TEST_F(ClientSessionTest, ReportsAnswersThatAreNotGrpc) {
  const std::string html = literal("content-type", "text/html");
  EXPECT_EQ(answer(headers(literal(":status", "503") + html, false)).code, Code::kUnavailable);
  EXPECT_EQ(answer(headers(literal(":status", "404") + html, true)).code, Code::kUnimplemented);
  EXPECT_EQ(answer(headers(literal(":status", "401"), true)).code, Code::kUnauthenticated);
  const CallStatus odd = answer(headers(literal(":status", "200") + html, false));
  EXPECT_EQ(odd.code, Code::kUnknown);
  EXPECT_THAT(odd.message, HasSubstr("text/html"));
  EXPECT_TRUE(session_->accepts_calls());
}

TEST_F(ClientSessionTest, ReportsAMissingStatus) {
  EXPECT_EQ(answer(headers(kOkHeaders, false) + frame(kData, 1, 1, kOneMessage)).code, Code::kInternal);
  EXPECT_EQ(answer(headers(kOkHeaders, false) + headers(literal("a", "b"), true)).code, Code::kUnknown);
  const std::string half = kOneMessage.substr(0, 4);
  EXPECT_EQ(
      answer(headers(kOkHeaders, false) + frame(kData, 0, 1, half) + headers(literal("grpc-status", "0"), true)).code,
      Code::kInternal);
  EXPECT_EQ(answer(headers(kOkHeaders + literal("grpc-status", "777"), true)).code, Code::kUnknown);
}

TEST_F(ClientSessionTest, MapsResetsToStatuses) {
  EXPECT_EQ(answer(reset(0x1)).code, Code::kInternal);
  EXPECT_EQ(answer(reset(0x7)).code, Code::kUnavailable);
  EXPECT_EQ(answer(reset(0x8)).code, Code::kCancelled);
  EXPECT_EQ(answer(reset(0xb)).code, Code::kResourceExhausted);
  EXPECT_EQ(answer(reset(0xc)).code, Code::kPermissionDenied);
  EXPECT_TRUE(session_->accepts_calls());
}

TEST_F(ClientSessionTest, RejectsCompressionThatWasNotOffered) {
  EXPECT_EQ(answer(headers(kOkHeaders + literal("grpc-encoding", "gzip"), false)).code, Code::kInternal);
  EXPECT_EQ(answer(headers(kOkHeaders, false) + frame(kData, 0, 1, std::string("\1\0\0\0\1x", 6))).code,
            Code::kInternal);
  EXPECT_EQ(answer(headers(kOkHeaders, false) + frame(kData, 0, 1, std::string("\0\xff\xff\xff\xff", 5))).code,
            Code::kResourceExhausted);
}

TEST_F(ClientSessionTest, HeadersAboveTheLimitEndTheConnection) {
  std::string block = kOkHeaders;
  for (int i = 0; i < 200; ++i) block += literal("key" + std::to_string(i), std::string(100, 'v'));
  const CallStatus status =
      answer(frame(kHeaders, 0, 1, block.substr(0, 16'000)) + frame(kCont, 4, 1, block.substr(16'000)));
  EXPECT_EQ(status.code, Code::kUnavailable);
  EXPECT_THAT(status.message, HasSubstr("header_list_too_large"));
  EXPECT_FALSE(session_->accepts_calls());
}

TEST_F(ClientSessionTest, GoawayEndsOnlyCallsThatTheServerDropped) {
  CallRecorder later;
  const auto second = session_->start("/t.T/M", {}, later);
  flush();
  receive(frame(kGoAwayFrame, 0, 0, std::string("\0\0\0\1\0\0\0\0", 8) + "maintenance"));
  EXPECT_EQ(later.done, 1);
  EXPECT_EQ(later.status->code, Code::kUnavailable);
  EXPECT_THAT(later.status->message, HasSubstr("never processed"));
  EXPECT_EQ(events_.goaway->debug_data, "maintenance");
  EXPECT_EQ(recorder_->done, 0);
  receive(headers(kOkHeaders + literal("grpc-status", "0"), true));
  EXPECT_TRUE(recorder_->status->ok());
  EXPECT_TRUE(events_.finished.has_value());
}

TEST_F(ClientSessionTest, BrokenRulesEndTheConnection) {
  for (const std::string& bytes :
       {std::string("HTTP/1.1 400 Bad Request\r\n\r\n"),
        frame(kPush, 4, 1, std::string("\0\0\0\2", 4) + kOkHeaders),        // the client refused push
        frame(kHeaders, 4, 1, std::string("\xff\xff\xff\xff\xff\xff", 6)),  // invalid HPACK
        frame(kWindow, 0, 0, std::string("\0\0\0\0", 4)), frame(kCont, 4, 1, kOkHeaders), frame(kSettings, 0, 0, "odd"),
        frame(kData, 0, 7, "idle stream")}) {
    const CallStatus status = answer(bytes);
    EXPECT_EQ(status.code, Code::kUnavailable) << status.message;
    EXPECT_TRUE(session_->finished());
    EXPECT_TRUE(events_.finished.has_value());
  }
}

TEST_F(ClientSessionTest, GarbageGivesExactlyOneStatus) {
  SeededRandom random(11);
  const std::string good =
      headers(kOkHeaders, false) + frame(kData, 0, 1, kOneMessage) + headers(literal("grpc-status", "0"), true);
  for (int round = 0; round < 500; ++round) {
    begin();
    std::string bytes = good;
    const size_t at = random.below(bytes.size());
    bytes[at] = static_cast<char>(static_cast<unsigned char>(bytes[at]) ^ (1 + random.below(255)));
    receive(bytes);
    session_->connection_lost(Error(Code::kUnavailable, "closed"));
    timers_.advance(0);
    EXPECT_EQ(recorder_->done, 1);
  }
}

// How much a hostile server can cost its client.
class HostileServerTest : public ClientSessionTest {
 protected:
  static std::string large_entry() { return "\x40\x01k\x7f\x81\x1e" + std::string(3968, 'v'); }
  void expect_cut(const std::string& why) {
    ASSERT_TRUE(events_.finished);
    EXPECT_THAT(events_.finished->message(), HasSubstr(why));
    EXPECT_EQ(recorder_->done, 1);
    EXPECT_EQ(recorder_->status->code, Code::kUnavailable);
  }
};

TEST_F(HostileServerTest, HeaderBombInAnAnswerEndsTheConnection) {
  receive(headers(kOkHeaders + large_entry() + std::string(10'000, '\xbe'), false));
  expect_cut("header_list_too_large");
}

TEST_F(HostileServerTest, HeaderBombInTrailersEndsTheConnection) {
  receive(headers(kOkHeaders + large_entry(), false) + headers(std::string(10'000, '\xbe'), true));
  expect_cut("header_list_too_large");
}

TEST_F(HostileServerTest, LimitsInformationalHeaders) {
  receive(headers(literal(":status", "103") + large_entry(), false));
  int rounds = 0;
  for (; !events_.finished && rounds < 10'000; ++rounds) {
    receive(headers(literal(":status", "103") + std::string(3, '\xbe'), false));
  }
  EXPECT_LT(rounds, 2000);
  expect_cut("too_many_headers");
}

TEST_F(HostileServerTest, ChargesHeaderBlocksOfCancelledCalls) {
  receive(headers(kOkHeaders + large_entry(), false));
  call_->cancel();
  flush();
  timers_.advance(0);
  receive(headers(std::string(16'000, '\xbe'), true));
  EXPECT_TRUE(events_.finished);
  EXPECT_FALSE(session_->accepts_calls());
}

TEST_F(HostileServerTest, LimitsControlFrames) {
  int rounds = 0;
  for (; !events_.finished && rounds < 1000; ++rounds) {
    std::string pings;
    for (int i = 0; i < 100; ++i) pings += frame(kPing, 0, 0, "12345678");
    receive(pings);
  }
  EXPECT_LT(rounds, 300);
  expect_cut("too_many_control_frames");
}

TEST_F(HostileServerTest, UnfinishedHeaderBlockHasADeadline) {
  receive(frame(kHeaders, 0, 1, kOkHeaders));
  timers_.advance(20 * kNanosPerSecond);
  expect_cut("header_timeout");
}

}  // namespace
}  // namespace monitor::grpc
