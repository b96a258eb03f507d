// The shipped configuration of notifications (deploy/notifications.yaml) with the alerts of the shipped rules: nobody
// is told of an alert that another one explains.
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "notify/config.h"
#include "notify/dispatcher.h"

namespace monitor::notify {
namespace {

ParsedConfig shipped() {
  std::ifstream file(MONITOR_SOURCE_DIR "/deploy/notifications.yaml");
  std::stringstream text;
  text << file.rdbuf();
  return parse_config(text.str());
}

rules::Alert alert(const std::string& name, const std::string& severity, const std::string& agent,
                   const std::string& mount = "") {
  rules::Alert one;
  one.labels.set("alertname", name);
  one.labels.set("severity", severity);
  if (!agent.empty()) one.labels.set("agent", agent);
  if (!mount.empty()) one.labels.set("system_filesystem_mountpoint", mount);
  one.state = rules::AlertState::kFiring;
  return one;
}

// The alerts of which somebody is told, of these that fire together.
std::vector<std::string> told(const std::vector<rules::Alert>& firing) {
  const Config config = shipped().config;
  std::vector<const rules::Alert*> all;
  for (const rules::Alert& one : firing) all.push_back(&one);
  const Inhibitor inhibitor(config.inhibit_rules, all);
  std::vector<std::string> names;
  for (const rules::Alert& one : firing) {
    const bool received = config.routes_of(one.labels).front()->receiver != "nobody";
    if (received && inhibitor.inhibited_by(one.labels).empty()) {
      names.push_back(std::string(one.labels.get("alertname")) + "/" + std::string(one.labels.get("agent")));
    }
  }
  return names;
}

using Names = std::vector<std::string>;

TEST(ShippedNotifications, AreValid) {
  const ParsedConfig parsed = shipped();
  for (const rules::Fault& fault : parsed.faults) ADD_FAILURE() << fault.to_string();
  EXPECT_FALSE(parsed.config.inhibit_rules.empty());
}

TEST(ShippedNotifications, OneAlertStandsForAMissingServer) {
  EXPECT_EQ(told({alert("LogWithoutServer", "page", ""), alert("AgentLate", "warning", "a"),
                  alert("MissingBatches", "page", "b"), alert("MemoryFull", "page", "c")}),
            (Names{"LogWithoutServer/", "MemoryFull/c"}));
}

TEST(ShippedNotifications, AHostThatIsGoneReportsNothingElse) {
  EXPECT_EQ(told({alert("AgentGone", "page", "a"), alert("MemoryFull", "page", "a"),
                  alert("FilesystemFullSoon", "warning", "a"), alert("MemoryFull", "page", "b")}),
            (Names{"AgentGone/a", "MemoryFull/b"}));
}

TEST(ShippedNotifications, DataInTheSpoolExplainsThatItIsLate) {
  EXPECT_EQ(told({alert("AgentCutOff", "warning", "a"), alert("AgentLate", "warning", "a"),
                  alert("SpoolGrows", "warning", "a"), alert("ReadingsLate", "warning", "a"),
                  alert("ReadingsLate", "warning", "b")}),
            (Names{"AgentCutOff/a", "ReadingsLate/b"}));
}

TEST(ShippedNotifications, AnExpiredCertificateExplainsThatTheAgentIsCutOff) {
  EXPECT_EQ(told({alert("CertificateExpiresNow", "page", "a"), alert("CertificateExpires", "warning", "a"),
                  alert("AgentCutOff", "warning", "a")}),
            (Names{"CertificateExpiresNow/a"}));
}

TEST(ShippedNotifications, TheGraverAlertOfAFilesystemStands) {
  EXPECT_EQ(told({alert("FilesystemFull", "page", "a", "/"), alert("FilesystemFullSoon", "warning", "a", "/"),
                  alert("FilesystemFullSoon", "warning", "a", "/srv")}),
            (Names{"FilesystemFull/a", "FilesystemFullSoon/a"}));
}

TEST(ShippedNotifications, NobodyIsToldOfAnAgentThatIsConfiguredOff) {
  EXPECT_EQ(told({alert("AgentSilent", "info", "a"), alert("AgentStopped", "info", "b")}), Names{});
}

}  // namespace
}  // namespace monitor::notify
