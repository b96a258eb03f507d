#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "base/net/address.h"
#include "base/text.h"
#include "notify/config_parts.h"
#include "notify/text_template.h"

namespace monitor::notify {

namespace {

using rules::Fault;
using rules::YamlFields;
using rules::YamlNode;
using rules::YamlPtr;

constexpr size_t kMaxName = 128;
constexpr int64_t kMaxTimeoutMs = 10 * 60'000;

struct KindKey {
  Kind kind;
  const char* key;
  bool send_resolved;
};
// Alertmanager's defaults of send_resolved: mail and Slack tell people of problems only.
constexpr KindKey kKinds[] = {
    {Kind::kWebhook, "webhook_configs", true}, {Kind::kAlertmanager, "alertmanager_configs", true},
    {Kind::kEmail, "email_configs", false},    {Kind::kSlack, "slack_configs", false},
    {Kind::kCommand, "command_configs", true}, {Kind::kKafka, "kafka_configs", true},
};

std::string shown(const std::string& text) { return json_quote(text.substr(0, 80)); }

// Printable, without spaces: nothing that could end a header or an argument.
bool is_word(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](unsigned char c) { return c > ' ' && c != 0x7F; });
}

class IntegrationParser {
 public:
  IntegrationParser(const YamlPtr& node, const KindKey& kind, std::vector<Fault>& faults)
      : fields_(node, fmt::format("an entry of {}", kind.key), faults), faults_(faults) {
    result_.kind = kind.kind;
    result_.send_resolved = kind.send_resolved;
  }

  Integration parse() {
    if (!fields_.is_map()) return result_;
    if (result_.kind != Kind::kAlertmanager) {
      result_.send_resolved = fields_.boolean("send_resolved").value_or(result_.send_resolved);
    }
    duration("timeout", 1, kMaxTimeoutMs, result_.timeout_ms);
    switch (result_.kind) {
      case Kind::kWebhook:
        parse_http("url");
        result_.max_alerts = static_cast<size_t>(fields_.integer("max_alerts", 0, 1'000'000).value_or(0));
        break;
      case Kind::kAlertmanager:
        parse_http("url");
        duration("resend_delay", 1000, 3'600'000, result_.resend_delay_ms);
        break;
      case Kind::kEmail:
        parse_email();
        break;
      case Kind::kSlack:
        parse_http("api_url");
        result_.channel = fields_.text("channel").value_or("");
        result_.username = fields_.text("username").value_or("");
        result_.title = text_template(fields_, "title");
        result_.text = text_template(fields_, "text");
        break;
      case Kind::kCommand:
        parse_command();
        break;
      case Kind::kKafka:
        parse_kafka();
        break;
    }
    fields_.refuse_unknown();
    return result_;
  }

 private:
  void fault(std::string_view key, std::string text) { fields_.fault(fields_.place_of(key), std::move(text)); }

  void duration(const char* key, int64_t least, int64_t most, int64_t& into) {
    const auto got = fields_.duration_ms(key);
    if (!got) return;
    if (*got < least || *got > most) {
      fault(key, fmt::format("{}: expected a duration from {} to {}", key, least == 1 ? "1ms" : "1s",
                             most == kMaxTimeoutMs ? "10m" : "1h"));
      return;
    }
    into = *got;
  }

  // A secret in the file itself is refused with the key that takes it from a file.
  void refuse_secret(YamlFields& fields, const char* key, const char* instead) {
    if (fields.take(key)) {
      fields.fault(fields.place_of(key), fmt::format("{}: a secret has a file of its own; write {}", key, instead));
    }
  }

  std::string path(YamlFields& fields, const char* key) {
    auto text = fields.text(key).value_or("");
    if (!text.empty() && !text.starts_with('/')) {
      fields.fault(fields.place_of(key), fmt::format("{}: got {}, expected an absolute path", key, shown(text)));
    }
    if (text.find('\0') != std::string::npos) text.clear();
    return text;
  }

  std::string text_template(YamlFields& fields, const char* key) {
    auto text = fields.text(key).value_or("");
    if (const Status good = check_template(text); !good) {
      fields.fault(fields.place_of(key), fmt::format("{}: {}", key, good.error().message()));
    }
    return text;
  }

