// Functions of templates that print values, and escape what they print.
#include <array>
#include <string>
#include <utility>

#include "rules/graph_link.h"
#include "rules/template_arguments.h"

namespace monitor::rules::templates {

namespace {

using Value = TemplateValue;

template <GraphTab kTab>
Result<Value> link(Arguments arguments, const TemplateContext& /*context*/) {
  return with_texts(arguments, [](const auto& texts) -> Result<Value> { return Value{graph_link(texts[0], kTab)}; });
}

// Concatenates as Go's Sprint: with a space between two that are no texts.
std::string printed(Arguments arguments, bool spaces) {
  std::string out;
  for (size_t i = 0; i < arguments.size(); ++i) {
    const bool texts = i > 0 && (std::holds_alternative<std::string>(arguments[i].data) ||
                                 std::holds_alternative<std::string>(arguments[i - 1].data));
    if (i > 0 && (spaces || !texts)) out += ' ';
    out += arguments[i].text();
  }
  return out;
}

Result<Value> print(Arguments arguments, const TemplateContext& /*context*/) {
  return Value{printed(arguments, false)};
}
Result<Value> println(Arguments arguments, const TemplateContext& /*context*/) {
  return Value{printed(arguments, true) + "\n"};
}
Result<Value> printf_function(Arguments arguments, const TemplateContext& /*context*/) {
  const auto format = text_of(arguments[0]);
  if (!format) return format.error();
  return Value{format_as_go(*format, arguments.subspan(1))};
}

Result<Value> html(Arguments arguments, const TemplateContext& /*context*/) {
  std::string out;
  for (const char c : printed(arguments, false)) {
    switch (c) {
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '&':
        out += "&amp;";
        break;
      case '"':
        out += "&#34;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        out += c;
    }
  }
  return Value{std::move(out)};
}

Result<Value> urlquery(Arguments arguments, const TemplateContext& /*context*/) {
  return Value{query_escaped(printed(arguments, false))};
}

constexpr std::array kFunctions = std::to_array<Function>({
    {"graphLink", 1, 1, link<GraphTab::kGraph>},
    {"html", 1, -1, html},
    {"print", 0, -1, print},
    {"printf", 1, -1, printf_function},
    {"println", 0, -1, println},
    {"tableLink", 1, 1, link<GraphTab::kTable>},
    {"urlquery", 1, -1, urlquery},
});

}  // namespace

std::span<const Function> print_functions() { return kFunctions; }

}  // namespace monitor::rules::templates
