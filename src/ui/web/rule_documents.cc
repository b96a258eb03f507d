#include "ui/web/rule_documents.h"

#include <fmt/format.h>

#include <utility>

#include "base/text.h"
#include "config/keys.h"
#include "rules/rule_file.h"
#include "ui/web/rule_json.h"

namespace monitor::analysis::web {

namespace {

std::string text_or_null(const std::string& text) { return text.empty() ? "null" : json_quote(text); }

}  // namespace

RuleDocuments::Files RuleDocuments::files(const rules::RuleFileList& in_force, std::string& trouble) {
  Files all;
  for (const rules::RuleFileStatus& one : *in_force) {
    all[one.name] = {.document = "",
                     .tag = "",
                     .place = one.name,
                     .text = one.text,
                     .fault = one.fault,
                     .rules = one.rules,
                     .in_force = one.rules > 0 || one.fault.empty()};
  }
  const auto store = config_.store();
  const auto stored =
      store ? (*store)->list(std::string(config::kRulesRoot)) : Result<config::StoredKeys>(store.error());
  if (!stored) {
    trouble = stored.error().message();
    return all;
  }
  for (const auto& [key, document] : *stored) {
    if (!key.starts_with(config::kRulesRoot)) continue;
    const std::string place = (*store)->describe(key);
    File& file = all[config_.options().files ? place : "etcd:" + place];
    file.document = config::name_of_key(key);
    file.tag = tag_of(document);
    file.place = place;
    file.text = document.value;
    const rules::RuleFile parsed = rules::parse_rule_file(document.value, place);
    file.rules = parsed.rules();
    file.fault = parsed.fault_text(place);
  }
  return all;
}

Reply RuleDocuments::list(const rules::RuleFileList& in_force) {
  std::string trouble;
  std::string rows;
  for (const auto& [name, file] : files(in_force, trouble)) {
    rows += fmt::format(R"({}{{"file":{},"document":{},"tag":{},"place":{},"rules":{},"fault":{},"in_force":{}}})",
                        rows.empty() ? "" : ",", json_quote(name), text_or_null(file.document), text_or_null(file.tag),
                        json_quote(file.place), file.rules, text_or_null(file.fault), file.in_force);
  }
  return json_reply(fmt::format(R"({{"files":[{}],"configuration":{},"trouble":{}}})", rows,
                                json_quote(config_.options().describe), json_quote(trouble)));
}

Reply RuleDocuments::read(const std::string& file, const rules::RuleFileList& in_force) {
  std::string trouble;
  const Files all = files(in_force, trouble);
  const auto found = all.find(file);
  if (found == all.end()) {
    const std::string why = trouble.empty() ? "" : fmt::format("; the configuration cannot be read: {}", trouble);
    return error_reply(trouble.empty() ? 404 : 503, fmt::format("no such file of rules: {}{}", json_quote(file), why));
  }
  const File& one = found->second;
  return json_reply(fmt::format(R"({{"file":{},"document":{},"tag":{},"place":{},"text":{},"fault":{}}})",
                                json_quote(file), text_or_null(one.document), text_or_null(one.tag),
                                json_quote(one.place), json_quote(one.text), text_or_null(one.fault)));
}

Reply RuleDocuments::change(const std::string& name, const std::string& body, const ChangedBy& by) {
  if (!valid_name(name)) {
    return error_reply(400, fmt::format("name: got {}, expected 1 to 128 characters of [A-Za-z0-9._-]",
                                        json_quote(name.substr(0, 200))));
  }
  const auto refuse = [](const std::string& text) -> std::optional<Reply> {
    const rules::RuleFile file = rules::parse_rule_file(text, "");
    if (file.faults.empty() && file.rules() > 0) return std::nullopt;
    const std::string why = file.faults.empty() ? "the file has no rules; delete it, if that is meant"
                                                : "the file is not valid; nothing was stored";
    return json_reply(
        fmt::format(R"({{"error":{},"problems":{}}})", json_quote(why), problems_json(file.faults, false)), 422);
  };
  return config_.change_checked(config::rules_key(name), body, by, refuse);
}

}  // namespace monitor::analysis::web
