#include "doctor/bundle/bundle.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace monitor::doctor {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr const char* kSecret = "hunter2-s3cr3t";

TEST(Redactor, RemovesKnownValuesEverywhere) {
  Redactor redactor;
  redactor.add_secret_file("sasl.username=alice\nsasl.password=p\"q-long\nsecurity.protocol=SASL_SSL\n");
  const std::string text = redactor.clean("at p\"q-long, json \"p\\\"q-long\", protocol SASL_SSL, user alice");
  EXPECT_THAT(text, Not(HasSubstr("q-long")));
  EXPECT_THAT(text, HasSubstr("SASL_SSL"));
  EXPECT_THAT(text, Not(HasSubstr("alice")));
  EXPECT_GE(redactor.removed(), 3U);
}

TEST(Redactor, KeepsSettingsThatAreNoSecrets) {
  Redactor redactor;
  redactor.add_secret_file(
      "linger.ms=1000\ncompression.type=snappy\ndebug=all,broker\nssl.key.pem=key-of-mine\n"
      "sasl.oauthbearer.config=principal-of-mine\nalice:hunter2-s3cr3t\n");
  const std::string harmless = "1000 points, snappy, all,broker";
  EXPECT_EQ(redactor.clean(harmless), harmless);
  for (const std::string secret : {"key-of-mine", "principal-of-mine", "hunter2-s3cr3t"}) {
    EXPECT_THAT(redactor.clean("x " + secret), Not(HasSubstr(secret)));
  }
}

TEST(Redactor, KnowsSecretsByTheirNames) {
  for (const std::string line :
       {"password=hunter2-s3cr3t", "sasl.password: hunter2-s3cr3t", R"({"web_token": "hunter2-s3cr3t", "a": 1})",
        "MONITOR_X_API_KEY='hunter2-s3cr3t'", "Authorization: Basic hunter2-s3cr3t",
        "authorization:Bearer hunter2-s3cr3t", "curl -H 'X: Bearer hunter2-s3cr3t-hunter2'",
        "cookie: session=hunter2-s3cr3t; a=b", "http://alice:hunter2-s3cr3t@host/path",
        "//host/share cifs username=a,password=hunter2-s3cr3t,uid=0 0 0",
        R"(what secret="hunter2-s3cr3t \" hunter2-s3cr3t")", "--join-token=hunter2-s3cr3t",
        "/auth/db/password: hunter2-s3cr3t", "/auth/db/password: hunter2-s3cr3t # of alice",
        "password: hunter2-s3cr3t is it", "JoinToken = hunter2-s3cr3t", "private_key: \"hunter2-s3cr3t\"",
        "a password=x secret=hunter2-s3cr3t"}) {
    Redactor redactor;
    EXPECT_THAT(redactor.clean(line), Not(HasSubstr(kSecret))) << line;
    EXPECT_GE(redactor.removed(), 1U) << line;
  }
}

TEST(Redactor, LeavesOrdinaryTextAlone) {
  for (const std::string line :
       {"monitor_web_wrong_tokens_total 5", "--etcd-password-file /etc/monitor/password", "ssl.key.location=/etc/k.pem",
        "the web token may be read by every user", "https://host:8080/path?x=y", "web-token-file=/etc/monitor/token",
        "basic information", "mail a@b.example",
        // What our programs say about secrets.
        "web token /etc/monitor/web-token: mode 0600", R"("text": "etcd password /d/etcd-password: mode 0600",)",
        "reading /etc/monitor/token: Permission denied", "opening /d/password: No such file or directory",
        "join token: it has 3 parts, expected 4", "join token: its id is not 16 hexadecimal digits",
        "uses of a token: got 0, expected 1 to 1000", "users=2 tokens=1", R"({"secret":true,"password":null})"}) {
    Redactor redactor;
    EXPECT_EQ(redactor.clean(line), line);
    EXPECT_EQ(redactor.removed(), 0U) << line;
  }
}

