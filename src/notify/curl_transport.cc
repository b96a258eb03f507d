#include "notify/curl_transport.h"

#include <curl/curl.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>

namespace monitor::notify {

namespace {

constexpr size_t kKeepBytes = size_t{4} << 10;
constexpr size_t kMaxBytes = size_t{64} << 10;

struct List {
  curl_slist* head = nullptr;
  List() = default;
  ~List() { curl_slist_free_all(head); }
  List(const List&) = delete;
  List& operator=(const List&) = delete;
  void add(const std::string& text) { head = curl_slist_append(head, text.c_str()); }
};

// One transfer.
class Transfer {
 public:
  explicit Transfer(const std::atomic<bool>& stop) : curl_(curl_easy_init()), stop_(stop) {}

  CURL* get() const { return curl_.get(); }
  template <typename T>
  void set(CURLoption option, T value) {
    curl_easy_setopt(curl_.get(), option, value);
  }

  void prepare(const TlsSettings& tls, int64_t timeout_ms) {
    set(CURLOPT_NOSIGNAL, 1L);
    set(CURLOPT_TIMEOUT_MS, static_cast<long>(timeout_ms));
    set(CURLOPT_FOLLOWLOCATION, 0L);
    set(CURLOPT_NOPROXY, "*");
    set(CURLOPT_PROXY, "");
    set(CURLOPT_ERRORBUFFER, error_.data());
    set(CURLOPT_NOPROGRESS, 0L);
    set(CURLOPT_XFERINFODATA, this);
    set(CURLOPT_XFERINFOFUNCTION, &Transfer::on_progress);
    set(CURLOPT_WRITEDATA, this);
    set(CURLOPT_WRITEFUNCTION, &Transfer::on_body);
    set(CURLOPT_HEADERDATA, this);
    set(CURLOPT_HEADERFUNCTION, &Transfer::on_header);
    if (!tls.ca_file.empty()) set(CURLOPT_CAINFO, tls.ca_file.c_str());
    if (!tls.cert_file.empty()) set(CURLOPT_SSLCERT, tls.cert_file.c_str());
    if (!tls.key_file.empty()) set(CURLOPT_SSLKEY, tls.key_file.c_str());
    if (tls.insecure_skip_verify) {
      set(CURLOPT_SSL_VERIFYPEER, 0L);
      set(CURLOPT_SSL_VERIFYHOST, 0L);
    }
  }

  CURLcode perform() { return curl_easy_perform(curl_.get()); }
  int status() const {
    long code = 0;
    curl_easy_getinfo(curl_.get(), CURLINFO_RESPONSE_CODE, &code);
    return static_cast<int>(code);
  }
  int64_t retry_after_ms() const {
    curl_off_t seconds = 0;
    curl_easy_getinfo(curl_.get(), CURLINFO_RETRY_AFTER, &seconds);
    constexpr curl_off_t kMost = 3600;
    return std::clamp<curl_off_t>(seconds, 0, kMost) * 1000;
  }
  std::string reason(CURLcode code) const {
    return error_.front() != '\0' ? std::string(error_.data()) : std::string(curl_easy_strerror(code));
  }
  bool answered() const { return headers_complete_; }
  const std::string& body() const { return body_; }
  const std::string& last_line() const { return last_line_; }
  // Of SMTP: the last reply that refused something.
  const std::string& fault_line() const { return fault_line_.empty() ? last_line_ : fault_line_; }

 private:
  struct Close {
    void operator()(CURL* curl) const { curl_easy_cleanup(curl); }
  };

  static int on_progress(void* self, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
    return static_cast<Transfer*>(self)->stop_ ? 1 : 0;
  }
  static size_t on_body(char* data, size_t size, size_t count, void* self) {
    auto& transfer = *static_cast<Transfer*>(self);
    const size_t bytes = size * count;
    transfer.body_.append(data, std::min(bytes, kKeepBytes - transfer.body_.size()));
    transfer.received_ += bytes;
    return transfer.received_ > kMaxBytes ? 0 : bytes;
  }
  static size_t on_header(char* data, size_t size, size_t count, void* self) {
    auto& transfer = *static_cast<Transfer*>(self);
    const std::string_view line(data, size * count);
    if (line == "\r\n" || line == "\n") {
      transfer.headers_complete_ = transfer.status() >= 200;
    } else {
      transfer.last_line_ = line.substr(0, kKeepBytes);
      if (line.starts_with('4') || line.starts_with('5')) transfer.fault_line_ = transfer.last_line_;
    }
    transfer.received_ += line.size();
    return transfer.received_ > kMaxBytes ? 0 : line.size();
  }

