#include "ui/web/config_service.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <utility>

#include "base/audit.h"
#include "base/crc32c.h"
#include "base/escape.h"
#include "base/text.h"
#include "base/time_format.h"
#include "config/document.h"
#include "config/edit.h"
#include "config/foreign_json.h"
#include "config/keys.h"
#include "config/layers.h"
#include "config/schema.h"
#include "config/source.h"
#include "ui/web/config_json.h"

namespace monitor::analysis::web {

using nlohmann::ordered_json;

namespace {

// Agents write their status files every 10 s: an older status belongs to an agent that is gone.
constexpr int64_t kFreshFor = 30 * kNanosPerSecond;

ordered_json row_json(const config::FleetRow& row) {
  ordered_json object = {{"agent", row.agent_id},
                         {"state", config::to_string(row.state)},
                         {"applied", row.applied},
                         {"wanted", row.wanted},
                         {"seen", static_cast<double>(row.seen_ns) / 1e9}};
  const auto status = ordered_json::parse(config::to_json(row.status), nullptr, false);
  for (const char* const field :
       {"error", "last_failed", "host", "version", "groups", "overrides", "hash", "warning"}) {
    object[field] = status.contains(field) ? status.at(field) : ordered_json();
  }
  return object;
}

// A checksum of everything that the page shows of the configuration, except for times.
uint32_t mark_of(const config::StoredKeys& keys, const std::vector<config::FleetRow>& rows) {
  std::string shown;
  for (const auto& [key, stored] : keys) {
    const config::KeyKind kind = config::kind_of_key(key);
    if (kind == config::KeyKind::kStatus || kind == config::KeyKind::kInventory) continue;
    shown += fmt::format("{}={};", key, tag_of(stored));
  }
  for (const config::FleetRow& row : rows) {
    const config::AgentStatus& status = row.status;
    shown +=
        fmt::format("{} {} {} {} {} {} {} {} {} {} {} {};", row.agent_id, config::to_string(row.state), row.applied,
                    row.wanted, status.last_failed, status.hash, status.version, status.host, join(status.groups, ","),
                    join(status.overrides, ","), json_quote(status.error), json_quote(status.warning));
  }
  return crc32c(shown);
}

// When an override ends; null: with its key.
ordered_json expiry_of(const std::string& document) {
  const auto value = config::parse_foreign<nlohmann::json>(document);
  const std::string name(config::kExpiresAt);
  if (!value.is_object() || !value.contains(name) || !value[name].is_string()) return {};
  const auto time = parse_rfc3339(value[name].get<std::string>());
  return time ? ordered_json(static_cast<double>(*time) / 1e9) : ordered_json();
}

}  // namespace

std::string tag_of(const config::Stored& stored) {
  return stored.revision != 0 ? fmt::format("r{}", stored.revision)
                              : fmt::format("f{:08x}-{}", crc32c(stored.value), stored.value.size());
}

std::optional<int64_t> ConfigService::fresh_ns() const {
  return options_.files ? std::optional(kFreshFor) : std::nullopt;
}

Result<config::ConfigStore*> ConfigService::store() {
  if (!store_) {
    auto opened = options_.open();
    if (!opened) return opened.error();
    store_ = std::move(*opened);
  }
  return store_.get();
}

Result<config::StoredKeys> ConfigService::keys() {
  const auto opened = store();
  if (!opened) return opened.error();
  return (*opened)->list(std::string(config::kKeyRoot));
}

config::FleetCatalog ConfigService::catalog(const config::StoredKeys& all) const {
  return {plugins_, all, clock_.wall_ns(), fresh_ns()};
}

bool ConfigService::note_read(const config::StoredKeys& keys, const std::vector<config::FleetRow>& rows) {
  const uint32_t mark = mark_of(keys, rows);
  const bool shown_in_between = std::exchange(shown_in_between_, false);
  return std::exchange(seen_mark_, mark) != mark || shown_in_between;
}

Reply ConfigService::overview(const std::string& live_id) {
  const auto all = keys();
  if (!all) return error_reply(all.error());
  const auto rows = config::fleet_of(*all, clock_.wall_ns(), fresh_ns());
  // If the state goes back before the next periodic read, that read finds nothing new: the page must still be told.
  const uint32_t mark = mark_of(*all, rows);
  if (std::exchange(seen_mark_, mark) != mark) shown_in_between_ = true;
  ordered_json documents = ordered_json::array();
  for (const auto& [key, stored] : *all) {
    const std::string kind = kind_of_document(key);
    if (kind == "other") continue;
    documents.push_back({{"key", key},
                         {"kind", kind},
                         {"revision", stored.revision},
                         {"tag", tag_of(stored)},
                         {"bytes", stored.value.size()},
                         {"expires", kind == "override" ? expiry_of(stored.value) : ordered_json()}});
  }
  ordered_json agents = ordered_json::array();
  for (const auto& row : rows) agents.push_back(row_json(row));
  return json_reply(dump_json({{"live_id", live_id},
                               {"source", options_.describe},
                               {"files", options_.files},
                               {"documents", documents},
                               {"agents", agents}}));
}

Reply ConfigService::document(const std::string& key) {
  if (kind_of_document(key) == "other") return no_such_key(key);
  const auto opened = store();
  if (!opened) return error_reply(opened.error());
  const auto stored = (*opened)->get(key);
  if (!stored) return error_reply(stored.error());
  if (!*stored) return error_reply(404, "no such document: " + key);
  return json_reply(dump_json({{"key", key},
                               {"value", (*stored)->value},
                               {"revision", (*stored)->revision},
                               {"tag", tag_of(**stored)},
                               {"place", (*opened)->describe(key)}}));
}

Status ConfigService::check_versions(const config::StoredKeys& all, const std::string& key,
                                     const std::string& text) const {
  const auto needed = config::needed_versions(config::parse_foreign<nlohmann::json>(text));
  if (needed.empty()) return {};
  for (const auto& row : config::fleet_of(all, clock_.wall_ns(), fresh_ns())) {
    if (!config::lives(row.state)) continue;
    if (config::kind_of_key(key) == config::KeyKind::kAgent && config::name_of_key(key) != row.agent_id) continue;
    for (const auto& need : needed) {
      if (!config::is_older(row.status.version, need.since)) continue;
      return Error(Code::kInvalidArgument, fmt::format("agent {} has version {} and does not know {} (since {})",
                                                       row.agent_id, row.status.version, need.field, need.since));
    }
  }
  return {};
}

config::ChangeNote ConfigService::note_of(const ChangedBy& by, const std::string& message) const {
  config::ChangeNote note;
  // What cannot be recorded of a name from outside is cut off or replaced.
  note.author = sanitize_utf8(by.who.text()).substr(0, config::kMostAuthorBytes);
  note.kind = config::AuthorKind::kPageUser;
  note.message = message;
  note.command = "page";
  note.at_ns = clock_.wall_ns();
  return note;
}

void ConfigService::record(const std::string& key, const std::optional<config::Stored>& before,
                           const std::optional<config::Stored>& after, int64_t revision, const ChangedBy& by) {
  if (!before && !after) return;
  log_audit("configuration changed by the page", {{"who", by.who.text()},
                                                  {"address", by.address},
                                                  {"forwarded_for", by.forwarded_for},
                                                  {"origin", by.origin},
                                                  {"operation", !after   ? "delete"
                                                                : before ? "replace"
                                                                         : "create"},
                                                  {"key", key},
                                                  {"old_revision", before ? tag_of(*before) : "none"},
                                                  {"new_revision", after ? tag_of(*after) : "none"}});
  audit_.write({.event = "config.change",
                .who = by.who.name,
                .by = std::string(by.who.kind_name()),
                .role = std::string(access::to_string(by.who.role)),
                .address = by.address,
                .forwarded_for = by.forwarded_for,
                .object = key,
                .revision = revision,
                .before = before ? access::audit_value(before->value) : "null",
                .after = after ? access::audit_value(after->value) : "null"});
}

namespace {

// The body of a change.
struct ChangeRequest {
  std::optional<std::string> base;   // tag of the version that was edited; nothing: a new document
  std::optional<std::string> value;  // nothing: delete the document
  std::string message;               // why
};

Result<ChangeRequest> parse_change(const std::string& body) {
  const auto invalid = [](const std::string& fault) { return Error(Code::kInvalidArgument, "body: " + fault); };
  const auto request = config::parse_foreign<nlohmann::json>(body);
  if (!request.is_object()) return invalid("expected a JSON object");
  if (!request.contains("base") || !(request["base"].is_null() || request["base"].is_string())) {
    return invalid("base: expected the tag of the version that was edited, or null for a new document");
  }
  // A misspelled "value" would delete the document.
  for (const auto& [field, content] : request.items()) {
    if (field != "base" && field != "value" && field != "message") {
      return invalid(json_quote(field.substr(0, 100)) +
                     ": unknown field; expected base, value and message; nothing was changed");
    }
  }
  ChangeRequest change;
  if (!request["base"].is_null()) change.base = request["base"].get<std::string>();
  if (request.contains("value")) {
    if (!request["value"].is_string()) return invalid("value: expected a string");
    change.value = request["value"].get<std::string>();
  }
  auto message = message_of(request);
  if (!message) return message.error();
  change.message = std::move(*message);
  return change;
}

}  // namespace

// The reply if the document must not be stored.
std::optional<Reply> ConfigService::refusal_of(const std::string& key, const std::string& value, config::Edited what) {
  const auto all = keys();
  if (!all) return error_reply(all.error());
  const Checked checked = check_document(value, what, catalog(*all));
  if (!checked.valid) {
    return json_reply(
        dump_json({{"error", "the document is not valid; nothing was stored"}, {"problems", checked.problems}}), 422);
  }
  if (Status known = check_versions(*all, key, value); !known) return error_reply(known.error());
  return std::nullopt;
}

Reply ConfigService::change(const std::string& key, const std::string& body, const ChangedBy& by) {
  const auto what = edited_as(key);
  const bool is_override = kind_of_document(key) == "override";
  if (!what && !is_override) return no_such_key(key);
  return change_checked(key, body, by, [&](const std::string& value) -> std::optional<Reply> {
    if (is_override) return error_reply(400, "key: an override can only be set for a time, or be deleted");
    return refusal_of(key, value, *what);
  });
}

Reply ConfigService::change_checked(const std::string& key, const std::string& body, const ChangedBy& by,
                                    const Refuse& refuse) {
  const auto request = parse_change(body);
  if (!request) return error_reply(400, request.error().message());
  const auto& [base, value, message] = *request;
  if (value) {
    if (auto refusal = refuse(*value)) return std::move(*refusal);
  }
  const auto opened = store();
  if (!opened) return error_reply(opened.error());
  std::optional<config::Stored> other;
  bool conflict = false;
  const auto done = (*opened)->update_noted(
      key, note_of(by, message),
      [&](const std::optional<config::Stored>& current) -> Result<std::optional<std::string>> {
        const auto tag = current ? std::optional(tag_of(*current)) : std::nullopt;
        conflict = tag != base;
        other = current;
        if (conflict) return Error(Code::kAborted, "the document has changed since it was read; nothing was stored");
        return value;
      });
  if (!done && conflict) {
    const ordered_json current =
        other ? ordered_json{{"value", other->value}, {"revision", other->revision}, {"tag", tag_of(*other)}}
              : ordered_json();
    return json_reply(dump_json({{"error", done.error().message()}, {"current", current}}), 409);
  }
  if (!done) return error_reply(done.error());
  record(key, other, value ? std::optional(config::Stored{*value, *done}) : std::nullopt, *done, by);
  const ordered_json tag = value ? ordered_json(tag_of({*value, *done})) : ordered_json();
  return json_reply(dump_json({{"key", key}, {"revision", *done}, {"tag", tag}}));
}

Reply ConfigService::validate(const std::string& key, const std::string& text) {
  const auto what = edited_as(key);
  if (!what) return no_such_key(key);
  // Without the store, only checks that do not need it are made.
  const auto all = keys();
  const Checked checked = all ? check_document(text, *what, catalog(*all)) : check_document(text, *what, plugins_);
  return json_reply(dump_json({{"valid", checked.valid}, {"problems", checked.problems}}));
}

Reply ConfigService::schema() const { return json_reply(config::json_schema(plugins_.plugin_names())); }

// Passes on every field that an agent reports, including fields that this version does not know.
Reply ConfigService::plugins() {
  const auto all = keys();
  if (!all) return error_reply(all.error());
  ordered_json rows = ordered_json::array();
  ordered_json refused = ordered_json::array();
  for (const auto& row : config::fleet_of(*all, clock_.wall_ns(), fresh_ns())) {
    const auto stored = all->find(config::status_key(row.agent_id));
    if (stored == all->end() || !config::lives(row.state)) continue;
    if (row.status.error.find("plugin") != std::string::npos) {
      refused.push_back({{"agent", row.agent_id}, {"host", row.status.host}, {"reason", row.status.error}});
    }
    const auto status = config::parse_foreign<ordered_json>(stored->second.value);
    if (!status.is_object() || !status.contains("plugins") || !status["plugins"].is_array()) continue;
    for (const auto& plugin : status["plugins"]) {
      if (!plugin.is_object()) continue;
      rows.push_back({{"agent", row.agent_id},
                      {"host", row.status.host},
                      {"agent_version", row.status.version},
                      {"plugin", plugin}});
    }
  }
  return json_reply(dump_json({{"known", plugins_.plugin_names()}, {"plugins", rows}, {"refused", refused}}));
}

}  // namespace monitor::analysis::web
