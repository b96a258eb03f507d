// monitor-config: flags and wiring. The commands are in src/bin/config/, the logic in src/config/.
#include <fmt/format.h>
#include <unistd.h>

#include <cstdlib>
#include <iostream>
#include <memory>

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
#include "bin/config/apply_command.h"
#include "bin/config/author.h"
#include "bin/config/context.h"
#include "bin/config/document_commands.h"
#include "bin/config/edit_command.h"
#include "bin/config/fleet_commands.h"
#include "bin/config/history_commands.h"
#include "bin/config/lower_layers.h"
#include "bin/config/options.h"
#include "bin/config/override_commands.h"
#include "bin/config/role_commands.h"
#include "bin/config/rollout_commands.h"
#include "bin/config/whole_document.h"
#include "config/edit.h"
#include "config/etcd/etcd_batch_store.h"
#include "config/etcd/etcd_source.h"
#include "config/etcd/etcd_store.h"
#include "config/file/file_batch_store.h"
#include "config/file/file_source.h"
#include "config/file/file_store.h"
#include "config/keys.h"
#include "config/schema.h"
#include "metrics/catalog/catalog.h"
#include "plugins/builtin/registry.h"

namespace monitor {
namespace {

using config::FieldChange;

std::optional<std::string> key_of(const ConfigFlags& flags) {
  if (flags.defaults) return config::defaults_key();
  if (!flags.group.empty()) return config::group_key(flags.group);
  if (!flags.agent_id.empty()) return config::agent_key(flags.agent_id);
  return std::nullopt;
}

class Program {
 public:
  Program(Cli& cli, ConfigFlags& flags) : cli_(cli), flags_(flags), loop_(clock_) {}

  int run(const ConfigCommands& commands) {
    const int status = run_command(commands);
    if (status == kExitUnavailable && default_etcd_) {
      std::cerr << "monitor-config: no option names a configuration store and no `monitor up` is running; set "
                   "--etcd, --dir or --data\n";
    }
    return status;
  }

 private:
  int run_command(const ConfigCommands& commands) {
    if (commands.schema->parsed()) return schema();
    if (commands.validate->parsed()) return validate();
    if (const auto code = open_store()) return *code;
    if (commands.list->parsed()) return run_list(context(), flags_.list_format);
    if (commands.names->parsed()) return run_names(context(), flags_.names);
    if (const auto code = take_author()) return *code;
    if (const auto code = run_on_fleet(commands)) return *code;
    const auto key = key_of(flags_);
    if (const auto code = run_on_all(commands, key.value_or(""))) return *code;
    if (!key) return cli_.usage_error("name a document with --agent-id, --group or --defaults");
    const std::string name = flags_.group.empty() ? flags_.agent_id : flags_.group;
    if (!flags_.defaults && !valid_name(name)) {
      return cli_.usage_error(
          fmt::format("got the name {}, expected 1 to 128 of [A-Za-z0-9._-]", json_quote(name.substr(0, 160))));
    }
    if (commands.get->parsed()) return run_get(context(), *key, flags_.get_format);
    if (commands.remove->parsed()) return remove(*key);
    if (commands.watch->parsed()) return watch(*key);
    if (const auto code = run_on_versions(commands, *key)) return *code;
    if (!flags_.whole.empty()) return write_whole(*key);
    return write(*key, !commands.set->parsed());
  }

  std::optional<int> run_on_fleet(const ConfigCommands& commands) {
    for (const std::string& name : {flags_.agent_id, flags_.group, flags_.override_one.name}) {
      if (!name.empty() && !valid_name(name)) {
        return cli_.usage_error(
            fmt::format("got the name {}, expected 1 to 128 of [A-Za-z0-9._-]", json_quote(name.substr(0, 160))));
      }
    }
    const ConfigContext context = this->context();
    if (commands.init_roles->parsed()) {
      if (files()) return cli_.usage_error("init-roles: roles exist only in etcd; set --etcd");
      return run_init_roles(context, *etcd_->client, disk_, flags_.roles);
    }
    if (commands.rollout.all->parsed()) return rollout(context, commands.rollout);
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
        return cli_.usage_error("wait: set --agent-id or --group");
      }
      return run_wait(context, flags_.wait);
    }
    if (!commands.explain->parsed()) return std::nullopt;
    if (flags_.agent_id.empty()) return cli_.usage_error("explain: set --agent-id");
    return run_explain(context, flags_.explain_format, catalog_);
  }

