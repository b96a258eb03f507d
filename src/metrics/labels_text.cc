#include "metrics/labels_text.h"

#include <string_view>

namespace monitor::metrics {

std::string labels_text(const Labels& labels) {
  std::string out;
  const auto add = [&out](std::string_view text, std::string_view special) {
    for (const char c : text) {
      if (special.find(c) != std::string_view::npos) out += '\\';
      out += c;
    }
  };
  for (const auto& [key, value] : labels) {
    if (!out.empty()) out += ';';
    add(key, "\\;=");
    out += '=';
    add(value, "\\;");
  }
  return out;
}

}  // namespace monitor::metrics
