// What the doctor reads from peers and files: HTTP answers, dates, URLs, certificates, topic settings, option files.
// And the redactor, which must never lose a known secret. The first byte selects the parser.
#include <cstdlib>
#include <string>
#include <string_view>

#include "doctor/bundle/redactor.h"
#include "doctor/certificate.h"
#include "doctor/env_file.h"
#include "doctor/http_answer.h"
#include "doctor/log_settings.h"
#include "doctor/skew.h"
#include "doctor/url.h"

using namespace monitor;          // NOLINT(google-build-using-namespace)
using namespace monitor::doctor;  // NOLINT(google-build-using-namespace)

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

void check_env(std::string_view text) {
  const auto values = parse_env_file(text);
  if (!values) return;
  for (const auto& [name, value] : *values) {
    const auto written = env_value(value);
    if (!written) continue;
    const auto again = parse_env_file(name + "=" + *written);
    require(again.ok() && again->at(name) == value);
  }
}

void check_redactor(std::string_view text) {
  constexpr std::string_view kSecret = "xS3cr3tx";
  Redactor redactor;
  redactor.add_secret(kSecret);
  const size_t half = text.size() / 2;
  const std::string whole = std::string(text.substr(0, half)) + std::string(kSecret) + std::string(text.substr(half));
  require(redactor.clean(whole).find(kSecret) == std::string::npos);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  switch (data[0] % 7) {
    case 0:
      if (parse_http_answer(text).ok()) http_answer_complete(text);
      break;
    case 1:
      if (const auto date = parse_http_date(text)) skew_of({*date, 1'000'000'000, 0, 1});
      break;
    case 2:
      if (const auto url = parse_url(text)) require(url->path.find('\n') == std::string::npos);
      break;
    case 3:
      if (const auto certificates = parse_certificates(text)) require(!certificates->empty());
      if (const auto lists = parse_revocation_lists(text)) require(!lists->empty());
      break;
    case 4:
      if (const auto facts = parse_log_settings(text)) {
        for (const TopicFacts& topic : facts->topics) topic.number("retention.ms", 0);
      }
      break;
    case 5:
      check_env(text);
      break;
    default:
      check_redactor(text);
  }
  return 0;
}
