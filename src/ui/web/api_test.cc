#include "ui/web/api.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <sys/socket.h>

#include <algorithm>
#include <set>

#include "ui/web/assets.h"
#include "ui/web/log_tailer.h"
#include "ui/web/testing/api_fixture.h"

namespace monitor::analysis::web {
namespace {

// The values of all "$ref" in it.
std::set<std::string> references(const nlohmann::json& json) {
  std::set<std::string> found;
  if (json.is_object() && json.contains("$ref")) found.insert(json["$ref"].get<std::string>());
  for (const auto& one : json) {
    if (one.is_structured()) found.merge(references(one));
  }
  return found;
}

TEST_F(ApiTest, DescribesEveryRouteAndResolvesEveryReference) {
  const auto described = json(ask("GET", "/api/v1/openapi.json"));
  size_t operations = 0;
  for (const auto& [path, methods] : described["paths"].items()) operations += methods.size();
  EXPECT_EQ(operations, api_->table().routes.size());
  std::set<std::string> ids;
  for (const Route& route : api_->table().routes) {
    EXPECT_TRUE(described["paths"].contains(std::string(root_of(route.dialect)) + route.path)) << route.path;
    EXPECT_TRUE(ids.insert(route.id).second) << route.id;
  }
  const auto refs = references(described);
  EXPECT_GE(refs.size(), 5U);
  for (const std::string& ref : refs) {
    EXPECT_TRUE(described.contains(nlohmann::json::json_pointer(ref.substr(1)))) << ref;
  }
}

TEST_F(ApiTest, AnswersWithStrictHeaders) {
  const std::string answer = ask("GET", "/");
  EXPECT_EQ(status(answer), 200);
  EXPECT_NE(answer.find("Content-Security-Policy: default-src 'none'; script-src 'self'"), std::string::npos);
  EXPECT_NE(answer.find("X-Content-Type-Options: nosniff"), std::string::npos);
  EXPECT_EQ(status(ask("GET", "/api/v1/fleet")), 200);
  EXPECT_EQ(status(ask("HEAD", "/api/v1/fleet")), 200);
  EXPECT_EQ(status(ask("GET", "/metrics")), 200);
  EXPECT_EQ(status(ask("GET", "/nothing")), 404);
  EXPECT_EQ(status(ask("GET", "/api/v1/nothing")), 404);
  EXPECT_EQ(status(ask("DELETE", "/api/v1/fleet")), 405);
  EXPECT_EQ(status(ask("POST", "/")), 405);
}

TEST_F(ApiTest, ServesEveryFileOfThePage) {
  ASSERT_GE(embedded_files().size(), 6U);
  size_t kept = 0;
  for (const EmbeddedFile& file : embedded_files()) {
    if (file.name.ends_with(".br") || file.name.ends_with(".gz")) {
      EXPECT_EQ(status(ask("GET", "/" + std::string(file.name))), 404) << file.name;
      continue;
    }
    const std::string answer = ask("GET", "/" + std::string(file.name));
    EXPECT_EQ(status(answer), 200) << file.name;
    EXPECT_NE(answer.find(file.bytes()), std::string::npos) << file.name;
    if (answer.find("Cache-Control: public, max-age=31536000, immutable") != std::string::npos) ++kept;
  }
  EXPECT_GE(kept, 4U) << "the pages, whose names change with their contents";
  const std::string start = ask("GET", "/app.js");
  EXPECT_NE(start.find("Cache-Control: no-store"), std::string::npos);
  EXPECT_NE(start.find("Content-Type: text/javascript; charset=utf-8"), std::string::npos);
  EXPECT_NE(ask("GET", "/").find("Content-Type: text/html; charset=utf-8"), std::string::npos);
  for (const char* const target : {"/app.jsx", "/app", "/../app.js", "/bundle/app.js"}) {
    EXPECT_EQ(status(ask("GET", target)), 404) << target;
  }
}

TEST_F(ApiTest, SendsTheSmallestFormThatTheBrowserTakes) {
  const std::pair<const char*, std::string> cases[] = {
      {"", ""},
      {"gzip, deflate", "gzip"},
      {"gzip, deflate, br, zstd", "br"},
      {"GZIP;q=0.5, BR;q=1.0", "br"},
      {"br;q=0, gzip", "gzip"},
      {"br; q=0.000, gzip;q=0", ""},
      {"br;q=x", ""},
      {"brotli, x-gzip, *", ""},
  };
  for (const auto& [accepted, encoding] : cases) {
    const std::string answer = ask("GET", "/app.css", "Accept-Encoding: " + std::string(accepted) + "\r\n");
    EXPECT_EQ(status(answer), 200);
    EXPECT_NE(answer.find("Vary: Accept-Encoding\r\n"), std::string::npos) << accepted;
    const std::string header = "Content-Encoding: " + encoding + "\r\n";
    EXPECT_EQ(answer.find("Content-Encoding: ") != std::string::npos, !encoding.empty()) << accepted;
    if (!encoding.empty()) {
      EXPECT_NE(answer.find(header), std::string::npos) << accepted;
    }
    const std::string ending = encoding.empty() ? "" : encoding == "br" ? ".br" : ".gz";
    const auto files = embedded_files();
    const auto file = std::ranges::find(files, "app.css" + ending, &EmbeddedFile::name);
    ASSERT_NE(file, files.end());
    const std::string length = fmt::format("Content-Length: {}\r\n", file->bytes().size());
    EXPECT_NE(answer.find(length), std::string::npos) << accepted;
  }
}

TEST_F(ApiTest, RejectsInvalidParameters) {
  for (const char* const target :
       {"/api/v1/range", "/api/v1/range?agent=", "/api/v1/series", "/api/v1/config/explain",
        "/api/ui/v1/range?agent=a&from=x", "/api/v1/range?agent=a&points=0", "/api/v1/range?agent=a&resolution=2s",
        "/api/v1/range?agnet=a", "/api/v1/stream", "/api/v1/messages?limit=1000", "/api/v1/messages?offset=4",
        "/api/v1/messages?cursor=0:x", "/api/v1/messages?partition=-1", "/api/v1/ledger?missing_after=x",
        "/api/v1/config/document?key=/etc/passwd", "/api/v1/config/explain?agent=../x", "/api/v1/fleet?x=%FF"}) {
    const std::string answer = ask("GET", target);
    EXPECT_EQ(status(answer), 400) << target << answer;
    EXPECT_TRUE(json(answer).contains("error")) << target;
  }
  EXPECT_EQ(status(ask("GET", "/api/v1/agents/nobody")), 404);
  EXPECT_EQ(status(ask("GET", "/api/v1/log")), 503);
  EXPECT_EQ(status(ask("GET", "/api/v1/range?agent=a")), 404) << "no history yet";
}

TEST_F(ApiTest, ChangesNeedTheTokenAndTheRightBase) {
  const std::string target = "/api/v1/config/document?key=/monitor/defaults";
  const std::string token = "Authorization: Bearer 0123456789abcdef\r\n";
  const std::string first = R"({"base":null,"value":"{\"interval\": 2}"})";
  EXPECT_EQ(status(ask("PUT", target, "", first)), 401);
  EXPECT_EQ(status(ask("PUT", target, token + "Origin: http://evil.example\r\n", first)), 403);
  const std::string stored = ask("PUT", target, token, first);
  ASSERT_EQ(status(stored), 200) << stored;
  const std::string conflict = ask("PUT", target, token, R"({"base":null,"value":"{\"interval\": 3}"})");
  EXPECT_EQ(status(conflict), 409);
  EXPECT_EQ(json(conflict)["current"]["value"], "{\"interval\": 2}");
  const std::string tag = json(stored)["tag"];
  const std::string invalid = ask("PUT", target, token, R"({"base":")" + tag + R"(","value":"{\"intervall\": 3}"})");
  EXPECT_EQ(status(invalid), 422);
  EXPECT_FALSE(json(invalid)["problems"].empty());
  EXPECT_EQ(status(ask("PUT", target, token, "no json")), 400);
  EXPECT_EQ(status(ask("PUT", target, token, R"({"base":")" + tag + R"(","text":"{}"})")), 400)
      << "without value, the document would be deleted";
  EXPECT_EQ(status(ask("PUT", target, token, std::string(700'000, 'x'))), 413);
  EXPECT_EQ(documents_["/monitor/defaults"].value, "{\"interval\": 2}");
  EXPECT_EQ(status(ask("PUT", target, token, R"({"base":")" + tag + R"("})")), 200);
  EXPECT_TRUE(documents_.empty());
}

TEST_F(ApiTest, LinksOfAlertsLeadToTheResultOfTheirExpression) {
  const std::string answer = ask("GET", "/graph?g0.expr=up%7Ba%3D%22b%0D%0Ac%22%7D+%3E+1&g0.tab=1");
  EXPECT_EQ(status(answer), 302);
  // Relative, because a proxy may serve the page below a path.
  EXPECT_NE(answer.find("Location: ./#/explore?q=up%7Ba%3D%22b%0D%0Ac%22%7D+%3E+1&view=table\r\n"), std::string::npos)
      << answer;
  EXPECT_NE(ask("GET", "/graph?g0.tab=1").find("Location: ./#/explore\r\n"), std::string::npos);
}

TEST_F(ApiTest, SilencesAreChangedByEditors) {
  const std::string target = "/api/ui/v1/silences";
  const std::string token = "Authorization: Bearer 0123456789abcdef\r\n";
  const std::string body =
      R"({"matchers":["agent=~\"web-.*\""],"endsAt":"2100-01-01T00:00:00Z","startsAt":"2099-12-01T00:00:00Z","reason":"kernel"})";
  EXPECT_EQ(json(ask("GET", target))["silences"].size(), 0U);
  EXPECT_EQ(json(ask("GET", "/api/ui/v1/alerts"))["alerts"].size(), 0U);
  EXPECT_EQ(status(ask("POST", target, "", body)), 401);
  EXPECT_EQ(status(ask("POST", target, token + "Origin: http://evil.example\r\n", body)), 403);
  for (
      const char* const bad :
      {"", "[]", "{}", R"({"matchers":"a","endsAt":"2100-01-01T00:00:00Z","reason":"x"})",
       R"({"matchers":["a=b"],"endsAt":5,"reason":"x"})",
       R"({"matchers":["a=b"],"endsAt":"2100-01-01T00:00:00Z","reason":"x"})",
       R"({"matchers":["a"],"endsAt":"2100-01-01T00:00:00Z","reason":"x"})",
       R"({"matchers":["a=b"],"endsAt":"2100-01-01T00:00:00Z","reason":"x","author":"me"})",
       R"({"matchers":["a=~\".*\""],"endsAt":"2100-01-01T00:00:00Z","startsAt":"2099-12-01T00:00:00Z","reason":"x"})"}) {
    EXPECT_EQ(status(ask("POST", target, token, bad)), 400) << bad;
  }
  const std::string made = ask("POST", target, token, body);
  ASSERT_EQ(status(made), 200) << made;
  const std::string id = json(made)["id"];
  EXPECT_EQ(json(made)["author"], "web-token");
  EXPECT_EQ(json(ask("GET", target))["silences"][0]["matchers"][0], "agent=~\"web-.*\"");
  EXPECT_EQ(status(ask("POST", "/api/ui/v1/silences/expire?id=" + id, "", "")), 401);
  EXPECT_EQ(status(ask("POST", "/api/ui/v1/silences/expire?id=" + id, token, "")), 200);
  EXPECT_EQ(status(ask("POST", "/api/ui/v1/silences/expire?id=" + id, token, "")), 409);
  EXPECT_EQ(status(ask("POST", "/api/ui/v1/silences/expire?id=none", token, "")), 404);
}

