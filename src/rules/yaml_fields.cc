#include "rules/yaml_fields.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/text.h"
#include "query/duration.h"

namespace monitor::rules {

namespace {

// Texts of files are shown in messages; a long one is cut.
std::string shown(std::string_view text) {
  constexpr size_t kMost = 80;
  return json_quote(text.size() > kMost ? std::string(text.substr(0, kMost)) + "..." : std::string(text));
}

std::string got(const YamlNode& node) {
  return node.kind == YamlNode::Kind::kScalar ? shown(node.text) : std::string(node.kind_name());
}

}  // namespace

YamlFields::YamlFields(const YamlPtr& node, std::string what, std::vector<Fault>& faults)
    : node_(node), what_(std::move(what)), faults_(faults) {
  if (node_) place_ = node_->place;
  is_map_ = node_ && node_->kind == YamlNode::Kind::kMap;
  if (!is_map_) fault(place_, fmt::format("got {}, expected {}, a map", node_ ? got(*node_) : "nothing", what_));
}

YamlPtr YamlFields::take(std::string_view key) {
  if (std::ranges::find(known_, key) == known_.end()) known_.emplace_back(key);
  if (!is_map_) return nullptr;
  for (const auto& [name, value] : node_->entries) {
    if (name->text == key) return value->kind == YamlNode::Kind::kNull ? nullptr : value;
  }
  return nullptr;
}

Place YamlFields::place_of(std::string_view key) const {
  if (is_map_) {
    for (const auto& [name, value] : node_->entries) {
      if (name->text == key) return name->place;
    }
  }
  return place_;
}

std::optional<std::string> YamlFields::text(std::string_view key) {
  const YamlPtr node = take(key);
  if (!node) return std::nullopt;
  if (node->kind != YamlNode::Kind::kScalar) {
    fault(node->place, fmt::format("{}: got {}, expected a text", key, node->kind_name()));
    return std::nullopt;
  }
  return node->text;
}

std::optional<int64_t> YamlFields::duration_ms(std::string_view key) {
  const YamlPtr node = take(key);
  if (!node) return std::nullopt;
  const auto ms = node->kind == YamlNode::Kind::kScalar
                      ? (node->text == "0" ? std::optional<int64_t>(0) : query::parse_duration_ms(node->text))
                      : std::nullopt;
  if (!ms) fault(node->place, fmt::format("{}: got {}, expected a duration such as 1h30m or 15s", key, got(*node)));
  return ms;
}

std::optional<int64_t> YamlFields::integer(std::string_view key, int64_t least, int64_t most) {
  const YamlPtr node = take(key);
  if (!node) return std::nullopt;
  auto number = node->kind == YamlNode::Kind::kScalar && !node->quoted ? parse_i64(node->text) : std::nullopt;
  if (number && (*number < least || *number > most)) number.reset();
  if (!number) {
    fault(node->place, fmt::format("{}: got {}, expected an integer from {} to {}", key, got(*node), least, most));
  }
  return number;
}

std::optional<bool> YamlFields::boolean(std::string_view key) {
  const YamlPtr node = take(key);
  if (!node) return std::nullopt;
  if (node->kind == YamlNode::Kind::kScalar && !node->quoted) {
    if (node->text == "true") return true;
    if (node->text == "false") return false;
  }
  fault(node->place, fmt::format("{}: got {}, expected true or false", key, got(*node)));
  return std::nullopt;
}

std::vector<YamlPtr> YamlFields::list(std::string_view key) {
  const YamlPtr node = take(key);
  if (!node) return {};
  if (node->kind == YamlNode::Kind::kSequence) return node->items;
  fault(node->place, fmt::format("{}: got {}, expected a list", key, got(*node)));
  return {};
}

std::vector<YamlFields::Entry> YamlFields::texts(std::string_view key) {
  const YamlPtr node = take(key);
  if (!node) return {};
  if (node->kind != YamlNode::Kind::kMap) {
    fault(node->place, fmt::format("{}: got {}, expected a map of texts", key, got(*node)));
    return {};
  }
  std::vector<Entry> entries;
  for (const auto& [name, value] : node->entries) {
    if (value->kind == YamlNode::Kind::kScalar || value->kind == YamlNode::Kind::kNull) {
      entries.push_back({name->text, name->place, value->text, value->place});
    } else {
      fault(value->place, fmt::format("{}: {}: got {}, expected a text", key, name->text, value->kind_name()));
    }
  }
  return entries;
}

void YamlFields::refuse_unknown() {
  if (!is_map_) return;
  for (const auto& [name, value] : node_->entries) {
    if (std::ranges::find(known_, name->text) != known_.end()) continue;
    const auto similar = nearest(name->text, known_);
    fault(name->place, fmt::format("{} has no key {}{}", what_, shown(name->text),
                                   similar ? fmt::format("; did you mean {}?", *similar)
                                           : fmt::format("; expected one of {}", join(known_, ", "))));
  }
}

}  // namespace monitor::rules
