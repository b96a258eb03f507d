#include "ui/top/settings.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>

#include "base/text.h"

namespace monitor::analysis::top {

namespace {

constexpr const char* kColumns = "columns";
constexpr const char* kFile = "monitor/top.json";

Error damaged(std::string_view what) {
  return {Code::kInvalidArgument, fmt::format("the settings are damaged: {}", what)};
}

}  // namespace

Result<Settings> parse_settings(std::string_view text) {
  if (text.size() > kMaxSettingsBytes) {
    return damaged(fmt::format("got {} bytes, limit {}", text.size(), kMaxSettingsBytes));
  }
  const nlohmann::json json = nlohmann::json::parse(text, nullptr, false);
  if (!json.is_object()) return damaged("got no JSON object");
  Settings settings;
  const auto columns = json.find(kColumns);
  if (columns == json.end()) return settings;
  if (!columns->is_array()) return damaged("\"columns\" is not a list");
  settings.columns = {Column::kState, Column::kAgent};
  for (const nlohmann::json& one : *columns) {
    if (!one.is_string()) return damaged("\"columns\" has an element that is no name");
    const auto id = find_column(one.get_ref<const std::string&>());
    if (id && std::ranges::find(settings.columns, *id) == settings.columns.end()) toggle(settings.columns, *id);
  }
  return settings;
}

std::string to_text(const Settings& settings) {
  nlohmann::json names = nlohmann::json::array();
  for (const Column id : settings.columns) names.push_back(spec_of(id).name);
  return nlohmann::json{{kColumns, std::move(names)}}.dump(2) + "\n";
}

std::string settings_path(std::string_view config_home, std::string_view home) {
  if (config_home.starts_with('/')) return std::string(config_home) + "/" + kFile;
  if (home.starts_with('/')) return std::string(home) + "/.config/" + kFile;
  return "";
}

Result<Settings> load_settings(Disk& disk, const std::string& path) {
  const auto text = disk.read_file(path, kMaxSettingsBytes);
  if (!text) {
    if (text.error().code() == Code::kNotFound) return Settings{};
    return text.error();
  }
  auto settings = parse_settings(*text);
  if (!settings) return settings.error().with_context(path);
  return settings;
}

Status save_settings(Disk& disk, const std::string& path, const Settings& settings) {
  if (Status made = disk.make_folder(path.substr(0, path.rfind('/'))); !made) return made;
  return disk.write_file(path, to_text(settings));
}

}  // namespace monitor::analysis::top
