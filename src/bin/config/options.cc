#include "bin/config/options.h"

#include <fmt/format.h>

#include "base/text.h"
#include "config/keys.h"
#include "config/schema.h"
#include "plugins/builtin/registry.h"

namespace monitor {

namespace {

constexpr const char* kWhich = "Document";
constexpr const char* kWhere = "Store";
constexpr const char* kWhat = "Fields";
constexpr const char* kWhy = "History";

void declare_fleet(CLI::App& app, ConfigFlags& flags, ConfigCommands& commands) {
  commands.status = app.add_subcommand("status", "List all agents: applied revision, errors, and agents that are gone");
  commands.status->add_flag("--watch", flags.status.watch, "Keep running, and print changes until stopped");
  commands.status->add_option("--format", flags.status.format, "table, or json (one object per line)")
      ->check(CLI::IsMember({"table", "json"}));
  commands.wait =
      app.add_subcommand("wait", "Wait until an agent, or all agents of a group, have applied the stored documents");
  commands.wait->add_option("--revision", flags.wait.revision, "Wait for this revision instead")->type_name("REVISION");
  add_seconds(*commands.wait, "--timeout", flags.wait.timeout_ns, "Exit with 75 after this time");
  commands.explain =
      app.add_subcommand("explain", "Print an agent's effective configuration, with the origin of every value");
  commands.explain->add_option("--format", flags.explain_format, "table or json")
      ->check(CLI::IsMember({"table", "json"}));
  CLI::App* const over = app.add_subcommand("override", "Override settings for a limited time");
  over->require_subcommand(1);
  commands.override_set = over->add_subcommand("set", "Set an override, as FIELD=VALUE; it expires by itself");
  commands.override_set->add_option("fields", flags.fields, "FIELD=VALUE; the value is JSON, or else a string")
      ->type_name("FIELD=VALUE");
  add_duration(*commands.override_set, "--for", flags.override_one.for_ns, "Duration of the override: 10m, 90s, 2h")
      ->required();
  commands.override_list = over->add_subcommand("list", "List the active overrides");
  commands.override_list->add_option("--format", flags.list_format, "table, or json (one object per line)")
      ->check(CLI::IsMember({"table", "json"}));
  commands.override_end = over->add_subcommand("end", "End an override early");
  for (CLI::App* const one : {commands.override_set, commands.override_end}) {
    one->add_option("--name", flags.override_one.name, "Name of the override; several may be active at once")
        ->type_name("NAME");
  }
}

void declare_history(CLI::App& app, ConfigFlags& flags, ConfigCommands& commands) {
  commands.history =
      app.add_subcommand("history", "List who changed a document, when and why; without a document, all changes");
  commands.history
      ->add_option("--override", flags.override_one.name,
                   "The override of this name of the agent or group, instead of its document")
      ->type_name("NAME");
  commands.history->add_option("--limit", flags.history.limit, "At most so many changes, the newest ones")
      ->check(CLI::Range(1, 10000))
      ->type_name("COUNT");
  commands.history->add_flag("--diff", flags.history.diff, "Also print what each change changed");
  commands.history->add_option("--format", flags.history.format, "table, or json (one object per line)")
      ->check(CLI::IsMember({"table", "json"}));
  commands.diff = app.add_subcommand("diff", "Compare versions of a document; exits with 1 if they differ");
  commands.diff
      ->add_option("versions", flags.diff.sides,
                   "At most two of: live, previous, a revision, a file (- is standard input). One revision is compared "
                   "with live, live with one file; without any, previous with live")
      ->type_name("VERSION");
  commands.diff->add_flag("--merged", flags.diff.merged,
                          "Compare the effective configurations of the agents concerned");
  commands.diff->add_option("--format", flags.diff.format, "text, or json")->check(CLI::IsMember({"text", "json"}));
  commands.rollback = app.add_subcommand("rollback", "Restore a document as it was at a revision");
  commands.rollback
      ->add_option("--to-revision", flags.rollback.to_revision, "The revision (with files: the number), as in history")
      ->required()
      ->type_name("REVISION");
  commands.rollback->add_flag("--dry-run", flags.rollback.dry_run,
                              "Print the difference and write nothing; exits with 1 if there is one");
}

void declare_apply(CLI::App& app, ConfigFlags& flags, ConfigCommands& commands) {
  commands.edit =
      app.add_subcommand("edit", "Edit a document in $VISUAL or $EDITOR, validate it and show the difference");
  commands.edit->add_flag("-y,--yes", flags.edit.yes, "Write a valid document without asking");
  commands.apply =
      app.add_subcommand("apply", "Make the stored documents those of a folder or a file, and report drift");
  commands.apply
      ->add_option("-f,--file", flags.apply.from,
                   "A folder (defaults.json, groups/GROUP.json, config/AGENT.json), a file of export, or a single "
                   "document; - reads standard input")
      ->required()
      ->type_name("FILE|DIR");
  commands.apply->add_flag("--prune", flags.apply.prune, "Also delete stored documents that are not declared");
  commands.apply->add_flag("--dry-run", flags.apply.dry_run,
                           "Print what would change and write nothing; exits with 1 if something would");
  commands.apply->add_flag("--keep-drift", flags.apply.keep_drift,
                           "Report documents that something else than apply has changed, and leave them");
  commands.apply->add_flag("--force", flags.apply.force, "Write even fields that a live agent is too old to know");
  commands.apply->add_option("--format", flags.apply.format, "text, or json (one object per document)")
      ->check(CLI::IsMember({"text", "json"}));
  commands.export_documents = app.add_subcommand("export", "Print all documents, or write them to a folder, for apply");
  commands.export_documents->add_option("--to", flags.export_to.to, "The folder to write files to")->type_name("DIR");
  commands.export_documents->add_flag("--prune", flags.export_to.prune,
                                      "Remove files of documents that are not stored from the folder");
}

void declare_author(CLI::App& app, AuthorFlags& flags) {
  app.add_option("--author", flags.author,
                 "Who makes the change, for the history (default: the user of etcd, else of this system)")
      ->type_name("NAME")
      ->group(kWhy);
  app.add_option("--message", flags.message, "Why, for the history")->type_name("WHY")->group(kWhy);
}

void declare_roles(CLI::App& app, RoleFlags& flags, ConfigCommands& commands) {
  commands.init_roles = app.add_subcommand(
      "init-roles", "Create least-privilege roles, and users, in etcd for agents, authors and readers");
  CLI::App& roles = *commands.init_roles;
  roles.add_option("agents", flags.agents, "Ids of agents (default: all agents known to etcd)")->type_name("AGENT");
  roles
      .add_option("--config-key", flags.config_key,
                  "The agent's own key (default: " + config::agent_key("<agent-id>") + ")")
      ->type_name("KEY");
  roles
      .add_option("--passwords", flags.passwords,
                  "Create users with passwords; each is written to this folder, to a file named like the user")
      ->type_name("FOLDER");
  roles.add_flag("--client-certificates", flags.client_certificates,
                 "Create users without passwords, identified by the CN of their certificates");
  roles.add_flag("--enable-auth", flags.enable_auth, "Enable authentication in etcd, with the user root");
}

void declare_place(CLI::App& app, ConfigFlags& flags) {
  auto* const dir =
      app.add_option("--dir", flags.dir, "Folder with the configuration files (with --data alone: <data>/monitor)")
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
  app.add_option("--send-every", flags.send_every, "Time span of a batch: seconds, or with a unit")
      ->type_name("DURATION")
      ->group(kWhat);
  add_words(app, "--metrics", flags.metrics, "Metrics to collect, as: --metrics cpu memory \"disk read\"")
      ->group(kWhat);
  add_words(app, "--plugins", flags.plugins, "Plugins, in order; without values none")->group(kWhat);
  app.add_flag("--force", flags.force, "Write even fields that a live agent is too old to know")->group(kWhat);
}

// Words from the table of settings: "interval=", and every value of a field that has few.
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
  auto* const agent = app.add_option("--agent-id", flags.agent_id, "The document of this agent");
  auto* const group =
      app.add_option("--group", flags.group, "The document of this group; its agents' own documents override it");
  auto* const defaults =
      app.add_flag("--defaults", flags.defaults,
                   "The defaults of all agents; every other document overrides them. Of override: all agents");
  agent->type_name("ID")->excludes(group)->excludes(defaults)->group(kWhich);
  group->type_name("GROUP")->excludes(defaults)->group(kWhich);
  defaults->group(kWhich);
  app.add_option("--if-revision", flags.if_revision,
                 "Write or delete only if the document is at this revision (0: absent); else exit with 75")
      ->type_name("REVISION")
      ->group(kWhich);
  declare_place(app, flags);
  declare_changes(app, flags);
  declare_author(app, flags.author);
  cli.add_data_option();
  app.require_subcommand(0, 1);

