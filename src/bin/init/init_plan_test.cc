#include "bin/init/init_plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <utility>

namespace monitor {
namespace {

using testing::HasSubstr;
using testing::Not;

const std::string kToken =  // NOLINT(cert-err58-cpp)
    "mjt1_" + std::string(16, '0') + "_" + std::string(64, '7') + "_" + std::string(64, 'a');

class InitPlanTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = testing::TempDir() + "/init-XXXXXX";
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    root_ = pattern;
  }
  void TearDown() override { std::filesystem::remove_all(root_); }

  InitPlan plan(bool unit = true) {
    auto made = InitPlan::make(disk_, root_, unit, answers_);
    EXPECT_TRUE(made.ok()) << (made ? "" : made.error().message());
    return made ? std::move(*made) : InitPlan();
  }
  std::string text(const std::string& path) {
    return disk_.read_file(root_ + path, 65536).ok() ? *disk_.read_file(root_ + path, 65536) : "";
  }
  mode_t mode(const std::string& path) {
    struct stat info{};
    return stat((root_ + path).c_str(), &info) == 0 ? info.st_mode & 07777 : 0;
  }

  std::string root_;
  PosixDisk disk_;
  InitAnswers answers_ = {.server = "web.example:50051", .token = kToken};
};

TEST_F(InitPlanTest, WritesOptionsAndTheTokenAsACredential) {
  const InitPlan made = plan();
  EXPECT_THAT(made.describe(), HasSubstr("+MONITOR_AGENT_SERVER=web.example:50051"));
  EXPECT_THAT(made.describe(), Not(HasSubstr("7777")));
  EXPECT_FALSE(std::filesystem::exists(root_ + "/etc")) << "a plan writes nothing";
  ASSERT_TRUE(made.apply(disk_).ok());
  EXPECT_EQ(text("/etc/default/monitor-agent"),
            "MONITOR_AGENT_JOIN_TOKEN_FILE=/run/credentials/monitor-agent.service/join-token\n"
            "MONITOR_AGENT_SERVER=web.example:50051\n");
  EXPECT_EQ(text("/etc/credstore/monitor-agent.join-token"), kToken + "\n");
  EXPECT_EQ(mode("/etc/credstore/monitor-agent.join-token"), 0600U);
  EXPECT_EQ(mode("/etc/credstore"), 0700U);
  EXPECT_EQ(mode("/etc/default/monitor-agent"), 0644U);
}

TEST_F(InitPlanTest, ASecondRunChangesNothing) {
  ASSERT_TRUE(plan().apply(disk_).ok());
  EXPECT_TRUE(plan().empty());
}

TEST_F(InitPlanTest, KeepsOtherOptionsAndShowsWhatChanges) {
  std::filesystem::create_directories(root_ + "/etc/default");
  std::ofstream(root_ + "/etc/default/monitor-agent")
      << "# mine\nMONITOR_AGENT_GROUP=web\nMONITOR_AGENT_SERVER=old:1\n";
  answers_.token.clear();
  const InitPlan made = plan();
  EXPECT_THAT(made.describe(), HasSubstr("-MONITOR_AGENT_SERVER=old:1\n+MONITOR_AGENT_SERVER=web.example:50051\n"));
  ASSERT_TRUE(made.apply(disk_).ok());
  EXPECT_EQ(text("/etc/default/monitor-agent"),
            "# mine\nMONITOR_AGENT_GROUP=web\nMONITOR_AGENT_SERVER=web.example:50051\n");
  EXPECT_EQ(current_option(disk_, root_, "server"), "web.example:50051");
}

TEST_F(InitPlanTest, ATokenAndCertificatesReplaceEachOther) {
  ASSERT_TRUE(plan().apply(disk_).ok());
  std::ofstream(root_ + "/ca.pem") << "a certificate\n";
  answers_ = {.server = "web.example:50051", .ca_file = root_ + "/ca.pem"};
  EXPECT_THAT(plan().describe(), HasSubstr("  certificates, mode 0600\n"));
  EXPECT_THAT(plan().describe(), Not(HasSubstr("secret"))) << "a CA's certificate is public";
  ASSERT_TRUE(plan().apply(disk_).ok());
  EXPECT_THAT(text("/etc/default/monitor-agent"), HasSubstr("MONITOR_AGENT_TLS_CA="));
  EXPECT_THAT(text("/etc/default/monitor-agent"), Not(HasSubstr("MONITOR_AGENT_JOIN_TOKEN_FILE")));
  answers_ = {.server = "web.example:50051", .token = kToken};
  ASSERT_TRUE(plan().apply(disk_).ok());
  EXPECT_THAT(text("/etc/default/monitor-agent"), HasSubstr("MONITOR_AGENT_JOIN_TOKEN_FILE="));
  EXPECT_THAT(text("/etc/default/monitor-agent"), Not(HasSubstr("MONITOR_AGENT_TLS_CA")));
}

TEST_F(InitPlanTest, WithoutAUnitTheOptionsNameTheStore) {
  ASSERT_TRUE(plan(false).apply(disk_).ok());
  EXPECT_THAT(text("/etc/default/monitor-agent"), HasSubstr("JOIN_TOKEN_FILE=/etc/credstore/monitor-agent.join-token"));
}

TEST_F(InitPlanTest, EtcdExcludesTheFolder) {
  answers_.etcd.endpoints = "etcd.example:2379";
  ASSERT_TRUE(plan().apply(disk_).ok());
  EXPECT_THAT(text("/etc/default/monitor-agent"), HasSubstr("MONITOR_AGENT_CONFIG_DIR=\n"));
}

TEST_F(InitPlanTest, FilesOfEtcdBecomeCredentials) {
  for (const char* const name : {"ca", "cert", "key"}) std::ofstream(root_ + "/" + name) << name << "\n";
  answers_.etcd = {.endpoints = "etcd.example:2379",
                   .user = "web-1",
                   .ca_file = root_ + "/ca",
                   .certificate_file = root_ + "/cert",
                   .key_file = root_ + "/key",
                   .insecure = true};
  ASSERT_TRUE(plan().apply(disk_).ok());
  const std::string options = text("/etc/default/monitor-agent");
  for (const auto& [name, file] : {std::pair<std::string, std::string>{"CA", "ca"}, {"CERT", "cert"}, {"KEY", "key"}}) {
    EXPECT_THAT(options, HasSubstr("MONITOR_AGENT_ETCD_" + name + "=/run/credentials/monitor-agent.service/etcd-" +
                                   file + "\n"));
    EXPECT_EQ(text("/etc/credstore/monitor-agent.etcd-" + file), file + "\n");
    EXPECT_EQ(mode("/etc/credstore/monitor-agent.etcd-" + file), 0600U);
  }
  EXPECT_THAT(options, HasSubstr("MONITOR_AGENT_ETCD_INSECURE=true\n"));
}

TEST_F(InitPlanTest, RefusesUnreadableFilesAndBrokenOptions) {
  answers_.ca_file = root_ + "/none.pem";
  EXPECT_FALSE(InitPlan::make(disk_, root_, true, answers_).ok());
  answers_.ca_file.clear();
  std::filesystem::create_directories(root_ + "/etc/default");
  std::ofstream(root_ + "/etc/default/monitor-agent") << "broken\n";
  const auto made = InitPlan::make(disk_, root_, true, answers_);
  ASSERT_FALSE(made.ok());
  EXPECT_THAT(made.error().message(), HasSubstr("line 1"));
}

}  // namespace
}  // namespace monitor
