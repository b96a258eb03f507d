// Templates of rules: any text must be refused or expanded, within its limits.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "rules/template.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace monitor;
  const auto parsed = rules::Template::parse({reinterpret_cast<const char*>(data), size});
  if (!parsed) return 0;
  static const query::Labels labels({{"agent", "a"}, {"device", "sda"}});
  rules::TemplateContext context{
      .labels = &labels, .value = 0.5, .external_labels = &labels, .external_url = "http://x/y"};
  context.query = [](const std::string& /*expression*/) -> Result<std::vector<query::ResultSeries>> {
    return std::vector<query::ResultSeries>{{labels, {{0, 1.5}}}, {labels, {{0, 2}}}};
  };
  const auto text = parsed->expand(context);
  if (text && text->size() > rules::kMaxExpandedBytes) std::abort();
  return 0;
}
