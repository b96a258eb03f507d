// Validator: the entries of "metrics" and "plugins".
#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "config/validator.h"

namespace monitor::config {

using nlohmann::json;

namespace {

constexpr size_t kMaxEntries = 1000;  // further entries are not validated
constexpr size_t kMaxPlugins = 32;
constexpr size_t kMaxPatterns = 64;
constexpr std::string_view kDefaultEntry = "default";  // an entry of "metrics"

std::vector<std::string> selector_names() {
  std::vector<std::string> names;
  for (const Selector& one : selectors()) names.emplace_back(one.name);
  return names;
}

bool valid_pattern(std::string_view text) { return !text.empty() && text.size() <= 256; }

}  // namespace

void Validator::read_list(const std::string& path, const json& value,
                          void (Validator::*item)(const std::string&, const json&)) {
  if (!value.is_array()) {
    problem(path, "must be a list, as [\"cpu\"]", value);
    return;
  }
  const size_t most = item == &Validator::read_plugin ? kMaxPlugins : kMaxEntries;
  if (value.size() > most) {
    problem(path, fmt::format("has {} entries, the limit is {}", value.size(), most), value);
    return;
  }
  for (size_t i = 0; i < value.size(); ++i) (this->*item)(fmt::format("{}/{}", path, i), value[i]);
}

// The name of an entry that is a string, or an object with "name". Returns nothing after reporting an error.
std::optional<std::string> Validator::entry_name(const std::string& path, const json& value, std::string_view what) {
  if (value.is_string()) return value.get<std::string>();
  if (value.is_object() && value.contains("name") && value.at("name").is_string()) {
    return value.at("name").get<std::string>();
  }
  problem(path, fmt::format("must be the name of a {}, or an object with \"name\"", what), value);
  return std::nullopt;
}

// "default" stands for the default selectors, but for those that the list names itself, wherever they are in it.
void Validator::read_metrics(const std::string& path, const json& value) {
  read_list(path, value, &Validator::read_metric);
  if (!value.is_array()) return;
  bool with_default = false;
  for (const json& one : value) {
    with_default = with_default || (one.is_string() && one.get_ref<const std::string&>() == kDefaultEntry);
  }
  if (!with_default) return;
  for (const json& one : json::parse(setting("metrics").default_value)) {
    const auto name = one.get<std::string>();
    const bool named =
        std::ranges::any_of(result_.settings.metrics, [&](const auto& have) { return have.name == name; });
    if (!named) result_.settings.metrics.push_back({.name = name});
  }
}

void Validator::read_metric(const std::string& path, const json& value) {
  auto name = entry_name(path, value, "metric");
  if (!name) return;
  if (*name == kDefaultEntry) {
    if (!value.is_string()) problem(path, "\"default\" stands for several metrics and has no options", value);
    return;
  }
  const bool optional = name->size() > 1 && name->ends_with('?');
  if (optional) name->pop_back();
  std::vector<std::string> known = selector_names();
  // Another version of the agent may have it.
  if (optional && std::ranges::find(known, *name) == known.end()) return;
  if (std::find(known.begin(), known.end(), *name) == known.end()) {
    known.emplace_back(kDefaultEntry);
    unknown(value.is_object() ? path + "/name" : path, "metric", *name, known);
    return;
  }
  for (const MetricSelection& other : result_.settings.metrics) {
    if (other.name != *name) continue;
    problem(path, "metric is listed twice", value);
    return;
  }
  MetricSelection selection;
  selection.name = *name;
  if (optional) selection.flags.insert(std::string(kOptional));
  if (value.is_object()) {
    for (const auto& [option, given] : value.items()) {
      if (option != "name") read_metric_option(path + pointer_step(option), option, given, selection);
    }
  }
  result_.settings.metrics.push_back(std::move(selection));
}

void Validator::read_metric_option(const std::string& path, const std::string& name, const json& value,
                                   MetricSelection& selection) {
  std::vector<std::string> known = {"name"};
  bool applies = false;
  for (const MetricOption& option : metric_options()) {
    if (!option.applies_to(selection.name)) continue;
    known.emplace_back(option.setting.name);
    applies = applies || option.setting.name == name;
  }
  if (!applies) {
    unknown(path, fmt::format("option of \"{}\"", selection.name), name, known);
    return;
  }
  const Setting& setting = metric_option(name).setting;
  if (name == "interval") selection.interval_ns = duration(setting, path, value).value_or(0);
  if (setting.type == SettingType::kPatterns) {
    auto& patterns = name == "include"   ? selection.include
                     : name == "exclude" ? selection.exclude
                                         : selection.patterns[name];
    patterns = texts(setting, path, value, kMaxPatterns, valid_pattern);
  }
  if (setting.type == SettingType::kCount) {
    if (const auto given = number(setting, path, value)) selection.counts[name] = static_cast<int64_t>(*given);
  }
  if (setting.type != SettingType::kBoolean) return;
  if (boolean(path, value).value_or(false)) selection.flags.insert(name);
}

void Validator::read_plugin(const std::string& path, const json& value) {
  const auto given = entry_name(path, value, "plugin");
  if (!given) return;
  PluginEntry entry;
  const std::vector<std::string> known = plugins_.plugin_names();
  const bool whole = plugins_.is_python_class(*given) || std::find(known.begin(), known.end(), *given) != known.end();
  entry.name = whole ? *given : plugin_short_name(*given);
  const std::string name_path = value.is_object() ? path + "/name" : path;
  if (!know_plugin(name_path, *given, entry)) return;
  if (value.is_object() && !read_plugin_fields(path, value, entry)) return;
  if (auto fault = plugins_.check_plugin(entry.name, entry.config)) {
    Problem& p =
        problem(path + "/config" + fault->path, fmt::format("plugin {}: {}", entry.name, fault->message), nullptr);
    p.got = fault->got;
    p.known = fault->known;
    return;
  }
  result_.settings.plugins.push_back(std::move(entry));
}

// Resolves the plugin's name. Returns false after reporting an error.
bool Validator::know_plugin(const std::string& path, const std::string& given, PluginEntry& entry) {
  const std::vector<std::string> known = plugins_.plugin_names();
  if (std::find(known.begin(), known.end(), entry.name) == known.end()) {
    const auto warning = plugins_.elsewhere(entry.name);
    if (!warning) {
      unknown(path, "plugin", given, known);
      return false;
    }
    problem(path, *warning, given).warning = true;
    return true;
  }
  auto code = plugins_.code_of(entry.name);
  if (!code) {
    problem(path, fmt::format("plugin {}: {}", entry.name, code.error().message()), given);
    return false;
  }
  entry.kind = code->kind;
  entry.code = std::move(code->code);
  entry.version = std::move(code->version);
  return true;
}

bool Validator::read_plugin_fields(const std::string& path, const json& value, PluginEntry& entry) {
  const size_t before = result_.problems.size();
  for (const auto& [field, content] : value.items()) {
    const std::string at = path + pointer_step(field);
    const PluginField* const known = plugin_field(field);
    if (field == "name") continue;
    if (known == nullptr) {
      unknown(at, "field of a plugin", field, plugin_field_names());
    } else if (field == "config") {
      if (!content.is_object()) problem(at, "must be an object", content);
      entry.config = content.dump();
    } else if (field == "on_failure") {
      entry.drop_on_failure = choice(known->setting, at, content).value_or("skip") == "drop";
    } else if (field == "shadow") {
      entry.shadow = boolean(at, content).value_or(false);
    } else if (field == "deadline") {
      entry.deadline_ns = duration(known->setting, at, content).value_or(entry.deadline_ns);
    } else if (field == "threads") {
      entry.threads = static_cast<uint32_t>(number(known->setting, at, content).value_or(entry.threads));
    } else if (field == "cpu") {
      entry.cpu = number(known->setting, at, content).value_or(entry.cpu);
    }
  }
  return result_.problems.size() == before;
}

}  // namespace monitor::config
