#include "notify/config.h"

#include <gtest/gtest.h>

#include "notify/matchers.h"
#include "notify/time_intervals.h"

namespace monitor::notify {
namespace {

std::string faults_of(const std::string& text) {
  std::string all;
  for (const rules::Fault& one : parse_config(text).faults) all += one.to_string() + "\n";
  return all;
}

constexpr const char* kGood = R"(
route:
  receiver: default
  group_by: [alertname, agent]
  group_wait: 10s
  group_interval: 1m
  repeat_interval: 3h
  routes:
    - matchers: ['severity="page"', 'team=~"db|web"']
      receiver: oncall
      continue: true
      group_by: ['...']
    - matchers: [severity=info]
      receiver: nobody
      mute_time_intervals: [nights]
receivers:
  - name: default
    webhook_configs:
      - url: http://127.0.0.1:9/hook
        max_alerts: 5
      - url_file: /etc/hook
        send_resolved: false
        http_config: {authorization: {credentials_file: /etc/token}, tls_config: {ca_file: /etc/ca.pem}}
  - name: oncall
    alertmanager_configs: [{url: 'http://am:9093', resend_delay: 30s}]
    email_configs: [{to: 'a@example.com, b@example.com', from: m@example.com, smarthost: 'mail.example.com:25'}]
    slack_configs: [{api_url_file: /etc/slack, channel: '#ops'}]
    command_configs: [{command: [/usr/bin/page, --now], timeout: 5s}]
    kafka_configs: [{brokers: 'k1:9092,k2:9092'}]
  - name: nobody
inhibit_rules:
  - source_matchers: [alertname=AgentGone]
    target_matchers: ['alertname=~".+"']
    equal: [agent]
time_intervals:
  - name: nights
    time_intervals:
      - times: [{start_time: '22:00', end_time: '24:00'}, {start_time: '00:00', end_time: '06:00'}]
        weekdays: ['monday:friday']
)";

TEST(ConfigTest, ReadsEverything) {
  const ParsedConfig parsed = parse_config(kGood);
  ASSERT_EQ(faults_of(kGood), "");
  const Config& config = parsed.config;
  EXPECT_EQ(config.route.group_wait_ms, 10'000);
  ASSERT_EQ(config.route.routes.size(), 2U);
  EXPECT_EQ(config.route.routes[0].group_interval_ms, 60'000);  // inherited
  EXPECT_TRUE(config.route.routes[0].group_by_all);
  EXPECT_EQ(config.route.routes[0].key, R"({}/{severity="page", team=~"db|web"})");
  ASSERT_EQ(config.receivers.size(), 3U);
  EXPECT_EQ(config.receivers[0].integrations[1].name, "webhook[1]");
  EXPECT_FALSE(config.receivers[0].integrations[1].send_resolved);
  EXPECT_EQ(config.receivers[1].integrations[1].to, (std::vector<std::string>{"a@example.com", "b@example.com"}));
  EXPECT_FALSE(config.receivers[1].integrations[1].send_resolved);
  EXPECT_EQ(config.receivers[1].integrations[4].topic, "monitoring-alerts");
}

TEST(ConfigTest, RoutesAlerts) {
  const Config config = parse_config(kGood).config;
  const auto receivers = [&](std::vector<query::Labels::Pair> labels) {
    std::string names;
    for (const Route* const one : config.routes_of(query::Labels(std::move(labels)))) names += one->receiver + " ";
    return names;
  };
  EXPECT_EQ(receivers({{"severity", "page"}, {"team", "db"}}), "oncall ");
  EXPECT_EQ(receivers({{"severity", "page"}}), "default ");
  EXPECT_EQ(receivers({{"severity", "info"}}), "nobody ");
  EXPECT_EQ(receivers({}), "default ");
}

// What is wrong, where it is found, and part of the message.
struct Hostile {
  const char* text;
  const char* fault;
};
#define ROUTE "route: {receiver: r}\n"
#define RECEIVERS "receivers: [{name: r}]\n"
#define HOOK(inside) ROUTE "receivers:\n- name: r\n  webhook_configs:\n  - " inside "\n"
#define MAIL(inside) \
  ROUTE "receivers:\n- name: r\n  email_configs:\n  - {to: a@b.c, from: d@e.f, smarthost: 'h:25', " inside "}\n"
constexpr Hostile kHostile[] = {
    {"", "1:1: the file is empty"},
    {"   \n# nothing\n", "expected route"},
    {"[]", "1:1: got a list"},
    {"hello", "expected the configuration of notifications, a map"},
    {"route: {receiver: r}\nroute: {receiver: r}\n", "2:1: the key \"route\" is there twice"},
    {"route: [\n", "not valid YAML"},
    {"\tx: 1", "not valid YAML"},
    {"route: !!python/object:os.system {}\n", "got the tag"},
    {"a: &a [*a]\n", "the alias refers to a node that contains it"},
    {RECEIVERS, "there is no route"},
    {ROUTE, "1:9: there is no receiver \"r\""},
    {"route: {}\n" RECEIVERS, "1:8: the first route needs a receiver"},
    {"route: {receiver: s}\nreceivers: [{name: sa}]\n", "there is no receiver \"s\""},
    {"route: {receiver: pager}\nreceivers: [{name: pagers}]\n", "did you mean pagers?"},
    {ROUTE RECEIVERS "globl: {}\n",
     "3:1: the configuration of notifications has no key \"globl\"; did you mean global?"},
    {ROUTE RECEIVERS "global: {smtp_smarthost: x}\n", "3:1: global is not supported"},
    {ROUTE RECEIVERS "templates: [x]\n", "templates is not supported"},
    {ROUTE RECEIVERS "mute_time_intervals: [x]\n", "name them in time_intervals"},
    {ROUTE "receivers: [{name: r}, {name: r}]\n", "the receiver \"r\" is there twice"},
    {ROUTE "receivers: [{}]\n", "a receiver needs a name"},
    {ROUTE "receivers: [{name: \"a\\x01\"}, {name: r}]\n", "a receiver needs a name"},
    {ROUTE "receivers: {name: r}\n", "receivers: got a map, expected a list"},
    {"route: {receiver: r, group_wait: 10}\n" RECEIVERS, "1:34: group_wait: got \"10\", expected a duration"},
    {"route: {receiver: r, group_wait: -5s}\n" RECEIVERS, "expected a duration"},
    {"route: {receiver: r, group_interval: 0s}\n" RECEIVERS, "group_interval: expected a duration above 0"},
    {"route: {receiver: r, repeat_interval: 9999999d}\n" RECEIVERS, "at most 366d"},
    {"route: {receiver: r, group_by: agent}\n" RECEIVERS, "group_by: got \"agent\", expected a list"},
    {"route: {receiver: r, group_by: [a, a]}\n" RECEIVERS, "the label \"a\" is there twice"},
    {"route: {receiver: r, group_by: ['...', a]}\n" RECEIVERS, "'...' alone"},
    {"route: {receiver: r, group_by: ['']}\n" RECEIVERS, "expected names of labels"},
    {"route: {receiver: r, matchers: [a=b]}\n" RECEIVERS, "the first route takes every alert"},
    {"route: {receiver: r, continue: true}\n" RECEIVERS, "no route follows it"},
    {"route: {receiver: r, continue: yes}\n" RECEIVERS, "continue: got \"yes\", expected true or false"},
    {"route: {receiver: r, routes: [{match: {a: b}}]}\n" RECEIVERS, "match is not supported; write matchers"},
    {"route: {receiver: r, routes: [{match_re: {a: b}}]}\n" RECEIVERS, "match_re is not supported"},
    {"route: {receiver: r, routes: [{matchers: ['a=~\"(\"']}]}\n" RECEIVERS, "column 4: the regular expression"},
    {"route: {receiver: r, routes: [{matchers: ['a=~\"(a{1000}){1000}\"']}]}\n" RECEIVERS, "regular expression"},
    {"route: {receiver: r, routes: [{matchers: ['a']}]}\n" RECEIVERS, "column 2: expected =, !=, =~ or !~"},
    {"route: {receiver: r, routes: [{matchers: ['=b']}]}\n" RECEIVERS, "column 1: expected a label's name"},
    {"route: {receiver: r, routes: [{matchers: ['a=\"b']}]}\n" RECEIVERS, "no closing quote"},
    {"route: {receiver: r, routes: [{matchers: [[]]}]}\n" RECEIVERS, "got a list, expected a text"},
    {"route: {receiver: r, routes: [{mute_time_intervals: [x]}]}\n" RECEIVERS, "there is no time interval \"x\""},
    {"route: {receiver: r, active_time_intervals: [x]}\n" RECEIVERS, "the first route has no time intervals"},
    {"route: {receiver: r, rceiver: x}\n" RECEIVERS, "did you mean receiver?"},
    {HOOK("{}"), "5:5: expected one of url and url_file"},
    {HOOK("{url: 'http://x', url_file: /x}"), "expected one of url and url_file"},
    {HOOK("{url: 'ftp://x'}"), "url: expected http://HOST"},
    {HOOK("{url: 'file:///etc/passwd'}"), "url: expected http://HOST"},
    {HOOK("{url: 'http://'}"), "url: expected http://HOST"},
    {HOOK("{url: \"http://x/\\r\\nHost: y\"}"), "url: expected http://HOST"},
    {HOOK("{url: 'http://user:secret@x/'}"), "a password does not belong into a URL"},
    {HOOK("{url_file: secrets/x}"), "expected an absolute path"},
    {HOOK("{url: 'http://x', timeout: 1h}"), "timeout: expected a duration from 1ms to 10m"},
    {HOOK("{url: 'http://x', max_alerts: -1}"), "max_alerts: got \"-1\""},
    {HOOK("{url: 'http://x', send_resolved: 1}"), "send_resolved"},
    {HOOK("{url: 'http://x', http_config: {basic_auth: {username: u, password: p}}}"),
     "password: a secret has a file of its own"},
    {HOOK("{url: 'http://x', http_config: {basic_auth: {username: u}}}"),
     "basic_auth needs username and password_file"},
    {HOOK("{url: 'http://x', http_config: {authorization: {credentials: c}}}"), "write credentials_file"},
    {HOOK("{url: 'http://x', http_config: {authorization: {type: Digest, credentials_file: /x}}}"), "expected Bearer"},
    {HOOK("{url: 'http://x', http_config: {tls_config: {cert_file: /x}}}"), "cert_file and key_file need each other"},
    {HOOK("{url: 'http://x', http_config: {tls_config: {server_name: x}}}"), "server_name is not supported"},
    {HOOK("{url: 'http://x', http_config: {proxy_url: x}}"), "http_config has no key \"proxy_url\""},
    {MAIL("auth_username: u"), "auth_username and auth_password_file need each other"},
    {MAIL("auth_password: p"), "auth_password: a secret has a file of its own"},
    {MAIL("auth_username: u, auth_password_file: /p, require_tls: false"), "a password is not sent without TLS"},
    {MAIL("hello: 'a b'"), "hello: expected the name of this host"},
    {ROUTE "receivers: [{name: r, email_configs: [{to: 'a@b>, c@d', from: x@y, smarthost: h}]}]\n", "to: got"},
    {ROUTE "receivers: [{name: r, email_configs: [{to: \"a@b\\r\\nBcc: x@y\", from: x@y, smarthost: h}]}]\n",
     "to: got"},
    {ROUTE "receivers: [{name: r, email_configs: [{to: a@b, from: x, smarthost: h}]}]\n", "from: got \"x\""},
    {ROUTE "receivers: [{name: r, email_configs: [{to: a@b, from: x@y, smarthost: 'h:99999'}]}]\n", "smarthost: "},
    {ROUTE "receivers: [{name: r, command_configs: [{command: page}]}]\n", "expected a list"},
    {ROUTE "receivers: [{name: r, command_configs: [{command: [page]}]}]\n", "absolute path of a program"},
    {ROUTE "receivers: [{name: r, command_configs: [{}]}]\n", "absolute path of a program"},
    {ROUTE "receivers: [{name: r, kafka_configs: [{topic: 'a b'}]}]\n", "topic: expected"},
    {ROUTE "receivers: [{name: r, kafka_configs: [{brokers: ','}]}]\n", "brokers: "},
    {ROUTE "receivers: [{name: r, kafka_configs: [{properties: {sasl.password: x}}]}]\n", "is a secret"},
    {ROUTE "receivers: [{name: r, slack_configs: [{url: 'https://x'}]}]\n", "api_url"},
    {ROUTE "receivers: [{name: r, slack_configs: [{api_url: 'https://x', title: '{{ .Nothing }}'}]}]\n",
     "title: 1:4: there is no field Nothing"},
    {ROUTE "receivers: [{name: r, slack_configs: [{api_url: 'https://x', text: '{{ if }}'}]}]\n", "text: 1:"},
    {ROUTE "receivers: [{name: r, email_configs: [{to: a@b, from: c@d, smarthost: 'h:25', headers: {From: x}}]}]\n",
     "From"},
    {ROUTE "receivers: [{name: r, pagerduty_configs: [{}]}]\n", "a receiver has no key \"pagerduty_configs\""},
    {ROUTE "receivers: [{name: r, alertmanager_configs: [{url: 'http://x', send_resolved: false}]}]\n",
     "has no key \"send_resolved\""},
    {ROUTE RECEIVERS "inhibit_rules: [{source_matchers: [a=b]}]\n", "needs source_matchers and target_matchers"},
    {ROUTE RECEIVERS "inhibit_rules: [{source_match: {a: b}, target_matchers: [a=b]}]\n",
     "source_match is not supported"},
    {ROUTE RECEIVERS "inhibit_rules: [{source_matchers: [a=b], target_matchers: [a=b], equal: [[]]}]\n",
     "equal: expected the name of a label"},
    {ROUTE RECEIVERS "time_intervals: [{}]\n", "needs a name"},
    {ROUTE RECEIVERS
     "time_intervals: [{name: x, time_intervals: [{times: [{start_time: '25:00', end_time: '26:00'}]}]}]\n",
     "expected start_time and end_time"},
    {ROUTE RECEIVERS "time_intervals: [{name: x, time_intervals: [{weekdays: [friday:monday]}]}]\n", "weekdays: got"},
    {ROUTE RECEIVERS "time_intervals: [{name: x, time_intervals: [{days_of_month: ['0']}]}]\n", "days_of_month: got"},
    {ROUTE RECEIVERS "time_intervals: [{name: x, time_intervals: [{months: ['13']}]}]\n", "months: got"},
    {ROUTE RECEIVERS "time_intervals: [{name: x, time_intervals: [{location: Mars}]}]\n", "expected UTC or Local"},
    {"%YAML 9.9\n---\na: b\n", ""},
    {ROUTE RECEIVERS "---\nb: c\n", "a second document begins"},
};

TEST(ConfigTest, RefusesHostileFiles) {
  static_assert(std::size(kHostile) >= 60);
  for (const Hostile& one : kHostile) {
    const std::string faults = faults_of(one.text);
    EXPECT_NE(faults, "") << one.text;
    EXPECT_NE(faults.find(one.fault), std::string::npos)
        << one.text << "\nexpected: " << one.fault << "\ngot: " << faults;
  }
}

TEST(ConfigTest, IsBounded) {
  std::string deep = "route: {receiver: r, routes: ";
  for (int i = 0; i < 5000; ++i) deep += "[{routes: ";
  EXPECT_NE(faults_of(deep), "");
  // An alias for an alias: exponential, if it were copied.
  std::string bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 12; ++i) {
    bomb += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [";
    for (int k = 0; k < 10; ++k) bomb += (k == 0 ? "*a" : ", *a") + std::to_string(i - 1);
    bomb += "]\n";
  }
  EXPECT_NE(faults_of(bomb), "");
  std::string routes = "route: &r\n  receiver: r\n  routes:\n";
  for (int i = 0; i < 3000; ++i) routes += "  - {receiver: r}\n";
  EXPECT_NE(faults_of(routes + RECEIVERS).find("more than 2000 routes"), std::string::npos);
  EXPECT_NE(faults_of(std::string(size_t{2} << 20, 'x')).find("which is the limit"), std::string::npos);
  EXPECT_LE(parse_config(std::string(ROUTE RECEIVERS) +
                         [] {
                           std::string many;
                           for (int i = 0; i < 500; ++i) many += "k" + std::to_string(i) + ": 1\n";
                           return many;
                         }())
                .faults.size(),
            kMaxFaults);
}

// Routes share their sub-routes by an alias, level by level: 10^12 routes in a small file.
TEST(ConfigTest, CountsRoutesOfAliases) {
  std::string text = "x0: &x0 {receiver: r}\n";
  for (int i = 1; i < 12; ++i) {
    text += "x" + std::to_string(i) + ": &x" + std::to_string(i) + " {receiver: r, routes: [";
    for (int k = 0; k < 10; ++k) text += (k == 0 ? "*x" : ", *x") + std::to_string(i - 1);
    text += "]}\n";
  }
  EXPECT_NE(faults_of(text + "route: *x11\n" RECEIVERS).find("more than 2000 routes"), std::string::npos);
}

TEST(MatchersTest, ReadsAlertmanagersForms) {
  EXPECT_EQ(to_string(*parse_matcher_list(R"({a="b", c!=d,e=~"x.*" , f!~y})")), R"({a="b", c!="d", e=~"x.*", f!~"y"})");
  EXPECT_EQ(parse_matcher(R"(a="q\"\\\n\d")")->value(), "q\"\\\n\\d");
  EXPECT_EQ(parse_matcher("a=")->value(), "");
  EXPECT_EQ(parse_matcher(R"("host.name"=x)")->label(), "host.name");
  EXPECT_FALSE(parse_matcher("a=b c"));
  EXPECT_FALSE(parse_matcher("a=b,c=d"));
  EXPECT_FALSE(parse_matcher_list("{a=b"));
  EXPECT_FALSE(parse_matcher_list("{}"));
  EXPECT_FALSE(parse_matcher(std::string("a=\"\xff\"")));
  EXPECT_FALSE(parse_matcher("a=" + std::string(5000, 'x')));
}

TEST(TimeIntervalsTest, Contains) {
  const Config config = parse_config(kGood).config;
  const NamedIntervals& nights = *config.intervals("nights");
  constexpr int64_t kFriday = 1764288000000;  // 2025-11-28T00:00:00Z
  constexpr int64_t kHour = 3'600'000;
  EXPECT_TRUE(contains(nights, kFriday));
  EXPECT_TRUE(contains(nights, kFriday + 6 * kHour - 1));
  EXPECT_FALSE(contains(nights, kFriday + 6 * kHour));
  EXPECT_TRUE(contains(nights, kFriday + 24 * kHour - 1));
  EXPECT_FALSE(contains(nights, kFriday + 24 * kHour));  // Saturday
  TimeInterval last_days;
  last_days.days = {{-3, -1}};
  EXPECT_TRUE(contains(last_days, kFriday));
  EXPECT_FALSE(contains(last_days, kFriday - 24 * kHour));
}

}  // namespace
}  // namespace monitor::notify
