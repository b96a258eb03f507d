// The API of the configuration: previews of changes, history, overrides; and the check of queries.
#include <gmock/gmock.h>

#include "base/time_format.h"
#include "config/status.h"
#include "ui/web/testing/api_fixture.h"

namespace monitor::analysis::web {
namespace {

using ::testing::HasSubstr;

const std::string kToken = "Authorization: Bearer 0123456789abcdef\r\n";

class ApiConfigTest : public ApiTest {
 protected:
  ApiConfigTest() : ApiTest({.tick_ns = 50 * kNanosPerMilli, .read_config_ns = 300 * kNanosPerMilli}) {
    agent("a", {});
    agent("b", {"web"});
    agent("c", {"web"});
    put("/monitor/defaults", R"({"interval": 5})");
    put("/monitor/groups/web", R"({"labels": {"role": "web"}})");
    put("/monitor/config/c", R"({"interval": 1})");
  }
  void put(const std::string& key, const std::string& value) { documents_[key] = {value, ++revision_}; }
  void agent(const std::string& id, const std::vector<std::string>& groups) {
    const nlohmann::json inventory = {
        {"host", id}, {"groups", groups}, {"last_seen", format_rfc3339(clock_.wall_ns())}};
    put("/monitor/inventory/" + id, inventory.dump());
  }
  int follow(const std::string& after);
  nlohmann::json preview(const std::string& key, const std::string& text) {
    const std::string answer = ask("POST", "/api/ui/v1/config/preview?key=" + key, "",
                                   text.empty() ? "{}" : nlohmann::json({{"value", text}}).dump());
    EXPECT_EQ(status(answer), 200) << answer;
    return json(answer);
  }

