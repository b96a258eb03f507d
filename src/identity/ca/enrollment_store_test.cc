#include "identity/ca/enrollment_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <thread>

#include "base/testing/fake_clock.h"
#include "base/testing/fault_disk.h"
#include "identity/ca/credentials.h"
#include "identity/ca/revoked_certificates.h"

namespace monitor::identity {
namespace {

using ::monitor::testing::DiskCall;
using ::monitor::testing::DiskFault;
using ::monitor::testing::DiskOp;
using ::monitor::testing::FaultDisk;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

class EnrollmentStoreTest : public ::testing::Test {
 protected:
  EnrollmentStoreTest()
      : authority_(Authority::open(disk_, clock_, random_, {.folder = "/ca", .trust_domain = "d"}).value()),
        store_(disk_, clock_, random_, *authority_) {}

  JoinToken token(const std::string& pattern, uint64_t uses = 1, int64_t life = kDay) {
    return store_.create_token({.pattern = pattern, .life_ns = life, .max_uses = uses}).value();
  }
  static std::string request() { return PrivateKey::generate()->request().value(); }
  // "issued", or the reason of the refusal.
  std::string enroll(const JoinToken& token, const std::string& agent, const std::string& csr = request()) {
    return reason(store_.enroll(token, agent, csr));
  }
  std::string reason(const EnrollmentResult& result) {
    if (std::holds_alternative<IssuedCertificate>(result)) {
      last_ = std::get<IssuedCertificate>(result);
      return "issued";
    }
    refusal_ = std::get<Refusal>(result).error.message();
    return std::get<Refusal>(result).reason;
  }
  TokenRecord record(const std::string& id) {
    const auto tokens = store_.tokens();
    for (const TokenRecord& one : *tokens) {
      if (one.id == id) return one;
    }
    return {};
  }

