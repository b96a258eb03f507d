// What `top` remembers of its user: the chosen columns, as JSON: {"columns": ["state", "agent", "cpu"]}.
#pragma once

#include <string>
#include <string_view>

#include "base/disk.h"
#include "base/result.h"
#include "ui/top/columns.h"

namespace monitor::analysis::top {

struct Settings {
  ColumnSet columns = standard_columns();
};

inline constexpr size_t kMaxSettingsBytes = size_t{16} * 1024;

// kInvalidArgument: the text is damaged, or of another program. Columns that this version does not know are left out.
Result<Settings> parse_settings(std::string_view text);
std::string to_text(const Settings& settings);

// The file of the settings: $XDG_CONFIG_HOME/monitor/top.json, else ~/.config/monitor/top.json. `config_home` and
// `home` are the environment's XDG_CONFIG_HOME and HOME; only absolute paths count. Empty: there is no place for it.
std::string settings_path(std::string_view config_home, std::string_view home);

// A file that does not exist gives the standard settings. Errors: it cannot be read, is too large, or is damaged.
Result<Settings> load_settings(Disk& disk, const std::string& path);
// Creates the folder if necessary.
Status save_settings(Disk& disk, const std::string& path, const Settings& settings);

}  // namespace monitor::analysis::top
