#include "ui/web/prom_api.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <string>

#include "ui/web/testing/api_fixture.h"
#include "views/history/store.h"

namespace monitor::analysis::web {
namespace {

using ::testing::HasSubstr;

constexpr const char* kForm = "Content-Type: application/x-www-form-urlencoded\r\n";
// Takes far longer than any test waits.
constexpr const char* kEndless = "sum_over_time(sum_over_time(vector(1)%5B10h:10ms%5D)%5B10h:100ms%5D)";

class TwoRules final : public rules::RuleReporter {
 public:
  std::vector<rules::GroupStatus> groups() const override {
    rules::RuleStatus alerting{.alerting = true, .name = "Full", .expression = "x > 1", .labels = {}, .for_ms = 60'000};
    alerting.annotations = {{"summary", "disk \"full\""}};
    alerting.evaluated_at_ms = 1'700'000'000'000;
    rules::Alert alert;
    alert.labels.set("alertname", "Full");
    alert.annotations = alerting.annotations;
    alert.state = rules::AlertState::kFiring;
    alert.value = 12.5;
    alert.active_at_ms = 1'700'000'000'500;
    alerting.alerts = {alert};
    const rules::RuleStatus recording{.name = "a:b", .expression = "sum(x)", .labels = {}, .error = "too many"};
    rules::RuleStatus labelled{.name = "c:d", .expression = "sum(y)", .labels = {}};
    labelled.labels.set("team", "ops");
    return {{.name = "g", .file = "f.yml", .interval_ms = 15'000, .rules = {alerting, recording}},
            {.name = "h", .file = "f.yml", .interval_ms = 15'000, .rules = {labelled}},
            {.name = "g", .file = "z.yml", .interval_ms = 15'000, .rules = {labelled}}};
  }
};

class PromApiTest : public ApiTest {
 protected:
  explicit PromApiTest(PromOptions options = {}) : ApiTest(with_history(options)) {
    auto store = history::HistoryStore::open({.path = folder() / "history.db"}, clock_, registry_);
    EXPECT_TRUE(store);
  }
  ~PromApiTest() override { std::filesystem::remove_all(folder()); }

  static std::filesystem::path folder() {
    return std::filesystem::path(testing::TempDir()) / ("prom-" + std::to_string(getpid()));
  }
  static ApiOptions with_history(const PromOptions& prometheus) {
    std::filesystem::create_directories(folder());
    ApiOptions options;
    options.history_path = folder() / "history.db";
    options.version = "1.2.3";
    options.prometheus = prometheus;
    return options;
  }
  void expect_error(const std::string& answer, int code, const std::string& type, const std::string& text) {
    EXPECT_EQ(status(answer), code) << answer;
    EXPECT_EQ(json(answer)["status"], "error") << answer;
    EXPECT_EQ(json(answer)["errorType"], type) << answer;
    EXPECT_THAT(json(answer)["error"].get<std::string>(), HasSubstr(text));
  }
  int begin(const std::string& target) {
    const int fd = connect_to();
    const std::string text = "GET " + target + " HTTP/1.1\r\nHost: localhost\r\n\r\n";
    EXPECT_GT(send(fd, text.data(), text.size(), MSG_NOSIGNAL), 0);
    loop_.run_once(0);
    return fd;
  }
  bool own_metric(const std::string& line) {
    const int64_t end = clock_.mono_ns() + 10 * kNanosPerSecond;
    while (clock_.mono_ns() < end && registry_.text().find(line) == std::string::npos)
      loop_.run_once(5 * kNanosPerMilli);
    return registry_.text().find(line) != std::string::npos;
  }
};

TEST_F(PromApiTest, AnswersAsPrometheusDoes) {
  const std::string scalar = ask("GET", "/api/v1/query?query=1%2B1&time=1700000000.5&_=123");
  EXPECT_THAT(scalar,
              HasSubstr(R"({"status":"success","data":{"resultType":"scalar","result":[1700000000.500,"2"]}})"));
  const std::string posted = ask("POST", "/api/v1/query", kForm, "query=vector(1e-7)&time=5");
  EXPECT_THAT(posted, HasSubstr(R"("data":{"resultType":"vector","result":[{"metric":{},"value":[5,"1e-07"]}]})"));
  const std::string range = ask("POST", "/api/v1/query_range", kForm, "query=time()&start=1&end=2&step=500ms");
  EXPECT_THAT(range,
              HasSubstr(R"("resultType":"matrix","result":[{"metric":{},"values":[[1,"1"],[1.500,"1.5"],[2,"2"]]}]})"));
  EXPECT_THAT(ask("GET", "/api/v1/query?query=up"), HasSubstr(R"("resultType":"vector","result":[]})"));
  EXPECT_THAT(ask("GET", "/api/v1/query?query=%22x%22&time=1"),
              HasSubstr(R"("resultType":"string","result":[1,"x"]})"));
  EXPECT_TRUE(
      json(ask("GET", "/api/v1/query?query=1&stats=all"))["data"]["stats"]["timings"].contains("execTotalTime"));
}

TEST_F(PromApiTest, TruncatesWithAWarning) {
  const auto answer = json(ask(
      "GET", "/api/v1/query?limit=1&query=label_replace(vector(1),%22a%22,%221%22,%22%22,%22%22)%20or%20vector(2)"));
  EXPECT_EQ(answer["data"]["result"].size(), 1U);
  EXPECT_EQ(answer["warnings"][0], "results truncated due to limit");
}

TEST_F(PromApiTest, WarnsOfDoubtfulQueries) {
  const auto answer = json(ask("GET", "/api/v1/query?query=quantile(2,vector(1))"));
  EXPECT_EQ(answer["warnings"][0], "PromQL warning: quantile value should be between 0 and 1, got 2 (1:10)");
  EXPECT_FALSE(answer.contains("infos"));
}

TEST_F(PromApiTest, NamesWhatIsWrong) {
  expect_error(ask("GET", "/api/v1/query"), 400, "bad_data", "invalid parameter \"query\": 1:1: parse error: ");
  expect_error(ask("GET", "/api/v1/query?query=sum("), 400, "bad_data", "1:5: parse error: ");
  expect_error(ask("GET", "/api/v1/query?query=1&time=x"), 400, "bad_data", "invalid parameter \"time\"");
  expect_error(ask("GET", "/api/v1/query?query=1&timeout=x"), 400, "bad_data", "invalid parameter \"timeout\"");
  expect_error(ask("GET", "/api/v1/query?query=1&limit=-1"), 400, "bad_data", "invalid parameter \"limit\"");
  expect_error(ask("POST", "/api/v1/query", kForm, "query=%zz"), 400, "bad_data", "invalid URL escape");
  expect_error(ask("GET", "/api/v1/query_range?query=up%5B5m%5D&start=1&end=2&step=1"), 400, "bad_data", "range query");
  expect_error(ask("GET", "/api/v1/query_range?query=1&start=2&end=1&step=1"), 400, "bad_data", "\"end\"");
  expect_error(ask("GET", "/api/v1/series"), 400, "bad_data", "no match[] parameter provided");
  expect_error(ask("GET", "/api/v1/labels?match[]=%7B%7D"), 400, "bad_data", "would select every series");
  expect_error(ask("GET", "/api/v1/rules?type=x"), 400, "bad_data", "\"type\"");
  expect_error(ask("GET", "/api/v1/nosuch"), 404, "not_found", "no such route");
  expect_error(ask("GET", "/api/v1/query?query=count_values(%22%22,vector(1))"), 422, "execution", "label");
  EXPECT_EQ(status(ask("DELETE", "/api/v1/query")), 405);
}

TEST_F(PromApiTest, LimitsSamplesAndNamesTheLimit) {
  const auto longest = json(ask("GET", "/api/v1/query_range?query=1&start=0&end=11000&step=1"));
  EXPECT_EQ(longest["data"]["result"][0]["values"].size(), 11'001U);
  expect_error(ask("GET", "/api/v1/query_range?query=1&start=0&end=11001&step=1"), 400, "bad_data", "11,000 points");
  expect_error(ask("GET", std::string("/api/v1/query?query=") + kEndless), 422, "execution", "10000000 samples");
  expect_error(ask("GET", "/api/v1/query?query=1&timeout=0"), 503, "timeout", "took longer than 0s");
}

TEST_F(PromApiTest, AnswersWhatClientsAskBesides) {
  EXPECT_EQ(json(ask("GET", "/api/v1/status/buildinfo"))["data"]["buildUser"], "monitor-analysis 1.2.3");
  EXPECT_THAT(ask("GET", "/api/v1/rules"), HasSubstr(R"({"status":"success","data":{"groups":[]}})"));
  EXPECT_THAT(ask("GET", "/api/v1/alerts"), HasSubstr(R"("data":{"alerts":[]}})"));
  EXPECT_THAT(ask("GET", "/api/v1/labels"), HasSubstr(R"("data":[]})"));
  EXPECT_THAT(ask("GET", "/api/v1/label/__name__/values?match[]=up"), HasSubstr(R"("data":[]})"));
  EXPECT_THAT(ask("GET", "/api/v1/query_exemplars?query=up&start=1&end=2"), HasSubstr(R"("data":[]})"));
  const auto metadata = json(ask("GET", "/api/v1/metadata"))["data"];
  EXPECT_EQ(metadata["system_cpu_utilization_ratio"][0]["type"], "gauge");
  EXPECT_EQ(metadata["system.cpu.utilization"], metadata["system_cpu_utilization_ratio"]);
  EXPECT_EQ(metadata["system_disk_io_bytes_total"][0]["type"], "counter");
  EXPECT_EQ(json(ask("GET", "/api/v1/metadata?limit=2"))["data"].size(), 2U);
  EXPECT_EQ(json(ask("GET", "/api/v1/metadata?metric=system.cpu.utilization"))["data"].size(), 1U);
  EXPECT_EQ(json(ask("GET", "/api/v1/format_query?query=1%2B1"))["data"], "1 + 1");
  EXPECT_EQ(status(ask("GET", "/-/healthy")), 200);
  EXPECT_EQ(status(ask("GET", "/-/ready")), 200);
}

TEST_F(PromApiTest, KeepsTheOldPathsOfThePage) {
  EXPECT_EQ(status(ask("GET", "/api/ui/v1/fleet")), 200);
  EXPECT_EQ(status(ask("GET", "/api/v1/fleet")), 200);
  EXPECT_EQ(json(ask("GET", "/api/ui/v1/series?agent=a"))["agent"], "a");
  EXPECT_EQ(status(ask("GET", "/api/ui/v1/query?query=1")), 404);
}

TEST_F(PromApiTest, GivesNoOtherPageTheRightToChange) {
  // A query by POST changes nothing, so that it needs no token; another POST does.
  EXPECT_EQ(status(ask("POST", "/api/v1/query", std::string(kForm) + "Origin: http://grafana.example\r\n", "query=1")),
            200);
  EXPECT_EQ(
      status(ask("POST", "/api/v1/config/validate?key=/monitor/defaults", "Origin: http://grafana.example\r\n", "{}")),
      403);
}

class PromRulesTest : public PromApiTest {
 protected:
  PromRulesTest() : PromApiTest({.rules = &two_}) {}
  static inline const TwoRules two_;
};

TEST_F(PromRulesTest, GivesGroupsInPages) {
  std::string token;
  std::vector<std::string> seen;
  for (int page = 0; page < 5; ++page) {
    const std::string rest = token.empty() ? "" : "&group_next_token=" + token;
    const auto data = json(ask("GET", "/api/v1/rules?group_limit=1" + rest))["data"];
    ASSERT_EQ(data["groups"].size(), 1U);
    seen.push_back(data["groups"][0]["file"].get<std::string>() + " " + data["groups"][0]["name"].get<std::string>());
    if (!data.contains("groupNextToken")) break;
    token = data["groupNextToken"];
  }
  EXPECT_EQ(seen, (std::vector<std::string>{"f.yml g", "f.yml h", "z.yml g"}));
  expect_error(ask("GET", "/api/v1/rules?group_limit=1&group_next_token=x"), 400, "bad_data",
               "were rule groups changed");
  expect_error(ask("GET", "/api/v1/rules?group_next_token=x"), 400, "bad_data", "group_limit needs to be present");
  expect_error(ask("GET", "/api/v1/rules?group_limit=0"), 400, "bad_data", "group_limit needs to be greater than 0");
  expect_error(ask("GET", "/api/v1/rules?exclude_alerts=maybe"), 400, "bad_data", "exclude_alerts");
  EXPECT_TRUE(
      json(ask("GET", "/api/v1/rules?exclude_alerts=T&type=ALERT"))["data"]["groups"][0]["rules"][0]["alerts"].empty());
  expect_error(ask("GET", "/api/v1/rules?group_limit=-1"), 400, "bad_data", "group_limit");
}

TEST_F(PromRulesTest, ShowsRulesAndAlerts) {
  const auto groups = json(ask("GET", "/api/v1/rules"))["data"]["groups"];
  ASSERT_EQ(groups.size(), 3U);
  const auto& alerting = groups[0]["rules"][0];
  EXPECT_EQ(alerting["state"], "firing");
  EXPECT_EQ(alerting["duration"], 60);
  EXPECT_EQ(alerting["lastEvaluation"], "2023-11-14T22:13:20.000Z");
  EXPECT_EQ(alerting["alerts"][0]["value"], "1.25e+01");
  EXPECT_EQ(alerting["alerts"][0]["activeAt"], "2023-11-14T22:13:20.500Z");
  const auto& recording = groups[0]["rules"][1];
  EXPECT_EQ(recording["health"], "err");
  EXPECT_EQ(recording["lastError"], "too many");
  EXPECT_EQ(recording["type"], "recording");
  EXPECT_EQ(json(ask("GET", "/api/v1/rules?type=record"))["data"]["groups"][0]["rules"].size(), 1U);
  EXPECT_TRUE(json(ask("GET", "/api/v1/rules?rule_name[]=nosuch"))["data"]["groups"].empty());
  EXPECT_EQ(json(ask("GET", "/api/v1/rules?file[]=z.yml"))["data"]["groups"].size(), 1U);
  EXPECT_EQ(json(ask("GET", "/api/v1/rules?match[]=%7Bteam=%22ops%22%7D"))["data"]["groups"].size(), 2U);
  expect_error(ask("GET", "/api/v1/rules?match[]=%7B"), 400, "bad_data", "match[]");
  EXPECT_EQ(json(ask("GET", "/api/v1/alerts"))["data"]["alerts"][0]["labels"]["alertname"], "Full");
}

class PromBusyTest : public PromApiTest {
 protected:
  PromBusyTest() : PromApiTest({.at_once = 2, .max_samples = SIZE_MAX}) {}
};

TEST_F(PromBusyTest, EndsAQueryWhoseClientHasGone) {
  const int fd = begin(std::string("/api/v1/query?query=") + kEndless);
  EXPECT_TRUE(own_metric("monitor_web_queries_running 1"));
  shutdown(fd, SHUT_WR);
  EXPECT_TRUE(own_metric("monitor_web_queries_ended_total 1"));
  EXPECT_TRUE(own_metric("monitor_web_queries_running 0"));
}

TEST_F(PromBusyTest, RefusesWhatIsTooMuchAtOnceAndAnswersTheRest) {
  std::vector<int> clients;
  for (int i = 0; i < 32; ++i) clients.push_back(begin(std::string("/api/v1/query?query=") + kEndless));
  // One runs, because the other thread is for other addresses; 30 wait.
  EXPECT_TRUE(own_metric("monitor_web_queries_refused_total 1"));
  const std::string refused = ask("GET", "/api/v1/query?query=1");
  expect_error(refused, 503, "unavailable", "queries are waiting");
  EXPECT_THAT(refused, HasSubstr("Retry-After: "));
  EXPECT_EQ(status(ask("GET", "/api/ui/v1/fleet")), 200);
  EXPECT_EQ(status(ask("GET", "/api/ui/v1/series?agent=a")), 200);
  for (const int fd : clients) shutdown(fd, SHUT_RDWR);
  EXPECT_TRUE(own_metric("monitor_web_queries_running 0"));
  EXPECT_EQ(status(ask("GET", "/api/v1/query?query=1")), 200);
}

}  // namespace
}  // namespace monitor::analysis::web
