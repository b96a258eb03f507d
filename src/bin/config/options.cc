#include "bin/config/options.h"

#include <fmt/format.h>

#include "base/text.h"
#include "config/keys.h"
#include "config/schema.h"
#include "plugins/builtin/registry.h"

namespace monitor {

namespace {

constexpr const char* kWhich = "Which document";
constexpr const char* kWhere = "Where the documents are";
constexpr const char* kWhat = "What to write";

void declare_fleet(CLI::App& app, ConfigFlags& flags, ConfigCommands& commands) {
  commands.status =
      app.add_subcommand("status", "List the fleet: who has applied what, who has not and why, who is gone");
  commands.status->add_flag("--watch", flags.status.watch, "Go on, and show what changes, until stopped");
  commands.status->add_option("--format", flags.status.format, "table, or json (an object a line)")
      ->check(CLI::IsMember({"table", "json"}));
  commands.wait = app.add_subcommand("wait", "Wait until an agent, or all of a group, have applied what is stored");
  commands.wait->add_option("--revision", flags.wait.revision, "... or this revision")->type_name("REVISION");
  add_duration(*commands.wait, "--timeout", flags.wait.timeout_ns, "End with 75 after this long");
  commands.explain = app.add_subcommand("explain", "Print what an agent is told, with the origin of every value");
  commands.explain->add_option("--format", flags.explain_format, "table or json")
      ->check(CLI::IsMember({"table", "json"}));
  CLI::App* const over = app.add_subcommand("override", "Settings on top of everything, for a time");
  over->require_subcommand(1);
  commands.override_set = over->add_subcommand("set", "Set them: FIELD=VALUE; they end by themselves");
  commands.override_set->add_option("fields", flags.fields, "FIELD=VALUE, the value as JSON or a text")
      ->type_name("FIELD=VALUE");
  add_duration(*commands.override_set, "--for", flags.override_one.for_ns, "How long: 10m, 90s, 2h")->required();
  commands.override_list = over->add_subcommand("list", "List those that there are");
  commands.override_list->add_option("--format", flags.list_format, "table, or json (an object a line)")
      ->check(CLI::IsMember({"table", "json"}));
  commands.override_end = over->add_subcommand("end", "End one before its time");
  for (CLI::App* const one : {commands.override_set, commands.override_end}) {
    one->add_option("--name", flags.override_one.name, "Its name: several may lie on top of one another")
        ->type_name("NAME");
  }
}

void declare_roles(CLI::App& app, RoleFlags& flags, ConfigCommands& commands) {
  commands.init_roles =
      app.add_subcommand("init-roles", "Make least-privilege roles in etcd for agents, authors and readers, and users");
  CLI::App& roles = *commands.init_roles;
  roles.add_option("agents", flags.agents, "Ids of agents (default: all that etcd knows)")->type_name("AGENT");
  roles
      .add_option("--config-key", flags.config_key,
                  "The agent's own key (default: " + config::agent_key("<agent-id>") + ")")
      ->type_name("KEY");
  roles
      .add_option("--passwords", flags.passwords, "Make users, with passwords in files of this folder, named like them")
      ->type_name("FOLDER");
  roles.add_flag("--client-certificates", flags.client_certificates,
                 "Make users without passwords, known by the CN of their certificates");
  roles.add_flag("--enable-auth", flags.enable_auth, "And turn authentication on, with the user root");
}

void declare_place(CLI::App& app, ConfigFlags& flags) {
  auto* const dir =
      app.add_option("--dir", flags.dir, "Configuration is in files of this folder (with --data alone: <data>/monitor)")
          ->type_name("DIR")
          ->group(kWhere);
  const size_t before = app.get_options().size();
  add_etcd_options(app, flags.etcd);
  const std::vector<CLI::Option*> options = app.get_options();
  for (size_t i = before; i < options.size(); ++i) options[i]->group(kWhere);
  dir->excludes(app.get_option("--etcd"))->excludes(app.get_option("--etcd-host"));
  dir->excludes(app.get_option("--etcd-port"));
}

void declare_changes(CLI::App& app, ConfigFlags& flags) {
  app.add_option("--interval", flags.interval, "Time between ticks: seconds, or with a unit (250ms)")
      ->type_name("DURATION")
      ->group(kWhat);
  app.add_option("--send-every", flags.send_every,
                 "How long ticks are gathered into one batch: seconds, or with a unit")
      ->type_name("DURATION")
      ->group(kWhat);
  add_words(app, "--metrics", flags.metrics, "What is read, as: --metrics cpu memory \"disk read\"")->group(kWhat);
  add_words(app, "--plugins", flags.plugins, "The chain of plugins, in order; without values none")->group(kWhat);
  app.add_flag("--force", flags.force, "Write also what an agent that lives is too old to know")->group(kWhat);
}

// From the table of settings: "interval=", and where the values are few, each of them.
std::vector<std::string> field_words() {
  std::vector<std::string> words;
  for (const std::string& name : config::field_names()) words.push_back(name + "=");
  for (const config::Setting& one : config::settings()) {
    if (one.choices.empty() || one.name.find('/') != std::string_view::npos) continue;
    for (const std::string_view choice : split(one.choices, ','))
      words.push_back(fmt::format("{}={}", one.name, choice));
  }
  return words;
}

}  // namespace

ConfigCommands declare_config(Cli& cli, ConfigFlags& flags) {
  CLI::App& app = cli.app();
  auto* const agent = app.add_option("--agent-id", flags.agent_id, "The configuration of this agent");
  auto* const group = app.add_option("--group", flags.group, "The configuration of this group, below its agents' own");
  auto* const defaults = app.add_flag("--defaults", flags.defaults, "The defaults of all agents, below everything");
  agent->type_name("ID")->excludes(group)->excludes(defaults)->group(kWhich);
  group->type_name("GROUP")->excludes(defaults)->group(kWhich);
  defaults->group(kWhich);
  app.add_option("--if-revision", flags.if_revision,
                 "Write or delete only if the document is at this revision (0: absent); ends with 75 otherwise")
      ->type_name("REVISION")
      ->group(kWhich);
  declare_place(app, flags);
  declare_changes(app, flags);
  cli.add_data_option();
  app.require_subcommand(0, 1);

  ConfigCommands commands{};
  commands.set = app.add_subcommand("set", "Write only what is named: --interval, --metrics, ..., or FIELD=VALUE");
  auto* const fields = commands.set->add_option("fields", flags.fields, "FIELD=VALUE, the value as JSON or a text")
                           ->type_name("FIELD=VALUE");
  commands.set
      ->add_option("--file", flags.whole, "Store this whole document, checked as by validate; - reads standard input")
      ->type_name("FILE")
      ->excludes(fields);
  commands.get = app.add_subcommand("get", "Print a document; ends with 1 when there is none");
  commands.get
      ->add_option("--format", flags.get_format, "text, as it is stored; or json: an object with key and revision")
      ->check(CLI::IsMember({"text", "json"}));
  commands.list = app.add_subcommand("list", "List the keys of the documents that there are");
  commands.list->add_option("--format", flags.list_format, "table, or json (an object a line)")
      ->check(CLI::IsMember({"table", "json"}));
  commands.names = app.add_subcommand("names", "List the names of agents or groups, one a line (for completion)");
  commands.names->add_option("kind", flags.names, "agents or groups")
      ->required()
      ->check(CLI::IsMember({"agents", "groups"}));
  commands.remove = app.add_subcommand("delete", "Delete a document; what runs on it goes on with the last good one");
  commands.validate =
      app.add_subcommand("validate", "Check a document without storing it; ends with 78 when it is not valid");
  commands.validate->add_option("file", flags.file, "The file to check; - reads standard input")
      ->required()
      ->type_name("FILE");
  commands.watch = app.add_subcommand("watch", "Print a document whenever it changes, until stopped");
  commands.schema = app.add_subcommand("schema", "Print the JSON Schema of a document, or a reference in Markdown");
  commands.schema
      ->add_option("--format", flags.format, "json, markdown (settings) or metrics (all metrics, in Markdown)")
      ->check(CLI::IsMember({"json", "markdown", "metrics"}));
  declare_fleet(app, flags, commands);
  declare_roles(app, flags.roles, commands);
  return commands;
}

Completions config_completions() {
  Completions words;
  words.arguments = {{"set", field_words()}, {"override set", field_words()}, {"names", {"agents", "groups"}}};
  for (const config::Selector& one : config::selectors()) words.values["metrics"].emplace_back(one.name);
  words.values["plugins"] = agent::builtin_plugins();
  words.names = {{"agent-id", "agents"}, {"group", "groups"}};
  return words;
}

UnusedGroups config_unused_groups() {
  UnusedGroups unused;
  for (const char* const path :
       {"get", "delete", "watch", "status", "wait", "explain", "override list", "override end"}) {
    unused[path] = {kWhat};
  }
  for (const char* const path : {"list", "names", "init-roles"}) unused[path] = {kWhich, kWhat};
  for (const char* const path : {"validate", "schema", "help", "version"}) unused[path] = {kWhich, kWhat, kWhere};
  return unused;
}

}  // namespace monitor
