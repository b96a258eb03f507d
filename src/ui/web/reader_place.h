// What the page's own reader of the log knows of a partition, since the program started.
#pragma once

#include <cstdint>
#include <map>

namespace monitor::analysis::web {

struct ReaderPlace {
  int64_t next = 0;  // the offset to read next
  uint64_t records = 0;
  uint64_t bytes = 0;  // of the records' keys and values
};
using ReaderPlaces = std::map<int32_t, ReaderPlace>;  // by partition

}  // namespace monitor::analysis::web
