// The routes with which the page writes rules: files, checks, replays, changes.
#include "ui/web/rules_api.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "ui/web/testing/api_fixture.h"
#include "views/history/store.h"

namespace monitor::analysis::web {
namespace {

using ::testing::HasSubstr;

constexpr const char* kRules = "groups:\n- name: g\n  rules:\n  - alert: A\n    expr: vector(1)\n    for: 1m\n";
constexpr const char* kToken = "Authorization: Bearer 0123456789abcdef\r\n";
// Takes far longer than any test waits.
constexpr const char* kEndless =
    "groups:\n- name: g\n  rules:\n  - alert: A\n"
    "    expr: sum_over_time(sum_over_time(vector(1)[10h:10ms])[10h:100ms])\n";

class OneFile final : public rules::RuleReporter {
 public:
  std::vector<rules::GroupStatus> groups() const override { return {}; }
  rules::RuleFileList files() const override {
    return std::make_shared<const std::vector<rules::RuleFileStatus>>(std::vector<rules::RuleFileStatus>{
        {.name = "/etc/rules.yml", .origin = "files", .text = kRules, .fault = "", .rules = 1},
        {.name = "etcd:/monitor/rules/stored", .origin = "configuration", .text = kRules, .fault = "", .rules = 1}});
  }
};
const OneFile kFiles;

class RulesApiTest : public ApiTest {
 protected:
  explicit RulesApiTest(PromOptions options = {.rules = &kFiles}) : ApiTest(with_history(options)) {
    auto store = history::HistoryStore::open({.path = folder() / "history.db"}, clock_, registry_);
    EXPECT_TRUE(store);
    documents_["/monitor/rules/stored"] = {kRules, 7};
  }
  ~RulesApiTest() override { std::filesystem::remove_all(folder()); }

