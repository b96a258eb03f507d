#include "ui/web/alerts_service.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <optional>
#include <set>

#include "base/log.h"
#include "base/text.h"
#include "base/time_format.h"
#include "notify/overview.h"

namespace monitor::analysis::web {

namespace {

using notify::AlertStore;
using notify::Silence;

Error invalid(const std::string& text) { return Error(Code::kInvalidArgument, text); }

std::string author_of(const Identity& who) { return who.name.empty() ? std::string(who.kind_name()) : who.name; }

notify::SilenceEditor editor_of(const ChangedBy& by) {
  return {.who = author_of(by.who),
          .by = std::string(by.who.kind_name()),
          .role = std::string(access::to_string(by.who.role)),
          .address = by.address,
          .forwarded_for = by.forwarded_for};
}

Result<int64_t> time_of(const nlohmann::json& body, const char* name) {
  if (!body.at(name).is_string()) return invalid(fmt::format("{}: expected a time such as 2026-11-22T12:00:00Z", name));
  const auto ns = parse_rfc3339(body.at(name).get<std::string>());
  if (!ns) return invalid(fmt::format("{}: {}", name, ns.error().message()));
  return *ns / kNanosPerMilli;
}

Status read_matchers(const nlohmann::json& list, notify::Matchers& matchers) {
  if (!list.is_array()) return invalid("matchers: expected a list of texts");
  for (const auto& one : list) {
    if (!one.is_string()) return invalid("matchers: expected a list of texts");
    auto some = notify::parse_matcher_list(one.get<std::string>());
    if (!some) return some.error();
    matchers.insert(matchers.end(), some->begin(), some->end());
  }
  return {};
}

Result<Silence> parse_silence(const std::string& text, int64_t now_ms) {
  const auto body = nlohmann::json::parse(text, nullptr, false);
  if (!body.is_object()) return invalid("the body is no JSON object");
  static const std::set<std::string> kFields = {"id", "matchers", "startsAt", "endsAt", "reason"};
  for (const auto& [name, value] : body.items()) {
    if (!kFields.contains(name)) return invalid("the body has an unknown field " + json_quote(name.substr(0, 80)));
  }
  for (const char* const name : {"matchers", "endsAt", "reason"}) {
    if (!body.contains(name)) return invalid(fmt::format("the body has no {}", name));
  }
  Silence silence;
  if (Status good = read_matchers(body.at("matchers"), silence.matchers); !good) return good.error();
  const auto ends = time_of(body, "endsAt");
  if (!ends) return ends.error();
  silence.ends_ms = *ends;
  silence.starts_ms = now_ms;
  if (body.contains("startsAt")) {
    const auto starts = time_of(body, "startsAt");
    if (!starts) return starts.error();
    silence.starts_ms = *starts;
  }
  if (!body.at("reason").is_string()) return invalid("reason: expected a text");
  silence.reason = body.at("reason").get<std::string>();
  if (body.contains("id")) {
    if (!body.at("id").is_string() || body.at("id").get<std::string>().empty()) return invalid("id: expected a text");
    silence.id = body.at("id").get<std::string>();
  }
  return silence;
}

}  // namespace

Result<AlertStore*> AlertsService::store(AlertStore::Open mode) {
  if (store_) return store_.get();
  auto opened = AlertStore::open(path_, mode, clock_);
  if (!opened) return opened.error();
  store_ = std::move(*opened);
  return store_.get();
}

Reply AlertsService::alerts() {
  const auto store = this->store(AlertStore::Open::kExisting);
  if (!store && store.error().code() == Code::kNotFound) {
    return json_reply(R"({"alerts":[],"receivers":[]})");
  }
  if (!store) return error_reply(store.error());
  const auto path = (*store)->config_path();
  std::optional<notify::Config> config;
  if (path && !path->empty()) {
    if (auto loaded = notify::load_config(*path)) config = std::move(*loaded);
  }
  const auto rows = notify::overview(**store, config ? &*config : nullptr, now_ms());
  if (!rows) return error_reply(rows.error());
  const auto receivers = (*store)->receivers();
  if (!receivers) return error_reply(receivers.error());
  return json_reply(fmt::format(R"({{"alerts":{},"receivers":{}}})", notify::overview_json(*rows),
                                notify::receivers_json(*receivers)));
}

Reply AlertsService::history(int64_t since_ns, size_t most) {
  const auto store = this->store(AlertStore::Open::kExisting);
  if (!store && store.error().code() == Code::kNotFound) return json_reply(R"({"alerts":[]})");
  if (!store) return error_reply(store.error());
  const auto rows = notify::history(**store, since_ns / kNanosPerMilli, most);
  if (!rows) return error_reply(rows.error());
  return json_reply(fmt::format(R"({{"alerts":{}}})", notify::history_json(*rows)));
}

Reply AlertsService::silences() {
  const auto store = this->store(AlertStore::Open::kExisting);
  if (!store && store.error().code() == Code::kNotFound) return json_reply(R"({"silences":[]})");
  if (!store) return error_reply(store.error());
  const auto silences = (*store)->silences();
  if (!silences) return error_reply(silences.error());
  return json_reply(fmt::format(R"({{"silences":{}}})", notify::silences_json(*silences, now_ms())));
}

Reply AlertsService::set_silence(const std::string& body, const ChangedBy& by) {
  auto silence = parse_silence(body, now_ms());
  if (!silence) return error_reply(silence.error());
  const auto store = this->store(AlertStore::Open::kCreate);
  if (!store) return error_reply(store.error());
  silence->author = author_of(by.who);
  return answer((*store)->set_silence(std::move(*silence), editor_of(by)));
}

Reply AlertsService::expire_silence(const std::string& id, const ChangedBy& by) {
  const auto store = this->store(AlertStore::Open::kExisting);
  if (!store && store.error().code() == Code::kNotFound) return error_reply(404, "there is no silence " + id);
  if (!store) return error_reply(store.error());
  return answer((*store)->expire_silence(id, editor_of(by)));
}

Reply AlertsService::answer(const Result<Silence>& silence) {
  if (!silence) {
    if (silence.error().code() == Code::kFailedPrecondition) return error_reply(409, silence.error().message());
    return error_reply(silence.error());
  }
  audit_changes();
  return json_reply(silence_json(*silence, now_ms()));
}

void AlertsService::audit_changes() {
  const auto store = this->store(AlertStore::Open::kExisting);
  if (!store && store.error().code() == Code::kNotFound) return;
  const Status done = !store ? Status(store.error()) : (*store)->audit_silence_changes([this](const auto& change) {
    const auto value = [](const std::string& json) { return json.empty() ? json : access::audit_value(json); };
    audit_.write({.event = change.event,
                  .who = change.editor.who,
                  .by = change.editor.by,
                  .role = change.editor.role,
                  .address = change.editor.address,
                  .forwarded_for = change.editor.forwarded_for,
                  .object = "silence " + change.id,
                  .before = value(change.before),
                  .after = value(change.after)});
  });
  if (!done && !audit_fails_) {
    log_error("changes of silences cannot be audited; trying again", {{"reason", done.error()}});
  }
  audit_fails_ = !done;
}

}  // namespace monitor::analysis::web
