#include "notify/senders.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/log.h"
#include "base/text.h"
#include "notify/command.h"
#include "notify/curl_transport.h"
#include "notify/kafka_sender.h"
#include "notify/message_text.h"
#include "notify/secret_file.h"

namespace monitor::notify {

namespace {

Outcome retry(std::string why) { return {Outcome::Kind::kRetry, short_answer(why)}; }

// Removes secrets from a text that people see: a receiver may repeat what it was sent.
std::string without(std::string text, const std::vector<std::string>& secrets) {
  for (const std::string& secret : secrets) {
    constexpr size_t kShortest = 4;
    if (secret.size() < kShortest) continue;
    for (size_t at = text.find(secret); at != std::string::npos; at = text.find(secret))
      text.replace(at, secret.size(), "***");
  }
  return text;
}

Outcome judge(const HttpReply& reply, const std::vector<std::string>& secrets) {
  const std::string answer = short_answer(without(fmt::format("HTTP {} {}", reply.status, trim(reply.body)), secrets));
  if (reply.status >= 200 && reply.status < 300) return {Outcome::Kind::kSent, answer};
  const bool later = reply.status >= 500 || reply.status == 429 || reply.status == 408;
  return {later ? Outcome::Kind::kRetry : Outcome::Kind::kRefused, answer, reply.retry_after_ms};
}

class HttpSender : public Sender {
 public:
  HttpSender(const Integration& integration, std::shared_ptr<Transport> transport)
      : integration_(integration), transport_(std::move(transport)) {}

  Outcome send(const Notification& notification, const std::atomic<bool>& stop) override {
    HttpRequest request;
    request.body = body(notification);
    request.headers = {"Idempotency-Key: " + notification.id};
    request.tls = integration_.http.tls;
    request.timeout_ms = integration_.timeout_ms;
    if (Status good = fill_secrets(request); !good) return retry(good.error().message());
    request.url = complete_url(request.url);
    const auto reply = transport_->post(request, stop);
    if (!reply) return retry(without(reply.error().message(), secrets_));
    return judge_reply(judge(*reply, secrets_), *reply);
  }

 protected:
  virtual std::string body(const Notification& notification) const = 0;
  virtual std::string complete_url(const std::string& url) const { return url; }
  virtual Outcome judge_reply(Outcome outcome, const HttpReply& /*reply*/) const { return outcome; }
  const Integration& integration() const { return integration_; }

 private:
  // Read for every notification, so that a secret can be replaced at any time.
  Status fill_secrets(HttpRequest& request) {
    secrets_.clear();
    const HttpSettings& http = integration_.http;
    request.url = http.url;
    if (!http.url_file.empty()) {
      auto url = read_secret(http.url_file, "url_file");
      if (!url) return url.error();
      secrets_.push_back(*url);
      const size_t path = url->find('/', sizeof("https://") - 1);
      if (path != std::string::npos && path + 1 < url->size()) secrets_.push_back(url->substr(path));
      request.url = std::move(*url);
    }
    if (!http.password_file.empty()) {
      auto password = read_secret(http.password_file, "password_file");
      if (!password) return password.error();
      secrets_.push_back(*password);
      request.username = http.username;
      request.password = std::move(*password);
    }
    if (!http.bearer_file.empty()) {
      auto token = read_secret(http.bearer_file, "credentials_file");
      if (!token) return token.error();
      secrets_.push_back(*token);
      request.headers.push_back("Authorization: Bearer " + *token);
    }
    return {};
  }

  const Integration integration_;
  const std::shared_ptr<Transport> transport_;
  std::vector<std::string> secrets_;
};

class WebhookSender final : public HttpSender {
 public:
  using HttpSender::HttpSender;

 private:
  std::string body(const Notification& notification) const override {
    return webhook_json(notification, integration().max_alerts);
  }
};

class SlackSender final : public HttpSender {
 public:
  using HttpSender::HttpSender;

