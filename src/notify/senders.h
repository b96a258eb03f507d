// The senders of all kinds of integrations. Their transports are injected: HTTP and SMTP (curl_transport.h), programs
// (command.h), and Kafka (kafka_sender.h).
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "notify/sender.h"

namespace monitor::notify {

struct HttpRequest {
  std::string url;
  std::string body;                  // JSON
  std::vector<std::string> headers;  // "Name: value"
  std::string username;              // empty: no basic authentication
  std::string password;
  TlsSettings tls;
  int64_t timeout_ms = 10'000;
};

struct HttpReply {
  int status = 0;
  std::string body;  // its first 4 KiB
  int64_t retry_after_ms = 0;
};

struct MailRequest {
  std::string url;  // smtp:// or smtps://
  bool require_tls = true;
  std::string from;
  std::vector<std::string> to;
  std::string username;  // empty: no login
  std::string password;
  std::string mail;  // with headers
  TlsSettings tls;
  int64_t timeout_ms = 10'000;
};

struct MailReply {
  int status = 0;  // of SMTP, the last one
  std::string answer;
};

// Errors: there was no reply. The texts contain no secret.
class Transport {
 public:
  virtual ~Transport() = default;
  virtual Result<HttpReply> post(const HttpRequest& request, const std::atomic<bool>& stop) = 0;
  virtual Result<MailReply> mail(const MailRequest& request, const std::atomic<bool>& stop) = 0;
};

struct SenderOptions {
  std::shared_ptr<Transport> transport;  // thread-safe; nullptr: real connections
  const Clock* clock = nullptr;          // must outlive the senders
  // For Kafka integrations without brokers: those of the metric log.
  std::string brokers = "localhost:9092";
  std::vector<std::pair<std::string, std::string>> kafka_properties = {};
};

std::unique_ptr<Sender> make_sender(const Integration& integration, const SenderOptions& options);

}  // namespace monitor::notify
