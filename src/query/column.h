// Column: one series of an instant vector at all steps of a query.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/result.h"
#include "query/series.h"

namespace monitor::query {

// The moments at which an expression is evaluated.
struct Steps {
  int64_t start_ms = 0;
  int64_t step_ms = 1;
  size_t count = 1;

  int64_t at(size_t i) const { return start_ms + static_cast<int64_t>(i) * step_ms; }
};

// Marks a step without a value. It is a staleness marker, which is never a value here: selectors have removed them.
inline double no_value() { return stale_marker(); }
inline bool has_value(double value) { return !is_stale(value); }

struct Column {
  Labels labels;
  // The metric's name no longer describes the values. It is removed at the end of the evaluation, so that other parts
  // of the query can still use it.
  bool drop_name = false;
  std::vector<double> values;  // one a step

  bool any() const;
  size_t bytes() const { return labels.bytes() + sizeof(*this) - sizeof(labels) + values.capacity() * sizeof(double); }
};

using Columns = std::vector<Column>;

// Reserves memory before it is used; an error ends the query.
using Hold = std::function<Status(size_t bytes)>;
// No label may be longer: a label that is made of labels could grow with every nested function.
inline constexpr size_t kMaxLabelBytes = size_t{64} << 10;

// Merges columns with equal labels. kInvalidArgument with `text` if two of them have a value at the same step.
Result<Columns> merge_equal(Columns columns, const std::string& text);

// Removes the marked metric names, and columns without any value.
Result<Columns> finish(Columns columns);

// label_replace(): where the regular expression matches the source label's whole value, the target becomes the
// replacement, with $1 and ${name} for what the groups matched.
struct LabelReplacement {
  std::string target;
  std::string replacement;
  std::string source;
  std::string pattern;
};
Result<Columns> replace_label(Columns columns, const LabelReplacement& change, const Hold& hold);

// label_join(): the values of the sources with the separator between them.
Result<Columns> join_labels(Columns columns, const std::string& target, const std::string& separator,
                            const std::vector<std::string>& sources, const Hold& hold);

// True if a sorts before b in natural order, which compares digits as numbers: load-2 before load-10.
bool natural_less(std::string_view a, std::string_view b);

}  // namespace monitor::query
