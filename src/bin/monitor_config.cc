// monitor-config: flags and wiring. What it does is in src/config/.
#include <fmt/format.h>

#include <cstdlib>
#include <iostream>
#include <memory>

#include "agent/plugins/registry.h"
#include "base/disk.h"
#include "base/escape.h"
#include "base/event_loop.h"
#include "base/signals.h"
#include "base/text.h"
#include "base/time_format.h"
#include "base/trust.h"
#include "bin/common/cli.h"
#include "bin/common/etcd_flags.h"
#include "bin/common/input.h"
#include "bin/config/context.h"
#include "bin/config/fleet_commands.h"
#include "bin/config/override_commands.h"
#include "bin/config/role_commands.h"
#include "config/edit.h"
#include "config/etcd/etcd_source.h"
#include "config/etcd/etcd_store.h"
#include "config/file/file_source.h"
#include "config/file/file_store.h"
#include "config/keys.h"
#include "config/schema.h"

namespace monitor {
namespace {

using config::FieldChange;

struct Flags {
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
  std::string file;
  std::string format = "json";
  bool force = false;
  StatusFlags status;
  WaitFlags wait;
  std::string explain_format = "table";
  std::string list_format = "table";
  OverrideFlags override_one;
  RoleFlags roles;
};

// The subcommands, and whether each names a key and writes fields.
struct Commands {
  CLI::App* set;
  CLI::App* get;
  CLI::App* list;
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
};

void declare_fleet(CLI::App& app, Flags& flags, Commands& commands) {
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
  commands.override_set->add_option("fields", flags.fields, "FIELD=VALUE, the value as JSON or a text");
  add_duration(*commands.override_set, "--for", flags.override_one.for_ns, "How long: 10m, 90s, 2h")->required();
  commands.override_list = over->add_subcommand("list", "List those that there are");
  commands.override_list->add_option("--format", flags.list_format, "table, or json (an object a line)")
      ->check(CLI::IsMember({"table", "json"}));
  commands.override_end = over->add_subcommand("end", "End one before its time");
  for (CLI::App* const one : {commands.override_set, commands.override_end}) {
    one->add_option("--name", flags.override_one.name, "Its name: several may lie on top of one another");
  }
}

void declare_roles(CLI::App& app, RoleFlags& flags, Commands& commands) {
  commands.init_roles =
      app.add_subcommand("init-roles", "Make least-privilege roles in etcd for agents, authors and readers, and users");
  CLI::App& roles = *commands.init_roles;
  roles.add_option("agents", flags.agents, "Ids of agents (default: all that etcd knows)")->type_name("AGENT");
  roles.add_option("--config-key", flags.config_key, "The agent's own key, where it is not /monitor/config/<agent-id>")
      ->type_name("KEY");
  roles
      .add_option("--passwords", flags.passwords, "Make users, with passwords in files of this folder, named like them")
      ->type_name("FOLDER");
  roles.add_flag("--client-certificates", flags.client_certificates,
                 "Make users without passwords, known by the CN of their certificates");
  roles.add_flag("--enable-auth", flags.enable_auth, "And turn authentication on, with the user root");
}

Commands declare(Cli& cli, Flags& flags) {
  CLI::App& app = cli.app();
  auto* const agent = app.add_option("--agent-id", flags.agent_id, "The configuration of this agent");
  auto* const group = app.add_option("--group", flags.group, "The configuration of this group, below its agents' own");
  auto* const defaults = app.add_flag("--defaults", flags.defaults, "The defaults of all agents, below everything");
  agent->excludes(group)->excludes(defaults);
  group->excludes(defaults);
  auto* const dir = app.add_option("--dir", flags.dir,
                                   "Configuration is in files of this folder (with --data alone: <data>/monitor)");
  add_etcd_options(app, flags.etcd);
  dir->excludes(app.get_option("--etcd"))->excludes(app.get_option("--etcd-host"));
  dir->excludes(app.get_option("--etcd-port"));
  app.add_option("--if-revision", flags.if_revision,
                 "Write or delete only if the document is at this revision (0: absent); ends with 75 otherwise")
      ->type_name("REVISION");
  app.add_option("--interval", flags.interval, "Time between ticks: seconds, or with a unit (250ms)");
  app.add_option("--send-every", flags.send_every,
                 "How long ticks are gathered into one batch: seconds, or with a unit");
  app.add_flag("--force", flags.force, "Write also what an agent that lives is too old to know");
  add_words(app, "--metrics", flags.metrics, "What is read, as: --metrics cpu memory \"disk read\"");
  add_words(app, "--plugins", flags.plugins, "The chain of plugins, in order; without values none");
  cli.add_data_option();
  app.require_subcommand(0, 1);

  Commands commands{};
  commands.set = app.add_subcommand("set", "Write only what is named: --interval, --metrics, ..., or FIELD=VALUE");
  commands.set->add_option("fields", flags.fields, "FIELD=VALUE, the value as JSON or a text");
  commands.get = app.add_subcommand("get", "Print a document as it is stored; ends with 1 when there is none");
  commands.list = app.add_subcommand("list", "List the keys that there are");
  commands.remove = app.add_subcommand("delete", "Delete a document; what runs on it goes on with the last good one");
  commands.validate =
      app.add_subcommand("validate", "Check a document without storing it; ends with 78 when it is not valid");
  commands.validate->add_option("file", flags.file, "The file to check; - reads standard input")->required();
  commands.watch = app.add_subcommand("watch", "Print a document whenever it changes, until stopped");
  commands.schema =
      app.add_subcommand("schema", "Print the JSON Schema of a document, or with --format markdown the reference");
  commands.schema->add_option("--format", flags.format, "json or markdown")->check(CLI::IsMember({"json", "markdown"}));
  declare_fleet(app, flags, commands);
  declare_roles(app, flags.roles, commands);
  return commands;
}

std::optional<std::string> key_of(const Flags& flags) {
  if (flags.defaults) return config::defaults_key();
  if (!flags.group.empty()) return config::group_key(flags.group);
  if (!flags.agent_id.empty()) return config::agent_key(flags.agent_id);
  return std::nullopt;
}

class Program {
 public:
  Program(Cli& cli, const Flags& flags)
      : cli_(cli),
        flags_(flags),
        folder_(flags.dir.empty() ? cli.data_folder() + "/monitor" : flags.dir),
        loop_(clock_) {}

