// Labels: the name and the labels of a series, as PromQL sees them. The metric's name is the label "__name__".
//
// A value type, thread-compatible. Sorted by label name; a label with an empty value is the same as no label, and is
// not kept. Copying costs two strings a label.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace monitor::query {

inline constexpr std::string_view kNameLabel = "__name__";

class Labels {
 public:
  using Pair = std::pair<std::string, std::string>;

  Labels() = default;
  // The labels may be in any order. If a name occurs twice, the last value counts.
  explicit Labels(std::vector<Pair> pairs);

  // Empty if there is no such label.
  std::string_view get(std::string_view name) const;
  std::string_view name() const { return get(kNameLabel); }
  // An empty value removes the label.
  void set(std::string_view name, std::string_view value);
  void remove(std::string_view name) { set(name, ""); }

  // Keeps only the named labels, or all but these. The names need not be sorted.
  Labels keep(std::span<const std::string> names) const;
  Labels without(std::span<const std::string> names) const;
  Labels without_name() const;
  // Removes the labels that describe the metric rather than the series: its name, type and unit ("__type__",
  // "__unit__").
  Labels without_metric() const;

  const std::vector<Pair>& pairs() const { return pairs_; }
  // The memory of the texts and of this object.
  size_t bytes() const;
  bool empty() const { return pairs_.empty(); }

  // As PromQL writes a series: http_requests{job="api"}, {"system.cpu.time", cpu="0"}.
  std::string to_string() const;

  bool operator==(const Labels&) const = default;
  auto operator<=>(const Labels&) const = default;

 private:
  std::vector<Pair> pairs_;
};

struct LabelsHash {
  size_t operator()(const Labels& labels) const;
};

// True if the name can be written without quotes: [a-zA-Z_:][a-zA-Z0-9_:]* for a metric, no colon for a label.
bool plain_metric_name(std::string_view name);
bool plain_label_name(std::string_view name);

// "text" with PromQL's escapes.
std::string quote(std::string_view text);

// Shortens a text for messages: if it has more than `most` bytes, returns its beginning and its length.
std::string shorten(std::string_view text, size_t most = 400);
// quote(), shortened in the same way.
std::string quote_short(std::string_view text);

}  // namespace monitor::query
