// The query language: any text must be refused or evaluated, within its limits.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "query/evaluator.h"
#include "query/parser.h"
#include "query/series_notation.h"
#include "query/testing/memory_source.h"

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
  if (!expression) return 0;
  QueryOptions options;
  options.limits.max_samples = 100'000;
  (void)evaluate(**expression, *source, {.start_ms = 10'000, .end_ms = 10'000}, options);
  (void)evaluate(**expression, *source, {.start_ms = 0, .end_ms = 20'000, .step_ms = 5000}, options);
  return 0;
}
