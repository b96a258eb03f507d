#include "bin/config/history_commands.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <iostream>
#include <map>

#include "base/counted.h"
#include "base/escape.h"
#include "base/text.h"
#include "base/time_format.h"
#include "bin/common/input.h"
#include "config/document.h"
#include "config/foreign_json.h"
#include "config/history/text_diff.h"
#include "config/keys.h"
#include "config/schema.h"

namespace monitor {

namespace {

using config::Version;
using nlohmann::ordered_json;
using Text = std::optional<std::string>;

constexpr size_t kMostFields = 6;  // in a table
constexpr size_t kAll = 10'000;    // more than any history has

Text text_of(const Version& version) {
  return version.deleted || !version.kept ? std::nullopt : Text(version.stored.value);
}

// A change and the text before it; nothing: it is not known.
struct Change {
  std::string key;
  Version version;
  std::optional<Text> before;
};

std::string time_of(const Version& version) {
  if (version.written_ns != 0) return (version.recorded ? "" : "~") + format_rfc3339(version.written_ns, 0);
  return version.note.at_ns == 0 ? "unknown" : "found " + format_rfc3339(version.note.at_ns, 0);
}

std::string author_of(const Version& version) {
  if (version.recorded) return config::describe_author(version.note);
  return version.note.at_ns == 0 || version.written_ns == 0
             ? "unknown"
             : fmt::format("unknown, found at {}", format_rfc3339(version.note.at_ns, 0));
}

// "interval 5 -> 7", "metrics", "created", "deleted".
std::string summary_of(const Change& change) {
  if (!change.version.kept) return "too large to keep";
  if (change.version.deleted) return "deleted";
  if (!change.before) return "";
  if (!*change.before) return "created";
  std::vector<std::string> parts;
  const auto changes = config::document_changes(*change.before, text_of(change.version));
  for (const config::ValueChange& one : changes) {
    if (parts.size() == kMostFields) {
      parts.push_back(fmt::format("and {} more", changes.size() - kMostFields));
      break;
    }
    constexpr size_t kShort = 12;
    const bool brief = one.before.size() <= kShort && one.after.size() <= kShort;
    const auto value = [](const std::string& text) { return text.empty() ? std::string("none") : text; };
    parts.push_back(one.pointer.substr(1) +
                    (brief ? fmt::format(" {} -> {}", value(one.before), value(one.after)) : std::string()));
  }
  return parts.empty() ? "only the form" : join(parts, ", ");
}

ordered_json json_of(const std::optional<Text>& text) {
  if (!text || !*text) return {};
  if (config::Document::parse(**text)) return ordered_json::parse(**text);
  return **text;
}

std::string json_line_of(const Change& change) {
  const Version& version = change.version;
  const auto or_null = [](const std::string& text) { return text.empty() ? ordered_json() : ordered_json(text); };
  const auto time = [](int64_t ns) { return ns == 0 ? ordered_json() : ordered_json(format_rfc3339(ns, 3)); };
  ordered_json object = {{"key", change.key},
                         {"revision", version.stored.revision},
                         {"recorded", version.recorded},
                         {"time", time(version.written_ns)},
                         {"author", version.recorded ? or_null(version.note.author) : ordered_json()},
                         {"author_kind", version.recorded ? config::to_string(version.note.kind) : "unknown"},
                         {"account", or_null(version.note.account)},
                         {"message", or_null(version.note.message)},
                         {"command", or_null(version.note.command)},
                         {"found_at", version.recorded ? ordered_json() : time(version.note.at_ns)},
                         {"change", version.deleted                    ? "delete"
                                    : change.before && !*change.before ? "create"
                                                                       : "change"},
                         {"before", json_of(change.before)},
                         {"after", json_of(text_of(version))}};
  if (!change.before) object["before_known"] = false;
  if (!version.kept) object["after_known"] = false;
  return json_line(object);
}

std::string table_of(const std::vector<Change>& changes, bool with_key) {
  std::string out;
  std::array<size_t, 3> width = {8, 4, 6};
  for (const Change& one : changes) {
    width[1] = std::max(width[1], time_of(one.version).size());
    width[2] = std::max(width[2], printable(author_of(one.version)).size());
  }
  out += fmt::format("{:>{}}  {:<{}}  {:<{}}  {}CHANGE\n", "REVISION", width[0], "WHEN", width[1], "AUTHOR", width[2],
                     with_key ? "DOCUMENT: " : "");
  for (const Change& one : changes) {
    const int64_t revision = one.version.stored.revision;
    out += fmt::format("{:>{}}  {:<{}}  {:<{}}  {}{}{}\n", revision == 0 ? "-" : std::to_string(revision), width[0],
                       time_of(one.version), width[1], printable(author_of(one.version)), width[2],
                       with_key ? printable(one.key) + ": " : "", printable(summary_of(one)),
                       one.version.note.message.empty() ? "" : "  # " + printable(one.version.note.message));
  }
  return out;
}

std::vector<Change> changes_of(const std::string& key, const config::DocumentHistory& history) {
  std::vector<Change> changes;
  const auto& versions = history.versions;
  for (size_t i = 0; i < versions.size(); ++i) {
    std::optional<Text> before;
    if (i + 1 < versions.size()) {
      if (versions[i + 1].kept) before = text_of(versions[i + 1]);
    } else if (history.complete) {
      before.emplace(std::nullopt);
    }
    changes.push_back({key, versions[i], before});
  }
  return changes;
}

// Of all documents: what was recorded. The texts before come from each document's own history.
Result<std::vector<Change>> changes_of_all(const ConfigContext& context, size_t limit) {
  const auto recent = context.store.recent_changes(limit);
  if (!recent) return recent.error();
  std::map<std::string, std::vector<Change>> histories;
  std::vector<Change> changes;
  for (const config::DocumentChange& one : *recent) {
    if (!histories.contains(one.key)) {
      const auto history = context.store.history(one.key, kAll);
      if (!history) return history.error();
      if (*history) histories[one.key] = changes_of(one.key, **history);
    }
    const auto& all = histories[one.key];
    const auto same = std::ranges::find_if(all, [&](const Change& other) {
      return other.version.stored.revision == one.version.stored.revision &&
             other.version.deleted == one.version.deleted;
    });
    changes.push_back(same != all.end() ? *same : Change{one.key, one.version, std::nullopt});
  }
  return changes;
}

}  // namespace

std::string describe_change(const Version& version) {
  return fmt::format("{} by {}{}", time_of(version), author_of(version),
                     version.note.message.empty() ? "" : ": " + version.note.message);
}

void print_diff(const std::string& diff) {
  const bool terminal = isatty(STDOUT_FILENO) != 0;
  for (const std::string_view line : split(diff, '\n')) {
    if (line.empty()) continue;
    const char* const colour = line[0] == '+'   ? "\x1b[32m"
                               : line[0] == '-' ? "\x1b[31m"
                               : line[0] == '@' ? "\x1b[36m"
                                                : "";
    const bool coloured = terminal && *colour != '\0';
    std::cout << (coloured ? colour : "") << printable_lines(line) << (coloured ? "\x1b[0m\n" : "\n");
  }
}

Status check_layer(const std::string& name, const std::string& text, config::Edited what,
                   const config::PluginCatalog& plugins) {
  auto document = config::Document::parse(text);
  if (!document) return Error(Code::kInvalidArgument, fmt::format("{}: {}", name, document.error().message()));
  const auto validated = config::validate({{name, 0, std::move(*document), what == config::Edited::kOwn}}, plugins);
  if (validated.ok()) return {};
  std::vector<std::string> lines;
  for (const config::Problem& problem : validated.problems) {
    if (!problem.warning) lines.push_back(problem.to_string());
  }
  return Error(Code::kInvalidArgument, join(lines, "\n"));
}

Result<Version> find_version(const ConfigContext& context, const std::string& key, int64_t revision) {
  const auto history = context.store.history(key, kAll);
  if (!history) return history.error();
  if (!*history || (*history)->versions.empty()) {
    return Error(Code::kNotFound, fmt::format("{} has no history", key));
  }
  const auto& versions = (*history)->versions;
  const auto found = std::ranges::find_if(
      versions, [revision](const Version& one) { return one.stored.revision == revision && one.stored.revision != 0; });
  if (found == versions.end()) {
    return Error(Code::kNotFound,
                 fmt::format("{} has no version with revision {}; it has {} from {} to {} (monitor-config history)",
                             key, revision, counted(versions.size(), "version"), versions.back().stored.revision,
                             versions.front().stored.revision));
  }
  if (!found->kept) {
    return Error(Code::kNotFound, fmt::format("{}: the text of revision {} was too large to keep", key, revision));
  }
  return *found;
}

int run_history(const ConfigContext& context, const std::string& key, const HistoryFlags& flags) {
  std::vector<Change> changes;
  if (key.empty()) {
    auto all = changes_of_all(context, flags.limit);
    if (!all) return config_failure(all.error());
    changes = std::move(*all);
  } else {
    const auto history = context.store.history(key, kAll);
    if (!history) return config_failure(history.error());
    if (*history) changes = changes_of(key, **history);
    if (changes.size() > flags.limit) changes.resize(flags.limit);
  }
  if (changes.empty()) {
    std::cerr << "monitor-config: " << (key.empty() ? "no change is recorded" : printable(key) + " has no history")
              << "\n";
    return kExitNegative;
  }
  if (flags.format == "json") {
    for (const Change& change : changes) std::cout << json_line_of(change) << "\n";
  } else if (!flags.diff) {
    std::cout << table_of(changes, key.empty());
  } else {
    for (const Change& change : changes) {
      std::cout << fmt::format("{} revision {}, {}\n", printable(change.key), change.version.stored.revision,
                               printable(describe_change(change.version)));
      if (change.before) print_diff(config::document_diff(*change.before, text_of(change.version)));
      std::cout << "\n";
    }
  }
  std::cout << std::flush;
  return kExitOk;
}

int run_rollback(const ConfigContext& context, const std::string& key, const RollbackFlags& flags,
                 const config::PluginCatalog& plugins) {
  const auto version = find_version(context, key, flags.to_revision);
  if (!version) return config_failure(version.error());
  const Text wanted = text_of(*version);
  const auto what =
      config::kind_of_key(key) == config::KeyKind::kAgent ? config::Edited::kOwn : config::Edited::kShared;
  if (wanted) {
    if (Status good = check_layer(key, *wanted, what, plugins); !good) {
      return config_failure(good.error().with_context(
          fmt::format("the document of revision {} is not valid any more; nothing was written", flags.to_revision)));
    }
  }
  config::ChangeNote note = context.note;
  note.at_ns = context.wall_ns();
  if (note.message.empty()) note.message = fmt::format("rollback to revision {}", flags.to_revision);
  Text before;
  const auto read = [&](const std::optional<config::Stored>& current) -> Result<Text> {
    before = current ? Text(current->value) : std::nullopt;
    const int64_t is = current ? current->revision : 0;
    if (flags.if_revision && is != *flags.if_revision) {
      return Error(Code::kAborted,
                   fmt::format("conflict: the document is at revision {}, not {}", is, *flags.if_revision));
    }
    return wanted;
  };
  int64_t revision = 0;
  if (flags.dry_run) {
    const auto current = context.store.get(key);
    if (!current) return config_failure(current.error());
    if (const auto same = read(*current); !same) return config_failure(same.error());
  } else {
    const auto done = context.store.update_noted(key, note, read);
    if (!done)
      return config_failure(done.error().with_context("nothing was written to " + context.store.describe(key)));
    revision = *done;
  }
  print_diff(config::document_diff(before, wanted));
  const bool changed = before != wanted;
  std::cout << fmt::format("{} {} revision {}{}\n", printable(key),
                           !changed        ? "is already as at"
                           : flags.dry_run ? "would be as at"
                           : wanted        ? "restored to"
                                           : "deleted, as at",
                           flags.to_revision,
                           changed && revision != 0 ? fmt::format(", now revision {}", revision) : "")
            << std::flush;
  if (changed && wanted && !flags.dry_run) print_warnings(context, *wanted, what, plugins);
  return flags.dry_run && changed ? kExitNegative : kExitOk;
}

}  // namespace monitor
