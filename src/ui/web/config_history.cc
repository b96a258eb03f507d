// ConfigService: the old versions of a document, and overrides that it sets.
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <utility>
#include <vector>

#include "base/time_format.h"
#include "config/foreign_json.h"
#include "config/keys.h"
#include "config/layers.h"
#include "ui/web/config_json.h"
#include "ui/web/config_service.h"

namespace monitor::analysis::web {

using nlohmann::ordered_json;

namespace {

constexpr size_t kMostVersions = 50;
constexpr int64_t kLeastOverride = 1;
constexpr int64_t kMostOverride = int64_t{30} * 24 * 3600;

struct OverrideRequest {
  std::string value;
  int64_t seconds = 0;
  std::string message;
};

Result<OverrideRequest> parse_override(const std::string& body) {
  const auto request = config::parse_foreign<nlohmann::json>(body);
  const auto invalid = [](const std::string& fault) { return Error(Code::kInvalidArgument, "body: " + fault); };
  if (!request.is_object() || !request.contains("value") || !request["value"].is_string()) {
    return invalid("value: expected a string, the settings as a JSON object");
  }
  if (!request.contains("seconds") || !request["seconds"].is_number_integer()) {
    return invalid("seconds: expected a whole number");
  }
  auto message = message_of(request);
  if (!message) return message.error();
  OverrideRequest found{request["value"], request["seconds"], std::move(*message)};
  if (found.seconds < kLeastOverride || found.seconds > kMostOverride) {
    return invalid(fmt::format("seconds: got {}, expected {} to {}", found.seconds, kLeastOverride, kMostOverride));
  }
  return found;
}

ordered_json time_json(int64_t ns) { return ns == 0 ? ordered_json() : ordered_json(static_cast<double>(ns) / 1e9); }

ordered_json version_json(const config::Version& version, bool names) {
  const bool has_text = !version.deleted && version.kept;
  const auto named = [&](const std::string& text) {
    return names && version.recorded && !text.empty() ? ordered_json(text) : ordered_json();
  };
  return {{"revision", version.stored.revision},
          {"value", has_text ? ordered_json(version.stored.value) : ordered_json()},
          {"deleted", version.deleted},
          {"time", time_json(version.written_ns)},
          {"recorded", version.recorded},
          {"found", version.recorded ? ordered_json() : time_json(version.note.at_ns)},
          {"who", version.recorded && names ? ordered_json(config::describe_author(version.note)) : ordered_json()},
          {"why", named(version.note.message)}};
}

}  // namespace

Reply ConfigService::history(const std::string& key, bool names) {
  if (kind_of_document(key) == "other") return no_such_key(key);
  const auto opened = store();
  if (!opened) return error_reply(opened.error());
  const auto history = (*opened)->history(key, kMostVersions);
  if (!history) return error_reply(history.error());
  ordered_json versions = ordered_json::array();
  for (const config::Version& version : *history ? (*history)->versions : std::vector<config::Version>()) {
    versions.push_back(version_json(version, names));
  }
  return json_reply(dump_json({{"key", key},
                               {"kept", history->has_value()},
                               {"complete", *history && (*history)->complete},
                               {"versions", versions}}));
}

Reply ConfigService::set_override(const std::string& key, const std::string& body, const ChangedBy& by) {
  if (kind_of_document(key) != "override") {
    return error_reply(400, fmt::format("key: expected {}NAME, {}NAME or {}NAME", config::agent_overrides("AGENT"),
                                        config::group_overrides("GROUP"), config::shared_overrides()));
  }
  const auto request = parse_override(body);
  if (!request) return error_reply(400, request.error().message());
  if (auto refusal = refusal_of(key, request->value, config::Edited::kShared)) return std::move(*refusal);
  auto document = config::parse_foreign<ordered_json>(request->value);
  if (!document.is_object() || document.empty()) return error_reply(400, "value: expected at least one setting");
  const int64_t ns = request->seconds * kNanosPerSecond;
  document[std::string(config::kExpiresAt)] = format_rfc3339(clock_.wall_ns() + ns, 3);
  const std::string value = document.dump(4) + "\n";
  const auto opened = store();
  if (!opened) return error_reply(opened.error());
  const auto before = (*opened)->get(key);
  if (!before) return error_reply(before.error());
  const auto done = (*opened)->put_noted_for(key, note_of(by, request->message), value, ns);
  if (!done) return error_reply(done.error());
  const config::Stored after{value, *done};
  record(key, *before, after, *done, by);
  return json_reply(dump_json({{"key", key}, {"revision", *done}, {"tag", tag_of(after)}}));
}

}  // namespace monitor::analysis::web