  int run(const Commands& commands) {
    if (commands.schema->parsed()) return schema();
    if (commands.validate->parsed()) return validate();
    if (const auto code = open_store()) return *code;
    if (commands.list->parsed()) return list();
    if (const auto code = run_on_fleet(commands)) return *code;
    const auto key = key_of(flags_);
    if (!key) return cli_.usage_error("name a document with --agent-id, --group or --defaults");
    const std::string name = flags_.group.empty() ? flags_.agent_id : flags_.group;
    if (!flags_.defaults && !valid_name(name)) {
      return cli_.usage_error(
          fmt::format("got the name {}, expected 1 to 128 of [A-Za-z0-9._-]", json_quote(name.substr(0, 160))));
    }
    if (commands.get->parsed()) return get(*key);
    if (commands.remove->parsed()) return remove(*key);
    if (commands.watch->parsed()) return watch(*key);
    return write(*key, !commands.set->parsed());
  }

 private:
  std::optional<int> run_on_fleet(const Commands& commands) {
    for (const std::string& name : {flags_.agent_id, flags_.group, flags_.override_one.name}) {
      if (!name.empty() && !valid_name(name)) {
        return cli_.usage_error(
            fmt::format("got the name {}, expected 1 to 128 of [A-Za-z0-9._-]", json_quote(name.substr(0, 160))));
      }
    }
    const ConfigContext context = this->context();
    if (commands.init_roles->parsed()) {
      if (files()) return cli_.usage_error("init-roles: roles are etcd's: name one with --etcd");
      return run_init_roles(context, *etcd_->client, disk_, flags_.roles);
    }
    if (commands.status->parsed()) return run_status(context, flags_.status);
    if (commands.override_list->parsed()) return run_override_list(context, flags_.list_format);
    if (commands.override_end->parsed()) return run_override_end(context, flags_.override_one);
    if (commands.override_set->parsed()) {
      const auto wanted = changes();
      if (!wanted) return cli_.usage_error(wanted.error().message());
      if (Status known = check_known(context, *wanted); !known) return fail(known.error());
      return run_override_set(context, flags_.override_one, *wanted, catalog_);
    }
    if (commands.wait->parsed()) {
      if (flags_.agent_id.empty() && flags_.group.empty()) {
        return cli_.usage_error("wait: name whom with --agent-id or --group");
      }
      return run_wait(context, flags_.wait);
    }
    if (!commands.explain->parsed()) return std::nullopt;
    if (flags_.agent_id.empty()) return cli_.usage_error("explain: name whose configuration with --agent-id");
    return run_explain(context, flags_.explain_format, catalog_);
  }

