// The options and subcommands of monitor-config.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "bin/common/cli.h"
#include "bin/common/etcd_flags.h"
#include "bin/config/apply_command.h"
#include "bin/config/author.h"
#include "bin/config/edit_command.h"
#include "bin/config/fleet_commands.h"
#include "bin/config/history_commands.h"
#include "bin/config/override_commands.h"
#include "bin/config/role_commands.h"
#include "bin/config/rollout_options.h"

namespace monitor {

struct ConfigFlags {
  std::string agent_id;
  std::string group;
  bool defaults = false;
  std::string dir;
  EtcdFlags etcd;
  std::optional<int64_t> if_revision;
  std::string interval;
  std::string send_every;
  std::vector<std::string> metrics;
  std::vector<std::string> plugins;
  std::vector<std::string> fields;
  std::string file;   // argument of validate
  std::string whole;  // argument of set --file
  std::string format = "json";
  bool force = false;
  StatusFlags status;
  WaitFlags wait;
  std::string explain_format = "table";
  std::string list_format = "table";
  std::string get_format = "text";
  std::string names;
  OverrideFlags override_one;
  RoleFlags roles;
  RolloutFlags rollout;
  AuthorFlags author;
  HistoryFlags history;
  DiffFlags diff;
  RollbackFlags rollback;
  EditFlags edit;
  ApplyFlags apply;
  ExportFlags export_to;
};

struct ConfigCommands {
  CLI::App* set;
  CLI::App* get;
  CLI::App* list;
  CLI::App* names;
  CLI::App* remove;
  CLI::App* validate;
  CLI::App* watch;
  CLI::App* schema;
  CLI::App* status;
  CLI::App* wait;
  CLI::App* explain;
  CLI::App* override_set;
  CLI::App* override_list;
  CLI::App* override_end;
  CLI::App* init_roles;
  RolloutCommands rollout;
  CLI::App* history;
  CLI::App* diff;
  CLI::App* rollback;
  CLI::App* edit;
  CLI::App* apply;
  CLI::App* export_documents;
};

ConfigCommands declare_config(Cli& cli, ConfigFlags& flags);
// Completions: settable fields, metrics, plugins, and the names in the configuration.
Completions config_completions();
// Options that have no effect in a subcommand.
UnusedGroups config_unused_groups();

}  // namespace monitor
