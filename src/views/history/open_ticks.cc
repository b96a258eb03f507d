#include "views/history/open_ticks.h"

#include <algorithm>

namespace monitor::analysis::history {

void OpenTickWriter::add(const OpenTick& tick) {
  protowire::put_varint(bytes_, static_cast<uint64_t>(tick.agent));
  const uint64_t later = static_cast<uint64_t>(tick.time_ns) - static_cast<uint64_t>(last_ns_);
  protowire::put_varint(bytes_, protowire::zigzag(static_cast<int64_t>(later)));
  protowire::put_varint(bytes_, tick.points.size());
  bytes_ += tick.points;
  last_ns_ = tick.time_ns;
  oldest_ns_ = std::min(oldest_ns_, tick.time_ns);
}

void OpenTickWriter::clear() {
  bytes_.clear();
  last_ns_ = 0;
  oldest_ns_ = INT64_MAX;
}

bool parse_open_ticks(std::string_view bytes, std::vector<OpenTick>& ticks) {
  uint64_t time = 0;
  while (!bytes.empty()) {
    protowire::Reader reader(bytes);
    const auto agent = reader.varint();
    const auto later = agent ? reader.varint() : std::nullopt;
    const auto size = later ? reader.varint() : std::nullopt;
    if (!size || *size > reader.rest().size()) return false;
    time += static_cast<uint64_t>(protowire::unzigzag(*later));
    ticks.push_back({.agent = static_cast<int64_t>(*agent),
                     .time_ns = static_cast<int64_t>(time),
                     .points = reader.rest().substr(0, *size)});
    bytes = reader.rest().substr(*size);
  }
  return true;
}

Result<OpenRows> read_open_ticks(Database& db, int64_t group) {
  auto select = db.prepare("SELECT ticks FROM open_ticks WHERE id >= ?1 AND id < ?2 ORDER BY id");
  if (!select) return select.error();
  select->bind(1, first_row(group));
  select->bind(2, first_row(group + 1));
  OpenRows rows;
  int rc = select->step();
  for (; rc == SQLITE_ROW; rc = select->step()) rows.bytes.emplace_back(select->bytes(0));
  if (rc != SQLITE_DONE) return db.error(rc, "reading");
  for (const std::string& bytes : rows.bytes) {
    if (!parse_open_ticks(bytes, rows.ticks)) ++rows.malformed;
  }
  return rows;
}

}  // namespace monitor::analysis::history