TEST_F(ApiTest, StreamResumesAfterTheLastEventId) {
  broadcaster_.publish("agent:a", "tick", "{\"v\":1}");
  broadcaster_.publish("agent:a", "tick", "{\"v\":2}");
  const auto follow = [&](const std::string& headers) {
    const int fd = connect_to();
    const std::string text = "GET /api/v1/stream?topic=agent:a HTTP/1.1\r\nHost: localhost\r\n" + headers + "\r\n";
    EXPECT_GT(send(fd, text.data(), text.size(), MSG_NOSIGNAL), 0);
    return fd;
  };
  const std::string resumed = read_until(follow("Last-Event-ID: run.1\r\n"), "run.2");
  EXPECT_NE(resumed.find("data: {\"v\":2}"), std::string::npos);
  EXPECT_EQ(resumed.find("data: {\"v\":1}"), std::string::npos);
  EXPECT_NE(read_until(follow("Last-Event-ID: old.77\r\n"), "reset").find("event: reset"), std::string::npos);
  const int fd = follow("");
  EXPECT_NE(read_until(fd, "alive").find("id: run.2\nevent: alive\ndata: {}\n\n"), std::string::npos)
      << "without events, a page must resume where it started";
  broadcaster_.publish("agent:b", "tick", "{\"v\":8}");
  broadcaster_.publish("agent:a", "tick", "{\"v\":9}");
  const std::string live = read_until(fd, "\"v\":9");
  EXPECT_NE(live.find("\"v\":9"), std::string::npos);
  EXPECT_EQ(live.find("\"v\":8"), std::string::npos);
}