  int rollout(const ConfigContext& context, const RolloutCommands& commands) {
    std::unique_ptr<config::BatchStore> batches;
    if (files()) {
      batches = std::make_unique<config::FileBatchStore>(*store_);
    } else {
      batches =
          std::make_unique<config::EtcdBatchStore>(loop_, *etcd_->client, [this] { loop_.run_once(-1); }, *store_);
    }
    // These commands stop between two passes.
    const bool follows = commands.start->parsed() || commands.watch->parsed() || commands.controller->parsed();
    if (follows) signals_.reset();
    return run_rollout({context, *batches, disk_, catalog_, default_history()}, flags_.rollout, commands);
  }

  // The history of the system that runs here, if there is one.
  std::string default_history() const {
    std::string data = cli_.data_folder();
    if (const auto running = cli_.running(); !cli_.data_named() && running && *running != nullptr)
      data = (*running)->data;
    const std::string path = data + "/history.db";
    return !data.empty() && access(path.c_str(), R_OK) == 0 ? "file:" + path : "";
  }

  // Commands that take one document, or all.
  std::optional<int> run_on_all(const ConfigCommands& commands, const std::string& key) {
    if (commands.history->parsed()) {
      if (commands.history->count("--override") == 0) return run_history(context(), key, flags_.history);
      if (key.empty()) return cli_.usage_error("history: --override needs --agent-id, --group or --defaults");
      const std::string prefix = flags_.defaults        ? config::shared_overrides()
                                 : flags_.group.empty() ? config::agent_overrides(flags_.agent_id)
                                                        : config::group_overrides(flags_.group);
      return run_history(context(), prefix + flags_.override_one.name, flags_.history);
    }
    if (commands.export_documents->parsed()) return run_export(context(), disk_, key, flags_.export_to);
    if (!commands.apply->parsed()) return std::nullopt;
    flags_.apply.force = flags_.apply.force || flags_.force;
    if (flags_.if_revision) return cli_.usage_error("apply: --if-revision needs a command for a single document");
    return run_apply(context(), disk_, key, flags_.apply, catalog_);
  }

  std::optional<int> run_on_versions(const ConfigCommands& commands, const std::string& key) {
    if (commands.diff->parsed()) return run_diff(context(), disk_, key, flags_.diff);
    if (commands.edit->parsed()) return run_edit(context(), key, flags_.edit, catalog_);
    if (!commands.rollback->parsed()) return std::nullopt;
    flags_.rollback.if_revision = flags_.if_revision;
    return run_rollback(context(), key, flags_.rollback, catalog_);
  }

  std::optional<int> take_author() {
    const auto parsed = cli_.app().get_subcommands();
    const std::string command = parsed.empty() ? "set" : parsed.front()->get_name();
    auto note = note_of(flags_.author, files() ? "" : flags_.etcd.user, command);
    if (!note) return cli_.usage_error(note.error().message());
    note_ = std::move(*note);
    return std::nullopt;
  }

  ConfigContext context() {
    return {cli_, *store_, loop_, files(), flags_.agent_id, flags_.group, flags_.defaults, note_};
  }

  config::ChangeNote note() const {
    config::ChangeNote note = note_;
    note.at_ns = clock_.wall_ns();
    return note;
  }

  Status check_known(const ConfigContext& context, const std::vector<FieldChange>& changes) const {
    return flags_.force ? Status() : check_versions(context, changes);
  }

  bool files() const { return !flags_.dir.empty(); }