  int64_t revision_ = 1;
};

TEST_F(ApiConfigTest, APreviewNamesTheAgentsWhoseValuesChange) {
  const auto found = preview("/monitor/defaults", R"({"interval": 7})");
  EXPECT_EQ(found["agents"], 3);
  EXPECT_EQ(found["uses"], 3);
  EXPECT_EQ(found["affected"], 2) << "c has an interval of its own";
  EXPECT_EQ(found["refusing"], 0);
  ASSERT_EQ(found["rows"].size(), 2U);
  EXPECT_EQ(found["rows"][0]["agent"], "a");
  EXPECT_EQ(found["rows"][1]["agent"], "b");
  EXPECT_EQ(found["rows"][1]["changes"].dump(), R"([{"after":7,"before":5,"path":"/interval"}])");
  EXPECT_EQ(documents_["/monitor/defaults"].value, R"({"interval": 5})") << "nothing is stored";
}

TEST_F(ApiConfigTest, APreviewOfADeletion) {
  const auto found = preview("/monitor/groups/web", "");
  EXPECT_EQ(found["uses"], 2);
  EXPECT_EQ(found["affected"], 2);
  EXPECT_EQ(found["rows"][0]["changes"].dump(),
            R"([{"after":{},"before":null,"path":"/labels"},{"after":null,"before":"web","path":"/labels/role"}])");
}

TEST_F(ApiConfigTest, APreviewNamesTheAgentsThatWouldRejectTheResult) {
  put("/monitor/config/c", R"({"metrics": ["cpuu"]})");
  const auto found = preview("/monitor/defaults", R"({"interval": 6})");
  EXPECT_EQ(found["refusing"], 1);
  ASSERT_EQ(found["rows"].size(), 3U);
  EXPECT_THAT(found["rows"][2]["problems"].dump(), HasSubstr("cpuu"));
}

TEST_F(ApiConfigTest, AnOverrideOfAllAgentsIsAboveTheirOwnDocuments) {
  const std::string key = "/monitor/overrides/all/page";
  const auto found = preview(key, R"({"interval": 7})");
  EXPECT_EQ(found["uses"], 3);
  EXPECT_EQ(found["affected"], 3) << "also c, which has an interval of its own";
  const std::string body = R"({"value": "{\"interval\": 7}", "seconds": 60})";
  ASSERT_EQ(status(ask("POST", "/api/ui/v1/config/override?key=" + key, kToken, body)), 200);
  const auto values = json(ask("GET", "/api/ui/v1/config/explain?agent=c"))["values"];
  const auto interval = std::ranges::find(values, "/interval", [](const auto& one) { return one["path"]; });
  ASSERT_NE(interval, values.end());
  EXPECT_EQ((*interval)["value"], 7);
  EXPECT_EQ((*interval)["layer"], key);
  EXPECT_EQ(preview(key, "")["affected"], 3) << "ending it changes all three back";
}

TEST_F(ApiConfigTest, RefusesHostilePreviews) {
  const std::string path = "/api/ui/v1/config/preview?key=";
  EXPECT_EQ(status(ask("POST", path + "/monitor/status/a", "", "{}")), 400);
  EXPECT_EQ(status(ask("POST", path + "/monitor/overrides/all/a/b", "", "{}")), 400);
  EXPECT_EQ(preview("/monitor/overrides/all/a", "no JSON")["refusing"], 3);
  EXPECT_EQ(status(ask("POST", path + "/monitor/defaults", "", "[")), 400);
  EXPECT_EQ(status(ask("POST", path + "/monitor/defaults", "", R"({"value": 1})")), 400);
  EXPECT_EQ(preview("/monitor/defaults", "no JSON")["refusing"], 3);
}

// Opens a stream of the configuration's events; returns its socket.
int ApiConfigTest::follow(const std::string& after) {
  const int fd = connect_to();
  const std::string text = "GET /api/ui/v1/stream?topic=config&after=" + after + " HTTP/1.1\r\nHost: localhost\r\n\r\n";
  EXPECT_EQ(send(fd, text.data(), text.size(), MSG_NOSIGNAL), static_cast<ssize_t>(text.size()));
  return fd;
}

TEST_F(ApiConfigTest, AStreamThatFollowsWhatWasReadMissesNoChange) {
  read_until(follow(""), "event: config");  // the first periodic read
  const std::string live_id = json(ask("GET", "/api/ui/v1/config"))["live_id"];
  put("/monitor/defaults", R"({"interval": 8})");
  // The change is announced before the page's stream is open.
  const int64_t announced = 1 + static_cast<int64_t>(broadcaster_.last());
  EXPECT_THAT(read_until(follow(""), "event: config"), HasSubstr("id: run." + std::to_string(announced)));
  EXPECT_THAT(read_until(follow(live_id), "event: config"), HasSubstr("id: run." + std::to_string(announced)));
}

TEST_F(ApiConfigTest, AStateThatWasShownAndWentBackIsAnnounced) {
  const int stream = follow("");
  read_until(stream, "event: config");
  const config::Stored old = documents_["/monitor/defaults"];
  // Between two periodic reads, a page reads a state that is gone again by the next one.
  const int lists = lists_;
  put("/monitor/defaults", R"({"interval": 8})");
  const auto shown = json(ask("GET", "/api/ui/v1/config"));
  documents_["/monitor/defaults"] = old;
  ASSERT_EQ(lists_, lists + 1) << "no periodic read came between";
  EXPECT_THAT(read_until(stream, "event: config"), HasSubstr("event: config"));
}

TEST_F(ApiConfigTest, ARefusalWithAnotherReasonIsAnnounced) {
  const auto refuse = [this](const std::string& why) {
    config::AgentStatus report;
    report.error = why;
    report.last_failed = 3;
    report.version = "0.2.0";
    report.updated_ns = clock_.wall_ns();
    put("/monitor/status/a", config::to_json(report));
  };
  refuse("/interval: too small");
  const int stream = follow("");
  read_until(stream, "event: config");
  refuse("/metrics: unknown");
  EXPECT_THAT(read_until(stream, "event: config"), HasSubstr("event: config"));
}

TEST_F(ApiConfigTest, AStoreWithoutOldVersionsSaysSo) {
  const auto found = json(ask("GET", "/api/ui/v1/config/history?key=/monitor/defaults"));
  EXPECT_EQ(found["kept"], false);
  EXPECT_EQ(found["versions"].size(), 0U);
  EXPECT_EQ(status(ask("GET", "/api/ui/v1/config/history?key=/monitor/status/a")), 400);
}

TEST_F(ApiConfigTest, AnOverrideEndsByItselfOrIsDeleted) {
  const std::string key = "/monitor/overrides/agents/a/fast";
  const std::string path = "/api/ui/v1/config/override?key=" + key;
  const std::string body = R"({"value": "{\"interval\": 0.1}", "seconds": 60})";
  EXPECT_EQ(status(ask("POST", path, "", body)), 401) << "not without the token";
  const std::string done = ask("POST", path, kToken, body);
  ASSERT_EQ(status(done), 200) << done;
  const auto stored = nlohmann::json::parse(documents_[key].value);
  EXPECT_EQ(stored["interval"], 0.1);
  const int64_t left = *parse_rfc3339(stored["expires_at"].get<std::string>()) - clock_.wall_ns();
  EXPECT_GT(left, 50 * kNanosPerSecond);
  EXPECT_LE(left, 60 * kNanosPerSecond);
  for (const auto& one : json(ask("GET", "/api/ui/v1/config"))["documents"]) {
    EXPECT_EQ(one["expires"].is_null(), one["key"] != key) << one;
  }
  EXPECT_EQ(preview(key, "")["affected"], 1);
  const std::string document = "/api/ui/v1/config/document?key=" + key;
  const std::string base = json(done)["tag"];
  EXPECT_EQ(status(ask("PUT", document, kToken, R"({"base": ")" + base + R"(", "value": "{}"})")), 400);
  EXPECT_EQ(status(ask("PUT", document, kToken, R"({"base": ")" + base + R"("})")), 200);
  EXPECT_FALSE(documents_.contains(key));
}

