#include "identity/enrollment/service.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <variant>

#include "base/testing/fake_clock.h"
#include "base/testing/fault_disk.h"
#include "base/testing/manual_worker.h"
#include "grpc/testing/session_pair.h"
#include "identity/ca/credentials.h"
#include "identity/enrollment/messages.h"
#include "identity/peer.h"

namespace monitor::identity {
namespace {

using ::monitor::testing::FaultDisk;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* kPeer = "ipv4:192.0.2.7:40000";

class EnrollmentAnswererTest : public ::testing::Test {
 protected:
  EnrollmentAnswererTest()
      : authority_(Authority::open(disk_, clock_, random_, {.folder = "/ca", .trust_domain = "d"}).value()),
        store_(disk_, clock_, random_, *authority_),
        answerer_(store_, *authority_, clock_, registry_,
                  [](const PeerCertificate& peer) { return agent_id_of(peer, {.trust_domain = "d"}); }) {}

  std::string enroll_message(const std::string& token, const std::string& agent = "web-1") {
    return encode(EnrollRequest{token, agent, *PrivateKey::generate()->request()});
  }
  std::string new_token() { return store_.create_token({.pattern = "web-*"})->text(); }
  // The certificate of the reply, as the transport would show it.
  static PeerCertificate shown(const Result<std::string>& reply) {
    const auto facts = read_certificate(parse_enroll_reply(*reply)->chain.front());
    PeerCertificate peer;
    peer.uris = facts->uris;
    peer.serial = facts->serial;
    return peer;
  }

  FaultDisk disk_;
  FakeClock clock_;
  SeededRandom random_{3};
  telemetry::Registry registry_;
  std::unique_ptr<Authority> authority_;
  EnrollmentStore store_;
  EnrollmentAnswerer answerer_;
};

TEST_F(EnrollmentAnswererTest, EnrollsAndRenews) {
  const auto reply = answerer_.enroll(enroll_message(new_token()), kPeer);
  ASSERT_TRUE(reply) << reply.error().message();
  EXPECT_EQ(parse_enroll_reply(*reply)->authorities.front(), authority_->certificate());
  const PeerCertificate peer = shown(reply);
  const std::string renew = encode(RenewRequest{*PrivateKey::generate()->request()});
  const auto renewed = answerer_.renew(renew, kPeer, &peer);
  ASSERT_TRUE(renewed) << renewed.error().message();
  EXPECT_NE(shown(renewed).serial, peer.serial);
  EXPECT_THAT(registry_.text(), HasSubstr(R"(monitor_server_enrollments_total{call="renew",result="issued"} 1)"));
}

TEST_F(EnrollmentAnswererTest, RenewalNeedsTheAgentsOwnCertificate) {
  const std::string renew = encode(RenewRequest{*PrivateKey::generate()->request()});
  EXPECT_EQ(answerer_.renew(renew, kPeer, nullptr).error().code(), Code::kUnauthenticated);
  PeerCertificate other = shown(answerer_.enroll(enroll_message(new_token()), kPeer));
  other.uris = {"spiffe://d/agent/web-2"};  // as if another CA had signed it
  EXPECT_EQ(answerer_.renew(renew, kPeer, &other).error().code(), Code::kPermissionDenied);
  other.uris = {"spiffe://elsewhere/agent/web-1"};
  EXPECT_EQ(answerer_.renew(renew, kPeer, &other).error().code(), Code::kPermissionDenied);
}

TEST_F(EnrollmentAnswererTest, LimitsRefusedTokensByAddress) {
  const std::string bad = enroll_message("mjt1_nonsense");
  for (int i = 0; i < 30; ++i) {
    ASSERT_EQ(answerer_.enroll(bad, "ipv4:192.0.2.7:" + std::to_string(1000 + i)).error().code(),
              Code::kInvalidArgument);
  }
  const std::string good = enroll_message(new_token());
  EXPECT_EQ(answerer_.enroll(good, kPeer).error().code(), Code::kResourceExhausted) << "even the right one";
  EXPECT_TRUE(answerer_.enroll(good, "ipv4:192.0.2.8:40000")) << "other addresses are not affected";
  clock_.advance(2 * kNanosPerSecond);
  EXPECT_TRUE(answerer_.enroll(enroll_message(new_token(), "web-2"), kPeer));
  EXPECT_THAT(registry_.text(), HasSubstr(R"(result="rate_limited"} 1)"));
}

TEST_F(EnrollmentAnswererTest, LimitsRenewalsByAgent) {
  const PeerCertificate peer = shown(answerer_.enroll(enroll_message(new_token()), kPeer));
  const std::string renew = encode(RenewRequest{*PrivateKey::generate()->request()});
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(answerer_.renew(renew, kPeer, &peer));
  EXPECT_EQ(answerer_.renew(renew, kPeer, &peer).error().code(), Code::kResourceExhausted);
}

TEST_F(EnrollmentAnswererTest, ErrorsAndMetricsNeverContainTheSecret) {
  const std::string token = new_token();
  const std::string secret = token.substr(21, 64);
  for (const std::string& bad : {token.substr(0, 130), token + "0", "x" + token, token + "\nmore"}) {
    const auto reply = answerer_.enroll(enroll_message(bad), kPeer);
    ASSERT_FALSE(reply);
    EXPECT_THAT(reply.error().message(), Not(HasSubstr(secret.substr(0, 16))));
  }
  EXPECT_THAT(registry_.text(), Not(HasSubstr(secret.substr(0, 16))));
}

TEST_F(EnrollmentAnswererTest, HidesTheServersOwnFaults) {
  const std::string message = enroll_message(new_token());
  disk_.put("/ca/tokens.json", "{");
  const auto reply = answerer_.enroll(message, kPeer);
  EXPECT_EQ(reply.error().code(), Code::kUnavailable);
  EXPECT_THAT(reply.error().message(), Not(HasSubstr("/ca")));
}

TEST_F(EnrollmentAnswererTest, GroupsAddressesAsTheConnectionLimitsDo) {
  EXPECT_EQ(limited_address("ipv4:10.0.0.7:1"), limited_address("ipv4:10.0.0.7:2"));
  EXPECT_NE(limited_address("ipv4:10.0.0.7:1"), limited_address("ipv4:10.0.0.8:1"));
  EXPECT_EQ(limited_address("ipv6:[2001:db8::1]:1"), limited_address("ipv6:[2001:db8::2]:9"));
  EXPECT_NE(limited_address("ipv6:[2001:db8::1]:1"), limited_address("ipv6:[2001:db8:0:1::1]:1"));
  EXPECT_NE(limited_address("ipv4:127.0.0.1:1"), limited_address("ipv4:127.0.0.2:1"));
}

// The service over a connection in memory.
class EnrollmentServiceTest : public EnrollmentAnswererTest {
 protected:
  EnrollmentServiceTest() : service_(answerer_, worker_) {
    service_.add_to(pair_.methods);
    pair_.start();
  }
  std::unique_ptr<grpc::ClientCall> call(const char* path, const std::string& message, grpc::CallRecorder& recorder) {
    auto call = pair_.client->start(path, {}, recorder);
    call->write(message);
    call->half_close();
    pair_.pump();
    return call;
  }

