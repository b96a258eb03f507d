#include "doctor/options_file.h"

#include <algorithm>
#include <set>
#include <utility>
#include <vector>

#include "base/text.h"
#include "doctor/env_file.h"

namespace monitor::doctor {

namespace {

// The option that a line sets, or that a comment shows; empty for other lines.
std::string option_of(std::string_view line, bool comment) {
  std::string_view text = trim(line);
  if (comment != text.starts_with('#')) return "";
  if (comment) text.remove_prefix(1);
  const size_t equals = text.find('=');
  return equals == std::string_view::npos ? "" : std::string(trim(text.substr(0, equals)));
}

std::vector<std::string> lines_of(std::string_view text) {
  std::vector<std::string> lines;
  for (const std::string_view line : split(text, '\n')) lines.emplace_back(line);
  if (!lines.empty() && lines.back().empty()) lines.pop_back();
  return lines;
}

// Replaces the last line that sets the option, which is the one that counts, and removes earlier ones.
bool replace_line(std::vector<std::string>& lines, const std::string& name, const std::string& line) {
  bool replaced = false;
  for (size_t i = lines.size(); i-- > 0;) {
    if (option_of(lines[i], false) != name) continue;
    if (replaced || line.empty()) {
      lines.erase(lines.begin() + static_cast<std::ptrdiff_t>(i));
    } else {
      lines[i] = line;
    }
    replaced = true;
  }
  return replaced;
}

}  // namespace

Result<std::string> edit_options(std::string_view text, const OptionChanges& changes) {
  if (const auto parsed = parse_env_file(text); !parsed) return parsed.error();
  std::vector<std::string> lines = lines_of(text);
  for (const auto& [name, value] : changes) {
    const auto written = env_value(value.value_or(""));
    if (!written) return written.error().with_context(name);
    const std::string line = value ? name + "=" + *written : "";
    if (replace_line(lines, name, line) || line.empty()) continue;
    const auto shown = std::ranges::find(lines, name, [](const std::string& one) { return option_of(one, true); });
    lines.insert(shown == lines.end() ? shown : shown + 1, line);
  }
  std::string result;
  for (const std::string& line : lines) result += line + "\n";
  return result;
}

std::string line_diff(std::string_view before, std::string_view after) {
  const std::vector<std::string> old_lines = lines_of(before);
  const std::vector<std::string> new_lines = lines_of(after);
  const std::set<std::string> in_old(old_lines.begin(), old_lines.end());
  const std::set<std::string> in_new(new_lines.begin(), new_lines.end());
  std::string diff;
  for (const std::string& line : old_lines) {
    if (!in_new.contains(line)) diff += "-" + line + "\n";
  }
  for (const std::string& line : new_lines) {
    if (!in_old.contains(line)) diff += "+" + line + "\n";
  }
  return diff;
}

}  // namespace monitor::doctor