  void parse_http(const std::string& key) {
    HttpSettings& http = result_.http;
    http.url = fields_.text(key).value_or("");
    http.url_file = path(fields_, (key + "_file").c_str());
    if (http.url.empty() == http.url_file.empty()) {
      fields_.fault(fields_.place(), fmt::format("expected one of {0} and {0}_file", key));
    }
    if (!http.url.empty()) check_url(key, http.url);
    if (const YamlPtr node = fields_.take("http_config")) parse_http_config(node);
  }

  void check_url(const std::string& key, const std::string& url) {
    const size_t scheme = url.starts_with("http://") ? 7 : url.starts_with("https://") ? 8 : 0;
    const std::string_view rest = std::string_view(url).substr(scheme);
    const std::string_view authority = rest.substr(0, rest.find_first_of("/?#"));
    if (scheme == 0 || authority.empty() || !is_word(url) || url.size() > 4096) {
      fault(key, fmt::format("{}: expected http://HOST... or https://HOST...", key));
    } else if (authority.find('@') != std::string_view::npos) {
      fault(key, fmt::format("{}: a password does not belong into a URL; write http_config with basic_auth", key));
    }
  }

  void parse_http_config(const YamlPtr& node) {
    YamlFields http(node, "http_config", faults_);
    if (!http.is_map()) return;
    if (const YamlPtr basic = http.take("basic_auth")) {
      YamlFields auth(basic, "basic_auth", faults_);
      result_.http.username = auth.text("username").value_or("");
      refuse_secret(auth, "password", "password_file");
      result_.http.password_file = path(auth, "password_file");
      if (result_.http.username.empty() || result_.http.password_file.empty()) {
        auth.fault(auth.place(), "basic_auth needs username and password_file");
      }
      auth.refuse_unknown();
    }
    if (const YamlPtr bearer = http.take("authorization")) {
      YamlFields auth(bearer, "authorization", faults_);
      refuse_secret(auth, "credentials", "credentials_file");
      result_.http.bearer_file = path(auth, "credentials_file");
      const auto type = auth.text("type");
      if (type && *type != "Bearer") auth.fault(auth.place_of("type"), "type: expected Bearer");
      if (result_.http.bearer_file.empty()) auth.fault(auth.place(), "authorization needs credentials_file");
      auth.refuse_unknown();
    }
    if (!result_.http.password_file.empty() && !result_.http.bearer_file.empty()) {
      http.fault(http.place(), "expected one of basic_auth and authorization");
    }
    if (const YamlPtr tls = http.take("tls_config")) parse_tls(tls);
    http.refuse_unknown();
  }

  void parse_tls(const YamlPtr& node) {
    YamlFields fields(node, "tls_config", faults_);
    if (!fields.is_map()) return;
    TlsSettings& tls = result_.http.tls;
    tls.ca_file = path(fields, "ca_file");
    tls.cert_file = path(fields, "cert_file");
    tls.key_file = path(fields, "key_file");
    if (tls.cert_file.empty() != tls.key_file.empty()) {
      fields.fault(fields.place(), "tls_config: cert_file and key_file need each other");
    }
    if (fields.take("server_name")) {
      fields.fault(fields.place_of("server_name"), "server_name is not supported: name the host in the URL");
    }
    tls.insecure_skip_verify = fields.boolean("insecure_skip_verify").value_or(false);
    fields.refuse_unknown();
  }

  void parse_email() {
    for (std::string_view one : split(std::string_view(to_ = fields_.text("to").value_or("")), ',')) {
      one = trim(one);
      if (!check_address("to", one)) return;
      result_.to.emplace_back(one);
    }
    result_.from = fields_.text("from").value_or("");
    if (!check_address("from", result_.from)) return;
    result_.smarthost = fields_.text("smarthost").value_or("");
    constexpr uint16_t kSubmission = 587;
    const auto host = parse_host_port(result_.smarthost, kSubmission);
    if (!host) {
      fault("smarthost", "smarthost: " + host.error().message());
    } else {
      result_.smarthost = host->to_string();
    }
    result_.hello = fields_.text("hello").value_or("");
    if (!result_.hello.empty() && !is_word(result_.hello)) fault("hello", "hello: expected the name of this host");
    result_.http.username = fields_.text("auth_username").value_or("");
    refuse_secret(fields_, "auth_password", "auth_password_file");
    result_.http.password_file = path(fields_, "auth_password_file");
    if (result_.http.username.empty() != result_.http.password_file.empty()) {
      fields_.fault(fields_.place(), "auth_username and auth_password_file need each other");
    }
    result_.require_tls = fields_.boolean("require_tls").value_or(true);
    if (!result_.require_tls && !result_.http.password_file.empty()) {
      fault("require_tls", "require_tls: a password is not sent without TLS; expected true");
    }
    if (const YamlPtr tls = fields_.take("tls_config")) parse_tls(tls);
    result_.text = text_template(fields_, "text");
    if (const YamlPtr node = fields_.take("headers")) {
      YamlFields headers(node, "headers", faults_);
      if (!headers.is_map()) return;
      result_.title = text_template(headers, "Subject");
      headers.refuse_unknown();
    }
  }