  ConfigContext context() { return {cli_, *store_, loop_, files(), flags_.agent_id, flags_.group}; }

  Status check_known(const ConfigContext& context, const std::vector<FieldChange>& changes) const {
    return flags_.force ? Status() : check_versions(context, changes);
  }

  bool files() const {
    return !flags_.dir.empty() || (!flags_.etcd.named() && cli_.app().get_option("--data")->count() > 0);
  }

  std::optional<int> open_store() {
    if (files()) {
      if (flags_.if_revision) return cli_.usage_error("--if-revision: files have no revisions; it needs --etcd");
      if (flags_.dir.empty()) {
        const Status trusted = check_folder_trusted(cli_.data_folder(), "the data folder");
        if (!trusted && trusted.error().code() == Code::kPermissionDenied) return fail(trusted.error());
      }
      store_ = std::make_unique<config::FileStore>(disk_, folder_);
      return std::nullopt;
    }
    if (const std::string fault = check_etcd_flags(flags_.etcd); !fault.empty()) return cli_.usage_error(fault);
    auto connection = connect_etcd(loop_, flags_.etcd);
    if (!connection) {
      std::cerr << "monitor-config: " << printable(connection.error().message()) << "\n";
      return kExitIo;
    }
    etcd_ = std::move(*connection);
    // Until `watch` has its own: nothing is half done when a wait for etcd is broken off.
    signals_ = std::make_unique<Signals>(loop_, [](int signal) { std::_Exit(128 + signal); });
    store_ = std::make_unique<config::EtcdStore>(loop_, *etcd_->client, [this] { loop_.run_once(-1); });
    return std::nullopt;
  }

  int fail(const Error& error) const {
    std::cerr << "monitor-config: " << printable(error.message()) << "\n";
    return error.code() == Code::kInvalidArgument ? kExitConfig : exit_code_for(error);
  }

  Result<std::vector<FieldChange>> changes() const {
    std::vector<FieldChange> result;
    if (!flags_.interval.empty()) result.push_back({"interval", config::duration_json(flags_.interval)});
    if (!flags_.send_every.empty()) result.push_back({"send_every", config::duration_json(flags_.send_every)});
    const auto add_list = [&](const char* option, const char* field, const std::vector<std::string>& words) -> Status {
      if (cli_.app().get_option(option)->count() == 0) return {};
      auto list = config::words_json(words);
      if (!list) return list.error();
      result.push_back({field, *list});
      return {};
    };
    if (auto s = add_list("--metrics", "metrics", flags_.metrics); !s) return s.error();
    if (auto s = add_list("--plugins", "plugins", flags_.plugins); !s) return s.error();
    for (const std::string& text : flags_.fields) {
      auto field = config::parse_field(text);
      if (!field) return field.error();
      result.push_back(std::move(*field));
    }
    return result;
  }

