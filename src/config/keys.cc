#include "config/keys.h"

#include <fmt/format.h>

#include <array>
#include <utility>

#include "base/text.h"

namespace monitor::config {

namespace {

constexpr size_t kShown = 200;  // bytes of an invalid key in an error message

std::string joined(std::string_view folder, std::string_view name) {
  return fmt::format("{}{}/{}", kKeyRoot, folder, name);
}

Error wrong_key(std::string_view what, std::string_view key, const std::string& reason) {
  return Error(Code::kInvalidArgument, fmt::format("{}: got {}: {}", what, json_quote(key.substr(0, kShown)), reason));
}

Status check_segments(std::string_view what, std::string_view key, std::string_view rest) {
  const auto segments = split(rest, '/');
  if (segments.size() > kMaxKeySegments) {
    return wrong_key(what, key, fmt::format("it has {} segments, the limit is {}", segments.size(), kMaxKeySegments));
  }
  for (size_t i = 0; i < segments.size(); ++i) {
    if (valid_name(segments[i])) continue;
    return wrong_key(what, key,
                     fmt::format("segment {} is {}, expected 1 to 128 of [A-Za-z0-9._-], not . or ..", i + 1,
                                 segments[i].empty() ? "empty" : json_quote(segments[i].substr(0, kShown))));
  }
  return {};
}

}  // namespace

std::string defaults_key() { return std::string(kKeyRoot) + "defaults"; }
std::string agent_key(std::string_view agent_id) { return joined("config", agent_id); }
std::string group_key(std::string_view group) { return joined("groups", group); }
std::string status_key(std::string_view agent_id) { return joined("status", agent_id); }
std::string inventory_key(std::string_view agent_id) { return joined("inventory", agent_id); }
std::string plugin_key(std::string_view plugin) { return std::string(kPluginsRoot).append(plugin); }
std::string notification_log_key(size_t part) { return std::string(kNotificationsRoot) + std::to_string(part); }
std::string silence_key(std::string_view id) { return std::string(kSilencesRoot).append(id); }
std::string rules_key(std::string_view name) { return std::string(kRulesRoot).append(name); }
std::string rollout_key(std::string_view group) { return std::string(kRolloutsRoot).append(group); }
std::string notifier_key() { return joined("leases", "notifier"); }

std::string shared_overrides() { return std::string(kOverridesRoot) + "all/"; }
std::string agent_overrides(std::string_view agent_id) { return fmt::format("{}agents/{}/", kOverridesRoot, agent_id); }
std::string group_overrides(std::string_view group) { return fmt::format("{}groups/{}/", kOverridesRoot, group); }
std::string all_group_overrides() { return std::string(kOverridesRoot) + "groups/"; }

KeyKind kind_of_key(std::string_view key) {
  constexpr std::array kFolders = std::to_array<std::pair<std::string_view, KeyKind>>({
      {"config", KeyKind::kAgent},
      {"groups", KeyKind::kGroup},
      {"plugins", KeyKind::kPlugin},
      {"status", KeyKind::kStatus},
      {"inventory", KeyKind::kInventory},
  });
  if (!key.starts_with(kKeyRoot) || !check_key(key)) return KeyKind::kOther;
  const auto segments = split(key.substr(kKeyRoot.size()), '/');
  if (segments.size() == 1) return segments[0] == "defaults" ? KeyKind::kDefaults : KeyKind::kOther;
  if (segments[0] == "overrides") {
    const bool known = (segments.size() == 3 && segments[1] == "all") ||
                       (segments.size() == 4 && (segments[1] == "agents" || segments[1] == "groups"));
    return known ? KeyKind::kOverride : KeyKind::kOther;
  }
  for (const auto& [folder, kind] : kFolders) {
    if (segments[0] == folder && segments.size() == 2) return kind;
  }
  return KeyKind::kOther;
}

std::string_view name_of_key(std::string_view key) {
  const size_t slash = key.rfind('/');
  return slash == std::string_view::npos ? std::string_view() : key.substr(slash + 1);
}

bool has_history(std::string_view key) {
  const KeyKind kind = kind_of_key(key);
  return kind == KeyKind::kDefaults || kind == KeyKind::kGroup || kind == KeyKind::kAgent || kind == KeyKind::kOverride;
}

std::string history_prefix(std::string_view key) {
  return fmt::format("{}{}/", kHistoryRoot, key.substr(kKeyRoot.size()));
}

std::string history_key(std::string_view key, uint64_t number) {
  return fmt::format("{}{:010}", history_prefix(key), number);
}

std::string history_end(std::string_view key) { return history_key(key, kMostRecordNumber + 1); }

std::optional<RecordPlace> place_of_record(std::string_view record_key) {
  if (!record_key.starts_with(kHistoryRoot) || !check_key(record_key)) return std::nullopt;
  const std::string_view digits = name_of_key(record_key);
  const auto number = parse_u64(digits);
  if (!number || *number == 0 || *number > kMostRecordNumber) return std::nullopt;
  const std::string_view rest = record_key.substr(kHistoryRoot.size());
  if (rest.size() <= digits.size()) return std::nullopt;
  RecordPlace place{std::string(kKeyRoot).append(rest.substr(0, rest.size() - digits.size() - 1)), *number};
  if (!has_history(place.key) || history_key(place.key, place.number) != record_key) return std::nullopt;
  return place;
}

Status check_key(std::string_view key) {
  if (!key.starts_with('/')) return wrong_key("key", key, "expected a leading slash");
  return check_segments("key", key, key.substr(1));
}

Status check_prefix(std::string_view prefix) {
  if (prefix.size() < 3 || !prefix.starts_with('/') || !prefix.ends_with('/')) {
    return wrong_key("prefix of keys", prefix, "expected a leading and a trailing slash");
  }
  return check_segments("prefix of keys", prefix, prefix.substr(1, prefix.size() - 2));
}

}  // namespace monitor::config