  ConfigCommands commands{};
  commands.set = app.add_subcommand("set", "Change single fields: --interval, --metrics, ..., or FIELD=VALUE");
  auto* const fields =
      commands.set
          ->add_option("fields", flags.fields,
                       "FIELD=VALUE; the value is JSON, or else a string. FIELD+=ENTRY and FIELD-=ENTRY add "
                       "to and remove from a list, as metrics+=processes")
          ->type_name("FIELD=VALUE");
  commands.set->add_option("--file", flags.whole, "Replace the whole document after validation; - reads standard input")
      ->type_name("FILE")
      ->excludes(fields);
  commands.get = app.add_subcommand("get", "Print a document; exits with 1 if it does not exist");
  commands.get->add_option("--format", flags.get_format, "text as stored, or json: an object with key and revision")
      ->check(CLI::IsMember({"text", "json"}));
  commands.list = app.add_subcommand("list", "List the keys of all documents");
  commands.list->add_option("--format", flags.list_format, "table, or json (one object per line)")
      ->check(CLI::IsMember({"table", "json"}));
  commands.names = app.add_subcommand("names", "List the names of agents or groups, one per line (for completion)");
  commands.names->add_option("kind", flags.names, "agents or groups")
      ->required()
      ->check(CLI::IsMember({"agents", "groups"}));
  commands.remove = app.add_subcommand("delete", "Delete a document; running agents keep the last good configuration");
  commands.validate =
      app.add_subcommand("validate", "Validate a document without storing it; exits with 78 if it is invalid");
  commands.validate->add_option("file", flags.file, "The file to validate; - reads standard input")
      ->required()
      ->type_name("FILE");
  commands.watch = app.add_subcommand("watch", "Print a document after every change, until stopped");
  commands.schema = app.add_subcommand("schema", "Print the JSON Schema of a document, or a reference in Markdown");
  commands.schema
      ->add_option("--format", flags.format, "json, markdown (settings) or metrics (all metrics, in Markdown)")
      ->check(CLI::IsMember({"json", "markdown", "metrics"}));
  declare_history(app, flags, commands);
  declare_apply(app, flags, commands);
  declare_fleet(app, flags, commands);
  declare_roles(app, flags.roles, commands);
  commands.rollout = declare_rollout(app, flags.rollout);
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
       {"get", "watch", "status", "wait", "explain", "override list", "history", "diff", "export"}) {
    unused[path] = {kWhat, kWhy};
  }
  for (const char* const path : {"delete", "override end", "rollback", "edit", "apply"}) unused[path] = {kWhat};
  for (const char* const path : {"list", "names", "init-roles"}) unused[path] = {kWhich, kWhat, kWhy};
  for (const char* const path : {"validate", "schema", "help", "version"}) {
    unused[path] = {kWhich, kWhat, kWhere, kWhy};
  }
  for (const char* const path : {"rollout start", "rollout pause", "rollout resume", "rollout abort"})
    unused[path] = {kWhat};
  for (const char* const path : {"rollout status", "rollout watch", "rollout list", "rollout controller"}) {
    unused[path] = {kWhat, kWhy};
  }
  return unused;
}

}  // namespace monitor