  int write(const std::string& key, bool seed_form) {
    const auto wanted = changes();
    if (!wanted) return cli_.usage_error(wanted.error().message());
    if (!seed_form && wanted->empty())
      return cli_.usage_error("set: name what to set, as --interval 5 or send_every=2");
    if (Status known = check_known(context(), *wanted); !known) {
      return fail(known.error().with_context("nothing was written to " + store_->describe(key)));
    }
    const auto what = flags_.agent_id.empty() ? config::Edited::kShared : config::Edited::kOwn;
    bool changed = false;
    std::string written;
    std::optional<std::optional<std::string>> base;  // as first read
    const auto done =
        store_->update(key, [&](const std::optional<config::Stored>& current) -> Result<std::optional<std::string>> {
          const auto before = current ? std::optional(current->value) : std::nullopt;
          if (Status same = check_revision(current, config::describe_changes(before, *wanted)); !same) {
            return same.error();
          }
          if (!base) base = before;
          if (Status unchanged = config::check_unchanged(*base, before, *wanted); !unchanged) {
            return unchanged.error().with_context("conflict");
          }
          auto text = config::edit_document(before, *wanted, seed_form, what, catalog_);
          if (!text) return text.error();
          changed = before != *text;
          written = *text;
          return std::optional(std::move(*text));
        });
    if (!done) return fail(done.error().with_context("nothing was written to " + store_->describe(key)));
    const std::string place = files() ? " in " + store_->describe(key) : fmt::format(", revision {}", *done);
    std::cout << fmt::format("{} {}{}\n", key, changed ? "written" : "unchanged", place) << std::flush;
    print_warnings(context(), written, what, catalog_);
    return kExitOk;
  }

  // --if-revision; `values` says what differs.
  Status check_revision(const std::optional<config::Stored>& current, const std::string& values) const {
    const int64_t is = current ? current->revision : 0;
    if (!flags_.if_revision || is == *flags_.if_revision) return {};
    return Error(Code::kAborted, fmt::format("conflict: the document is at revision {}, not {}{}{}", is,
                                             *flags_.if_revision, values.empty() ? "" : ": ", values));
  }

  int get(const std::string& key) {
    const auto stored = store_->get(key);
    if (!stored) return fail(stored.error());
    if (!*stored) {
      std::cerr << fmt::format("monitor-config: there is no {} ({})\n", printable(key),
                               printable(store_->describe(key)));
      return kExitNegative;
    }
    // A file or another program gets the bytes that are stored.
    const bool terminal = isatty(STDOUT_FILENO) != 0;
    std::cout << (terminal ? printable_lines((*stored)->value) : (*stored)->value)
              << ((*stored)->value.ends_with("\n") ? "" : "\n") << std::flush;
    if ((*stored)->revision != 0) std::cerr << fmt::format("revision {}\n", (*stored)->revision);
    return kExitOk;
  }

  int list() {
    const auto all = store_->list(std::string(config::kKeyRoot));
    if (!all) return fail(all.error());
    for (const auto& [key, stored] : *all) {
      const config::KeyKind kind = config::kind_of_key(key);
      const bool document =
          kind == config::KeyKind::kDefaults || kind == config::KeyKind::kAgent || kind == config::KeyKind::kGroup;
      if (document) std::cout << printable(key) << "\n";
    }
    return kExitOk;
  }

  int remove(const std::string& key) {
    bool was_there = false;
    const auto done =
        store_->update(key, [&](const std::optional<config::Stored>& current) -> Result<std::optional<std::string>> {
          if (Status same = check_revision(current, ""); !same) return same.error();
          was_there = current.has_value();
          return std::optional<std::string>();
        });
    if (!done) return fail(done.error());
    if (!was_there) {
      std::cerr << fmt::format("monitor-config: there is no {} ({})\n", printable(key),
                               printable(store_->describe(key)));
      return kExitNegative;
    }
    std::cout << fmt::format("{} deleted\n", printable(key));
    return kExitOk;
  }

