// The query language: any text must be refused or evaluated, within its limits, and with messages of bounded length.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "query/evaluator.h"
#include "query/parser.h"
#include "query/series_notation.h"
#include "query/testing/memory_source.h"

// No message repeats a long text.
static void check_length(const std::string& message) {
  if (message.empty() || message.size() > 2000) __builtin_trap();
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace monitor::query;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  static MemorySource* const source = [] {
    auto* const made = new MemorySource;
    for (int i = 0; i < 20; ++i) {
      made->add(Labels({{"__name__", "a"}, {"x", "1"}}), {i * 1000, i % 7 * 1.5});
      made->add(Labels({{"__name__", "a"}, {"x", "2"}}), {i * 1000, i % 5 == 4 ? stale_marker() : i * 1e300});
      made->add(Labels({{"__name__", "b"}, {"y", "z"}}), {i * 1000, -i * 0.25});
    }
    return made;
  }();
  (void)parse_selector(text);
  (void)parse_samples(text.substr(0, 64));
  const auto expression = parse(text);
  if (!expression) {
    check_length(expression.error().message());
    return 0;
  }
  QueryOptions options;
  options.text = text;
  options.limits.max_samples = 100'000;
  options.limits.max_bytes = 4 << 20;
  for (const QueryTimes& times : {QueryTimes{.start_ms = 10'000, .end_ms = 10'000},
                                  QueryTimes{.start_ms = 0, .end_ms = 20'000, .step_ms = 5000}}) {
    const auto result = evaluate(**expression, *source, times, options);
    if (!result) {
      check_length(result.error().message());
      continue;
    }
    if (result->peak_bytes > options.limits.max_bytes) __builtin_trap();
    for (const std::string& one : result->warnings) check_length(one);
    for (const std::string& one : result->infos) check_length(one);
  }
  return 0;
}
