#include "bin/config/apply_command.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <iostream>
#include <iterator>
#include <optional>

#include "base/counted.h"
#include "base/escape.h"
#include "bin/common/input.h"
#include "bin/config/fleet_commands.h"
#include "bin/config/history_commands.h"
#include "config/declared/plan.h"
#include "config/document.h"
#include "config/history/text_diff.h"
#include "config/keys.h"

namespace monitor {

namespace {

using config::PlannedAction;
using config::PlannedDocument;
using nlohmann::ordered_json;
using Text = std::optional<std::string>;

constexpr const char* kApply = "apply";

bool is_folder(const std::string& path) {
  struct stat info{};
  return stat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode);
}

config::Edited kind_of(const std::string& key) {
  return config::kind_of_key(key) == config::KeyKind::kAgent ? config::Edited::kOwn : config::Edited::kShared;
}

// The documents that the command names. `one`: only this document is meant, not a whole configuration.
struct Wanted {
  config::Declared declared;
  bool one = false;
};

Result<Wanted> read_wanted(Disk& disk, const std::string& key, const std::string& from) {
  Wanted wanted;
  if (from != "-" && is_folder(from)) {
    if (!key.empty()) {
      return Error(Code::kInvalidArgument,
                   from + ": --agent-id, --group and --defaults need a file, and it is a folder");
    }
    auto declared = config::read_declared_folder(disk, from);
    if (!declared) return declared.error();
    wanted.declared = std::move(*declared);
    return wanted;
  }
  auto text = read_input(disk, from, config::kMostBundleBytes);
  if (!text) return text.error();
  const std::string by_path = key.empty() && from != "-" ? config::key_of_path(from) : key;
  if (by_path.empty()) {
    auto bundle = config::parse_bundle(*text, from);
    if (!bundle) return bundle.error();
    wanted.declared = std::move(*bundle);
    return wanted;
  }
  wanted.one = true;
  wanted.declared.places[by_path] = from;
  wanted.declared.documents[by_path] = std::move(*text);
  return wanted;
}

class Apply {
 public:
  Apply(const ConfigContext& context, const ApplyFlags& flags, const config::PluginCatalog& plugins)
      : context_(context), flags_(flags), plugins_(plugins) {}

  int run(const Wanted& wanted) {
    const auto stored = context_.all();
    if (!stored) return config_failure(stored.error());
    fleet_ = config::fleet_of(*stored, context_.wall_ns(), context_.fresh_ns());  // by agent id
    plan_ = config::plan_of(wanted.declared.documents, *stored, flags_.prune);
    if (wanted.one) std::erase_if(plan_, [](const PlannedDocument& one) { return !one.after; });
    if (const auto code = refuse(wanted)) return *code;
    for (const PlannedDocument& one : plan_) {
      if (const Status done = handle(one); !done) {
        std::cout << std::flush;
        return stop(one, done.error());
      }
    }
    return conclude();
  }

 private:
  // Checks everything before anything is written.
  std::optional<int> refuse(const Wanted& wanted) const {
    std::vector<std::string> faults = wanted.declared.faults;
    for (const PlannedDocument& one : plan_) {
      if (!one.after || one.action == PlannedAction::kSame) continue;
      const std::string& place = wanted.declared.places.at(one.key);
      if (const Status good = check_layer(place, *one.after, kind_of(one.key), plugins_); !good) {
        faults.push_back(good.error().message());
      } else if (const Status known = check_known(one); !known) {
        faults.push_back(place + ": " + known.error().message());
      }
    }
    for (const std::string& fault : faults) std::cerr << "monitor-config: " << printable_lines(fault) << "\n";
    if (!faults.empty()) {
      std::cerr << "monitor-config: nothing was written\n";
      return kExitConfig;
    }
    const bool some =
        std::ranges::any_of(plan_, [](const PlannedDocument& one) { return one.action == PlannedAction::kDelete; });
    if (some && wanted.declared.documents.empty()) {
      std::cerr << fmt::format(
          "monitor-config: {} declares no document, and --prune would delete all {}; nothing was "
          "written. Is it the right folder?\n",
          printable(flags_.from), counted(plan_.size(), "document"));
      return kExitConfig;
    }
    return std::nullopt;
  }

