#include "config/history/text_diff.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>

#include "base/text.h"
#include "config/document.h"
#include "config/foreign_json.h"

namespace monitor::config {

namespace {

using nlohmann::json;
using nlohmann::ordered_json;
using Lines = std::vector<std::string_view>;

constexpr size_t kContext = 3;
constexpr int kMostEdits = 1000;  // the search remembers as many states as its square

struct Edit {
  char kind;  // ' ', '-' or '+'
  std::string_view line;
};

Lines lines_of(std::string_view text) {
  if (text.empty()) return {};
  if (text.ends_with('\n')) text.remove_suffix(1);
  return split(text, '\n');
}

// Myers' search for the shortest list of edits. `trace` gets the furthest points for each number of edits. False: there
// are more than kMostEdits.
bool search(const Lines& a, const Lines& b, std::vector<std::vector<int>>& trace) {
  const int n = static_cast<int>(a.size());
  const int m = static_cast<int>(b.size());
  const int most = std::min(n + m, kMostEdits);
  std::vector<int> furthest(static_cast<size_t>(2 * most + 3), 0);
  const auto at = [&furthest, most](int k) -> int& { return furthest[static_cast<size_t>(k + most + 1)]; };
  for (int d = 0; d <= most; ++d) {
    trace.emplace_back(furthest.begin() + (most + 1 - d - 1), furthest.begin() + (most + 1 + d + 2));
    for (int k = -d; k <= d; k += 2) {
      int x = k == -d || (k != d && at(k - 1) < at(k + 1)) ? at(k + 1) : at(k - 1) + 1;
      while (x < n && x - k < m && a[static_cast<size_t>(x)] == b[static_cast<size_t>(x - k)]) ++x;
      at(k) = x;
      if (x >= n && x - k >= m) return true;
    }
  }
  return false;
}

// Walks back from the end of both texts.
std::vector<Edit> edits_of(const Lines& a, const Lines& b) {
  std::vector<std::vector<int>> trace;
  std::vector<Edit> edits;
  if (!search(a, b, trace)) {
    for (const auto& line : a) edits.push_back({'-', line});
    for (const auto& line : b) edits.push_back({'+', line});
    return edits;
  }
  int x = static_cast<int>(a.size());
  int y = static_cast<int>(b.size());
  for (int d = static_cast<int>(trace.size()) - 1; d >= 0; --d) {
    const auto& then = trace[static_cast<size_t>(d)];
    const auto at = [&then, d](int k) { return then[static_cast<size_t>(k + d + 1)]; };
    const int k = x - y;
    const bool down = k == -d || (k != d && at(k - 1) < at(k + 1));
    const int from_k = down ? k + 1 : k - 1;
    const int from_x = d == 0 ? 0 : at(from_k);
    const int from_y = d == 0 ? 0 : from_x - from_k;
    while (x > from_x && y > from_y) {
      edits.push_back({' ', a[static_cast<size_t>(--x)]});
      --y;
    }
    if (d == 0) break;
    edits.push_back(down ? Edit{'+', b[static_cast<size_t>(--y)]} : Edit{'-', a[static_cast<size_t>(--x)]});
  }
  std::reverse(edits.begin(), edits.end());
  return edits;
}

std::string hunk_of(const std::vector<Edit>& edits, size_t from, size_t to, size_t line_a, size_t line_b) {
  size_t count_a = 0;
  size_t count_b = 0;
  std::string body;
  for (size_t i = from; i < to; ++i) {
    count_a += edits[i].kind != '+' ? 1 : 0;
    count_b += edits[i].kind != '-' ? 1 : 0;
    body += fmt::format("{}{}\n", edits[i].kind, edits[i].line);
  }
  return fmt::format("@@ -{},{} +{},{} @@\n{}", count_a == 0 ? line_a : line_a + 1, count_a,
                     count_b == 0 ? line_b : line_b + 1, count_b, body);
}

void add_changes(const json& before, const json& after, const std::string& pointer, std::vector<ValueChange>& changes) {
  if (before == after) return;
  if (!before.is_object() || !after.is_object()) {
    changes.push_back({pointer, before.dump(), after.dump()});
    return;
  }
  json names = before;
  names.update(after);
  for (const auto& [name, unused] : names.items()) {
    const std::string inner = pointer + pointer_step(name);
    if (!before.contains(name)) {
      changes.push_back({inner, "", after[name].dump()});
    } else if (!after.contains(name)) {
      changes.push_back({inner, before[name].dump(), ""});
    } else {
      add_changes(before[name], after[name], inner, changes);
    }
  }
}

json object_of_text(const std::optional<std::string>& document) {
  auto value = document ? parse_foreign<json>(*document) : json();
  return value.is_object() ? value : json::object();
}

}  // namespace

std::string shown_text(const std::optional<std::string>& document) {
  if (!document) return "";
  // Strictly, so that nothing is left out of what is shown.
  if (!Document::parse(*document)) return *document;
  return ordered_json::parse(*document).dump(4) + "\n";
}

std::string unified_diff(std::string_view before, std::string_view after) {
  if (before == after) return "";
  const auto edits = edits_of(lines_of(before), lines_of(after));
  std::string out;
  size_t line_a = 0;
  size_t line_b = 0;
  size_t begin = 0;  // of what has not been counted
  for (size_t i = 0; i < edits.size();) {
    if (edits[i].kind == ' ') {
      ++i;
      continue;
    }
    const size_t from = std::max(begin, i < kContext ? 0 : i - kContext);
    size_t to = i;
    for (size_t quiet = 0; to < edits.size() && quiet <= 2 * kContext; ++to) {
      quiet = edits[to].kind == ' ' ? quiet + 1 : 0;
    }
    // Only the first lines of a long end stay as context.
    size_t last = to;
    while (edits[last - 1].kind == ' ') --last;
    to = std::min(last + kContext, to);
    for (; begin < from; ++begin, ++line_a, ++line_b) {
    }
    out += hunk_of(edits, from, to, line_a, line_b);
    for (; begin < to; ++begin) {
      line_a += edits[begin].kind != '+' ? 1 : 0;
      line_b += edits[begin].kind != '-' ? 1 : 0;
    }
    i = to;
  }
  // Texts may differ only in the end of their last line.
  return out;
}

bool same_document(const std::optional<std::string>& a, const std::optional<std::string>& b) {
  if (!a || !b || *a == *b) return a == b;
  const auto left = Document::parse(*a);
  const auto right = Document::parse(*b);
  return left && right && left->value() == right->value();
}

std::string document_diff(const std::optional<std::string>& before, const std::optional<std::string>& after) {
  return same_document(before, after) ? "" : unified_diff(shown_text(before), shown_text(after));
}

std::vector<ValueChange> value_changes(const json& before, const json& after) {
  std::vector<ValueChange> changes;
  add_changes(before, after, "", changes);
  return changes;
}

std::vector<ValueChange> document_changes(const std::optional<std::string>& before,
                                          const std::optional<std::string>& after) {
  return value_changes(object_of_text(before), object_of_text(after));
}

}  // namespace monitor::config
