#include "metrics/resource.h"

#include <algorithm>
#include <set>
#include <string>
#include <string_view>

#include "metrics/host_figures.h"

namespace monitor::metrics {

namespace {

constexpr std::string_view kPrefix = "resource.";

// Labels that distinguish parts of the host. On a series of the whole host, they would make it look like one of a part.
bool tells_parts(std::string_view key) {
  return std::ranges::find(kParts, key) != kParts.end() || std::ranges::find(kKinds, key) != kKinds.end();
}

bool has_label(const Labels& labels, std::string_view key) {
  return std::ranges::any_of(labels, [key](const auto& label) { return label.first == key; });
}

// The series's own labels and those of the resource that it lacks. `prefixed`: the latter become resource.NAME.
Labels with_resource(const Labels& own, const Labels& resource, bool prefixed) {
  Labels all = own;
  for (const auto& [key, value] : resource) {
    if (has_label(own, key)) continue;
    set_label(all, prefixed || tells_parts(key) ? std::string(kPrefix) + key : key, value);
  }
  return all;
}

// The identity of a series with the resource's labels.
std::string key_of(const Series& series, const Labels& labels) {
  return identity({.name = series.name, .labels = labels});
}

}  // namespace

void carry_resource(Batch& batch) {
  if (batch.resource.empty()) return;
  // Only a series that already has one of these labels can become equal to another one.
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
