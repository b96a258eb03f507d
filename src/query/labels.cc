#include "query/labels.h"

#include <algorithm>
#include <cctype>
#include <functional>

namespace monitor::query {
namespace {

bool plain(std::string_view name, bool colon) {
  if (name.empty() || std::isdigit(static_cast<unsigned char>(name.front())) != 0) return false;
  return std::ranges::all_of(name, [colon](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || (colon && c == ':');
  });
}

}  // namespace

Labels::Labels(std::vector<Pair> pairs) {
  for (Pair& pair : pairs) set(pair.first, pair.second);
}

std::string_view Labels::get(std::string_view name) const {
  const auto found =
      std::ranges::lower_bound(pairs_, name, {}, [](const Pair& p) { return std::string_view(p.first); });
  return found != pairs_.end() && found->first == name ? std::string_view(found->second) : std::string_view();
}

void Labels::set(std::string_view name, std::string_view value) {
  const auto found =
      std::ranges::lower_bound(pairs_, name, {}, [](const Pair& p) { return std::string_view(p.first); });
  const bool there = found != pairs_.end() && found->first == name;
  if (value.empty()) {
    if (there) pairs_.erase(found);
  } else if (there) {
    found->second = value;
  } else {
    pairs_.emplace(found, std::string(name), std::string(value));
  }
}

Labels Labels::keep(std::span<const std::string> names) const {
  Labels kept;
  for (const Pair& pair : pairs_) {
    if (std::ranges::find(names, pair.first) != names.end()) kept.pairs_.push_back(pair);
  }
  return kept;
}

Labels Labels::without(std::span<const std::string> names) const {
  Labels kept;
  for (const Pair& pair : pairs_) {
    if (std::ranges::find(names, pair.first) == names.end()) kept.pairs_.push_back(pair);
  }
  return kept;
}

Labels Labels::without_name() const {
  Labels rest = *this;
  rest.remove(kNameLabel);
  return rest;
}

Labels Labels::without_metric() const {
  static const std::vector<std::string> kMetric = {std::string(kNameLabel), "__type__", "__unit__"};
  return without(kMetric);
}

size_t Labels::bytes() const {
  constexpr size_t kInside = 15;  // a short text is in the string itself
  size_t bytes = sizeof(*this) + pairs_.capacity() * sizeof(Pair);
  for (const auto& [label, value] : pairs_) {
    if (label.capacity() > kInside) bytes += label.capacity() + 1;
    if (value.capacity() > kInside) bytes += value.capacity() + 1;
  }
  return bytes;
}

std::string Labels::to_string() const {
  const std::string_view metric = name();
  const bool plain_name = plain_metric_name(metric);
  std::string text = plain_name ? std::string(metric) : "";
  std::string inside = !metric.empty() && !plain_name ? quote(metric) : "";
  for (const auto& [label, value] : pairs_) {
    if (label == kNameLabel) continue;
    if (!inside.empty()) inside += ", ";
    inside += (plain_label_name(label) ? label : quote(label)) + "=" + quote(value);
  }
  if (inside.empty() && plain_name) return text;
  return text + "{" + inside + "}";
}

size_t LabelsHash::operator()(const Labels& labels) const {
  size_t hash = 0x9e3779b97f4a7c15U;
  const std::hash<std::string_view> of;
  for (const auto& [label, value] : labels.pairs()) {
    hash = (hash ^ of(label)) * 0xff51afd7ed558ccdU;
    hash = (hash ^ of(value)) * 0xc4ceb9fe1a85ec53U;
  }
  return hash;
}

bool plain_metric_name(std::string_view name) { return plain(name, true); }
bool plain_label_name(std::string_view name) { return plain(name, false); }

std::string quote(std::string_view text) {
  std::string quoted = "\"";
  for (const char c : text) {
    switch (c) {
      case '"':
        quoted += "\\\"";
        break;
      case '\\':
        quoted += "\\\\";
        break;
      case '\n':
        quoted += "\\n";
        break;
      case '\t':
        quoted += "\\t";
        break;
      case '\r':
        quoted += "\\r";
        break;
      default:
        quoted += c;
    }
  }
  return quoted + "\"";
}

std::string shorten(std::string_view text, size_t most) {
  if (text.size() <= most) return std::string(text);
  size_t end = most;
  // Not within a character.
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;
  return std::string(text.substr(0, end)) + "... (" + std::to_string(text.size()) + " bytes)";
}

std::string quote_short(std::string_view text) {
  constexpr size_t kMost = 80;
  if (text.size() <= kMost) return quote(text);
  size_t end = kMost;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;
  return quote(text.substr(0, end)) + "... (" + std::to_string(text.size()) + " bytes)";
}

}  // namespace monitor::query
