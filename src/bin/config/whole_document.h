// monitor-config set --file: a whole document from a file or from standard input.
#pragma once

#include <string>
#include <vector>

#include "base/disk.h"
#include "base/result.h"
#include "config/edit.h"

namespace monitor {

struct WholeDocument {
  std::string text;                         // as read
  std::vector<config::FieldChange> fields;  // its fields, to check that agents know them
};

// Reads the document; "-" is standard input. Errors: kInvalidArgument with each problem and its line if it is invalid
// as a layer on its own; errors of the disk.
Result<WholeDocument> read_whole_document(Disk& disk, const std::string& file, config::Edited what,
                                          const config::PluginCatalog& plugins);

}  // namespace monitor