  Status check_known(const PlannedDocument& one) const {
    if (flags_.force) return {};
    std::vector<config::FieldChange> fields;
    const auto document = config::Document::parse(*one.after);
    for (const auto& [name, value] : document->value().items()) fields.push_back({name, value.dump()});
    const std::string name(config::name_of_key(one.key));
    const auto kind = config::kind_of_key(one.key);
    if (kind == config::KeyKind::kDefaults) return check_versions(fleet_, fields);
    std::vector<config::FleetRow> affected;
    if (kind == config::KeyKind::kAgent) {
      const auto row = std::ranges::lower_bound(fleet_, name, {}, &config::FleetRow::agent_id);
      if (row != fleet_.end() && row->agent_id == name) affected.push_back(*row);
      return check_versions(affected, fields);
    }
    std::ranges::copy_if(fleet_, std::back_inserter(affected), [&name](const config::FleetRow& row) {
      return std::ranges::find(row.status.groups, name) != row.status.groups.end();
    });
    return check_versions(affected, fields);
  }

  // The last change of the document, unless `apply` has made it. Nothing is known of a document without a history.
  Result<std::optional<config::Version>> drift_of(const PlannedDocument& one) const {
    const bool may_drift = one.action != PlannedAction::kSame;
    if (!may_drift) return std::optional<config::Version>();
    const auto history = context_.store.history(one.key, 1);
    if (!history) return history.error();
    if (!*history || (*history)->versions.empty()) return std::optional<config::Version>();
    const config::Version& last = (*history)->versions.front();
    if (last.recorded && last.note.command == kApply) return std::optional<config::Version>();
    return std::optional(last);
  }

  Status handle(const PlannedDocument& one) {
    const auto drift = drift_of(one);
    if (!drift) return drift.error();
    const bool leaves = one.action == PlannedAction::kExtra || flags_.dry_run || (*drift && flags_.keep_drift);
    int64_t revision = 0;
    if (one.action != PlannedAction::kSame && !leaves) {
      const auto done = write(one);
      if (!done) return done.error();
      revision = *done;
    }
    ++counts_.at(static_cast<size_t>(one.action));
    drifted_ += *drift ? 1 : 0;
    left_ += one.action != PlannedAction::kSame && leaves && one.action != PlannedAction::kExtra ? 1 : 0;
    print(one, *drift, leaves, revision);
    return {};
  }

  Result<int64_t> write(const PlannedDocument& one) const {
    config::ChangeNote note = context_.note;
    note.at_ns = context_.wall_ns();
    return context_.store.update_noted(
        one.key, note, [&](const std::optional<config::Stored>& current) -> Result<Text> {
          const Text now = current ? Text(current->value) : std::nullopt;
          if (now == one.before || now == one.after) return one.after;
          return Error(Code::kAborted, "conflict: somebody else has changed the document meanwhile");
        });
  }

  void print(const PlannedDocument& one, const std::optional<config::Version>& drift, bool leaves,
             int64_t revision) const {
    if (flags_.format == "json") {
      ordered_json object = {{"key", one.key},
                             {"action", config::to_string(one.action)},
                             {"written", one.action != PlannedAction::kSame && !leaves},
                             {"drift", drift ? ordered_json(describe_change(*drift)) : ordered_json()}};
      if (revision != 0) object["revision"] = revision;
      std::cout << json_line(object) << "\n";
      return;
    }
    if (one.action == PlannedAction::kSame) return;
    const std::string who = drift ? fmt::format("  (drift: last changed {})", describe_change(*drift)) : "";
    const std::string kept = drift && flags_.keep_drift && !flags_.dry_run ? "keep" : std::string();
    std::cout << fmt::format("{:<6}  {}{}\n", kept.empty() ? config::to_string(one.action) : kept, printable(one.key),
                             printable(who));
    if (one.action == PlannedAction::kExtra) return;
    print_diff(config::document_diff(one.before, one.after));
  }

  int stop(const PlannedDocument& one, const Error& error) const {
    const size_t changed = counts_[1] + counts_[2] + counts_[3] - left_;
    std::cerr << fmt::format("monitor-config: {}: {}; {} written before, and the rest was not tried\n",
                             printable(context_.store.describe(one.key)), printable(error.message()),
                             changed == 1 ? "1 document was" : fmt::format("{} documents were", changed));
    return error.code() == Code::kInvalidArgument ? kExitConfig : exit_code_for(error);
  }

