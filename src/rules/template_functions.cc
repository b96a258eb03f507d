#include "rules/template_functions.h"

#include <algorithm>
#include <array>

#include "rules/template_numbers.h"

namespace monitor::rules::templates {

namespace {

constexpr std::array kNumberFunctions = std::to_array<Function>({
    {"humanize", 1, 1, humanize},
    {"humanize1024", 1, 1, humanize1024},
    {"humanizeDuration", 1, 1, humanize_duration},
    {"humanizePercentage", 1, 1, humanize_percentage},
    {"humanizeTimestamp", 1, 1, humanize_timestamp},
});

constexpr std::array<std::string_view, 7> kUnsupported = {"call", "js", "now", "slice", "tmpl", "toDuration", "toTime"};

}  // namespace

const Function* find_function(std::string_view name) {
  for (const std::span<const Function> some : {std::span<const Function>(kNumberFunctions), query_functions(),
                                               text_functions(), print_functions(), logic_functions()}) {
    const auto found = std::ranges::find(some, name, &Function::name);
    if (found != some.end()) return &*found;
  }
  return nullptr;
}

bool unsupported_function(std::string_view name) { return std::ranges::find(kUnsupported, name) != kUnsupported.end(); }

}  // namespace monitor::rules::templates