  ManualWorker worker_;
  EnrollmentService service_;
  grpc::SessionPair pair_;
};

TEST_F(EnrollmentServiceTest, AnswersWhenTheDiskHasAnswered) {
  grpc::CallRecorder recorder;
  const auto running = call(kEnrollPath, enroll_message(new_token()), recorder);
  EXPECT_FALSE(recorder.status);
  worker_.run_all();
  pair_.pump();
  ASSERT_TRUE(recorder.status);
  EXPECT_TRUE(recorder.status->ok()) << recorder.status->message;
  ASSERT_EQ(recorder.messages.size(), 1U);
  EXPECT_TRUE(parse_enroll_reply(recorder.messages.front()));
}

TEST_F(EnrollmentServiceTest, ACancelledCallIsNotAnswered) {
  grpc::CallRecorder recorder;
  auto running = call(kEnrollPath, enroll_message(new_token()), recorder);
  running.reset();
  pair_.pump();
  worker_.run_all();
  pair_.pump();
  EXPECT_FALSE(recorder.status);
}

TEST_F(EnrollmentServiceTest, RenewalWithoutACertificateIsUnauthenticated) {
  grpc::CallRecorder recorder;
  const auto running = call(kRenewPath, encode(RenewRequest{"x"}), recorder);
  worker_.run_all();
  pair_.pump();
  ASSERT_TRUE(recorder.status);
  EXPECT_EQ(recorder.status->code, Code::kUnauthenticated);
}

TEST_F(EnrollmentServiceTest, BoundsTheCallsThatWait) {
  std::vector<std::unique_ptr<grpc::CallRecorder>> recorders;
  std::vector<std::unique_ptr<grpc::ClientCall>> calls;
  for (size_t i = 0; i < EnrollmentService::kMostWaiting + 1; ++i) {
    recorders.push_back(std::make_unique<grpc::CallRecorder>());
    calls.push_back(call(kEnrollPath, enroll_message("mjt1_x"), *recorders.back()));
    calls.back().reset();  // the peer gives up; the work is still queued
    pair_.pump();
  }
  grpc::CallRecorder last;
  const auto running = call(kEnrollPath, enroll_message("mjt1_x"), last);
  ASSERT_TRUE(last.status);
  EXPECT_EQ(last.status->code, Code::kResourceExhausted);
}

TEST_F(EnrollmentServiceTest, RejectsLongRequests) {
  grpc::CallRecorder recorder;
  const auto running = call(kEnrollPath, std::string(kMaxEnrollmentRequest + 1, 'x'), recorder);
  ASSERT_TRUE(recorder.status);
  EXPECT_EQ(recorder.status->code, Code::kResourceExhausted);
  EXPECT_TRUE(worker_.idle());
}

}  // namespace
}  // namespace monitor::identity
