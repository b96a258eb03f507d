#include "config/history/trail.h"

#include <nlohmann/json.hpp>

#include <algorithm>

#include "base/time_format.h"
#include "config/foreign_json.h"
#include "config/layers.h"

namespace monitor::config {

namespace {

// When a document ends by itself; 0: it does not.
int64_t expiry_of(const ChangeRecord& record) {
  const std::string name(kExpiresAt);
  if (!record.text || record.text->find(name) == std::string::npos) return 0;
  const auto json = parse_foreign<nlohmann::json>(*record.text);
  if (!json.is_object() || !json.contains(name) || !json[name].is_string()) return 0;
  const auto time = parse_rfc3339(json[name].get<std::string>());
  return time ? *time : 0;
}

size_t changes_kept(const std::optional<std::string>& text, bool many) {
  constexpr size_t kOverhead = 512;
  const size_t fit = kMostTrailBytes / ((text ? text->size() : 0) + kOverhead);
  return std::clamp(fit, kLeastChanges, many ? kMostChangesOfMany : kMostChanges);
}

}  // namespace

std::optional<ChangeRecord> unrecorded(const std::optional<ChangeRecord>& newest, const CurrentText& current,
                                       int64_t now_ns, bool begin) {
  if (newest ? newest->matches(current.text) : !current.text || !begin) return std::nullopt;
  ChangeRecord record;
  record.number = newest ? newest->number + 1 : 1;
  record.found = true;
  record.revision = current.text ? current.revision : 0;
  record.note.at_ns = now_ns;
  set_text(record, current.text);
  const int64_t ended = newest && !current.text ? expiry_of(*newest) : 0;
  if (ended != 0 && ended <= now_ns) {
    record.note.kind = AuthorKind::kExpiry;
    record.note.at_ns = ended;
  }
  return record;
}

TrailStep next_step(const std::optional<ChangeRecord>& newest, const CurrentText& current,
                    const std::optional<std::string>& next, const ChangeNote& note, bool many) {
  TrailStep step;
  uint64_t number = newest ? newest->number : 0;
  if (auto found = unrecorded(newest, current, note.at_ns, true)) {
    number = found->number;
    step.added.push_back(std::move(*found));
  }
  ChangeRecord record;
  record.number = number + 1;
  record.note = note;
  set_text(record, next);
  const size_t kept = changes_kept(next, many) + 1;
  step.dropped_through = record.number > kept ? record.number - kept : 0;
  step.added.push_back(std::move(record));
  return step;
}

}  // namespace monitor::config
