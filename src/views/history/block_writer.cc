#include "views/history/block_writer.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <tuple>
#include <utility>

#include "base/log.h"
#include "views/history/codec.h"
#include "views/history/resolution.h"

namespace monitor::analysis::history {

Status BlockWriter::prepare() {
  const std::vector<std::pair<Statement*, const char*>> statements = {
      {&last_part_, "SELECT part, id FROM blocks WHERE agent = ?1 AND begin_ns = ?2 ORDER BY part DESC LIMIT 1"},
      {&rows_of_, "SELECT id, bytes FROM block_rows WHERE id >= ?1 AND id < ?2 ORDER BY id"},
      {&insert_block_, "INSERT INTO blocks VALUES(?1, ?2, ?3, ?4, ?5, ?6)"},
      {&insert_row_, "INSERT INTO block_rows VALUES(?1, ?2)"},
      {&delete_block_, "DELETE FROM blocks WHERE agent = ?1 AND begin_ns = ?2 AND part = ?3"},
      {&delete_rows_, "DELETE FROM block_rows WHERE id >= ?1 AND id < ?2"},
  };
  for (const auto& [statement, sql] : statements) {
    auto prepared = db_.prepare(sql);
    if (!prepared) return prepared.error();
    *statement = std::move(*prepared);
  }
  return {};
}

Status BlockWriter::load() {
  const auto last = db_.integer("SELECT max(id) FROM block_rows");
  if (!last) return last.error();
  next_block_ = (*last >> kSeriesBits) + 1;
  return {};
}

Status BlockWriter::run(Statement& statement) {
  const ResetLater reset(statement);
  const int rc = statement.step();
  return rc == SQLITE_DONE ? Status() : db_.error(rc, "writing");
}

Status BlockWriter::add(int64_t agent, std::span<const OpenTick> ticks) {
  while (!ticks.empty()) {
    const int64_t begin = bucket_of(ticks.front().time_ns, kBlockNs);
    const auto end = std::ranges::find_if(
        ticks, [begin](const OpenTick& tick) { return bucket_of(tick.time_ns, kBlockNs) != begin; });
    const auto count = static_cast<size_t>(end - ticks.begin());
    if (auto status = write_window(agent, begin, ticks.first(count)); !status) return status;
    ticks = ticks.subspan(count);
  }
  return {};
}

Status BlockWriter::write_window(int64_t agent, int64_t begin_ns, std::span<const OpenTick> ticks) {
  const auto place = find_place(agent, begin_ns);
  if (!place) return place.error();
  int64_t part = place->part;
  Draft draft;
  if (place->block) {
    auto stored = read_block(*place->block);
    if (!stored) return stored.error();
    if (!*stored || (*stored)->times.size() + ticks.size() <= kMostBlockTicks) {
      if (auto status = remove(agent, begin_ns, *place); !status) return status;
      if (*stored) draft = std::move(**stored);
    } else {
      ++part;
    }
  }
  for (; !ticks.empty(); ++part) {
    const auto now = ticks.first(std::min(ticks.size(), kMostBlockTicks - draft.times.size()));
    append(draft, now);
    if (auto status = write_block(agent, begin_ns, part, draft); !status) return status;
    draft = {};
    ticks = ticks.subspan(now.size());
  }
  return {};
}

Result<BlockWriter::Place> BlockWriter::find_place(int64_t agent, int64_t begin_ns) {
  const ResetLater reset(last_part_);
  last_part_.bind(1, agent);
  last_part_.bind(2, begin_ns);
  const int rc = last_part_.step();
  if (rc == SQLITE_ROW) return Place{.part = last_part_.integer(0), .block = last_part_.integer(1)};
  if (rc == SQLITE_DONE) return Place();
  return db_.error(rc, "reading");
}

Result<std::optional<BlockWriter::Draft>> BlockWriter::read_block(int64_t block) {
  const ResetLater reset(rows_of_);
  rows_of_.bind(1, times_row(block));
  rows_of_.bind(2, times_row(block + 1));
  Draft draft;
  int rc = rows_of_.step();
  for (; rc == SQLITE_ROW; rc = rows_of_.step()) {
    const int64_t row = rows_of_.integer(0);
    if (row == times_row(block)) {
      if (!decode_times(row, rows_of_.bytes(1), draft.times)) break;
      continue;
    }
    const auto number = static_cast<uint32_t>(row - values_row(block, 0));
    BlockColumn& column = draft.columns[number];
    if (!decode_column(row, rows_of_.bytes(1), draft.times.size(), column)) {
      note_damage(block, "the values of one series are lost");
      draft.columns.erase(number);
      continue;
    }
    if (!column.ticks.empty()) continue;
    column.ticks.resize(column.values.size());
    std::iota(column.ticks.begin(), column.ticks.end(), 0U);
  }
  if (rc != SQLITE_DONE && rc != SQLITE_ROW) return db_.error(rc, "reading");
  if (!draft.times.empty()) return std::optional(std::move(draft));
  note_damage(block, "its times, and with them its values, are lost");
  return std::optional<Draft>();
}

void BlockWriter::note_damage(int64_t block, const char* what) {
  ++damaged_;
  log_error("a block of the history is damaged; it is replaced by what can be read",
            {{"block", block}, {"lost", what}});
}

void BlockWriter::append(Draft& draft, std::span<const OpenTick> ticks) {
  for (const OpenTick& tick : ticks) {
    const auto number = static_cast<uint32_t>(draft.times.size());
    draft.times.push_back(tick.time_ns);
    PointReader reader(tick.points);
    // The points are in order, and nearly always those of the tick before.
    auto next = draft.columns.begin();
    while (const auto point = reader.next()) {
      if (point->index > kMostSeriesNumber) break;
      if (next == draft.columns.end() || next->first != point->index)
        next = draft.columns.try_emplace(point->index).first;
      BlockColumn& column = next->second;
      ++next;
      if (column.values.empty()) column.integer = point->integer;
      // A series has one type, and a tick has one value of it; anything else could only come from damaged bytes.
      if (column.integer != point->integer || (!column.ticks.empty() && column.ticks.back() == number)) continue;
      column.ticks.push_back(number);
      column.values.push_back(static_cast<int64_t>(point->bits));
    }
  }
}

// Orders the ticks by time; ticks of the same time stay in the order of their arrival.
void BlockWriter::sort(Draft& draft) {
  if (std::ranges::is_sorted(draft.times)) return;
  std::vector<uint32_t> order(draft.times.size());
  std::iota(order.begin(), order.end(), 0U);
  std::ranges::stable_sort(order, {}, [&draft](uint32_t tick) { return draft.times[tick]; });
  std::vector<uint32_t> place(order.size());
  std::vector<int64_t> times(order.size());
  for (uint32_t i = 0; i < order.size(); ++i) {
    place[order[i]] = i;
    times[i] = draft.times[order[i]];
  }
  draft.times = std::move(times);
  std::vector<std::pair<uint32_t, int64_t>> pairs;
  for (auto& [number, column] : draft.columns) {
    pairs.clear();
    for (size_t i = 0; i < column.ticks.size(); ++i) pairs.emplace_back(place[column.ticks[i]], column.values[i]);
    std::ranges::sort(pairs);
    for (size_t i = 0; i < pairs.size(); ++i) std::tie(column.ticks[i], column.values[i]) = pairs[i];
  }
}

Status BlockWriter::remove(int64_t agent, int64_t begin_ns, const Place& place) {
  delete_block_.bind(1, agent);
  delete_block_.bind(2, begin_ns);
  delete_block_.bind(3, place.part);
  if (auto status = run(delete_block_); !status) return status;
  delete_rows_.bind(1, times_row(*place.block));
  delete_rows_.bind(2, times_row(*place.block + 1));
  return run(delete_rows_);
}

Status BlockWriter::write_row(int64_t row, const std::string& bytes) {
  insert_row_.bind(1, row);
  insert_row_.bind_blob(2, bytes);
  return run(insert_row_);
}

Status BlockWriter::write_block(int64_t agent, int64_t begin_ns, int64_t part, Draft& draft) {
  sort(draft);
  const int64_t block = next_block_++;
  insert_block_.bind(1, agent);
  insert_block_.bind(2, begin_ns);
  insert_block_.bind(3, part);
  insert_block_.bind(4, block);
  insert_block_.bind(5, draft.times.front());
  insert_block_.bind(6, draft.times.back());
  if (auto status = run(insert_block_); !status) return status;
  encode_times(times_row(block), draft.times, bytes_);
  if (auto status = write_row(times_row(block), bytes_); !status) return status;
  for (auto& [number, column] : draft.columns) {
    if (column.ticks.size() == draft.times.size()) column.ticks.clear();
    encode_column(values_row(block, number), column, bytes_);
    if (auto status = write_row(values_row(block, number), bytes_); !status) return status;
  }
  return {};
}

}  // namespace monitor::analysis::history
