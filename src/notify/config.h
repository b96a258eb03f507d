// Config: routes, receivers, inhibition rules and time intervals, from a YAML file in the format of Alertmanager's
// alertmanager.yml. A key that exists in both means the same in both.
//
// Parsing is strict: an unknown key, a value out of bounds, or a name that is used but not defined is an error, with
// line and column. A file is applied completely or not at all. Secrets are in files of their own, which are read for
// every use.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "notify/matchers.h"
#include "notify/time_intervals.h"
#include "rules/yaml_tree.h"

namespace monitor::notify {

enum class Kind : uint8_t { kWebhook, kAlertmanager, kEmail, kSlack, kCommand, kKafka };
// "webhook", ...
std::string_view to_string(Kind kind);

struct TlsSettings {
  std::string ca_file;  // empty: the system's
  std::string cert_file;
  std::string key_file;
  std::string server_name;
  bool insecure_skip_verify = false;

  bool operator==(const TlsSettings&) const = default;
};

struct HttpSettings {
  std::string url;       // empty: in url_file
  std::string url_file;  // the URL is a secret, as of Slack's webhooks
  std::string username;
  std::string password_file;
  std::string bearer_file;
  TlsSettings tls;

  bool operator==(const HttpSettings&) const = default;
};

// One way to reach a receiver. The settings of other kinds are empty.
struct Integration {
  Kind kind = Kind::kWebhook;
  std::string name;  // "webhook", or "webhook[1]" for the second one of a receiver
  bool send_resolved = true;
  int64_t timeout_ms = 10'000;  // for one attempt
  size_t max_alerts = 0;        // in one notification; 0: all
  HttpSettings http = {};       // kWebhook, kAlertmanager, kSlack

  std::vector<std::string> to = {};  // kEmail: addresses
  std::string from = {};
  std::string smarthost = {};  // HOST:PORT
  std::string hello = {};
  bool require_tls = true;
  std::string channel = {};   // kSlack
  std::string username = {};  // kSlack: shown as the sender
  // kEmail, kSlack: templates (text_template.h); empty: the fixed form. The title is a mail's subject.
  std::string title = {};
  std::string text = {};
  std::vector<std::string> command = {};  // kCommand: the program and its arguments
  std::string brokers = {};               // kKafka; empty: those of the metric log
  std::string topic = {};                 // kKafka
  std::vector<std::pair<std::string, std::string>> properties = {};
  std::string properties_file = {};
  int64_t resend_delay_ms = 60'000;  // kAlertmanager

  bool operator==(const Integration&) const = default;
};

struct Receiver {
  std::string name;
  std::vector<Integration> integrations;  // none: a receiver that discards its notifications
};

struct Route {
  std::string key;  // identifies the route, as Alertmanager does: {}/{severity="page"}
  std::string receiver;
  Matchers matchers;
  bool group_by_all = false;
  std::vector<std::string> group_by;
  int64_t group_wait_ms = 30'000;
  int64_t group_interval_ms = int64_t{5} * 60'000;
  int64_t repeat_interval_ms = int64_t{4} * 3'600'000;
  bool proceed = false;  // `continue`
  std::vector<std::string> mute_time_intervals;
  std::vector<std::string> active_time_intervals;
  std::vector<Route> routes;
};

struct InhibitRule {
  Matchers source;
  Matchers target;
  std::vector<std::string> equal;
};

struct Config {
  Route route;
  std::vector<Receiver> receivers;
  std::vector<InhibitRule> inhibit_rules;
  std::vector<NamedIntervals> time_intervals;

  // nullptr if there is none.
  const Receiver* receiver(std::string_view name) const;
  const NamedIntervals* intervals(std::string_view name) const;
  // The routes that an alert takes: the deepest that match, one unless `continue` is set.
  std::vector<const Route*> routes_of(const query::Labels& labels) const;
};

inline constexpr size_t kMaxRoutes = 2000;
inline constexpr size_t kMaxReceivers = 500;
inline constexpr size_t kMaxIntegrations = 64;
inline constexpr int kMaxRouteDepth = 20;

struct ParsedConfig {
  Config config;                     // usable only without faults
  std::vector<rules::Fault> faults;  // at most kMaxFaults, in the order of the file
};
inline constexpr size_t kMaxFaults = 50;

// Does not look at other files.
ParsedConfig parse_config(std::string_view text);

// Reads and checks the file. Errors: all faults, one a line, each "FILE:LINE:COLUMN: TEXT".
Result<Config> load_config(const std::string& path);
// The same for the text of a file that was read already.
Result<Config> check_config(const std::string& path, std::string_view text);
inline constexpr size_t kMaxConfigBytes = size_t{1} << 20;
// Checks that the files that the configuration names exist and are private. The error has all faults, one a line.
Status check_files(const Config& config);

}  // namespace monitor::notify
