// monitor-config apply and export.
#pragma once

#include <string>

#include "base/disk.h"
#include "bin/config/context.h"
#include "config/validate.h"

namespace monitor {

struct ApplyFlags {
  std::string from;  // a folder, a file, or - for standard input
  bool prune = false;
  bool dry_run = false;
  bool keep_drift = false;  // leaves documents that were changed otherwise since they were applied
  bool force = false;
  std::string format = "text";
};

struct ExportFlags {
  std::string to;  // a folder; empty: a bundle to standard output
  bool prune = false;
};

// Makes the stored documents those that a folder or a file declares, and says for each what it does, and who has
// changed it otherwise. `key`: the document of a file that holds a single one; empty: the file says it. Returns 0 if
// the stored documents are now those declared; 1 if there are differences left (--dry-run, --keep-drift); 75 after a
// conflict; 78 if a document is not valid, and then nothing is written.
int run_apply(const ConfigContext& context, Disk& disk, const std::string& key, const ApplyFlags& flags,
              const config::PluginCatalog& plugins);

// Prints the documents as a bundle, or writes them to a folder, in a form that `apply` reads. `key`: only this
// document. Overrides are left out: they end by themselves. Returns 1 if a document that is not JSON was left out of a
// bundle.
int run_export(const ConfigContext& context, Disk& disk, const std::string& key, const ExportFlags& flags);

}  // namespace monitor
