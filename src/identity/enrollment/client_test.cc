#include "identity/enrollment/client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>

#include "base/testing/fake_clock.h"
#include "base/testing/fault_disk.h"
#include "base/testing/manual_worker.h"
#include "identity/ca/enrollment_store.h"

namespace monitor::identity {
namespace {

using ::monitor::testing::DiskCall;
using ::monitor::testing::DiskFault;
using ::monitor::testing::DiskOp;
using ::monitor::testing::FaultDisk;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr int64_t kLife = 90 * 3600 * kNanosPerSecond;

// A server in memory: answers calls from a store, or with an error.
class FakeServer final : public EnrollmentConnector {
 public:
  FakeServer(Timers& timers, EnrollmentStore& store, const Authority& authority)
      : timers_(timers), store_(store), authority_(authority) {}

  Result<std::unique_ptr<grpc::CallStarter>> first_contact(const HostPort& server, const std::string& pin) override {
    contacted.push_back(server.host);
    pins.push_back(pin);
    return std::unique_ptr<grpc::CallStarter>(std::make_unique<Starter>(*this));
  }
  Result<std::unique_ptr<grpc::CallStarter>> authenticated(const HostPort& server) override {
    contacted.push_back(server.host);
    return std::unique_ptr<grpc::CallStarter>(std::make_unique<Starter>(*this));
  }

  std::vector<std::string> contacted;
  std::vector<std::string> pins;
  std::optional<Error> error;  // every call fails with it
  bool loses_replies = false;  // calls are handled, and their replies are lost
  std::string serial;          // of the certificate that the agent shows
  std::function<void(EnrollReply&)> alter;
  int enrolls = 0;
  int renews = 0;

 private:
  class Call final : public grpc::ClientCall {
   public:
    Call(FakeServer& server, std::string path, grpc::ClientCallHandler& handler)
        : server_(server), path_(std::move(path)), handler_(handler) {}
    ~Call() override { server_.timers_.cancel_timer(timer_); }
    void write(std::string_view message) override { message_ = message; }
    void half_close() override {
      timer_ = server_.timers_.call_after(0, [this] {
        timer_ = 0;
        const auto reply = server_.handle(path_, message_);
        if (reply) handler_.on_message(*reply);
        handler_.on_done(reply ? grpc::CallStatus{} : grpc::CallStatus{reply.error().code(), reply.error().message()},
                         {});
      });
    }
    void cancel() override {}
    size_t unsent_bytes() const override { return 0; }
    void consumed(size_t) override {}

   private:
    FakeServer& server_;
    std::string path_;
    grpc::ClientCallHandler& handler_;
    std::string message_;
    Timers::TimerId timer_ = 0;
  };
  class Starter final : public grpc::CallStarter {
   public:
    explicit Starter(FakeServer& server) : server_(server) {}
    std::unique_ptr<grpc::ClientCall> start(std::string_view path, const grpc::CallOptions&,
                                            grpc::ClientCallHandler& handler) override {
      return std::make_unique<Call>(server_, std::string(path), handler);
    }

   private:
    FakeServer& server_;
  };

  Result<std::string> handle(const std::string& path, const std::string& message) {
    if (error) return *error;
    EnrollmentResult result = Refusal{"", Error(Code::kUnimplemented, "no such method")};
    if (path == kEnrollPath) {
      ++enrolls;
      const auto request = parse_enroll_request(message);
      result = store_.enroll(*parse_join_token(request->token), request->agent_id, request->certificate_request);
    } else {
      ++renews;
      result = store_.renew("web-1", serial, parse_renew_request(message)->certificate_request);
    }
    if (const auto* refusal = std::get_if<Refusal>(&result)) return refusal->error;
    if (loses_replies) return Error(Code::kUnavailable, "connection lost");
    const auto& issued = std::get<IssuedCertificate>(result);
    serial = issued.serial;
    EnrollReply reply{{issued.der}, {authority_.certificate()}};
    if (alter) alter(reply);
    return encode(reply);
  }

  Timers& timers_;
  EnrollmentStore& store_;
  const Authority& authority_;
};

class EnrollmentClientTest : public ::testing::Test {
 protected:
  EnrollmentClientTest()
      : authority_(Authority::open(server_disk_, timers_.clock(), random_,
                                   {.folder = "/ca", .trust_domain = "d", .agent_life_ns = kLife})
                       .value()),
        store_(server_disk_, timers_.clock(), random_, *authority_),
        server_(timers_, store_, *authority_) {
    std::string pattern = (std::filesystem::temp_directory_path() / "client-XXXXXX").string();
    folder_ = mkdtemp(pattern.data());
    give(store_.create_token({.pattern = "web-*"})->text());
  }
  ~EnrollmentClientTest() override { std::filesystem::remove_all(folder_); }