  std::unique_ptr<CURL, Close> curl_;
  const std::atomic<bool>& stop_;
  std::array<char, CURL_ERROR_SIZE> error_{};
  std::string body_;
  std::string last_line_;
  std::string fault_line_;
  size_t received_ = 0;
  bool headers_complete_ = false;
};

class CurlTransport final : public Transport {
 public:
  CurlTransport() { curl_global_init(CURL_GLOBAL_DEFAULT); }

  Result<HttpReply> post(const HttpRequest& request, const std::atomic<bool>& stop) override {
    Transfer transfer(stop);
    if (transfer.get() == nullptr) return Error(Code::kResourceExhausted, "out of memory");
    transfer.prepare(request.tls, request.timeout_ms);
    transfer.set(CURLOPT_PROTOCOLS_STR, "http,https");
    transfer.set(CURLOPT_URL, request.url.c_str());
    List headers;
    headers.add("Content-Type: application/json");
    headers.add("User-Agent: monitor");
    headers.add("Expect:");
    for (const std::string& one : request.headers) headers.add(one);
    transfer.set(CURLOPT_HTTPHEADER, headers.head);
    transfer.set(CURLOPT_POST, 1L);
    transfer.set(CURLOPT_POSTFIELDS, request.body.c_str());
    transfer.set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
    if (!request.username.empty()) {
      transfer.set(CURLOPT_HTTPAUTH, static_cast<long>(CURLAUTH_BASIC));
      transfer.set(CURLOPT_USERNAME, request.username.c_str());
      transfer.set(CURLOPT_PASSWORD, request.password.c_str());
    }
    const CURLcode code = transfer.perform();
    // The status counts, even if the answer's body is cut or endless: the receiver has decided.
    if (code != CURLE_OK && !transfer.answered()) return Error(Code::kUnavailable, transfer.reason(code));
    return HttpReply{transfer.status(), transfer.body(), transfer.retry_after_ms()};
  }

  Result<MailReply> mail(const MailRequest& request, const std::atomic<bool>& stop) override {
    Transfer transfer(stop);
    if (transfer.get() == nullptr) return Error(Code::kResourceExhausted, "out of memory");
    transfer.prepare(request.tls, request.timeout_ms);
    transfer.set(CURLOPT_PROTOCOLS_STR, "smtp,smtps");
    transfer.set(CURLOPT_URL, request.url.c_str());
    transfer.set(CURLOPT_USE_SSL, static_cast<long>(request.require_tls ? CURLUSESSL_ALL : CURLUSESSL_TRY));
    transfer.set(CURLOPT_MAIL_FROM, request.from.c_str());
    List to;
    for (const std::string& one : request.to) to.add(one);
    transfer.set(CURLOPT_MAIL_RCPT, to.head);
    // That one recipient is refused must not keep the mail from the others.
#if LIBCURL_VERSION_NUM >= 0x080200
    transfer.set(CURLOPT_MAIL_RCPT_ALLOWFAILS, 1L);
#else
    transfer.set(CURLOPT_MAIL_RCPT_ALLLOWFAILS, 1L);
#endif
    if (!request.username.empty()) {
      transfer.set(CURLOPT_USERNAME, request.username.c_str());
      transfer.set(CURLOPT_PASSWORD, request.password.c_str());
    }
    Upload upload{request.mail};
    transfer.set(CURLOPT_UPLOAD, 1L);
    transfer.set(CURLOPT_READDATA, &upload);
    transfer.set(CURLOPT_READFUNCTION, &CurlTransport::read);
    transfer.set(CURLOPT_INFILESIZE_LARGE, static_cast<curl_off_t>(request.mail.size()));
    const CURLcode code = transfer.perform();
    const int status = transfer.status();
    constexpr int kErrors = 400;
    if (code == CURLE_OK) return MailReply{status, transfer.last_line()};
    // A login can be repaired, and TLS too; a refused sender or recipient cannot.
    const bool refused = status >= kErrors && code != CURLE_LOGIN_DENIED && code != CURLE_USE_SSL_FAILED &&
                         code != CURLE_OPERATION_TIMEDOUT;
    if (refused) return MailReply{status, transfer.reason(code) + ": " + transfer.fault_line()};
    return Error(Code::kUnavailable, transfer.reason(code));
  }

 private:
  struct Upload {
    const std::string& text;
    size_t at = 0;
  };
  static size_t read(char* into, size_t size, size_t count, void* from) {
    auto& upload = *static_cast<Upload*>(from);
    const size_t bytes = std::min(size * count, upload.text.size() - upload.at);
    memcpy(into, upload.text.data() + upload.at, bytes);
    upload.at += bytes;
    return bytes;
  }
};

}  // namespace

std::shared_ptr<Transport> make_curl_transport() { return std::make_shared<CurlTransport>(); }

}  // namespace monitor::notify
