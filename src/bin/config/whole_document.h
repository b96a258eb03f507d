// `monitor-config set --file`: reads a whole document from a file or from standard input.
#pragma once

#include <string>
#include <vector>

#include "base/disk.h"
#include "base/result.h"
#include "config/edit.h"

namespace monitor {

struct WholeDocument {
  std::string text;                         // as it was read
  std::vector<config::FieldChange> fields;  // its fields, to check whether agents know them
};

// Reads the document; "-" is standard input. Errors: kInvalidArgument, with each problem and its line, if it is invalid
// as a layer by itself; errors of the disk.
Result<WholeDocument> read_whole_document(Disk& disk, const std::string& file, config::Edited what,
                                          const config::PluginCatalog& plugins);

}  // namespace monitor