  std::optional<int> open_store() {
    const bool named = files() || flags_.etcd.mentioned();
    if (const std::string fault = resolve_configuration(cli_, flags_.etcd, flags_.dir); !fault.empty()) {
      return cli_.usage_error(fault);
    }
    default_etcd_ = !files() && !flags_.etcd.mentioned();
    if (files()) {
      if (flags_.if_revision) return cli_.usage_error("--if-revision: files have no revisions; it needs --etcd");
      if (!named && cli_.data_named()) {
        const Status trusted = check_folder_trusted(cli_.data_folder(), "the data folder");
        if (!trusted && trusted.error().code() == Code::kPermissionDenied) return fail(trusted.error());
      }
      store_ = std::make_unique<config::FileStore>(disk_, flags_.dir);
      return std::nullopt;
    }
    if (const std::string fault = check_etcd_flags(flags_.etcd); !fault.empty()) return cli_.usage_error(fault);
    auto connection = connect_etcd(loop_, flags_.etcd);
    if (!connection) {
      std::cerr << "monitor-config: " << printable(connection.error().message()) << "\n";
      return kExitIo;
    }
    etcd_ = std::move(*connection);
    // Used until `watch` installs its own handler: no command leaves anything half done when a wait for etcd is
    // aborted.
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

  // `set --file`: replaces the whole document.
  int write_whole(const std::string& key) {
    if (const auto fields = changes(); !fields || !fields->empty()) {
      return cli_.usage_error(
          "set: --file stores a whole document and excludes options for single fields, such as --interval");
    }
    const auto what = flags_.agent_id.empty() ? config::Edited::kShared : config::Edited::kOwn;
    const auto document = read_whole_document(disk_, flags_.whole, what, catalog_);
    if (!document) return fail(document.error());
    if (Status known = check_known(context(), document->fields); !known) {
      return fail(known.error().with_context("nothing was written to " + store_->describe(key)));
    }
    bool changed = false;
    const auto done = store_->update_noted(
        key, note(), [&](const std::optional<config::Stored>& current) -> Result<std::optional<std::string>> {
          if (Status same = check_revision(current, ""); !same) return same.error();
          changed = !current || current->value != document->text;
          return std::optional(document->text);
        });
    if (!done) return fail(done.error().with_context("nothing was written to " + store_->describe(key)));
    return say_written(key, changed, *done, document->text, what);
  }

  int say_written(const std::string& key, bool changed, int64_t revision, const std::string& text,
                  config::Edited what) {
    const std::string place = files() ? " in " + store_->describe(key) : fmt::format(", revision {}", revision);
    std::cout << fmt::format("{} {}{}\n", key, changed ? "written" : "unchanged", place) << std::flush;
    print_warnings(context(), text, what, catalog_);
    return kExitOk;
  }

  int write(const std::string& key, bool seed_form) {
    const auto wanted = changes();
    if (!wanted) return cli_.usage_error(wanted.error().message());
    if (!seed_form && wanted->empty())
      return cli_.usage_error("set: give at least one setting, as --interval 5 or send_every=2");
    if (Status known = check_known(context(), *wanted); !known) {
      return fail(known.error().with_context("nothing was written to " + store_->describe(key)));
    }
    const auto what = flags_.agent_id.empty() ? config::Edited::kShared : config::Edited::kOwn;
    const auto below = lower_layers(context(), key, *wanted);
    if (!below) return fail(below.error().with_context("nothing was written to " + store_->describe(key)));
    bool changed = false;
    std::string written;
    std::optional<std::optional<std::string>> base;  // the document when it was first read
    const auto done = store_->update_noted(
        key, note(), [&](const std::optional<config::Stored>& current) -> Result<std::optional<std::string>> {
          const auto before = current ? std::optional(current->value) : std::nullopt;
          if (Status same = check_revision(current, config::describe_changes(before, *wanted)); !same) {
            return same.error();
          }
          if (!base) base = before;
          if (Status unchanged = config::check_unchanged(*base, before, *wanted); !unchanged) {
            return unchanged.error().with_context("conflict");
          }
          auto text = config::edit_document(before, *wanted, seed_form, what, catalog_, *below);
          if (!text) return text.error();
          changed = before != *text;
          written = *text;
          return std::optional(std::move(*text));
        });
    if (!done) return fail(done.error().with_context("nothing was written to " + store_->describe(key)));
    return say_written(key, changed, *done, written, what);
  }

  // Checks --if-revision; `values` describes what differs.
  Status check_revision(const std::optional<config::Stored>& current, const std::string& values) const {
    const int64_t is = current ? current->revision : 0;
    if (!flags_.if_revision || is == *flags_.if_revision) return {};
    return Error(Code::kAborted, fmt::format("conflict: the document is at revision {}, not {}{}{}", is,
                                             *flags_.if_revision, values.empty() ? "" : ": ", values));
  }

  int remove(const std::string& key) {
    bool was_there = false;
    const auto done = store_->update_noted(
        key, note(), [&](const std::optional<config::Stored>& current) -> Result<std::optional<std::string>> {
          if (Status same = check_revision(current, ""); !same) return same.error();
          was_there = current.has_value();
          return std::optional<std::string>();
        });
    if (!done) return fail(done.error());
    if (!was_there) {
      std::cerr << fmt::format("monitor-config: {} does not exist ({})\n", printable(key),
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
          std::cout << "# not valid: " << printable(found->second.fault->message()) << "\n";
        } else {
          std::cout << printable_lines(found->second.value);
          if (!found->second.value.ends_with("\n")) std::cout << "\n";
        }
        std::cout << std::flush;
      }
      void on_source_lost(const Error&) override {}  // the source logs it and retries
    };
    signals_.reset();
    const Signals signals(loop_, [this](int) { loop_.stop(); });
    Printer printer;
    printer.key = key;
    std::unique_ptr<config::ConfigSource> source;
    if (etcd_ == nullptr) {
      source =
          std::make_unique<config::FileSource>(loop_, disk_, worker_, config::FileSourceOptions{flags_.dir, {}, ""});
    } else {
      source = std::make_unique<config::EtcdSource>(loop_, etcd_->random, *etcd_->client);
    }
    source->watch({{key}}, printer);
    loop_.run();
    return kExitOk;
  }

