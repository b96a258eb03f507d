// Versions of a document from its records. Pure functions.
#pragma once

#include <vector>

#include "config/history/change_record.h"
#include "config/store.h"

namespace monitor::config {

// `revision`: that of the change; 0 if it is not known.
Version version_of(const ChangeRecord& record, int64_t revision);

// Adds versions that a store found otherwise to those from records, by their revisions; both are newest first. A
// version that a record describes is not added. A recorded change without a revision (a deletion that was noticed
// later) receives that of the version that it describes.
void add_versions(std::vector<Version>& recorded, std::vector<Version> others);

}  // namespace monitor::config
