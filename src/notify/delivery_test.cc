#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <cmath>
#include <fstream>
#include <limits>

#include "base/testing/fake_clock.h"
#include "base/testing/temporary_folder.h"
#include "notify/command.h"
#include "notify/delivery_queue.h"
#include "notify/message_text.h"
#include "notify/senders.h"

namespace monitor::notify {
namespace {

using query::Labels;

std::shared_ptr<const Notification> note(const std::string& group, const std::string& id, int64_t decided = 0) {
  auto one = std::make_shared<Notification>();
  one->id = id;
  one->group_key = group;
  one->receiver = "r";
  one->integration = "webhook";
  one->decided_ms = decided;
  rules::Alert alert;
  alert.labels = Labels({{"alertname", "Disk<full>"}, {"agent", "wéb-1"}});
  alert.annotations = {{"summary", "95 % & more\r\nBcc: x@y"}};
  alert.state = rules::AlertState::kFiring;
  alert.active_at_ms = 1'700'000'000'000;
  alert.fired_at_ms = 1'700'000'000'123;
  alert.value = 0.5;
  one->alerts.push_back(alert);
  return one;
}

struct QueueTest : testing::Test {
  SeededRandom random{1};
  std::vector<Ended> ended;
  std::string next(DeliveryQueue& queue, int64_t mono, int64_t wall = 0) {
    const auto one = queue.next(wall, mono, ended);
    return one ? one->id : "";
  }
};

TEST_F(QueueTest, KeepsTheOrderOfAGroupAndLetsOthersPass) {
  DeliveryQueue queue({.backoff_ms = 1000, .supersede = false}, random);
  for (const char* const id : {"a1", "a2", "b1"}) (void)queue.push(note(std::string(1, id[0]), id));
  EXPECT_EQ(next(queue, 0), "a1");
  EXPECT_EQ(next(queue, 0), "");  // one at a time
  EXPECT_FALSE(queue.finish({Outcome::Kind::kRetry, "HTTP 500"}, 0));
  EXPECT_EQ(queue.trouble(), "HTTP 500");
  EXPECT_EQ(next(queue, queue.next_due_ms()), "b1");
  EXPECT_EQ(queue.finish({Outcome::Kind::kSent, "ok"}, 5000)->ending, Ending::kSent);
  EXPECT_EQ(next(queue, 5000), "a1");
  const auto done = queue.finish({Outcome::Kind::kRefused, "HTTP 400"}, 5000);
  EXPECT_EQ(done->ending, Ending::kRefused);
  EXPECT_EQ(done->attempts, 2);
  EXPECT_EQ(next(queue, 5000), "a2");
}

TEST_F(QueueTest, WaitsAsLongAsTheReceiverAsks) {
  DeliveryQueue queue({}, random);
  (void)queue.push(note("a", "1"));
  EXPECT_EQ(next(queue, 0), "1");
  (void)queue.finish({Outcome::Kind::kRetry, "HTTP 429", 90'000}, 0);
  EXPECT_EQ(next(queue, 89'999), "");
  EXPECT_EQ(next(queue, 90'000), "1");
  (void)queue.finish({Outcome::Kind::kRetry, "HTTP 429", INT64_MAX}, 90'000);
  EXPECT_EQ(next(queue, 90'000 + 600'000), "1");  // at most ten minutes
}

TEST_F(QueueTest, IsBounded) {
  DeliveryQueue queue({.notifications = 2, .supersede = false}, random);
  (void)queue.push(note("a", "1"));
  EXPECT_EQ(next(queue, 0), "1");
  (void)queue.push(note("a", "2"));
  const auto dropped = queue.push(note("a", "3"));
  ASSERT_EQ(dropped.size(), 1U);
  EXPECT_EQ(dropped[0].notification->id, "2");  // not the one that is being sent
  EXPECT_EQ(dropped[0].ending, Ending::kQueueFull);
  DeliveryQueue small({.bytes = 1500, .supersede = false}, random);
  for (int i = 0; i < 100; ++i) (void)small.push(note("a", std::to_string(i)));
  EXPECT_LE(small.bytes(), 1500U);
  EXPECT_GE(small.size(), 1U);
}

TEST_F(QueueTest, GivesUpWhatIsTooOld) {
  DeliveryQueue queue({.keep_ms = 1000, .supersede = false}, random);
  (void)queue.push(note("a", "1", 0));
  (void)queue.push(note("a", "2", 500));
  EXPECT_EQ(next(queue, 0, 1001), "2");
  ASSERT_EQ(ended.size(), 1U);
  EXPECT_EQ(ended[0].ending, Ending::kExpired);
}

std::shared_ptr<const Notification> about(const std::string& group, const std::string& id,
                                          const std::vector<std::string>& agents) {
  auto one = std::make_shared<Notification>(*note(group, id));
  const rules::Alert alert = one->alerts.front();
  one->alerts.clear();
  for (const std::string& agent : agents) {
    one->alerts.push_back(alert);
    one->alerts.back().labels.set("agent", agent);
  }
  return one;
}

TEST_F(QueueTest, TellsTheStateOfNowAfterAnOutage) {
  DeliveryQueue queue({}, random);
  (void)queue.push(about("a", "fires", {"web-1"}));
  (void)queue.push(about("b", "other", {"web-1"}));
  EXPECT_EQ(next(queue, 0), "fires");
  // It is being sent, and may be accepted.
  EXPECT_TRUE(queue.push(about("a", "spreads", {"web-1", "web-2"})).empty());
  (void)queue.finish({Outcome::Kind::kRetry, "HTTP 500"}, 0);
  EXPECT_EQ(next(queue, 100'000), "other");
  ASSERT_EQ(ended.size(), 1U);
  EXPECT_EQ(ended[0].notification->id, "fires");
  EXPECT_EQ(ended[0].ending, Ending::kSuperseded);
  EXPECT_EQ(ended[0].attempts, 1);
  (void)queue.finish({Outcome::Kind::kSent, ""}, 100'000);
  // A later one that says nothing of web-2 leaves it.
  EXPECT_TRUE(queue.push(about("a", "half", {"web-1"})).empty());
  const auto dropped = queue.push(about("a", "ends", {"web-1", "web-2"}));
  ASSERT_EQ(dropped.size(), 2U);
  EXPECT_EQ(next(queue, 100'000), "ends");
}

TEST_F(QueueTest, WithdrawsWhatIsOver) {
  DeliveryQueue queue({}, random);
  (void)queue.push(about("a", "1", {"web-1"}));
  (void)queue.push(about("b", "2", {"web-1"}));
  EXPECT_EQ(queue.withdraw("a").size(), 1U);
  EXPECT_EQ(next(queue, 0), "2");
  EXPECT_TRUE(queue.withdraw("b").empty());
  EXPECT_FALSE(queue.finish({Outcome::Kind::kRetry, "HTTP 500"}, 0));
  EXPECT_EQ(next(queue, 100'000), "");
  EXPECT_EQ(queue.size(), 0U);
  EXPECT_EQ(queue.bytes(), 0U);
}

class FakeTransport final : public Transport {
 public:
  Result<HttpReply> post(const HttpRequest& request, const std::atomic<bool>&) override {
    http = request;
    if (reply.status == 0) return Error(Code::kUnavailable, "connection refused to " + request.url);
    return reply;
  }
  Result<MailReply> mail(const MailRequest& request, const std::atomic<bool>&) override {
    sent_mail = request;
    if (mail_reply.status == 0) return Error(Code::kUnavailable, "no route");
    return mail_reply;
  }
  HttpRequest http;
  HttpReply reply{200, "ok", 0};
  MailRequest sent_mail;
  MailReply mail_reply{250, "250 ok"};
};

struct SenderTest : testing::Test {
  TemporaryFolder folder;
  std::shared_ptr<FakeTransport> transport = std::make_shared<FakeTransport>();
  const std::atomic<bool> stop = false;
  FakeClock clock{1'700'000'100 * kNanosPerSecond};

  std::string secret(const std::string& name, const std::string& text, mode_t mode = 0600) {
    const std::string path = folder.path() + "/" + name;
    std::ofstream(path) << text;
    chmod(path.c_str(), mode);
    return path;
  }
  Outcome send(const Integration& integration) {
    return make_sender(integration, {.transport = transport, .clock = &clock})->send(*note("g", "id-1"), stop);
  }
};

TEST_F(SenderTest, WritesTheTextsOfTemplates) {
  Integration slack{.kind = Kind::kSlack, .http = {.url = "http://x/y"}};
  slack.title =
      "{{ .CommonLabels.agent }}\n{{ .Status | toUpper }} {{ len .Alerts.Firing }}/{{ len .Alerts.Resolved }}";
  slack.text = "{{ range .Alerts }}{{ .Annotations.summary }} at {{ .Value }}{{ .Annotations.nothing }}{{ end }}";
  EXPECT_EQ(send(slack).kind, Outcome::Kind::kSent);
  EXPECT_NE(transport->http.body.find(R"("title":"wéb-1\\nFIRING 1/0")"), std::string::npos) << transport->http.body;
  EXPECT_NE(transport->http.body.find(R"(95 % &amp; more)"), std::string::npos) << transport->http.body;
  EXPECT_NE(transport->http.body.find(R"(at 0.5")"), std::string::npos) << transport->http.body;
  // A long text keeps its lines, and is cut between characters.
  slack.text = "{{ range .Alerts }}" + std::string(3000, 'x') + "\n" + [] {
    std::string many;
    for (int i = 0; i < 3000; ++i) many += "é";
    return many;
  }() + "{{ end }}";
  EXPECT_EQ(send(slack).kind, Outcome::Kind::kSent);
  EXPECT_NE(transport->http.body.find("xx\\néé"), std::string::npos);
  EXPECT_NE(transport->http.body.find("éé..."), std::string::npos);
  EXPECT_EQ(transport->http.body.find("\xef\xbf\xbd"), std::string::npos) << "U+FFFD";
  // The notification is there, whatever the template does.
  slack.title = "{{ .Nothing }}";
  EXPECT_EQ(send(slack).kind, Outcome::Kind::kSent);
  EXPECT_NE(transport->http.body.find("error expanding template: 1:4: there is no field Nothing"), std::string::npos)
      << transport->http.body;
  EXPECT_NE(transport->http.body.find("[FIRING:1] Disk"), std::string::npos);
}

TEST_F(SenderTest, JudgesAnswers) {
  const Integration hook{.kind = Kind::kWebhook, .http = {.url = "http://x/y"}};
  using K = Outcome::Kind;
  const std::pair<int, K> cases[] = {{200, K::kSent},    {204, K::kSent},  {301, K::kRefused}, {400, K::kRefused},
                                     {404, K::kRefused}, {408, K::kRetry}, {429, K::kRetry},   {500, K::kRetry},
                                     {503, K::kRetry},   {0, K::kRetry}};
  for (const auto& [status, kind] : cases) {
    transport->reply = {status, "body", 7000};
    EXPECT_EQ(send(hook).kind, kind) << status;
  }
  transport->reply = {429, "\x1b[31mslow\ndown", 7000};
  const Outcome slow = send(hook);
  EXPECT_EQ(slow.retry_after_ms, 7000);
  EXPECT_EQ(slow.answer.find('\x1b'), std::string::npos);
  EXPECT_EQ(transport->http.headers[0], "Idempotency-Key: id-1");
  EXPECT_EQ(transport->http.body, webhook_json(*note("g", "id-1")));
}

TEST_F(SenderTest, NoSecretIsInAnAnswer) {
  Integration hook{.kind = Kind::kSlack, .http = {.url_file = secret("url", "https://hooks.example.com/T0/SECRET\n")}};
  transport->reply = {404, "no service at /T0/SECRET", 0};
  EXPECT_EQ(send(hook).answer.find("SECRET"), std::string::npos);
  EXPECT_EQ(transport->http.url, "https://hooks.example.com/T0/SECRET");
  transport->reply = {0, "", 0};
  EXPECT_EQ(send(hook).answer.find("SECRET"), std::string::npos);
  hook = {.kind = Kind::kWebhook, .http = {.url = "http://x", .bearer_file = secret("token", "TOKEN-1")}};
  transport->reply = {401, "bad token TOKEN-1", 0};
  EXPECT_EQ(send(hook).answer, "HTTP 401 bad token ***");
  EXPECT_EQ(transport->http.headers.back(), "Authorization: Bearer TOKEN-1");
}

TEST_F(SenderTest, SecretsMustBePrivate) {
  for (const auto& [name, text, mode] :
       {std::tuple{"open", "x", 0644}, {"group", "x", 0640}, {"empty", "", 0600}, {"lines", "a\nb", 0600}}) {
    const Integration hook{.kind = Kind::kWebhook,
                           .http = {.url = "http://x", .bearer_file = secret(name, text, static_cast<mode_t>(mode))}};
    transport->http = {};
    EXPECT_EQ(send(hook).kind, Outcome::Kind::kRetry) << name;
    EXPECT_EQ(transport->http.url, "") << "it was sent, " << name;
  }
  const Integration hook{.kind = Kind::kWebhook, .http = {.url = "http://x", .bearer_file = folder.path() + "/none"}};
  EXPECT_NE(send(hook).answer.find("No such file"), std::string::npos);
}

TEST_F(SenderTest, SlackMaySayNoWith200) {
  const Integration slack{.kind = Kind::kSlack, .http = {.url = "http://x"}, .channel = "#ops"};
  transport->reply = {200, R"({"ok":false,"error":"channel_not_found"})", 0};
  EXPECT_EQ(send(slack).kind, Outcome::Kind::kRefused);
  transport->reply = {200, "ok", 0};
  EXPECT_EQ(send(slack).kind, Outcome::Kind::kSent);
  EXPECT_NE(transport->http.body.find("Disk&lt;full&gt;"), std::string::npos);
}

TEST_F(SenderTest, AlertmanagersAlertsEndFourDelaysLater) {
  const Integration am{.kind = Kind::kAlertmanager, .http = {.url = "http://am:9093/"}, .resend_delay_ms = 60'000};
  EXPECT_EQ(send(am).kind, Outcome::Kind::kSent);
  EXPECT_EQ(transport->http.url, "http://am:9093/api/v2/alerts");
  EXPECT_NE(transport->http.body.find(R"("startsAt":"2023-11-14T22:13:20.123Z","endsAt":"2023-11-14T22:19:00.000Z")"),
            std::string::npos)
      << transport->http.body;
}

TEST_F(SenderTest, Mail) {
  Integration mail{.kind = Kind::kEmail,
                   .http = {.username = "u", .password_file = secret("p", "pw")},
                   .to = {"a@b.c", "d@e.f"},
                   .from = "m@n.o",
                   .smarthost = "mx:587"};
  EXPECT_EQ(send(mail).kind, Outcome::Kind::kSent);
  const MailRequest& sent = transport->sent_mail;
  EXPECT_EQ(sent.url, "smtp://mx:587/localhost");
  EXPECT_EQ(sent.password, "pw");
  EXPECT_TRUE(sent.require_tls);
  EXPECT_NE(sent.mail.find("Subject: =?utf-8?B?"), std::string::npos);
  EXPECT_NE(sent.mail.find("Message-ID: <id-1@n.o>\r\n"), std::string::npos);
  EXPECT_EQ(sent.mail.find("Bcc"), std::string::npos);
  for (const char c : sent.mail) EXPECT_TRUE(c == '\r' || c == '\n' || (c >= ' ' && c < 0x7F));
  mail.smarthost = "mx:465";
  (void)send(mail);
  EXPECT_EQ(transport->sent_mail.url, "smtps://mx:465/localhost");
  transport->mail_reply = {550, "no such user"};
  EXPECT_EQ(send(mail).kind, Outcome::Kind::kRefused);
  transport->mail_reply = {451, "later"};
  EXPECT_EQ(send(mail).kind, Outcome::Kind::kRetry);
}

struct CommandTest : testing::Test {
  const std::atomic<bool> stop = false;
  Outcome run(const std::string& script, int64_t timeout_ms = 10'000) {
    Integration command{.kind = Kind::kCommand, .timeout_ms = timeout_ms, .command = {"/bin/sh", "-c", script}};
    return CommandSender(command).send(*note("g", "id-1"), stop);
  }
};

TEST_F(CommandTest, GetsTheNotificationAndNoDescriptorsOrVariables) {
  const Outcome good =
      run("grep -q '\"notificationId\":\"id-1\"' && echo $MONITOR_NOTIFICATION_ID $(ls /proc/self/fd | wc -l) $(env | "
          "wc -l)");
  EXPECT_EQ(good.kind, Outcome::Kind::kSent);
  // ls has one more descriptor, and a shell sets PWD.
  EXPECT_EQ(good.answer, "exit status 0: id-1 4 4");
}

TEST_F(CommandTest, FailsInEveryWay) {
  EXPECT_EQ(run("exit 65").kind, Outcome::Kind::kRefused);
  EXPECT_EQ(run("echo broken >&2; exit 1").answer, "exit status 1: broken");
  EXPECT_EQ(run("kill -SEGV $$").answer, "signal 11 ended it");
  EXPECT_EQ(run("exec 0<&-; exit 0").kind, Outcome::Kind::kSent);  // does not read
  EXPECT_NE(run("sleep 60 & sleep 60", 200).answer.find("was killed"), std::string::npos);
  const Outcome flood = run("yes flood", 300);
  EXPECT_EQ(flood.kind, Outcome::Kind::kRetry);
  EXPECT_LE(flood.answer.size(), 400U);
  EXPECT_EQ(run("head -c 10000000 /dev/zero").kind, Outcome::Kind::kSent);
  // It leaves a process that holds its output: the sender does not wait for it.
  EXPECT_EQ(run("sleep 60 & echo left").answer, "exit status 0: left");
  Integration missing{.kind = Kind::kCommand, .command = {"/does/not/exist"}};
  EXPECT_EQ(CommandSender(missing).send(*note("g", "x"), stop).kind, Outcome::Kind::kRetry);
}

TEST_F(CommandTest, StopsAtOnce) {
  const std::atomic<bool> stopped = true;
  Integration command{.kind = Kind::kCommand, .command = {"/bin/sleep", "60"}};
  EXPECT_EQ(CommandSender(command).send(*note("g", "x"), stopped).kind, Outcome::Kind::kRetry);
}

TEST(NotificationTest, IsTheSameAfterStorage) {
  const Notification before = *note("{}:{agent=\"x\"}", "abc", 1'700'000'000'456);
  const auto after = parse_notification(webhook_json(before));
  ASSERT_TRUE(after) << after.error().message();
  EXPECT_EQ(*after, before);
  rules::Alert infinite = before.alerts[0];
  infinite.value = -std::numeric_limits<double>::infinity();
  EXPECT_EQ(parse_alert(alert_json(infinite))->value, infinite.value);
  infinite.value = std::nan("");
  EXPECT_TRUE(std::isnan(parse_alert(alert_json(infinite))->value));
  for (const char* const bad : {"", "{}", "[]", "{\"alerts\":1}", "{\"notificationId\":1}"})
    EXPECT_FALSE(parse_notification(bad)) << bad;
}

TEST_F(SenderTest, EverybodyGetsTheLinks) {
  Notification linked = *note("g", "id-1");
  linked.external_url = "https://m.example/x";
  linked.alerts[0].expression = "a{b=\"c\"} > 1";
  const std::string source = "https://m.example/x/graph?g0.expr=a%7Bb%3D%22c%22%7D+%3E+1&g0.tab=1";
  EXPECT_EQ(parse_notification(webhook_json(linked))->external_url, linked.external_url) << "also after a restart";
  const auto hook = nlohmann::json::parse(webhook_json(linked));
  EXPECT_EQ(hook["externalURL"], "https://m.example/x");
  EXPECT_EQ(hook["alerts"][0]["generatorURL"], source);
  EXPECT_EQ(nlohmann::json::parse(alertmanager_json(linked, 0, 1000))[0]["generatorURL"], source);
  EXPECT_EQ(nlohmann::json::parse(record_json(linked, linked.alerts[0]))["generatorURL"], source);
  Integration slack{.kind = Kind::kSlack, .http = {.url = "http://x"}};
  EXPECT_EQ(nlohmann::json::parse(slack_json(linked, slack))["attachments"][0]["title_link"], "https://m.example/x/");
  EXPECT_FALSE(nlohmann::json::parse(slack_json(*note("g", "id"), slack))["attachments"][0].contains("title_link"));
  slack.text = "{{ .ExternalURL }} {{ externalURL }} {{ (index .Alerts 0).GeneratorURL }}";
  EXPECT_EQ(body_of(linked, slack), "https://m.example/x https://m.example/x " + source);
}

TEST(NotificationTest, FingerprintIsAlertmanagers) {
  // From model.LabelSet{"a":"b"}.Fingerprint() and of no labels.
  EXPECT_EQ(fingerprint_text(fingerprint(Labels())), "cbf29ce484222325");
}

}  // namespace
}  // namespace monitor::notify
