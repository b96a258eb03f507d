// Helpers for the functions of templates. Internal to the template_*.cc files.
#pragma once

#include <fmt/format.h>

#include <string>
#include <utility>
#include <vector>

#include "rules/template_functions.h"

namespace monitor::rules::templates {

inline Error invalid(const std::string& text) { return {Code::kInvalidArgument, text}; }

inline Result<std::string> text_of(const TemplateValue& value) {
  if (const auto* const text = std::get_if<std::string>(&value.data)) return *text;
  return invalid(fmt::format("got {} {}, expected a text", value.type_name(), value.text()));
}

// Calls with the texts of all arguments.
template <typename F>
Result<TemplateValue> with_texts(Arguments arguments, F compute) {
  std::vector<std::string> texts;
  for (const TemplateValue& one : arguments) {
    auto text = text_of(one);
    if (!text) return text.error();
    texts.push_back(std::move(*text));
  }
  return compute(texts);
}

}  // namespace monitor::rules::templates
