// Configuration documents: parsed, merged as two layers, validated, edited. A document that passes validation must
// print as a text that passes it, too.
#include <cstdint>
#include <string_view>

#include "config/edit.h"
#include "config/validate.h"
#include "plugins/builtin/registry.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace monitor;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const size_t half = text.find('\0');
  static const agent::BuiltinCatalog catalog;
  std::vector<config::Layer> layers;
  for (const std::string_view part :
       {text.substr(0, half), half == std::string_view::npos ? text : text.substr(half + 1)}) {
    auto document = config::Document::parse(part);
    if (document) layers.push_back({"layer", 1, std::move(*document)});
  }
  const auto validated = config::validate(layers, catalog);
  for (const auto& problem : validated.problems) (void)problem.to_string();
  (void)config::edit_document(std::string(text), {{"interval", "1"}}, false, config::Edited::kShared, catalog);
  return 0;
}