  static std::filesystem::path folder() {
    return std::filesystem::path(testing::TempDir()) / ("rules-" + std::to_string(getpid()));
  }
  static ApiOptions with_history(const PromOptions& prometheus) {
    std::filesystem::create_directories(folder());
    ApiOptions options;
    options.history_path = folder() / "history.db";
    options.prometheus = prometheus;
    return options;
  }
  std::string post(const std::string& target, const std::string& body) {
    return ask("POST", "/api/ui/v1" + target, "", body);
  }
  std::string put(const std::string& name, const nlohmann::json& body, const char* token = kToken) {
    return ask("PUT", "/api/ui/v1/rules/document?name=" + name, token, body.dump());
  }
};

TEST_F(RulesApiTest, ListsFilesAndDocuments) {
  const auto list = json(ask("GET", "/api/ui/v1/rules/files"));
  ASSERT_EQ(list["files"].size(), 2U) << list;
  EXPECT_EQ(list["files"][0]["file"], "/etc/rules.yml");
  EXPECT_TRUE(list["files"][0]["document"].is_null());
  EXPECT_EQ(list["files"][1]["document"], "stored");
  EXPECT_EQ(list["files"][1]["tag"], "r7");
  EXPECT_EQ(list["files"][1]["in_force"], true);
  const auto file = json(ask("GET", "/api/ui/v1/rules/file?file=/etc/rules.yml"));
  EXPECT_EQ(file["text"], kRules);
  EXPECT_EQ(file["place"], "/etc/rules.yml");
  EXPECT_EQ(json(ask("GET", "/api/ui/v1/rules/file?file=etcd:/monitor/rules/stored"))["tag"], "r7");
  EXPECT_EQ(status(ask("GET", "/api/ui/v1/rules/file?file=/etc/passwd")), 404) << "only files of rules are read";
}

TEST_F(RulesApiTest, ChecksATextAsTyped) {
  const auto good = json(post("/rules/check", kRules));
  EXPECT_EQ(good["valid"], true);
  const auto& rule = good["groups"][0]["rules"][0];
  EXPECT_EQ(rule["name"], "A");
  EXPECT_EQ(rule["for"], "1m");
  EXPECT_EQ(rule["line"], 4);
  const auto bad = json(post("/rules/check", "groups:\n- name: g\n  rules:\n  - alert: A\n    expr: up >\n"));
  EXPECT_EQ(bad["valid"], false);
  EXPECT_EQ(bad["problems"][0]["line"], 5);
  EXPECT_THAT(bad["problems"][0]["text"].get<std::string>(), HasSubstr("expr: at 1:5"));
  // A rule that no series fits.
  const auto doubtful =
      json(post("/rules/check?compare=series", "groups:\n- name: g\n  rules:\n  - {alert: A, expr: nosuch > 1}\n"));
  EXPECT_EQ(doubtful["valid"], true);
  EXPECT_EQ(doubtful["compared"], true);
  EXPECT_EQ(doubtful["problems"][0]["warning"], true);
  EXPECT_THAT(doubtful["problems"][0]["text"].get<std::string>(), HasSubstr("nobody has the metric nosuch"));
}

TEST_F(RulesApiTest, LeavesOutTheLabelsOfTheGroup) {
  const auto checked = json(post("/rules/check",
                                 "groups:\n- name: g\n  labels: {team: ops, tier: one}\n  rules:\n"
                                 "  - {alert: A, expr: x, labels: {severity: page, tier: two}}\n"));
  EXPECT_EQ(checked["groups"][0]["labels"]["team"], "ops");
  EXPECT_EQ(checked["groups"][0]["rules"][0]["labels"].dump(), R"({"severity":"page","tier":"two"})");
}

TEST_F(RulesApiTest, ReplaysATextOverTime) {
  const std::string rules =
      "groups:\n- name: g\n  interval: 15s\n  rules:\n  - alert: A\n    expr: vector(time()) % 600 < 300\n"
      "    for: 1m\n    annotations: {summary: 'value {{ $value }}'}\n  - alert: B\n    expr: vector(1)\n";
  const auto got = json(post("/rules/replay?alert=A&from=1700000100&to=1700001290", rules));
  ASSERT_EQ(got["alerts"].size(), 2U) << got;
  // 1700000100 % 600 is 300: active from 1700000400 to 1700000700.
  const auto& first = got["alerts"][0];
  EXPECT_EQ(first["active"], 1700000400);
  EXPECT_EQ(first["fired"], 1700000460);
  EXPECT_EQ(first["ended"], 1700000700);
  EXPECT_EQ(first["annotations"]["summary"], "value 60");
  EXPECT_EQ(got["fired"], 2);
  EXPECT_EQ(got["left_out"], 0);
  EXPECT_TRUE(got["alerts"][1]["ended"].is_null());
  EXPECT_EQ(got["groups"][0]["step"], 15);
  EXPECT_TRUE(got["history"].empty());
}

TEST_F(RulesApiTest, NamesWhatCannotBeReplayed) {
  EXPECT_EQ(status(post("/rules/replay?from=2000&to=1000", kRules)), 400);
  EXPECT_THAT(post("/rules/replay?alert=Z", kRules), HasSubstr("no alerting rule has the name"));
  const std::string invalid = post("/rules/replay", "groups: 1");
  EXPECT_EQ(status(invalid), 422);
  EXPECT_EQ(json(invalid)["problems"][0]["line"], 1);
  const auto failed = json(post("/rules/replay?from=1700000000&to=1700000060",
                                "groups:\n- name: g\n  rules:\n  - {alert: A, expr: 'x * on (a) y'}\n"
                                "  - {alert: B, expr: 'vector(1) + on() group_left() (vector(1) or "
                                "label_replace(vector(2), \"a\", \"b\", \"\", \"\"))'}\n"));
  ASSERT_EQ(failed["failures"].size(), 1U) << failed;
  EXPECT_THAT(failed["failures"][0].get<std::string>(), HasSubstr("B: "));
}

TEST_F(RulesApiTest, StoresRulesThatNobodyHasChanged) {
  const std::string text = std::string(kRules) + "  - {alert: B, expr: x}\n";
  EXPECT_EQ(status(put("stored", {{"base", "r7"}, {"value", text}}, "")), 401);
  EXPECT_EQ(documents_["/monitor/rules/stored"].value, kRules);
  const std::string conflict = put("stored", {{"base", "r6"}, {"value", text}});
  EXPECT_EQ(status(conflict), 409);
  EXPECT_EQ(json(conflict)["current"]["tag"], "r7");
  EXPECT_EQ(status(put("new", {{"base", "r6"}, {"value", text}})), 409) << "it was deleted meanwhile";
  const std::string invalid = put("stored", {{"base", "r7"}, {"value", "groups: 1"}});
  EXPECT_EQ(status(invalid), 422);
  EXPECT_EQ(json(invalid)["problems"].size(), 1U);
  EXPECT_EQ(status(put("stored", {{"base", "r7"}, {"value", "groups: []"}})), 422) << "no rules are no change";
  EXPECT_EQ(status(put("a%2Fb", {{"base", nullptr}, {"value", text}})), 400);
  EXPECT_EQ(documents_["/monitor/rules/stored"].value, kRules);
  EXPECT_EQ(status(put("stored", {{"base", "r7"}, {"value", text}})), 200);
  EXPECT_EQ(documents_["/monitor/rules/stored"].value, text);
  EXPECT_EQ(status(put("new", {{"base", nullptr}, {"value", text}})), 200);
  EXPECT_EQ(documents_["/monitor/rules/new"].value, text);
  EXPECT_EQ(status(put("new", {{"base", tag_of(documents_["/monitor/rules/new"])}})), 200);
  EXPECT_FALSE(documents_.contains("/monitor/rules/new"));
}

TEST_F(RulesApiTest, EndsAReplayWhoseClientHasGone) {
  const int fd = connect_to();
  const std::string body = kEndless;
  const std::string text =
      "POST /api/ui/v1/rules/replay HTTP/1.1\r\nHost: localhost\r\nContent-Length: " + std::to_string(body.size()) +
      "\r\n\r\n" + body;
  EXPECT_GT(send(fd, text.data(), text.size(), MSG_NOSIGNAL), 0);
  const auto own_metric = [this](const std::string& line) {
    const int64_t end = clock_.mono_ns() + 10 * kNanosPerSecond;
    while (clock_.mono_ns() < end && registry_.text().find(line) == std::string::npos)
      loop_.run_once(5 * kNanosPerMilli);
    return registry_.text().find(line) != std::string::npos;
  };
  EXPECT_TRUE(own_metric("monitor_web_rule_tests_running 1"));
  shutdown(fd, SHUT_RDWR);
  EXPECT_TRUE(own_metric("monitor_web_rule_tests_ended_total 1"));
  EXPECT_TRUE(own_metric("monitor_web_rule_tests_running 0"));
}

class RulesApiBusyTest : public RulesApiTest {
 protected:
  RulesApiBusyTest() : RulesApiTest({.timeout_ns = 100 * kNanosPerMilli, .max_samples = SIZE_MAX}) {}
};

TEST_F(RulesApiBusyTest, EndsAReplayWhoseTimeIsOver) {
  const std::string answer = post("/rules/replay?from=1700000000&to=1700600000", kEndless);
  EXPECT_EQ(status(answer), 503);
  EXPECT_THAT(answer, HasSubstr("the test took longer than 100ms: replay a shorter time"));
}

}  // namespace
}  // namespace monitor::analysis::web
