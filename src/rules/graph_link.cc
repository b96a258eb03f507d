#include "rules/graph_link.h"

#include <fmt/format.h>

#include <cctype>

namespace monitor::rules {

std::string query_escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '_' || c == '.' || c == '~') {
      out += c;
    } else {
      out += c == ' ' ? "+" : fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return out;
}

std::string graph_link(std::string_view expression, GraphTab tab) {
  return fmt::format("/graph?g0.expr={}&g0.tab={}", query_escaped(expression), static_cast<int>(tab));
}

}  // namespace monitor::rules
