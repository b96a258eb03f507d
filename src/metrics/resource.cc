#include "metrics/resource.h"

#include <algorithm>
#include <set>
#include <string>
#include <string_view>

#include "metrics/host_figures.h"

namespace monitor::metrics {

namespace {

constexpr std::string_view kPrefix = "resource.";

// Labels that tell a part of the host from the whole: on the whole host's series they would make it a part.
bool tells_parts(std::string_view key) {
  return std::ranges::find(kParts, key) != kParts.end() || std::ranges::find(kKinds, key) != kKinds.end();
}

bool has_label(const Labels& labels, std::string_view key) {
  return std::ranges::any_of(labels, [key](const auto& label) { return label.first == key; });
}

// The series' labels with those of the resource that it lacks; `prefixed`: all of those as resource.NAME.
Labels with_resource(const Labels& own, const Labels& resource, bool prefixed) {
  Labels all = own;
  for (const auto& [key, value] : resource) {
    if (has_label(own, key)) continue;
    set_label(all, prefixed || tells_parts(key) ? std::string(kPrefix) + key : key, value);
  }
  return all;
}

// What tells series apart once the resource's labels are there.
std::string key_of(const Series& series, const Labels& labels) {
  return identity({.name = series.name, .labels = labels});
}

}  // namespace

void carry_resource(Batch& batch) {
  if (batch.resource.empty()) return;
  // Only a series that has one of the labels itself can be what another one becomes.
  const auto has_own = [&batch](const Series& series) {
    return std::ranges::any_of(batch.resource,
                               [&](const auto& label) { return has_label(series.labels, label.first); });
  };
  std::set<std::string> taken;
  for (const Series& series : batch.series) {
    if (has_own(series)) taken.insert(key_of(series, with_resource(series.labels, batch.resource, false)));
  }
  for (Series& series : batch.series) {
    Labels labels = with_resource(series.labels, batch.resource, false);
    const bool meets = !taken.empty() && !has_own(series) && taken.contains(key_of(series, labels));
    series.labels = meets ? with_resource(series.labels, batch.resource, true) : std::move(labels);
  }
}

}  // namespace monitor::metrics