TEST_F(ApiTest, ClosesStreamsOfBrowsersThatDoNotRead) {
  const int fd = connect_to();
  const std::string text = "GET /api/v1/stream?topic=t HTTP/1.1\r\nHost: localhost\r\n\r\n";
  ASSERT_GT(send(fd, text.data(), text.size(), MSG_NOSIGNAL), 0);
  const int64_t end = clock_.mono_ns() + 15 * kNanosPerSecond;
  // The client does not read: the socket fills, and after 2 s without progress the connection is closed.
  while (clock_.mono_ns() < end && registry_.text().find("monitor_web_streams_cut_total 1") == std::string::npos) {
    for (int i = 0; i < 20; ++i) broadcaster_.publish("t", "n", std::string(10'000, 'x'));
    loop_.run_once(5 * kNanosPerMilli);
  }
  EXPECT_NE(registry_.text().find("monitor_web_streams_cut_total 1"), std::string::npos);
  EXPECT_NE(registry_.text().find("monitor_web_streams 0"), std::string::npos);
}

TEST_F(ApiTest, BoundsTheBodiesOfAllRequestsTogether) {
  const std::string half =
      "POST /api/v1/config/validate?key=/monitor/defaults HTTP/1.1\r\nHost: localhost\r\n"
      "Content-Length: 600000\r\n\r\n" +
      std::string(590'000, ' ');
  const auto another = [&](size_t bytes) {
    return status(ask("POST", "/api/v1/config/validate?key=/monitor/defaults", "", std::string(bytes, ' ')));
  };
  const int64_t end = clock_.mono_ns() + 30 * kNanosPerSecond;
  int fd = -1;
  // Of two bodies that arrive together, either may be rejected; then try again.
  do {
    if (fd >= 0) shutdown(fd, SHUT_RDWR);
    fd = connect_to();
    ASSERT_EQ(send(fd, half.data(), half.size(), MSG_NOSIGNAL), static_cast<ssize_t>(half.size()));
    for (int i = 0; i < 20; ++i) EXPECT_EQ(another(10'000), 200) << "there is room for both";
  } while (another(500'000) != 503 && clock_.mono_ns() < end);
  EXPECT_EQ(another(500'000), 503);
  shutdown(fd, SHUT_RDWR);
  while (another(500'000) != 200 && clock_.mono_ns() < end) {
  }
  EXPECT_EQ(another(500'000), 200);
}

// During this test, no connection is closed for lack of progress.
class PatientApiTest : public ApiTest {
 protected:
  PatientApiTest() : ApiTest({}, 60 * kNanosPerSecond) {}
};

TEST_F(PatientApiTest, BoundsTheRepliesHeldForSlowClients) {
  metrics::Batch batch;
  batch.agent_id = "a";
  batch.incarnation = std::string(16, 'i');
  batch.hostname = std::string(16 << 20, 'h');  // more than the sockets can buffer
  {
    const std::lock_guard lock(state_.mutex);
    state_.fleet.apply({.partition = 0, .offset = 1, .time_ns = clock_.wall_ns()}, batch);
  }
  const auto begin = [this](int fd) {
    const std::string text = "GET /api/v1/fleet HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    EXPECT_GT(send(fd, text.data(), text.size(), MSG_NOSIGNAL), 0);
    return status(read_until(fd, "\r\n\r\n"));
  };
  const int fd = connect_to();
  ASSERT_EQ(begin(fd), 200);
  EXPECT_EQ(begin(connect_to()), 503) << "the first client has not read its reply yet";
  EXPECT_EQ(status(ask("GET", "/api/v1/status")), 200) << "small replies are always accepted";
  std::erase(sockets_, fd);
  close(fd);
  const int64_t end = clock_.mono_ns() + 60 * kNanosPerSecond;
  int last = 0;
  while (last != 200 && clock_.mono_ns() < end) last = begin(connect_to());
  EXPECT_EQ(last, 200);
}

TEST_F(ApiTest, StatusReportsTroubleOfTheHistory) {
  {
    const std::lock_guard lock(state_.mutex);
    state_.history = {.trouble = "disk full", .trouble_since_ns = 5 * kNanosPerSecond};
  }
  const auto told = json(ask("GET", "/api/v1/status"));
  EXPECT_EQ(told["history"]["trouble"], "disk full");
  EXPECT_EQ(told["history"]["since"], 5);
  EXPECT_EQ(told["log"]["trouble"], "");
}

class FastApiTest : public ApiTest {
 protected:
  FastApiTest()
      : ApiTest({.tick_ns = 2 * kNanosPerMilli,
                 .read_config_ns = 2 * kNanosPerMilli,
                 .viewer_timeout_ns = 100 * kNanosPerMilli}) {}
  void pass(int64_t ns) {
    for (const int64_t end = clock_.mono_ns() + ns; clock_.mono_ns() < end;) loop_.run_once(kNanosPerMilli);
  }
  // How many times the configuration is listed within that time.
  int lists_in(int64_t ns) {
    const int before = lists_;
    pass(ns);
    return lists_ - before;
  }
  bool is_listed_again() {
    const int before = lists_;
    const int64_t end = clock_.mono_ns() + 10 * kNanosPerSecond;
    while (lists_ == before && clock_.mono_ns() < end) loop_.run_once(kNanosPerMilli);
    return lists_ > before;
  }
};

TEST_F(FastApiTest, ReadsTheConfigurationOnlyWhileThereAreViewers) {
  pass(200 * kNanosPerMilli);
  EXPECT_EQ(lists_in(50 * kNanosPerMilli), 0) << "there are no viewers";
  EXPECT_EQ(status(ask("GET", "/api/v1/prometheus")), 200);
  EXPECT_EQ(status(ask("GET", "/metrics")), 200);
  EXPECT_EQ(lists_in(50 * kNanosPerMilli), 0) << "programs must not count as viewers";
  const int before = lists_;
  const int64_t end = clock_.mono_ns() + 10 * kNanosPerSecond;
  while (lists_ == before && clock_.mono_ns() < end) EXPECT_EQ(status(ask("GET", "/api/v1/status")), 200);
  EXPECT_GT(lists_, before);
  const int fd = connect_to();
  const std::string text = "GET /api/v1/stream?topic=config HTTP/1.1\r\nHost: localhost\r\n\r\n";
  ASSERT_GT(send(fd, text.data(), text.size(), MSG_NOSIGNAL), 0);
  pass(200 * kNanosPerMilli);
  EXPECT_TRUE(is_listed_again()) << "an open stream counts as a viewer without any request";
}

TEST_F(FastApiTest, PublishesForgottenAgents) {
  metrics::Batch batch;
  batch.agent_id = "<b>";
  batch.incarnation = std::string(16, 'i');
  {
    const std::lock_guard lock(state_.mutex);
    state_.fleet.apply({.partition = 0, .offset = 1, .time_ns = clock_.wall_ns()}, batch);
  }
  const int fd = connect_to();
  const std::string text = "GET /api/v1/stream?topic=fleet&after=run.0 HTTP/1.1\r\nHost: localhost\r\n\r\n";
  ASSERT_GT(send(fd, text.data(), text.size(), MSG_NOSIGNAL), 0);
  EXPECT_NE(read_until(fd, R"("forgotten":[]})").find(R"("agent":"<b>")"), std::string::npos);
  {
    const std::lock_guard lock(state_.mutex);
    state_.fleet.forget(0, INT64_MAX);
  }
  EXPECT_NE(read_until(fd, "forgotten\":[\"").find(R"("agents":[],"forgotten":["<b>"]})"), std::string::npos);
}

TEST(TickEvent, IsBounded) {
  metrics::Batch batch;
  batch.agent_id = "<b>";
  metrics::Frame frame;
  for (uint32_t i = 0; i < 6'000; ++i) {
    batch.series.push_back({.name = "m" + std::to_string(i), .labels = {}});
    frame.points.push_back({.series = i});
  }
  const auto event = nlohmann::json::parse(tick_event(batch, frame, 0, false));
  EXPECT_EQ(event["agent"], "<b>");
  EXPECT_EQ(event["values"].size(), 5'000U);
}

TEST_F(ApiTest, ServesTwoHundredStreams) {
  std::vector<int> browsers;
  for (int i = 0; i < 200; ++i) {
    browsers.push_back(connect_to());
    const std::string text = "GET /api/v1/stream?topic=fleet HTTP/1.1\r\nHost: localhost\r\n\r\n";
    ASSERT_GT(send(browsers.back(), text.data(), text.size(), MSG_NOSIGNAL), 0);
  }
  for (const int fd : browsers) EXPECT_NE(read_until(fd, "retry").find("text/event-stream"), std::string::npos);
  broadcaster_.publish("fleet", "fleet", "{\"all\":1}");
  for (const int fd : browsers) EXPECT_NE(read_until(fd, "\"all\":1").find("\"all\":1"), std::string::npos);
}

}  // namespace
}  // namespace monitor::analysis::web