TEST_F(ApiConfigTest, RefusesWrongOverrides) {
  const std::string path = "/api/ui/v1/config/override?key=/monitor/overrides/agents/a/fast";
  for (const char* const body :
       {"", "[]", R"({"value": "{}", "seconds": 60})", R"({"value": "{\"interval\": 1}"})",
        R"({"value": "{\"interval\": 1}", "seconds": 0})", R"({"value": "{\"interval\": 1}", "seconds": 2592001})",
        R"({"value": {"interval": 1}, "seconds": 60})"}) {
    EXPECT_EQ(status(ask("POST", path, kToken, body)), 400) << body;
  }
  EXPECT_EQ(status(ask("POST", path, kToken, R"({"value": "{\"intervall\": 1}", "seconds": 60})")), 422);
  EXPECT_EQ(status(ask("POST", "/api/ui/v1/config/override?key=/monitor/defaults", kToken,
                       R"({"value": "{\"interval\": 1}", "seconds": 60})")),
            400);
  EXPECT_FALSE(documents_.contains("/monitor/overrides/agents/a/fast"));
}

TEST_F(ApiConfigTest, SaysWhereATextIsNoQuery) {
  const auto check = [this](const std::string& text) {
    const std::string answer = ask("POST", "/api/ui/v1/query/check", "", text);
    EXPECT_EQ(status(answer), 200) << answer;
    return json(answer);
  };
  EXPECT_EQ(check("sum(up)").dump(), R"({"error":"","valid":true})");
  EXPECT_THAT(check("sum(up")["error"].get<std::string>(), ::testing::StartsWith("1:7: "));
  EXPECT_EQ(check("sum(up")["valid"], false);
  EXPECT_EQ(check("")["valid"], false);
  EXPECT_EQ(check(std::string(1000, '('))["valid"], false);
}

}  // namespace
}  // namespace monitor::analysis::web