  bool check_address(const char* key, std::string_view address) {
    const size_t at = address.find('@');
    const bool good = is_word(address) && at != 0 && at != std::string_view::npos && at + 1 < address.size() &&
                      address.find_first_of("<>,;\"\\()") == std::string_view::npos && address.size() <= 320;
    if (!good)
      fault(key,
            fmt::format("{}: got {}, expected an address such as ops@example.com", key, shown(std::string(address))));
    return good;
  }

  void parse_command() {
    for (const YamlPtr& word : fields_.list("command")) {
      if (word->kind != YamlNode::Kind::kScalar || word->text.find('\0') != std::string::npos) {
        fields_.fault(word->place, "command: expected texts: the program and its arguments");
        return;
      }
      result_.command.push_back(word->text);
    }
    constexpr size_t kMaxWords = 256;
    if (result_.command.empty() || !result_.command.front().starts_with('/') || result_.command.size() > kMaxWords) {
      fault("command", "command: expected a list: the absolute path of a program, then its arguments");
    }
  }

  void parse_kafka() {
    result_.topic = fields_.text("topic").value_or("monitoring-alerts");
    if (!valid_name(result_.topic)) fault("topic", "topic: expected 1 to 128 of [A-Za-z0-9._-]");
    result_.brokers = fields_.text("brokers").value_or("");
    for (const std::string_view one : split(result_.brokers, ',')) {
      if (result_.brokers.empty()) break;
      constexpr uint16_t kKafkaPort = 9092;
      const auto broker = parse_host_port(std::string(one), kKafkaPort);
      if (!broker) fault("brokers", "brokers: " + broker.error().message());
    }
    for (const auto& entry : fields_.texts("properties")) {
      std::string name = entry.key;
      std::ranges::transform(name, name.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
      if (name.find("password") != std::string::npos || name.find("secret") != std::string::npos ||
          name.ends_with("key.pem") || name.find("jaas") != std::string::npos) {
        fields_.fault(entry.key_place,
                      fmt::format("properties: {} is a secret; it is not supported here", shown(entry.key)));
      }
      result_.properties.emplace_back(entry.key, entry.value);
    }
  }

  YamlFields fields_;
  std::vector<Fault>& faults_;
  Integration result_;
  std::string to_;
};

}  // namespace

Receiver parse_receiver(const YamlPtr& node, std::vector<Fault>& faults) {
  Receiver receiver;
  YamlFields fields(node, "a receiver", faults);
  if (!fields.is_map()) return receiver;
  receiver.name = fields.text("name").value_or("");
  if (receiver.name.empty() || receiver.name.size() > kMaxName || sanitize_utf8(receiver.name) != receiver.name) {
    fields.fault(fields.place_of("name"), fmt::format("a receiver needs a name of 1 to {} printable bytes", kMaxName));
  }
  for (const KindKey& kind : kKinds) {
    size_t number = 0;
    for (const YamlPtr& item : fields.list(kind.key)) {
      Integration one = IntegrationParser(item, kind, faults).parse();
      one.name = number == 0 ? std::string(to_string(kind.kind)) : fmt::format("{}[{}]", to_string(kind.kind), number);
      ++number;
      receiver.integrations.push_back(std::move(one));
    }
  }
  if (receiver.integrations.size() > kMaxIntegrations) {
    fields.fault(fields.place(), fmt::format("a receiver has more than {} integrations", kMaxIntegrations));
  }
  fields.refuse_unknown();
  return receiver;
}

}  // namespace monitor::notify