  // A new token in the agent's token file.
  void give(const std::string& text) { std::ofstream(token_file()) << text << "\n"; }
  std::string token_file() const { return folder_ + "/token"; }

  Status start(const std::string& token_file) {
    ready_ = 0;
    client_ = std::make_unique<EnrollmentClient>(
        timers_, random_, disk_, worker_, server_,
        EnrollmentClientOptions{"/id", "web-1", token_file, {{"one", 1}, {"two", 2}}});
    if (Status opened = client_->open(); !opened) return opened;
    client_->start([this] { ++ready_; });
    run();
    return {};
  }
  // Runs what is due now.
  void run() {
    for (int i = 0; i < 8; ++i) {
      timers_.advance(0);
      worker_.run_all();
    }
  }
  void pass(int64_t ns) {
    const int64_t step = 60 * kNanosPerSecond;
    for (; ns > 0; ns -= step) {
      timers_.advance(std::min(ns, step));
      run();
    }
  }
  void fail_writes(bool fail) {
    disk_.set_judge([fail](const DiskCall& call) {
      return fail && call.op == DiskOp::kWrite ? std::optional(DiskFault::kNoSpace) : std::nullopt;
    });
  }

  FakeTimers timers_;
  SeededRandom random_{5};
  FaultDisk server_disk_;
  FaultDisk disk_;
  ManualWorker worker_;
  std::unique_ptr<Authority> authority_;
  EnrollmentStore store_;
  FakeServer server_;
  std::unique_ptr<EnrollmentClient> client_;
  std::string folder_;
  int ready_ = 0;
};

TEST_F(EnrollmentClientTest, JoinsAndStoresItsIdentity) {
  ASSERT_TRUE(start(token_file()));
  EXPECT_TRUE(client_->joined()) << client_->problem();
  EXPECT_EQ(ready_, 1);
  EXPECT_THAT(client_->problem(), IsEmpty());
  EXPECT_EQ(server_.pins.front(), authority_->pin());
  const auto files = disk_.contents();
  EXPECT_THAT(files.at("/id/identity.pem"), HasSubstr("BEGIN PRIVATE KEY"));
  EXPECT_THAT(files.at("/id/identity.pem"), HasSubstr("BEGIN CERTIFICATE"));
  EXPECT_FALSE(files.contains("/id/pending.key"));
}

TEST_F(EnrollmentClientTest, NeedsNoTokenOnceItHasJoined) {
  ASSERT_TRUE(start(token_file()));
  std::filesystem::remove(token_file());
  ASSERT_TRUE(start(token_file()));
  EXPECT_TRUE(client_->joined());
  EXPECT_EQ(ready_, 1);
  ASSERT_TRUE(start(""));
  EXPECT_TRUE(client_->joined());
  EXPECT_EQ(server_.enrolls, 1);
}

TEST_F(EnrollmentClientTest, AFreshAgentNeedsAReadableToken) {
  EXPECT_EQ(start(folder_ + "/missing").error().code(), Code::kFailedPrecondition);
  give("mjt1_nonsense");
  const Status malformed = start(token_file());
  ASSERT_FALSE(malformed);
  EXPECT_THAT(malformed.error().message(), HasSubstr(token_file()));
}

TEST_F(EnrollmentClientTest, RenewsAtTwoThirdsOfItsLife) {
  ASSERT_TRUE(start(token_file()));
  const std::string first = disk_.contents().at("/id/identity.pem");
  pass(kLife / 2);
  EXPECT_EQ(server_.renews, 0);
  pass(kLife / 4);
  EXPECT_EQ(server_.renews, 1);
  EXPECT_EQ(client_->stats().renewed, 1U);
  EXPECT_EQ(ready_, 2);
  EXPECT_NE(disk_.contents().at("/id/identity.pem"), first);
  EXPECT_GT(client_->expires_ns(), timers_.clock().wall_ns() + kLife / 2);
}

TEST_F(EnrollmentClientTest, ARenewalBringsTheRenewedCertificateOfTheCa) {
  ASSERT_TRUE(start(token_file()));
  const std::string old = disk_.contents().at("/id/ca.pem");
  ASSERT_TRUE(server_disk_.remove_file("/ca/ca.pem"));
  const auto renewed = Authority::open(server_disk_, timers_.clock(), random_, {.folder = "/ca", .trust_domain = "d"});
  ASSERT_TRUE(renewed);
  server_.alter = [&](EnrollReply& reply) { reply.authorities = {(*renewed)->certificate()}; };
  pass(kLife * 3 / 4);
  EXPECT_EQ(client_->stats().renewed, 1U) << client_->problem();
  EXPECT_EQ(disk_.contents().at("/id/ca.pem"), certificate_pem((*renewed)->certificate()));
  EXPECT_NE(disk_.contents().at("/id/ca.pem"), old);
}

TEST_F(EnrollmentClientTest, RenewsAfterARestart) {
  ASSERT_TRUE(start(token_file()));
  client_.reset();
  pass(kLife * 3 / 4);
  ASSERT_TRUE(start(token_file()));
  EXPECT_EQ(server_.renews, 1);
  EXPECT_EQ(server_.enrolls, 1);
}

TEST_F(EnrollmentClientTest, KeepsItsCertificateWhileItCannotRenew) {
  ASSERT_TRUE(start(token_file()));
  server_.error = Error(Code::kUnavailable, "connection refused");
  pass(kLife * 9 / 10);
  EXPECT_TRUE(client_->joined());
  EXPECT_THAT(client_->problem(), HasSubstr("cannot renew the certificate: connection refused"));
  EXPECT_GT(client_->stats().failures, 1U);
  EXPECT_LT(client_->stats().failures, 60U) << "it backs off";
  server_.error.reset();
  pass(kLife / 10 - 60 * kNanosPerSecond);
  EXPECT_EQ(client_->stats().renewed, 1U);
  EXPECT_THAT(client_->problem(), IsEmpty());
}

TEST_F(EnrollmentClientTest, JoinsAgainAfterItsCertificateExpired) {
  ASSERT_TRUE(start(token_file()));
  client_.reset();
  pass(kLife + kNanosPerSecond);
  ASSERT_TRUE(start(token_file())) << "it keeps collecting";
  EXPECT_FALSE(client_->joined());
  EXPECT_THAT(client_->problem(), HasSubstr("expired"));
  give(store_.create_token({.pattern = "web-*"})->text());
  pass(600 * kNanosPerSecond);
  EXPECT_TRUE(client_->joined()) << client_->problem();
}

TEST_F(EnrollmentClientTest, ReportsAnExpiredCertificateWithoutAToken) {
  ASSERT_TRUE(start(token_file()));
  client_.reset();
  pass(kLife + kNanosPerSecond);
  ASSERT_TRUE(start(""));
  EXPECT_THAT(client_->problem(), HasSubstr("there is no --join-token-file"));
}

TEST_F(EnrollmentClientTest, ReadsTheTokenAgainAfterARefusal) {
  give(store_.create_token({.pattern = "db-*"})->text());
  ASSERT_TRUE(start(token_file()));
  EXPECT_FALSE(client_->joined());
  EXPECT_EQ(ready_, 0);
  EXPECT_THAT(client_->problem(), HasSubstr("is for agents \"db-*\", not for \"web-1\""));
  give(store_.create_token({.pattern = "web-1"})->text());
  pass(600 * kNanosPerSecond);
  EXPECT_TRUE(client_->joined());
  EXPECT_EQ(ready_, 1);
}

TEST_F(EnrollmentClientTest, ALostReplyDoesNotLockTheAgentOut) {
  server_.loses_replies = true;
  ASSERT_TRUE(start(token_file()));
  EXPECT_FALSE(client_->joined());
  client_.reset();  // and the agent restarts
  server_.loses_replies = false;
  ASSERT_TRUE(start(token_file()));
  EXPECT_TRUE(client_->joined()) << client_->problem();
  EXPECT_EQ(store_.tokens()->front().uses.size(), 1U);
}

TEST_F(EnrollmentClientTest, AFullDiskSendsNoTokenAndStoresNoHalf) {
  fail_writes(true);
  ASSERT_TRUE(start(token_file()));
  EXPECT_EQ(server_.enrolls, 0);
  EXPECT_THAT(client_->problem(), HasSubstr("storing the agent's key"));
  EXPECT_TRUE(disk_.contents().empty());
  fail_writes(false);
  pass(600 * kNanosPerSecond);
  EXPECT_TRUE(client_->joined());
}

TEST_F(EnrollmentClientTest, AFullDiskAtRenewalKeepsTheOldIdentity) {
  ASSERT_TRUE(start(token_file()));
  const auto before = disk_.contents();
  const std::string serial = server_.serial;
  fail_writes(true);
  pass(kLife * 3 / 4);
  EXPECT_EQ(disk_.contents(), before);
  EXPECT_THAT(client_->problem(), HasSubstr("storing the agent's certificate"));
  fail_writes(false);
  server_.serial = serial;
  pass(kLife / 8);
  EXPECT_EQ(client_->stats().renewed, 1U);
}

TEST_F(EnrollmentClientTest, TakesTheNextServerAfterAFailure) {
  server_.error = Error(Code::kUnimplemented, "unknown service");
  ASSERT_TRUE(start(token_file()));
  pass(5 * kNanosPerSecond);
  ASSERT_GE(server_.contacted.size(), 2U);
  EXPECT_EQ(server_.contacted[0], "one");
  EXPECT_EQ(server_.contacted[1], "two");
}

TEST_F(EnrollmentClientTest, ANewTokenJoinsAgainAndKeepsTheOldCertificateMeanwhile) {
  ASSERT_TRUE(start(token_file()));
  give(store_.create_token({.pattern = "web-*"})->text());  // a wildcard may not replace the agent
  ASSERT_TRUE(start(token_file()));
  EXPECT_TRUE(client_->joined());
  EXPECT_EQ(ready_, 1);
  EXPECT_THAT(client_->problem(), HasSubstr("make a token for exactly this agent"));
  give(store_.create_token({.pattern = "web-1"})->text());
  pass(600 * kNanosPerSecond);
  EXPECT_EQ(client_->stats().enrolled, 1U);
  EXPECT_EQ(ready_, 2);
}

TEST_F(EnrollmentClientTest, RejectsAnswersThatItDidNotAskFor) {
  const auto other = PrivateKey::generate();
  const auto stranger = Authority::open(disk_, timers_.clock(), random_, {.folder = "/other", .trust_domain = "d"});
  const auto for_other_key = authority_->issue_agent("web-1", *other->request());
  const std::vector<std::pair<std::string, std::function<void(EnrollReply&)>>> cases = {
      {"no certificate", [](EnrollReply& reply) { reply.chain.clear(); }},
      {"names no CA", [](EnrollReply& reply) { reply.authorities.clear(); }},
      {"not X.509", [](EnrollReply& reply) { reply.chain.front() = "x"; }},
      {"for another key", [&](EnrollReply& reply) { reply.chain.front() = for_other_key->der; }},
      {"join token names", [&](EnrollReply& reply) { reply.authorities = {(*stranger)->certificate()}; }},
      {"does not belong to a CA", [&](EnrollReply& reply) { reply.authorities.push_back(reply.chain.front()); }},
  };
  for (const auto& [reason, alter] : cases) {
    give(store_.create_token({.pattern = "web-1"})->text());
    server_.alter = alter;
    ASSERT_TRUE(start(token_file()));
    EXPECT_FALSE(client_->joined()) << reason;
    EXPECT_THAT(client_->problem(), HasSubstr(reason));
    EXPECT_FALSE(disk_.contents().contains("/id/identity.pem")) << reason;
  }
}

TEST_F(EnrollmentClientTest, RejectsDamagedFiles) {
  ASSERT_TRUE(start(token_file()));
  const auto files = disk_.contents();
  const auto expect_damaged = [&](const std::string& path, const std::string& content) {
    disk_.put(path, content);
    const Status opened = start("");
    ASSERT_FALSE(opened) << path;
    EXPECT_EQ(opened.error().code(), Code::kDataLoss);
    EXPECT_THAT(opened.error().message(), HasSubstr("remove the folder /id"));
    disk_.put(path, files.at(path));
  };
  expect_damaged("/id/identity.pem", "");
  expect_damaged("/id/identity.pem", files.at("/id/identity.pem").substr(0, 300));
  expect_damaged("/id/identity.pem", PrivateKey::generate()->private_pem() + files.at("/id/ca.pem"));
  expect_damaged("/id/ca.pem", "x");
  EXPECT_TRUE(start(""));
}

}  // namespace
}  // namespace monitor::identity