  int conclude() const {
    if (flags_.format == "text") {
      const std::string form = flags_.dry_run
                                   ? "{} unchanged, {} to create, {} to change, {} to delete, {} not declared"
                                   : "{} unchanged, {} created, {} changed, {} deleted, {} not declared";
      std::cout << fmt::format(fmt::runtime(form), counts_[0], counts_[1], counts_[2], counts_[3], counts_[4]);
      if (left_ > 0 && !flags_.dry_run) std::cout << fmt::format("; {} left as they are", left_);
      if (drifted_ > 0) std::cout << fmt::format("; {} changed otherwise than by apply", drifted_);
      std::cout << "\n";
    }
    std::cout << std::flush;
    return left_ > 0 ? kExitNegative : kExitOk;
  }

  const ConfigContext& context_;
  const ApplyFlags& flags_;
  const config::PluginCatalog& plugins_;
  std::vector<PlannedDocument> plan_;
  std::vector<config::FleetRow> fleet_;
  std::array<size_t, 5> counts_{};  // by PlannedAction
  size_t drifted_ = 0;
  size_t left_ = 0;  // differences that were left as they are
};

// Files of documents in a folder that are not stored: applying the folder would bring them back.
std::vector<std::string> stale_files(Disk& disk, const std::string& folder,
                                     const std::map<std::string, std::string>& documents) {
  std::vector<std::string> stale;
  const auto there = config::read_declared_folder(disk, folder);
  if (!there) return stale;
  for (const auto& [key, text] : there->documents) {
    if (!documents.contains(key)) stale.push_back(config::declared_path(key));
  }
  return stale;
}

int export_to_folder(Disk& disk, const std::map<std::string, std::string>& documents, const ExportFlags& flags) {
  const auto stale = stale_files(disk, flags.to, documents);
  if (!stale.empty() && !flags.prune) {
    std::cerr << fmt::format(
        "monitor-config: {} holds {}, which is not stored; nothing was written. Remove it, or let "
        "--prune remove {}\n",
        printable(flags.to), printable(stale.front()), counted(stale.size(), "such file"));
    return kExitNegative;
  }
  for (const auto& [key, text] : documents) {
    if (const Status done = disk.write_beneath(flags.to, config::declared_path(key), text); !done) {
      return config_failure(done.error());
    }
  }
  for (const std::string& path : stale) {
    if (const Status done = disk.remove_beneath(flags.to, path); !done) return config_failure(done.error());
  }
  std::cout << fmt::format("{} written to {}{}\n", counted(documents.size(), "document"), printable(flags.to),
                           stale.empty() ? "" : fmt::format(", {} removed", stale.size()))
            << std::flush;
  return kExitOk;
}

}  // namespace

int run_apply(const ConfigContext& context, Disk& disk, const std::string& key, const ApplyFlags& flags,
              const config::PluginCatalog& plugins) {
  const auto wanted = read_wanted(disk, key, flags.from);
  if (!wanted) return config_failure(wanted.error());
  if (wanted->one && flags.prune) {
    return context.cli.usage_error("apply: --prune needs a whole configuration, and the file holds a single document");
  }
  return Apply(context, flags, plugins).run(*wanted);
}

int run_export(const ConfigContext& context, Disk& disk, const std::string& key, const ExportFlags& flags) {
  const auto stored = context.all();
  if (!stored) return config_failure(stored.error());
  std::map<std::string, std::string> documents;
  for (const PlannedDocument& one : config::plan_of({}, *stored, false)) {
    if (key.empty() || key == one.key) documents[one.key] = *one.before;
  }
  if (!key.empty() && documents.empty()) {
    std::cerr << fmt::format("monitor-config: {} does not exist ({})\n", printable(key),
                             printable(context.store.describe(key)));
    return kExitNegative;
  }
  for (const auto& [one, text] : documents) {
    if (config::Document::parse(text)) continue;
    std::cerr << fmt::format("warning: {} is not JSON{}\n", printable(one),
                             flags.to.empty() ? "; it is left out" : ", and is exported as it is");
  }
  if (!flags.to.empty()) return export_to_folder(disk, documents, flags);
  std::vector<std::string> left_out;
  std::cout << printable_lines(config::bundle_of(documents, left_out)) << std::flush;
  return left_out.empty() ? kExitOk : kExitNegative;
}

}  // namespace monitor