 private:
  std::string body(const Notification& notification) const override { return slack_json(notification, integration()); }
  // Slack may answer 200 and say in the body that it failed.
  Outcome judge_reply(Outcome outcome, const HttpReply& reply) const override {
    if (outcome.kind != Outcome::Kind::kSent) return outcome;
    const auto json = nlohmann::json::parse(reply.body, nullptr, false);
    if (!json.is_object() || !json.contains("ok") || json["ok"] != false) return outcome;
    const std::string error = json.value("error", nlohmann::json()).dump();
    const bool later = error == "\"rate_limited\"" || error == "\"ratelimited\"" || error == "\"internal_error\"";
    outcome.kind = later ? Outcome::Kind::kRetry : Outcome::Kind::kRefused;
    return outcome;
  }
};

class AlertmanagerSender final : public HttpSender {
 public:
  AlertmanagerSender(const Integration& integration, std::shared_ptr<Transport> transport, const Clock& clock)
      : HttpSender(integration, std::move(transport)), clock_(clock) {}

 private:
  std::string body(const Notification& notification) const override {
    return alertmanager_json(notification, clock_.wall_ns() / kNanosPerMilli, integration().resend_delay_ms);
  }
  std::string complete_url(const std::string& url) const override {
    return (url.ends_with('/') ? url.substr(0, url.size() - 1) : url) + "/api/v2/alerts";
  }

  const Clock& clock_;
};

class EmailSender final : public Sender {
 public:
  EmailSender(const Integration& integration, std::shared_ptr<Transport> transport, const Clock& clock)
      : integration_(integration), transport_(std::move(transport)), clock_(clock) {}

  Outcome send(const Notification& notification, const std::atomic<bool>& stop) override {
    MailRequest request;
    // Port 465 speaks TLS from the start.
    const char* const scheme = integration_.smarthost.ends_with(":465") ? "smtps" : "smtp";
    const std::string hello = integration_.hello.empty() ? "localhost" : integration_.hello;
    request.url = fmt::format("{}://{}/{}", scheme, integration_.smarthost, hello);
    request.require_tls = integration_.require_tls;
    request.from = integration_.from;
    request.to = integration_.to;
    request.tls = integration_.http.tls;
    request.timeout_ms = integration_.timeout_ms;
    request.mail = mail_of(notification, integration_, clock_.wall_ns() / kNanosPerMilli);
    if (!integration_.http.password_file.empty()) {
      auto password = read_secret(integration_.http.password_file, "auth_password_file");
      if (!password) return retry(password.error().message());
      request.username = integration_.http.username;
      request.password = std::move(*password);
    }
    const std::vector<std::string> secrets = {request.password};
    const auto reply = transport_->mail(request, stop);
    if (!reply) return retry(without(reply.error().message(), secrets));
    const std::string answer = short_answer(without("SMTP " + reply->answer, secrets));
    if (reply->status < 400) return {Outcome::Kind::kSent, answer};
    return {reply->status < 500 ? Outcome::Kind::kRetry : Outcome::Kind::kRefused, answer};
  }

 private:
  const Integration integration_;
  const std::shared_ptr<Transport> transport_;
  const Clock& clock_;
};

}  // namespace

std::unique_ptr<Sender> make_sender(const Integration& integration, const SenderOptions& options) {
  static const SystemClock kSystemClock;
  const Clock& clock = options.clock != nullptr ? *options.clock : kSystemClock;
  const auto transport = options.transport ? options.transport : make_curl_transport();
  switch (integration.kind) {
    case Kind::kWebhook:
      return std::make_unique<WebhookSender>(integration, transport);
    case Kind::kAlertmanager:
      return std::make_unique<AlertmanagerSender>(integration, transport, clock);
    case Kind::kEmail:
      return std::make_unique<EmailSender>(integration, transport, clock);
    case Kind::kSlack:
      return std::make_unique<SlackSender>(integration, transport);
    case Kind::kCommand:
      return std::make_unique<CommandSender>(integration);
    case Kind::kKafka:
      break;
  }
  return std::make_unique<KafkaSender>(integration, options);
}

}  // namespace monitor::notify
