#include "metriclog/open/open.h"

#include <string>

#include "base/text.h"
#include "metriclog/open/backends.h"

namespace monitor::metriclog {

namespace {

struct Backend {
  std::string_view scheme;
  std::string_view form;  // of an address, for people
  OpenBackend open;
};

constexpr Backend kBackends[] = {
    {"sqlite", "sqlite:PATH", &open_sqlite},
    {"kafka", "kafka:HOST:PORT/TOPIC", &open_kafka},
};

}  // namespace

Result<std::unique_ptr<Log>> open(std::string_view address, const LogSettings& settings) {
  const size_t colon = address.find(':');
  std::string forms;
  for (const Backend& backend : kBackends) {
    if (colon != std::string_view::npos && address.substr(0, colon) == backend.scheme) {
      auto log = backend.open(address.substr(colon + 1), settings);
      if (log || log.error().code() != Code::kInvalidArgument) return log;
      return Error(Code::kInvalidArgument, "got " + json_quote(address) + ", expected " + std::string(backend.form));
    }
    forms += (forms.empty() ? "" : " or ") + std::string(backend.form);
  }
  return Error(Code::kInvalidArgument, "got " + json_quote(address) + ", expected " + forms);
}

}  // namespace monitor::metriclog
