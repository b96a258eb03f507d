// Labels as one column of a table.
#pragma once

#include <string>

#include "metrics/series.h"

namespace monitor::metrics {

// "a=1;b=2", in the order of `labels`; empty without labels. A backslash precedes a character that would end a name or
// a value, and another backslash.
std::string labels_text(const Labels& labels);

}  // namespace monitor::metrics