  int schema() {
    std::cout << (flags_.format == "markdown"  ? config::reference_markdown()
                  : flags_.format == "metrics" ? metrics::catalog_markdown()
                                               : config::json_schema(agent::builtin_plugins()));
    return kExitOk;
  }

  Cli& cli_;
  ConfigFlags& flags_;
  PosixDisk disk_;
  ThreadWorker worker_{loop_};
  const agent::AuthorsCatalog catalog_;
  SystemClock clock_;
  EventLoop loop_;
  std::unique_ptr<EtcdConnection> etcd_;  // nullptr: files
  bool default_etcd_ = false;             // no option named a store
  std::unique_ptr<Signals> signals_;
  std::unique_ptr<config::ConfigStore> store_;
  config::ChangeNote note_;  // without the time
};

int run(int argc, char** argv) {
  block_signals();
  ConfigFlags flags;
  Cli cli({"monitor-config", "Sets, shows and validates the configuration of agents.",
           "  monitor-config --agent-id agent-001 --interval 5\n"
           "  monitor-config --agent-id agent-001 --metrics cpu memory \"disk read\" --plugins deduplication\n"
           "  monitor-config set --agent-id agent-001 interval=0.5\n"
           "  monitor-config set --agent-id agent-001 metrics+=processes --message \"who uses the memory?\"\n"
           "  monitor-config set --group web --file web.json\n"
           "  monitor-config edit --group web\n"
           "  monitor-config history --agent-id agent-001\n"
           "  monitor-config diff --agent-id agent-001 12 live\n"
           "  monitor-config diff --group web web.json --merged\n"
           "  monitor-config rollback --agent-id agent-001 --to-revision 12\n"
           "  monitor-config export --to fleet\n"
           "  monitor-config apply -f fleet --dry-run\n"
           "  monitor-config apply -f fleet --prune --author ci --message v1.4\n"
           "  monitor-config get --agent-id agent-001 --etcd etcd-1:2379,etcd-2:2379\n"
           "  monitor-config list --dir /etc/monitor\n"
           "  monitor-config names agents\n"
           "  monitor-config delete --group web --if-revision 12\n"
           "  monitor-config watch --agent-id agent-001\n"
           "  monitor-config validate my.json\n"
           "  monitor-config schema --format markdown\n"
           "  monitor-config status --group web --watch\n"
           "  monitor-config wait --group web --timeout 30s\n"
           "  monitor-config explain --agent-id agent-001\n"
           "  monitor-config override set --agent-id agent-001 --for 10m interval=100ms\n"
           "  monitor-config override list\n"
           "  monitor-config override end --agent-id agent-001\n"
           "  monitor-config rollout start web.json --group web --canary 5% --steps 25%,100% --wait 2m --message "
           "\"faster\"\n"
           "  monitor-config rollout status --group web\n"
           "  monitor-config rollout watch --group web --query http://localhost:8080\n"
           "  monitor-config rollout pause --group web --message \"wait for the night\"\n"
           "  monitor-config rollout resume --group web\n"
           "  monitor-config rollout abort --group web --message \"too slow\"\n"
           "  monitor-config rollout list --format json\n"
           "  monitor-config rollout controller --query http://localhost:8080\n"
           "  monitor-config init-roles web-1 web-2 --passwords ./secrets --enable-auth --etcd etcd-1:2379\n",
           config_completions(), config_unused_groups()});
  const ConfigCommands commands = declare_config(cli, flags);
  if (const auto code = cli.parse(argc, argv)) return *code;
  return Program(cli, flags).run(commands);
}

}  // namespace
}  // namespace monitor

int main(int argc, char** argv) { return monitor::guard(monitor::run, argc, argv); }
