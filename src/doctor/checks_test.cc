// Every check, with a good host and peer, and with bad ones.
#include "doctor/checks.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "doctor/testing/fake_world.h"

namespace monitor::doctor {
namespace {

using testing::HasSubstr;

constexpr int64_t kDay = int64_t{86400} * kNanosPerSecond;

class ChecksTest : public testing::Test {
 protected:
  // As the runner does.
  Findings run(const Check& check) {
    Findings found = check.run({setup, peers, host, kNanosPerSecond});
    if (found.empty()) found.push_back(skipped("nothing to check"));
    return found;
  }
  // The worst finding.
  Finding worst(const Check& check) {
    const Findings found = run(check);
    EXPECT_FALSE(found.empty());
    for (const Finding& one : found) {
      EXPECT_EQ(one.remedy.empty(), one.verdict < Verdict::kWarn) << one.text;
    }
    return *std::ranges::max_element(found, {}, &Finding::verdict);
  }
  void expect(const Check& check, Verdict verdict, const std::string& text) {
    const Finding found = worst(check);
    EXPECT_EQ(found.verdict, verdict) << found.text;
    EXPECT_THAT(found.text, HasSubstr(text));
  }

  static CertificateFacts certificate(int64_t from_days, int64_t to_days) {
    CertificateFacts facts;
    facts.subject = "CN=web-1";
    facts.issuer = "CN=our CA";
    facts.names = {"web-1.example"};
    facts.not_before_ns = kFakeNow + from_days * kDay;
    facts.not_after_ns = kFakeNow + to_days * kDay;
    return facts;
  }