  int validate() {
    auto text = read_input(disk_, flags_.file, size_t{64} * 1024 * 1024);
    if (!text) {
      std::cerr << "monitor-config: " << printable(text.error().message()) << "\n";
      return kExitIo;
    }
    auto document = config::Document::parse(*text);
    if (!document) {
      std::cerr << fmt::format("{}: {}\n", printable(flags_.file), printable(document.error().message()));
      return kExitConfig;
    }
    const auto validated = config::validate({{flags_.file, 0, std::move(*document), true}}, catalog_);
    for (const auto& problem : validated.problems) {
      std::cerr << fmt::format("{}{}\n", problem.warning ? "warning: " : "", printable(problem.to_string()));
    }
    if (!validated.ok()) return kExitConfig;
    std::cout << fmt::format("{}: valid\n", flags_.file);
    return kExitOk;
  }

  int watch(const std::string& key) {
    struct Printer final : config::ConfigListener {
      std::string key;
      void on_keys(const config::KeySet& keys) override {
        const SystemClock clock;
        const auto found = keys.entries.find(key);
        std::cout << fmt::format("# {} {} revision {}\n", format_rfc3339(clock.wall_ns(), 3), printable(key),
                                 keys.revision);
        if (found == keys.entries.end()) {
          std::cout << "# absent\n";
        } else if (found->second.fault) {
          std::cout << "# cannot be read: " << printable(found->second.fault->message()) << "\n";
        } else {
          std::cout << printable_lines(found->second.value);
          if (!found->second.value.ends_with("\n")) std::cout << "\n";
        }
        std::cout << std::flush;
      }
      void on_source_lost(const Error&) override {}  // the source has logged it, and goes on
    };
    signals_.reset();
    const Signals signals(loop_, [this](int) { loop_.stop(); });
    Printer printer;
    printer.key = key;
    std::unique_ptr<config::ConfigSource> source;
    if (etcd_ == nullptr) {
      source = std::make_unique<config::FileSource>(loop_, disk_, worker_, config::FileSourceOptions{folder_, {}, ""});
    } else {
      source = std::make_unique<config::EtcdSource>(loop_, etcd_->random, *etcd_->client);
    }
    source->watch({{key}}, printer);
    loop_.run();
    return kExitOk;
  }

  int schema() {
    std::cout << (flags_.format == "markdown" ? config::reference_markdown()
                                              : config::json_schema(agent::builtin_plugins()));
    return kExitOk;
  }

  Cli& cli_;
  const Flags& flags_;
  PosixDisk disk_;
  ThreadWorker worker_{loop_};
  const agent::AuthorsCatalog catalog_;
  std::string folder_;
  SystemClock clock_;
  EventLoop loop_;
  std::unique_ptr<EtcdConnection> etcd_;  // nullptr: files
  std::unique_ptr<Signals> signals_;
  std::unique_ptr<config::ConfigStore> store_;
};

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

int run(int argc, char** argv) {
  block_signals();
  Flags flags;
  Cli cli({"monitor-config",
           "Sets, shows and checks what agents are told to do.",
           "  monitor-config --agent-id agent-001 --interval 5\n"
           "  monitor-config --agent-id agent-001 --metrics cpu memory \"disk read\" --plugins deduplication\n"
           "  monitor-config set --agent-id agent-001 interval=0.5\n"
           "  monitor-config get --agent-id agent-001 --etcd etcd-1:2379,etcd-2:2379\n"
           "  monitor-config list --dir /etc/monitor\n"
           "  monitor-config validate my.json\n"
           "  monitor-config status --group web --watch\n"
           "  monitor-config wait --group web --timeout 30s\n"
           "  monitor-config explain --agent-id agent-001\n"
           "  monitor-config override set --agent-id agent-001 --for 10m interval=100ms\n"
           "  monitor-config init-roles web-1 web-2 --passwords ./secrets --enable-auth --etcd etcd-1:2379\n",
           {{"set", field_words()}, {"override", field_words()}}});
  const Commands commands = declare(cli, flags);
  if (const auto code = cli.parse(argc, argv)) return *code;
  return Program(cli, flags).run(commands);
}

}  // namespace
}  // namespace monitor

int main(int argc, char** argv) { return monitor::guard(monitor::run, argc, argv); }
