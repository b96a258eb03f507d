#include "config/history/versions.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace monitor::config {

Version version_of(const ChangeRecord& record, int64_t revision) {
  Version version;
  version.stored = {record.text.value_or(""), revision};
  version.deleted = record.deleted();
  version.kept = record.mark.empty();
  version.recorded = !record.found || record.note.kind == AuthorKind::kExpiry;
  version.written_ns = version.recorded ? record.note.at_ns : 0;
  version.note = record.note;
  return version;
}

void add_versions(std::vector<Version>& recorded, std::vector<Version> others) {
  for (Version& other : others) {
    const int64_t revision = other.stored.revision;
    const auto at = std::ranges::find_if(recorded, [revision](const Version& one) {
      return one.stored.revision != 0 && one.stored.revision <= revision;
    });
    if (at != recorded.end() && at->stored.revision == revision) {
      if (!at->recorded) at->written_ns = other.written_ns;
      continue;
    }
    if (at != recorded.begin()) {
      Version& newer = *std::prev(at);
      if (newer.stored.revision == 0 && newer.deleted == other.deleted) {
        newer.stored.revision = revision;
        if (!newer.recorded) newer.written_ns = other.written_ns;
        continue;
      }
    }
    recorded.insert(at, std::move(other));
  }
}

}  // namespace monitor::config