  doctor::Setup setup;
  FakePeers peers;
  FakeHost host;
};

TEST_F(ChecksTest, EveryCheckIsListedOnceWithAText) {
  std::set<std::string_view> names;
  for (const Check* check : all_checks()) {
    EXPECT_TRUE(names.insert(check->name).second) << check->name;
    EXPECT_FALSE(check->about.empty()) << check->name;
  }
  EXPECT_EQ(names.size(), 13U);
}

TEST_F(ChecksTest, NothingFailsWhereNothingIsConfigured) {
  for (const Check* check : all_checks()) EXPECT_LE(worst(*check).verdict, Verdict::kOk) << check->name;
}

TEST_F(ChecksTest, ClockAcceptsASmallDifferenceAndStatesThePrecision) {
  setup.servers = {{"s", 1}};
  peers.servers = {
      {"s:1", ServerSight{true, "1", {kFakeNow + 3 * kNanosPerMilli, 0, kFakeNow, kFakeNow + 2 * kNanosPerMilli}}}};
  expect(kClockCheck, Verdict::kOk, "");
  EXPECT_THAT(run(kClockCheck).back().text, HasSubstr("2.0 ms ahead of this one (precision 1.0 ms)"));
}

TEST_F(ChecksTest, ClockWarnsAboveASecondAndFailsAboveFiveMinutes) {
  setup.servers = {{"s", 1}};
  const auto behind = [this](int64_t ns) {
    peers.servers.insert_or_assign("s:1", ServerSight{true, "1", {kFakeNow - ns, 0, kFakeNow, kFakeNow}});
  };
  behind(2 * kNanosPerSecond);
  expect(kClockCheck, Verdict::kWarn, "2.0 s behind this one");
  behind(301 * kNanosPerSecond);
  expect(kClockCheck, Verdict::kFail, "limit 5m");
}

TEST_F(ChecksTest, ClockNeverBlamesADifferenceWithinThePrecision) {
  setup.servers = {{"s", 1}};
  // The answer took 20 s, and the peer's time is 9 s off its middle.
  peers.servers = {
      {"s:1", ServerSight{true, "1", {kFakeNow + 19 * kNanosPerSecond, 0, kFakeNow, kFakeNow + 20 * kNanosPerSecond}}}};
  expect(kClockCheck, Verdict::kOk, "");
}

TEST_F(ChecksTest, ClockReadsTheDateOfEtcd) {
  setup.etcd.endpoints = {{"e", 2379}};
  HttpAnswer answer{200, {{"date", "Tue, 14 Nov 2023 22:13:30 GMT"}}, "", kFakeNow, kFakeNow};  // 10 s ahead
  peers.pages.insert_or_assign("e:2379/version", answer);
  expect(kClockCheck, Verdict::kWarn, "etcd e:2379: its clock is 10.5 s ahead of this one (precision 500.0 ms)");
  answer.headers["date"] = "yesterday";
  peers.pages.insert_or_assign("e:2379/version", answer);
  EXPECT_THAT(run(kClockCheck).back().text, HasSubstr("does not say the time"));
}

TEST_F(ChecksTest, ClockWarnsIfTheKernelIsNotSynchronized) {
  host.synchronized = false;
  expect(kClockCheck, Verdict::kWarn, "not synchronized");
}

TEST_F(ChecksTest, ServerFailsIfNoneServesAndWarnsIfOneOfTwoIsDown) {
  setup.servers = {{"a", 1}, {"b", 2}};
  expect(kServerCheck, Verdict::kFail, "server a:1: connect: Connection refused");
  peers.servers.insert_or_assign("b:2", ServerSight{true, "1", {}});
  expect(kServerCheck, Verdict::kWarn, "server a:1");
  peers.servers.insert_or_assign("a:1", ServerSight{true, "1", {}});
  expect(kServerCheck, Verdict::kOk, "serves");
}

TEST_F(ChecksTest, ServerThatDoesNotServeFails) {
  setup.servers = {{"a", 1}};
  peers.servers.insert_or_assign("a:1", ServerSight{false, "1", {}});
  expect(kServerCheck, Verdict::kFail, "does not serve");
}

TEST_F(ChecksTest, ServerNamesTheOptionForCertificatesWhenTlsFails) {
  setup.servers = {{"a", 1}};
  peers.servers.insert_or_assign("a:1", Error(Code::kUnavailable, "TLS: certificate verify failed"));
  EXPECT_THAT(worst(kServerCheck).remedy, HasSubstr("--tls-ca"));
}

TEST_F(ChecksTest, EtcdMustBeHealthyAndReadable) {
  setup.etcd.endpoints = {{"e", 2379}};
  expect(kEtcdCheck, Verdict::kFail, "refused");
  peers.pages.insert_or_assign("e:2379/health", HttpAnswer{200, {}, R"({"health":"true","reason":""})"});
  expect(kEtcdCheck, Verdict::kOk, "");
  peers.pages.insert_or_assign("e:2379/health", HttpAnswer{503, {}, R"({"health":"false","reason":"ALARM NOSPACE"})"});
  expect(kEtcdCheck, Verdict::kFail, "NOSPACE");
  peers.pages.insert_or_assign("e:2379/health", HttpAnswer{200, {}, "<html>hello</html>"});
  expect(kEtcdCheck, Verdict::kFail, "not etcd's health");
}

TEST_F(ChecksTest, EtcdThatRejectsThePasswordFails) {
  setup.etcd.endpoints = {{"e", 2379}};
  peers.pages.insert_or_assign("e:2379/health", HttpAnswer{200, {}, R"({"health":"true"})"});
  peers.keys = Error(Code::kUnauthenticated, "invalid password");
  expect(kEtcdCheck, Verdict::kFail, "invalid password");
  peers.keys = Error(Code::kPermissionDenied, "denied");  // an agent's role
  expect(kEtcdCheck, Verdict::kOk, "");
}

TEST_F(ChecksTest, PageIsReadyOrSaysWhyNot) {
  setup.page = "http://p:8080/";
  expect(kPageCheck, Verdict::kFail, "refused");
  peers.pages.insert_or_assign("p:8080/readyz", HttpAnswer{200});
  expect(kPageCheck, Verdict::kOk, "ready");
  peers.pages.insert_or_assign("p:8080/readyz", HttpAnswer{503, {}, "the log cannot be read\n"});
  expect(kPageCheck, Verdict::kWarn, "the log cannot be read");
  peers.pages.insert_or_assign("p:8080/readyz", HttpAnswer{404});
  expect(kPageCheck, Verdict::kFail, "404");
  setup.page = "ftp://p";
  expect(kPageCheck, Verdict::kFail, "expected http://");
}

TEST_F(ChecksTest, LogReportsTheReasonOfTheProgram) {
  setup.log.arguments = {"--kafka", "k:9092"};
  peers.settings = std::string(R"({"backend":"kafka","address":"kafka:k:9092/t"})");
  expect(kLogCheck, Verdict::kOk, "can be read");
  peers.settings = std::string(R"({"backend":"kafka","address":"kafka:k:9092/t","error":"no broker"})");
  expect(kLogCheck, Verdict::kFail, "no broker");
  peers.settings = std::string("Segmentation fault");
  expect(kLogCheck, Verdict::kFail, "expected JSON");
  peers.settings = Error(Code::kNotFound, "monitor-analysis is not installed");
  expect(kLogCheck, Verdict::kSkipped, "not installed");
}

class TopicsTest : public ChecksTest {
 protected:
  TopicsTest() {
    setup.log.arguments = {"--kafka", "k:9092"};
    setup.log.history_ns = kDay;
  }
  void data_topic(int replication, int in_sync, const std::string& settings, int leaderless = 0) {
    peers.settings = R"({"backend":"kafka","address":"a","brokers":3,"max_record_bytes":1000000,"topics":[{"name":"t",)"
                     R"("exists":true,"partitions":6,"replication":)" +
                     std::to_string(replication) + R"(,"in_sync":)" + std::to_string(in_sync) + R"(,"leaderless":)" +
                     std::to_string(leaderless) + R"(,"settings":{)" + settings + "}}]}";
  }
  static constexpr const char* kGood =
      R"("min.insync.replicas":"2","max.message.bytes":"1048588","retention.ms":"86400000","cleanup.policy":"delete",)"
      R"("message.timestamp.type":"LogAppendTime","retention.bytes":"-1")";
};

TEST_F(TopicsTest, AcceptsThreeReplicasAndTheDefaults) {
  data_topic(3, 3, kGood);
  expect(kTopicsCheck, Verdict::kOk, "");
}

TEST_F(TopicsTest, JudgesReplicas) {
  data_topic(1, 1, R"("min.insync.replicas":"1")");
  expect(kTopicsCheck, Verdict::kWarn, "one replica");
  data_topic(1, 1, R"("min.insync.replicas":"2")");
  expect(kTopicsCheck, Verdict::kFail, "nothing can be written");
  data_topic(3, 1, R"("min.insync.replicas":"2")");
  expect(kTopicsCheck, Verdict::kFail, "1 replica is in sync, 2 needed");
  data_topic(3, 2, R"("min.insync.replicas":"2")");
  expect(kTopicsCheck, Verdict::kWarn, "2 of 3 replicas in sync");
  data_topic(3, 3, R"("min.insync.replicas":"1")");
  expect(kTopicsCheck, Verdict::kWarn, "one broker alone");
  data_topic(3, 3, kGood, 2);
  expect(kTopicsCheck, Verdict::kFail, "2 of 6 partitions without a leader");
}

TEST_F(TopicsTest, JudgesSizeRetentionAndCleanup) {
  data_topic(3, 3, R"("min.insync.replicas":"2","max.message.bytes":"65536")");
  expect(kTopicsCheck, Verdict::kFail, "larger records are rejected");
  data_topic(3, 3, R"("min.insync.replicas":"2","retention.ms":"3600000")");
  expect(kTopicsCheck, Verdict::kWarn, "kept for 1h");
  data_topic(3, 3, R"("min.insync.replicas":"2","cleanup.policy":"compact")");
  expect(kTopicsCheck, Verdict::kFail, "compaction removes batches");
  data_topic(3, 3, R"("min.insync.replicas":"2","message.timestamp.type":"CreateTime")");
  expect(kTopicsCheck, Verdict::kWarn, "LogAppendTime");
  data_topic(3, 3, R"("min.insync.replicas":"2","retention.bytes":"1000")");
  expect(kTopicsCheck, Verdict::kWarn, "retention.bytes");
}

TEST_F(TopicsTest, SurvivesNonsense) {
  for (const char* const text : {"[]", "{}", R"({"topics":3})", R"({"topics":[1,null,{"name":5,"exists":"x"}]})",
                                 R"({"topics":[{"exists":true,"settings":{"retention.ms":"x"}}]})",
                                 R"({"topics":[{"exists":true,"settings":{"retention.ms":"9223372036854775807"}}]})"}) {
    peers.settings = std::string(text);
    EXPECT_FALSE(run(kTopicsCheck).empty()) << text;
  }
}

TEST_F(ChecksTest, PeerCertificatesReportFaultNamesAndDaysLeft) {
  setup.servers = {{"s", 1}};
  setup.server_tls.ca = "ca.pem";
  expect(kPeerCertificatesCheck, Verdict::kFail, "refused");
  peers.chains.insert_or_assign("s:1", PeerChain{{certificate(-10, 300)}, "", "TLSv1.3"});
  expect(kPeerCertificatesCheck, Verdict::kOk, "valid for another 300 days");
  peers.chains.insert_or_assign("s:1", PeerChain{{certificate(-10, 300)}, "hostname mismatch", "TLSv1.3"});
  expect(kPeerCertificatesCheck, Verdict::kFail,
         "hostname mismatch. Its certificate is CN=web-1, from CN=our CA, for the names [web-1.example]");
  peers.chains.insert_or_assign("s:1", PeerChain{{certificate(-300, 5)}, "", "TLSv1.3"});
  expect(kPeerCertificatesCheck, Verdict::kWarn, "expires in 5 days");
  peers.chains.insert_or_assign("s:1", PeerChain{{certificate(-300, -1)}, "", "TLSv1.3"});
  expect(kPeerCertificatesCheck, Verdict::kFail, "has expired");
  peers.chains.insert_or_assign("s:1", PeerChain{{certificate(1, 10)}, "", "TLSv1.3"});
  expect(kPeerCertificatesCheck, Verdict::kFail, "is not valid before");
  peers.chains.insert_or_assign("s:1", PeerChain{{certificate(-10, 300), certificate(-900, 3)}, "", "TLSv1.3"});
  expect(kPeerCertificatesCheck, Verdict::kWarn, "its CA");
  peers.chains.insert_or_assign("s:1", PeerChain{{}, "", "TLSv1.3"});
  expect(kPeerCertificatesCheck, Verdict::kFail, "no certificate");
}

TEST_F(ChecksTest, ACertificateOfACaIsRenewedEarlier) {
  setup.servers = {{"s", 1}};
  setup.server_tls.ca = "ca.pem";
  CertificateFacts ca = certificate(-3000, 91);
  ca.authority = true;
  peers.chains.insert_or_assign("s:1", PeerChain{{certificate(-10, 300), ca}, "", "TLSv1.3"});
  expect(kPeerCertificatesCheck, Verdict::kOk, "valid for another 300 days");
  ca.not_after_ns = kFakeNow + 89 * kDay;
  peers.chains.insert_or_assign("s:1", PeerChain{{certificate(-10, 300), ca}, "", "TLSv1.3"});
  expect(kPeerCertificatesCheck, Verdict::kWarn, "its CA (CN=web-1) expires in 89 days");
  EXPECT_THAT(worst(kPeerCertificatesCheck).remedy, HasSubstr("what it has signed is refused afterwards"));
}

TEST_F(ChecksTest, ACertificateOfOneDayIsGoodUntilAFifthIsLeft) {
  setup.servers = {{"s", 1}};
  setup.server_tls.ca = "ca.pem";
  CertificateFacts one = certificate(0, 1);
  one.not_before_ns = kFakeNow - kDay / 2;
  one.not_after_ns = kFakeNow + kDay / 2;
  peers.chains.insert_or_assign("s:1", PeerChain{{one}, "", "TLSv1.3"});
  expect(kPeerCertificatesCheck, Verdict::kOk, "12.0 hours");
}

TEST_F(ChecksTest, CertificateFilesMustBeReadable) {
  setup.certificates = {"/c.pem"};
  expect(kCertificatesCheck, Verdict::kFail, "/c.pem");
  host.files.insert_or_assign("/c.pem", std::string("no certificate"));
  expect(kCertificatesCheck, Verdict::kFail, "no PEM certificate");
}

TEST_F(ChecksTest, RevocationListsMustBeReadable) {
  setup.crls = {"/crl.pem"};
  expect(kCertificatesCheck, Verdict::kFail, "/crl.pem");
  host.files.insert_or_assign("/crl.pem", std::string("no list"));
  expect(kCertificatesCheck, Verdict::kFail, "no PEM certificate revocation list");
}

TEST_F(ChecksTest, PermissionsJudgeSecretFiles) {
  setup.secrets = {{"/t", "the web token", false}};
  expect(kPermissionsCheck, Verdict::kSkipped, "does not exist");
  setup.secrets[0].required = true;
  expect(kPermissionsCheck, Verdict::kFail, "/t");
  const auto mode = [this](uint32_t bits, uid_t owner = 1000) {
    host.facts.insert_or_assign("/t", FileFacts{.owner = owner, .mode = bits, .regular = true});
  };
  mode(0600);
  expect(kPermissionsCheck, Verdict::kOk, "mode 0600");
  mode(0640);
  expect(kPermissionsCheck, Verdict::kWarn, "its group");
  mode(0644);
  expect(kPermissionsCheck, Verdict::kFail, "every user");
  mode(0620);
  expect(kPermissionsCheck, Verdict::kFail, "written by others");
  mode(0600, 4242);
  expect(kPermissionsCheck, Verdict::kFail, "belongs to user 4242");
}

TEST_F(ChecksTest, PermissionsJudgeFolders) {
  setup.folders = {{"/d", "the data folder"}};
  expect(kPermissionsCheck, Verdict::kSkipped, "does not exist");
  host.facts.insert_or_assign("/d", FileFacts{.owner = 1000, .mode = 0700, .folder = true});
  expect(kPermissionsCheck, Verdict::kOk, "only its owner");
  host.facts.insert_or_assign("/d", FileFacts{.owner = 1000, .mode = 0755, .folder = true});
  expect(kPermissionsCheck, Verdict::kWarn, "read by others");
  host.untrusted["/d"] = "may be written by others";
  expect(kPermissionsCheck, Verdict::kFail, "written by others");
}

TEST_F(ChecksTest, SandboxNeedsSeccompAndPrefersLandlock) {
  expect(kSandboxCheck, Verdict::kOk, "");
  host.kernel_facts.landlock = 0;
  expect(kSandboxCheck, Verdict::kWarn, "Landlock: none");
  host.kernel_facts.seccomp = false;
  expect(kSandboxCheck, Verdict::kFail, "seccomp filters: not available");
  host.kernel_facts = {"6.1.0", 4, true, false, true, true};
  expect(kSandboxCheck, Verdict::kFail, "sealed memory");
}

TEST_F(ChecksTest, DiskSpaceWarnsAndFails) {
  setup.data = "/d";
  expect(kDiskSpaceCheck, Verdict::kSkipped, "does not exist yet");
  const auto room = [this](uint64_t free_mib, uint64_t total_mib, const char* type = "ext4") {
    host.rooms.insert_or_assign("/d", DiskRoom{free_mib << 20, total_mib << 20, 1000, 2000, type, false});
  };
  room(5000, 10000);
  expect(kDiskSpaceCheck, Verdict::kOk, "4.9 GiB of 9.8 GiB free on ext4");
  room(400, 10000);
  expect(kDiskSpaceCheck, Verdict::kWarn, "less than 5 %");
  room(400, 1000);
  expect(kDiskSpaceCheck, Verdict::kOk, "");
  room(10, 10000);
  expect(kDiskSpaceCheck, Verdict::kFail, "limit 64 MiB");
  room(5000, 10000, "tmpfs");
  expect(kDiskSpaceCheck, Verdict::kWarn, "do not survive a reboot");
  host.rooms.insert_or_assign("/d", DiskRoom{1 << 30, 1 << 30, 3, 2000, "ext4", false});
  expect(kDiskSpaceCheck, Verdict::kFail, "3 free inodes");
  host.rooms.insert_or_assign("/d", DiskRoom{1 << 30, 1 << 30, 1000, 2000, "ext4", true});
  expect(kDiskSpaceCheck, Verdict::kFail, "read-only");
}

TEST_F(ChecksTest, DiskSpeedJudgesTheMedian) {
  setup.data = "/d";
  setup.spool = "/d/spool";
  expect(kDiskSpeedCheck, Verdict::kSkipped, "does not exist yet");
  host.speeds.insert_or_assign("/d", DiskSpeed{64, 16384, 2 * kNanosPerMilli, 900 * kNanosPerMilli});
  expect(kDiskSpeedCheck, Verdict::kOk,
         "/d: a synced write of 16.0 KiB takes 2.0 ms (median of 64), at worst 900.0 ms");
  host.speeds.insert_or_assign("/d/spool", DiskSpeed{15, 16384, 150 * kNanosPerMilli, 900 * kNanosPerMilli});
  expect(kDiskSpeedCheck, Verdict::kWarn, "limit 100ms");
  host.speeds.insert_or_assign("/d/spool", DiskSpeed{2, 16384, 1100 * kNanosPerMilli, 1200 * kNanosPerMilli});
  expect(kDiskSpeedCheck, Verdict::kFail, "limit 1s");
  host.speeds.insert_or_assign("/d/spool", Error(Code::kResourceExhausted, "No space left on device"));
  expect(kDiskSpeedCheck, Verdict::kFail, "No space left");
}

TEST_F(ChecksTest, VersionsMustAgree) {
  host.found_programs = {{"monitor-agent", "/usr/bin/monitor-agent", "0.2.0", 0, false},
                         {"monitor-agent", "/usr/bin/monitor-agent", "0.2.0", 77, false}};
  expect(kVersionsCheck, Verdict::kOk, "0.2.0 for monitor-agent, monitor-agent (process 77)");
  peers.keys = std::map<std::string, std::string>{{"x/status/old", R"({"version":"0.1.0"})"}, {"x/status/bad", "[[["}};
  expect(kVersionsCheck, Verdict::kWarn, "versions differ: 0.1.0 (agent old); 0.2.0");
}

TEST_F(ChecksTest, VersionsReportReplacedAndSilentPrograms) {
  host.found_programs = {{"monitor-agent", "/usr/bin/monitor-agent", "0.1.0", 77, true}};
  expect(kVersionsCheck, Verdict::kWarn, "runs a file that has been replaced");
  host.found_programs = {{"monitor-agent", "/usr/bin/monitor-agent", "", 0, false}};
  expect(kVersionsCheck, Verdict::kWarn, "does not say its version");
}

}  // namespace
}  // namespace monitor::doctor
