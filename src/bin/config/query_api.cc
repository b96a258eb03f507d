#include "bin/config/query_api.h"

#include <curl/curl.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/text.h"
#include "config/rollout/query_answer.h"

namespace monitor {

namespace {

constexpr long kTimeoutMs = 30'000;
constexpr size_t kMostBytes = size_t{64} << 20;

struct Answer {
  std::string body;
  bool full = false;
};

size_t take_body(char* data, size_t size, size_t count, void* self) {
  auto& answer = *static_cast<Answer*>(self);
  answer.full = answer.body.size() + size * count > kMostBytes;
  if (answer.full) return 0;
  answer.body.append(data, size * count);
  return size * count;
}

struct CloseCurl {
  void operator()(CURL* curl) const { curl_easy_cleanup(curl); }
};
struct FreeList {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};

class QueryApi final : public query::SeriesSource {
 public:
  QueryApi(std::string url, std::string token)
      : url_(std::move(url)), token_(std::move(token)), curl_(curl_easy_init()) {}

  Result<std::vector<query::StoredSeries>> select(std::span<const query::Matcher> matchers, int64_t from_ms,
                                                  int64_t to_ms) override {
    std::string selector;
    for (const query::Matcher& one : matchers) selector += (selector.empty() ? "" : ",") + one.to_string();
    return ask(fmt::format("{{{}}}[{}ms]", selector, to_ms - from_ms + 1), to_ms);
  }

  Result<std::vector<query::StoredSeries>> own_series(std::string_view function,
                                                      std::span<const query::Matcher> matchers, int64_t from_ms,
                                                      int64_t to_ms) override {
    if (function == "unusual") return Error(Code::kUnimplemented, "unusual() needs --history");
    // At the times that a subquery has here, whatever its first one is.
    auto found = ask(fmt::format("{}()[{}ms:5s]", function, to_ms - from_ms + 1), to_ms);
    if (!found) return found;
    std::erase_if(*found, [&](const query::StoredSeries& series) {
      return !std::all_of(matchers.begin(), matchers.end(), [&](const query::Matcher& one) {
        return one.label() == query::kNameLabel || one.matches(series.labels.get(one.label()));
      });
    });
    return found;
  }

 private:
  Result<std::vector<query::StoredSeries>> ask(const std::string& expression, int64_t at_ms) {
    if (curl_ == nullptr) return Error(Code::kResourceExhausted, "out of memory");
    CURL* const curl = curl_.get();
    const auto escaped = [&](const std::string& text) {
      char* const out = curl_easy_escape(curl, text.c_str(), static_cast<int>(text.size()));
      std::string result = out == nullptr ? "" : out;
      curl_free(out);
      return result;
    };
    const std::string form = fmt::format("query={}&time={}.{:03}", escaped(expression), at_ms / 1000, at_ms % 1000);
    const std::string url = url_ + "/api/v1/query";
    curl_easy_reset(curl);
    std::unique_ptr<curl_slist, FreeList> headers(
        token_.empty() ? nullptr : curl_slist_append(nullptr, ("Authorization: Bearer " + token_).c_str()));
    Answer answer;
    std::array<char, CURL_ERROR_SIZE> reason{};
    curl_easy_setopt(curl, CURLOPT_URL, url.c_str());
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_NOPROXY, "*");
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, kTimeoutMs);
    curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, form.c_str());
    curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(form.size()));
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers.get());
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, &take_body);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, &answer);
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, reason.data());
    const CURLcode code = curl_easy_perform(curl);
    if (answer.full) return Error(Code::kResourceExhausted, fmt::format("{} sent more than {} bytes", url, kMostBytes));
    if (code != CURLE_OK) {
      return Error(Code::kUnavailable,
                   fmt::format("{}: {}", url, reason.front() != '\0' ? reason.data() : curl_easy_strerror(code)));
    }
    auto found = config::rollout::parse_query_answer(answer.body);
    if (!found) return found.error().with_context(url);
    return found;
  }

  const std::string url_;
  const std::string token_;
  std::unique_ptr<CURL, CloseCurl> curl_;
};

}  // namespace

Result<std::unique_ptr<query::SeriesSource>> open_query_api(const std::string& url, const std::string& token) {
  std::string address = url;
  while (address.ends_with('/')) address.pop_back();
  const bool known = address.starts_with("http://") || address.starts_with("https://");
  if (!known || address.find_first_of(" ?#\t\r\n") != std::string::npos) {
    return Error(Code::kInvalidArgument,
                 fmt::format("got {}, expected an address such as http://HOST:8080", json_quote(url)));
  }
  return std::unique_ptr<query::SeriesSource>(std::make_unique<QueryApi>(std::move(address), token));
}

}  // namespace monitor