  FaultDisk disk_;
  FakeClock clock_;
  SeededRandom random_{3};
  std::unique_ptr<Authority> authority_;
  EnrollmentStore store_;
  IssuedCertificate last_;
  std::string refusal_;
};

TEST_F(EnrollmentStoreTest, ATokenJoinsOneAgentOnce) {
  const JoinToken one = token("web-*");
  EXPECT_EQ(enroll(one, "web-1"), "issued");
  EXPECT_EQ(enroll(one, "web-2"), "used");
  EXPECT_THAT(refusal_, HasSubstr("agent web-1 used it last"));
  EXPECT_EQ(record(one.id).refused, 1U);
  EXPECT_EQ(std::string(record(one.id).state(clock_.wall_ns())), "used");
}

TEST_F(EnrollmentStoreTest, TheSameRequestAgainIsARepetition) {
  const JoinToken one = token("web-1");
  const auto key = PrivateKey::generate();
  EXPECT_EQ(enroll(one, "web-1", *key->request()), "issued");
  const std::string first = last_.serial;
  EXPECT_EQ(enroll(one, "web-1", *key->request()), "issued");
  EXPECT_NE(last_.serial, first);
  EXPECT_EQ(record(one.id).uses.size(), 1U);
  EXPECT_EQ(enroll(one, "web-1"), "used") << "another key is no repetition";
  EXPECT_EQ(enroll(one, "web-2", *key->request()), "other_agent");
}

TEST_F(EnrollmentStoreTest, AnAgentHasABoundedNumberOfValidCertificates) {
  const JoinToken one = token("web-1");
  const auto key = PrivateKey::generate();
  for (int i = 0; i < 64; ++i) ASSERT_EQ(enroll(one, "web-1", *key->request()), "issued") << i;
  EXPECT_EQ(enroll(one, "web-1", *key->request()), "too_many");
  EXPECT_EQ(reason(store_.renew("web-1", last_.serial, request())), "too_many");
  EXPECT_EQ(enroll(token("web-2"), "web-2"), "issued") << "other agents are not affected";
}

TEST_F(EnrollmentStoreTest, AnExpiredCertificateRenewsNothing) {
  EXPECT_EQ(enroll(token("web-1"), "web-1"), "issued");
  clock_.advance(last_.expires_ns - clock_.wall_ns());
  EXPECT_EQ(reason(store_.renew("web-1", last_.serial, request())), "expired");
}

TEST_F(EnrollmentStoreTest, CountsUses) {
  const JoinToken many = token("web-*", 3);
  EXPECT_EQ(enroll(many, "web-1"), "issued");
  EXPECT_EQ(enroll(many, "web-2"), "issued");
  EXPECT_EQ(enroll(many, "web-3"), "issued");
  EXPECT_EQ(enroll(many, "web-4"), "used");
}

TEST_F(EnrollmentStoreTest, RefusesEveryAlteredToken) {
  const JoinToken good = token("web-1");
  for (size_t i = 0; i < good.secret.size(); ++i) {
    JoinToken bad = good;
    bad.secret[i] = bad.secret[i] == 'a' ? 'b' : 'a';
    ASSERT_EQ(enroll(bad, "web-1"), "wrong_secret") << i;
  }
  JoinToken other = good;
  other.id[0] = other.id[0] == 'a' ? 'b' : 'a';
  EXPECT_EQ(enroll(other, "web-1"), "unknown");
  other = good;
  other.pin[5] = other.pin[5] == 'a' ? 'b' : 'a';
  EXPECT_EQ(enroll(other, "web-1"), "other_ca");
  other = good;
  other.secret = token("web-1").secret;
  EXPECT_EQ(enroll(other, "web-1"), "wrong_secret") << "the secret of another token";
  EXPECT_EQ(enroll(good, "web-1"), "issued") << "refusals have taken no use";
}

TEST_F(EnrollmentStoreTest, AnExpiredTokenIsUseless) {
  const JoinToken one = token("web-1", 1, 60 * kNanosPerSecond);
  clock_.advance(60 * kNanosPerSecond);
  EXPECT_EQ(enroll(one, "web-1"), "expired");
  EXPECT_EQ(std::string(record(one.id).state(clock_.wall_ns())), "expired");
}

TEST_F(EnrollmentStoreTest, ARepetitionEndsWithTheToken) {
  const JoinToken one = token("web-1", 1, 60 * kNanosPerSecond);
  const auto key = PrivateKey::generate();
  EXPECT_EQ(enroll(one, "web-1", *key->request()), "issued");
  clock_.advance(60 * kNanosPerSecond);
  EXPECT_EQ(enroll(one, "web-1", *key->request()), "expired");
}

TEST_F(EnrollmentStoreTest, ARevokedTokenIsUseless) {
  const JoinToken one = token("web-1");
  EXPECT_TRUE(store_.revoke_token(one.id).value());
  EXPECT_EQ(enroll(one, "web-1"), "revoked");
  EXPECT_FALSE(store_.revoke_token("0123456789abcdef").value());
}

TEST_F(EnrollmentStoreTest, RefusesOtherAgents) {
  const JoinToken one = token("web-?");
  for (const char* agent : {"db-1", "web-10", "web-", "WEB-1", "xweb-1"}) EXPECT_EQ(enroll(one, agent), "other_agent");
  for (const char* agent : {"", "a/b", "..", "web-\n", "web 1"}) EXPECT_EQ(enroll(one, agent), "bad_agent_id");
  EXPECT_EQ(enroll(one, std::string(129, 'a')), "bad_agent_id");
  EXPECT_EQ(enroll(one, "web-1"), "issued");
}

TEST_F(EnrollmentStoreTest, RefusesBadRequestsWithoutTakingAUse) {
  const JoinToken one = token("web-1");
  for (const std::string& bad : {std::string(), std::string("x"), request().substr(1), request() + "x"}) {
    EXPECT_EQ(enroll(one, "web-1", bad), "bad_request");
  }
  EXPECT_EQ(enroll(one, "web-1"), "issued");
}

TEST_F(EnrollmentStoreTest, AWildcardNeverReplacesAnExistingAgent) {
  EXPECT_EQ(enroll(token("web-7"), "web-7"), "issued");
  const JoinToken wide = token("web-*", 5);
  EXPECT_EQ(enroll(wide, "web-7"), "agent_exists");
  EXPECT_EQ(enroll(wide, "web-8"), "issued");
  EXPECT_EQ(enroll(token("web-7"), "web-7"), "issued") << "a token for exactly this agent may";
  clock_.advance(8 * kDay);
  EXPECT_EQ(enroll(token("web-*"), "web-7"), "issued") << "its certificates have expired";
}

TEST_F(EnrollmentStoreTest, ARevokedAgentNeedsALaterToken) {
  const JoinToken before = token("web-*", 5);
  const auto key = PrivateKey::generate();
  EXPECT_EQ(enroll(before, "web-1", *key->request()), "issued");
  const std::string serial = last_.serial;
  const auto revoked = store_.revoke_agent("web-1");
  ASSERT_TRUE(revoked) << revoked.error().message();
  EXPECT_EQ(revoked->certificates, 1U);
  EXPECT_THAT(revoked->tokens, ElementsAre(before.id));
  EXPECT_TRUE(store_.revocations()->has_serial(serial));
  EXPECT_THAT(disk_.contents().at("/ca/crl.pem"), HasSubstr("BEGIN X509 CRL"));
  EXPECT_EQ(reason(store_.renew("web-1", serial, request())), "agent_revoked");
  EXPECT_EQ(enroll(before, "web-1"), "agent_revoked");
  EXPECT_EQ(enroll(before, "web-1", *key->request()), "agent_revoked") << "a repetition does not revive it";
  clock_.advance(1);
  EXPECT_EQ(enroll(token("web-1"), "web-1"), "issued");
  EXPECT_EQ(reason(store_.renew("web-1", last_.serial, request())), "issued");
  EXPECT_EQ(reason(store_.renew("web-1", serial, request())), "agent_revoked");
}

TEST_F(EnrollmentStoreTest, RevokesAnAgentWhoseListCannotBeRead) {
  ASSERT_EQ(enroll(token("web-1"), "web-1"), "issued");
  const std::string serial = last_.serial;
  disk_.put("/ca/issued/web-1.json", "{ damaged");
  const auto revoked = store_.revoke_agent("web-1");
  ASSERT_TRUE(revoked) << revoked.error().message();
  EXPECT_TRUE(revoked->unlisted);
  ASSERT_EQ(revoked->failures.size(), 1U);
  EXPECT_THAT(revoked->failures[0].message(), HasSubstr("/ca/issued/web-1.json"));
  EXPECT_THAT(disk_.contents().at("/ca/issued/web-1.json.damaged"), HasSubstr("damaged"));
  EXPECT_TRUE(store_.revocations()->is_unlisted("web-1"));
  EXPECT_EQ(reason(store_.renew("web-1", serial, request())), "unknown_certificate");

  RevokedCertificates refused;
  refused.set(*store_.revocations(), {});
  EXPECT_TRUE(refused.contains("web-1", serial));
  EXPECT_FALSE(refused.contains("web-2", serial));

  clock_.advance(kNanosPerSecond);
  ASSERT_EQ(enroll(token("web-1"), "web-1"), "issued") << "it can join again";
  refused.add_issued("web-1", last_.serial);
  EXPECT_FALSE(refused.contains("web-1", last_.serial));
  refused.set(*store_.revocations(), {});
  EXPECT_FALSE(refused.contains("web-1", last_.serial)) << "the files were read before it was issued";
  RevokedCertificates restarted;
  restarted.set(*store_.revocations(), {{"web-1", {last_.serial}}});
  EXPECT_FALSE(restarted.contains("web-1", last_.serial));
  EXPECT_TRUE(restarted.contains("web-1", serial));

  const auto again = store_.revoke_agent("web-1");
  ASSERT_TRUE(again && again->failures.empty());
  EXPECT_EQ(again->certificates, 1U);
  refused.set(*store_.revocations(), {{"web-1", {last_.serial}}});
  EXPECT_TRUE(refused.contains("web-1", last_.serial));
  EXPECT_TRUE(refused.contains("web-1", serial)) << "the first ones stay revoked";
}

TEST_F(EnrollmentStoreTest, RevokesWhatItCanAndSaysTheRest) {
  ASSERT_EQ(enroll(token("web-*"), "web-1"), "issued");
  const std::string serial = last_.serial;
  disk_.put("/ca/tokens.json", "{");
  const auto revoked = store_.revoke_agent("web-1");
  ASSERT_TRUE(revoked) << revoked.error().message();
  EXPECT_TRUE(store_.revocations()->has_serial(serial));
  ASSERT_EQ(revoked->failures.size(), 1U);
  EXPECT_THAT(revoked->failures[0].message(), HasSubstr("tokens"));
}

TEST_F(EnrollmentStoreTest, RevokingAnUnknownAgentIsNotFound) {
  EXPECT_EQ(store_.revoke_agent("nobody").error().code(), Code::kNotFound);
  EXPECT_EQ(store_.revoke_agent("a/b").error().code(), Code::kInvalidArgument);
}

TEST_F(EnrollmentStoreTest, RenewsOnlyWhatItIssued) {
  EXPECT_EQ(enroll(token("web-1"), "web-1"), "issued");
  EXPECT_EQ(reason(store_.renew("web-1", last_.serial, "x")), "bad_request");
  EXPECT_EQ(reason(store_.renew("web-2", last_.serial, request())), "unknown_certificate");
  EXPECT_EQ(reason(store_.renew("web-1", "00ff", request())), "unknown_certificate");
  EXPECT_EQ(reason(store_.renew("web-1", last_.serial, request())), "issued");
}

TEST_F(EnrollmentStoreTest, StoresNoSecret) {
  const JoinToken one = token("web-1");
  EXPECT_EQ(enroll(one, "web-1"), "issued");
  for (const auto& [path, content] : disk_.contents()) EXPECT_THAT(content, Not(HasSubstr(one.secret))) << path;
}

TEST_F(EnrollmentStoreTest, RejectsSpecsOutOfBounds) {
  for (const char* bad : {"", "a/b", "a b", "a\n", "[ab]"}) EXPECT_FALSE(store_.create_token({.pattern = bad})) << bad;
  EXPECT_FALSE(store_.create_token({.pattern = std::string(129, 'a')}));
  EXPECT_FALSE(store_.create_token({.pattern = "a", .life_ns = 0}));
  EXPECT_FALSE(store_.create_token({.pattern = "a", .life_ns = 31 * kDay}));
  EXPECT_FALSE(store_.create_token({.pattern = "a", .max_uses = 0}));
  EXPECT_FALSE(store_.create_token({.pattern = "a", .max_uses = 1001}));
}

TEST_F(EnrollmentStoreTest, ForgetsTokensLongAfterTheyExpired) {
  const JoinToken one = token("web-1");
  clock_.advance(20 * kDay);
  (void)token("web-2");
  EXPECT_EQ(store_.tokens()->size(), 2U);
  clock_.advance(20 * kDay);
  (void)token("web-3");
  EXPECT_EQ(record(one.id).id, "");
}

TEST_F(EnrollmentStoreTest, AnExpiredCaIssuesNothingAndSaysSo) {
  clock_.advance(AuthorityOptions().authority_life_ns);
  const JoinToken one = token("web-1");
  const auto before = disk_.contents();
  EXPECT_EQ(enroll(one, "web-1"), "ca_expired");
  EXPECT_THAT(refusal_, HasSubstr("/ca/ca.pem has expired at "));
  EXPECT_EQ(disk_.contents(), before) << "the token keeps its use";
}

TEST_F(EnrollmentStoreTest, AFullDiskTakesNoUseAndIssuesNothing) {
  const JoinToken one = token("web-1");
  const auto before = disk_.contents();
  disk_.set_judge([](const DiskCall& call) {
    return call.op == DiskOp::kWrite ? std::optional(DiskFault::kNoSpace) : std::nullopt;
  });
  EXPECT_EQ(enroll(one, "web-1"), "internal");
  EXPECT_EQ(disk_.contents(), before);
  disk_.set_judge(nullptr);
  EXPECT_EQ(enroll(one, "web-1"), "issued");
}

TEST_F(EnrollmentStoreTest, ACertificateIsNotGivenUntilItsUseIsStored) {
  const JoinToken one = token("web-1");
  disk_.set_judge([](const DiskCall& call) {
    const bool tokens = call.op == DiskOp::kWrite && call.path == "/ca/tokens.json";
    return tokens ? std::optional(DiskFault::kIo) : std::nullopt;
  });
  EXPECT_EQ(enroll(one, "web-1"), "internal");
  disk_.set_judge(nullptr);
  EXPECT_EQ(enroll(one, "web-1"), "issued");
}

TEST_F(EnrollmentStoreTest, DamagedFilesAreNotTakenForEmptyOnes) {
  const JoinToken one = token("web-1");
  EXPECT_EQ(enroll(one, "web-1"), "issued");
  for (const char* path : {"/ca/tokens.json", "/ca/revoked.json", "/ca/issued/web-1.json"}) {
    const auto files = disk_.contents();
    for (const char* bad : {"", "{", "[]", R"({"version":2})", R"({"version":1})"}) {
      disk_.put(path, bad);
      EXPECT_EQ(enroll(one, "web-1"), "internal") << path << " " << bad;
      EXPECT_THAT(refusal_, HasSubstr(path));
    }
    if (files.contains(path)) {
      disk_.put(path, files.at(path));
    } else {
      ASSERT_TRUE(disk_.remove_file(path));
    }
  }
}

TEST(EnrollmentStoreOnDisk, TwoProcessesNeverShareAUse) {
  std::string folder = (std::filesystem::temp_directory_path() / "store-XXXXXX").string();
  ASSERT_NE(mkdtemp(folder.data()), nullptr);
  PosixDisk disk;
  const SystemClock clock;
  SystemRandom random;
  const auto authority = Authority::open(disk, clock, random, {.folder = folder, .trust_domain = "d"});
  ASSERT_TRUE(authority) << authority.error().message();
  EnrollmentStore store(disk, clock, random, **authority);
  const JoinToken token = store.create_token({.pattern = "*", .max_uses = 5}).value();
  std::atomic<int> issued{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      // Each process has its own store; only the lock on the file separates them.
      SystemRandom own;
      EnrollmentStore other(disk, clock, own, **authority);
      for (int i = 0; i < 5; ++i) {
        const std::string agent = "a" + std::to_string(t) + "-" + std::to_string(i);
        const auto result = other.enroll(token, agent, *PrivateKey::generate()->request());
        if (std::holds_alternative<IssuedCertificate>(result)) ++issued;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(issued, 5);
  EXPECT_EQ(store.tokens()->front().uses.size(), 5U);
  EXPECT_EQ(store.tokens()->front().refused, 15U);
  std::filesystem::remove_all(folder);
}

TEST(JoinTokenText, ParsesWhatItPrints) {
  SeededRandom random(1);
  const JoinToken token = make_join_token(random, std::string(64, 'a'));
  const std::string text = token.text();
  EXPECT_EQ(text.size(), 151U);
  const auto parsed = parse_join_token("\n " + text + " \n");
  ASSERT_TRUE(parsed) << parsed.error().message();
  EXPECT_EQ(parsed->text(), text);
  EXPECT_NE(make_join_token(random, token.pin).secret, token.secret);
}

TEST(JoinTokenText, RejectsEverythingElseWithoutRepeatingIt) {
  SeededRandom random(1);
  const std::string good = make_join_token(random, std::string(64, 'a')).text();
  std::string upper = good;
  upper[10] = 'F';
  for (const std::string& bad : {std::string(), std::string("mjt1"), std::string("mjt1___"), "mjt2" + good.substr(4),
                                 good + "0", good + "_0", good.substr(0, good.size() - 1), good.substr(1), upper,
                                 good.substr(0, 80) + " " + good.substr(80), "Bearer " + good}) {
    const auto parsed = parse_join_token(bad);
    ASSERT_FALSE(parsed) << bad;
    if (bad.size() > 40) {
      EXPECT_THAT(parsed.error().message(), Not(HasSubstr(bad.substr(25, 12))));
    }
  }
}

}  // namespace
}  // namespace monitor::identity
