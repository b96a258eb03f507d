#include "ui/web/config_json.h"

#include <fmt/format.h>

#include "base/escape.h"
#include "base/text.h"
#include "config/document.h"
#include "config/history/change_record.h"
#include "config/keys.h"

namespace monitor::analysis::web {

using nlohmann::ordered_json;

std::string dump_json(const ordered_json& json) {
  return printable(json.dump(-1, ' ', false, ordered_json::error_handler_t::replace));
}

std::optional<config::Edited> edited_as(const std::string& key) {
  switch (config::kind_of_key(key)) {
    case config::KeyKind::kDefaults:
    case config::KeyKind::kGroup:
      return config::Edited::kShared;
    case config::KeyKind::kAgent:
      return config::Edited::kOwn;
    default:
      return std::nullopt;
  }
}

std::string kind_of_document(const std::string& key) {
  switch (config::kind_of_key(key)) {
    case config::KeyKind::kDefaults:
      return "defaults";
    case config::KeyKind::kGroup:
      return "group";
    case config::KeyKind::kAgent:
      return "agent";
    case config::KeyKind::kOverride:
      return "override";
    default:
      return "other";
  }
}

Reply no_such_key(const std::string& key) {
  if (Status valid = config::check_key(key); !valid) return error_reply(valid.error());
  return error_reply(400, fmt::format("key: got {}, expected {}, {} or {}", json_quote(key.substr(0, 200)),
                                      config::defaults_key(), config::group_key("NAME"), config::agent_key("AGENT")));
}

ordered_json problem_json(const config::Problem& problem) {
  return {{"path", problem.path},       {"line", problem.line},       {"key", problem.key},
          {"message", problem.message}, {"got", problem.got},         {"known", problem.known},
          {"warning", problem.warning}, {"text", problem.to_string()}};
}

Checked check_document(const std::string& text, config::Edited what, const config::PluginCatalog& plugins) {
  Checked checked;
  auto document = config::Document::parse(text);
  if (!document) {
    checked.problems.push_back({{"path", ""},
                                {"line", 0},
                                {"key", ""},
                                {"message", document.error().message()},
                                {"got", ""},
                                {"known", ""},
                                {"warning", false},
                                {"text", document.error().message()}});
    return checked;
  }
  const auto validated = config::validate({{"", 0, std::move(*document), what == config::Edited::kOwn}}, plugins);
  checked.valid = validated.ok();
  for (const config::Problem& problem : validated.problems) checked.problems.push_back(problem_json(problem));
  return checked;
}

Result<std::string> message_of(const nlohmann::json& request) {
  if (!request.contains("message") || request["message"].is_null()) return std::string();
  if (!request["message"].is_string()) return Error(Code::kInvalidArgument, "body: message: expected a string");
  auto message = request["message"].get<std::string>();
  if (Status good = config::check_message(message); !good) return good.error().with_context("body");
  return message;
}

}  // namespace monitor::analysis::web
