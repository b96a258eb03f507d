// The parameters of the Prometheus API: any form and any URL must be refused or read, and what is read must be within
// its limits. The input is a form; the text after the first NUL is the name of a label in a path.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "ui/web/prom_parameters.h"
#include "ui/web/prom_reply.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace monitor::analysis;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const size_t end = std::min(text.find('\0'), text.size());
  (void)web::unescape_label_name(text.substr(std::min(end + 1, text.size())));
  const web::Request request{.method = "POST",
                             .body = std::string(text.substr(0, end)),
                             .headers = {{"Content-Type", "application/x-www-form-urlencoded"}}};
  const auto read = web::PromParameters::read(request);
  if (!read) {
    (void)web::prom_bad_data(read.error());
    return 0;
  }
  if (const auto range = read->range()) {
    if (range->step_ms < 1 || range->end_ms < range->start_ms) __builtin_trap();
    if ((range->end_ms - range->start_ms) / range->step_ms > 11'000) __builtin_trap();
  }
  constexpr int64_t kMost = int64_t{1} << 60;
  for (const char* const name : {"time", "start", "end"}) {
    const auto time = read->time_ms(name);
    if (time && *time && (**time > kMost || **time < -kMost)) __builtin_trap();
  }
  for (const char* const name : {"step", "timeout", "lookback_delta"}) {
    const auto duration = read->duration_ms(name);
    if (duration && *duration && (**duration > kMost || **duration < -kMost)) __builtin_trap();
  }
  (void)read->count("limit");
  (void)read->selectors();
  return 0;
}
