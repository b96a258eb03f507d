// Ticks that are not in a block yet: the rows of the table open_ticks. A row holds the ticks of up to kAgentsInGroup
// agents, which arrived within one commit. So a commit writes few rows, and whoever wants an agent's newest ticks reads
// few of others.
//
// docs/history-format.md describes the bytes. Pure, except read_open_ticks().
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/protowire.h"
#include "views/history/database.h"

namespace monitor::analysis::history {

inline constexpr int64_t kAgentsInGroup = 16;
inline constexpr int64_t group_of(int64_t agent) { return agent / kAgentsInGroup; }
// The rows of a group have consecutive numbers, in the order in which they were written.
inline constexpr int64_t first_row(int64_t group) { return group << 32; }

struct OpenTick {
  int64_t agent = 0;
  int64_t time_ns = 0;
  std::string_view points;  // for PointReader (codec.h); within the row's bytes
};

class OpenTickWriter {
 public:
  void add(const OpenTick& tick);
  const std::string& bytes() const { return bytes_; }
  bool empty() const { return bytes_.empty(); }
  int64_t oldest_ns() const { return oldest_ns_; }
  void clear();

 private:
  std::string bytes_;
  int64_t last_ns_ = 0;
  int64_t oldest_ns_ = INT64_MAX;
};

// Appends the ticks in a row's bytes, which must outlive them. False if the bytes are malformed; the ticks before that
// place are then in the list.
bool parse_open_ticks(std::string_view bytes, std::vector<OpenTick>& ticks);

struct OpenRows {
  std::vector<std::string> bytes;  // one entry a row
  std::vector<OpenTick> ticks;     // in the order of their arrival; point into `bytes`
  size_t malformed = 0;            // rows whose end could not be read
};
// Errors: those of the disk.
Result<OpenRows> read_open_ticks(Database& db, int64_t group);

}  // namespace monitor::analysis::history
