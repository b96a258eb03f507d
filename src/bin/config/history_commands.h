// monitor-config history, diff and rollback.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/disk.h"
#include "bin/config/context.h"
#include "config/edit.h"
#include "config/validate.h"

namespace monitor {

struct HistoryFlags {
  size_t limit = 50;
  bool diff = false;  // shows what each change changed
  std::string format = "table";
};

struct DiffFlags {
  std::vector<std::string> sides;  // at most two: live, previous, a revision, or a file
  bool merged = false;
  std::string format = "text";
};

struct RollbackFlags {
  int64_t to_revision = 0;
  bool dry_run = false;
  std::optional<int64_t> if_revision;  // of all commands
};

// The changes of the document under `key`, newest first; of all documents if it is empty. Returns 1 if there is none.
int run_history(const ConfigContext& context, const std::string& key, const HistoryFlags& flags);

// The difference of two versions of a document, or of the merged configurations that result from them. Returns 1 if
// they differ.
int run_diff(const ConfigContext& context, Disk& disk, const std::string& key, const DiffFlags& flags);

// Writes the document as it was at a revision, or deletes it if it did not exist then.
int run_rollback(const ConfigContext& context, const std::string& key, const RollbackFlags& flags,
                 const config::PluginCatalog& plugins);

// A version by its revision. kNotFound names the oldest and the newest one.
Result<config::Version> find_version(const ConfigContext& context, const std::string& key, int64_t revision);

// Writes a difference to standard output, in colours on a terminal.
void print_diff(const std::string& diff);

// "2026-01-02T03:04:05Z by alice (etcd user): why"
std::string describe_change(const config::Version& version);

// As a layer, with warnings left out. kInvalidArgument: the problems, one a line.
Status check_layer(const std::string& name, const std::string& text, config::Edited what,
                   const config::PluginCatalog& plugins);

}  // namespace monitor