TEST(Redactor, RemovesPrivateKeys) {
  Redactor redactor;
  const std::string text = redactor.clean(
      "before\n-----BEGIN EC PRIVATE KEY-----\nMHcCAQEE\nabc\n-----END EC PRIVATE KEY-----\nafter\n-----BEGIN "
      "CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n");
  EXPECT_EQ(text, "before\n[removed]\nafter\n-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n");
  EXPECT_EQ(redactor.clean("-----BEGIN PRIVATE KEY-----\nMHcC and no end"), "[removed]");
}

class BundleTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = testing::TempDir() + "/bundle-XXXXXX";
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  void write(const std::string& name, const std::string& text) { std::ofstream(folder_ + "/" + name) << text; }

  std::string folder_;
};

TEST_F(BundleTest, ReadsTheEndOfALogFromTheStartOfALine) {
  write("a.log", "first line\nsecond\nthird\n");
  EXPECT_EQ(*read_tail(folder_, "a.log", 10), "third\n");
  EXPECT_EQ(*read_tail(folder_, "a.log", 1000), "first line\nsecond\nthird\n");
  EXPECT_EQ(read_tail(folder_, "b.log", 10).error().code(), Code::kNotFound);
}

TEST_F(BundleTest, FollowsNoLinkAndOpensNoDevice) {
  ASSERT_EQ(symlink("/etc/passwd", (folder_ + "/link.log").c_str()), 0);
  ASSERT_EQ(mkfifo((folder_ + "/fifo.log").c_str(), 0600), 0);
  ASSERT_EQ(symlink("/etc", (folder_ + "/folder").c_str()), 0);
  EXPECT_EQ(read_tail(folder_, "link.log", 10).error().code(), Code::kPermissionDenied);
  EXPECT_EQ(read_tail(folder_, "fifo.log", 10).error().code(), Code::kPermissionDenied);
  EXPECT_FALSE(read_tail(folder_ + "/folder", "passwd", 10).ok());
  const std::string list = list_files(folder_, 100);
  EXPECT_THAT(list, HasSubstr("folder\n"));
  EXPECT_THAT(list, Not(HasSubstr("passwd")));
}

TEST_F(BundleTest, LimitsTheListOfFiles) {
  for (int i = 0; i < 20; ++i) write("f" + std::to_string(i), "");
  EXPECT_THAT(list_files(folder_, 5), HasSubstr("not listed"));
}

TEST_F(BundleTest, CleansEveryEntryAndListsIt) {
  Redactor redactor;
  redactor.add_secret(kSecret);
  BundleBuilder builder("bundle", 0, std::move(redactor), {.entry_bytes = 40, .total_bytes = 100, .entries = 10});
  builder.add("a.txt", std::string("with ") + kSecret);
  builder.add("../../etc/x y", "odd name");
  builder.add("long.log", std::string(100, 'x') + "\nthe end\n");
  builder.miss("metrics", std::string("reason ") + kSecret);
  builder.add("big", std::string(40, 'y'));
  builder.add("full", std::string(40, 'z'));
  auto bundle = builder.finish();
  ASSERT_TRUE(bundle.ok());
  EXPECT_EQ(bundle->removed, 2U);
  EXPECT_THAT(bundle->contents, Not(HasSubstr(kSecret)));
  EXPECT_THAT(bundle->contents, HasSubstr("__/__/etc/x_y"));
  EXPECT_THAT(bundle->contents, HasSubstr("long.log (the end of 109 B)"));
  EXPECT_THAT(bundle->contents, HasSubstr("full: the bundle is full"));
  const std::string path = folder_ + "/bundle.tar.gz";
  std::ofstream(path) << bundle->bytes;
  ASSERT_EQ(std::system(("cd " + folder_ + " && tar xzf bundle.tar.gz").c_str()), 0);  // NOLINT(concurrency-mt-unsafe)
  std::ifstream unpacked(folder_ + "/bundle/a.txt");
  std::string text;
  std::getline(unpacked, text);
  EXPECT_EQ(text, "with [removed]");
}

TEST(Archive, RejectsNamesThatLeaveTheFolder) {
  Archive archive(0);
  for (const std::string& name :
       {std::string("/etc/x"), std::string("a/../b"), std::string(), std::string(100, 'x'), std::string("a\nb")}) {
    EXPECT_FALSE(archive.add(name, "x").ok()) << name;
  }
}

}  // namespace
}  // namespace monitor::doctor
