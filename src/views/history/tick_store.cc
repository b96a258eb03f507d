#include "views/history/tick_store.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/log.h"
#include "views/history/block.h"
#include "views/history/codec.h"
#include "views/history/resolution.h"

namespace monitor::analysis::history {

namespace {

// Five minutes are sealed when they have been over for so long, since ticks travel for a while. Groups take turns, so
// that not all of them are sealed in the same commit.
constexpr int64_t kWaitNs = 15 * kNanosPerSecond;
constexpr int64_t kTurns = 16;
constexpr int64_t kTurnNs = 8 * kNanosPerSecond;
// A group with more bytes of open ticks is sealed at once. This bounds the memory that sealing needs, to about ten
// times as much.
constexpr uint64_t kMostOpenBytes = uint64_t{16} << 20;
// What was added is written into a row when it is so large, also before the commit.
constexpr size_t kMostRowBytes = size_t{1} << 20;

// The ticks of a group before this time are due.
int64_t due_before(int64_t group, int64_t now_ns) {
  const int64_t wait = kWaitNs + (group % kTurns) * kTurnNs;
  return now_ns < INT64_MIN + wait + kBlockNs ? INT64_MIN : bucket_of(now_ns - wait, kBlockNs);
}

}  // namespace

Status TickStore::prepare() {
  const std::vector<std::pair<Statement*, const char*>> statements = {
      {&insert_open_, "INSERT INTO open_ticks VALUES(?1, ?2, ?3)"},
      {&delete_open_, "DELETE FROM open_ticks WHERE id >= ?1 AND id < ?2"},
      {&agent_exists_, "SELECT 1 FROM agents WHERE id = ?1"},
      {&read_cells_, "SELECT cells FROM reduced WHERE width = ?1 AND agent = ?2 AND bucket = ?3"},
      {&write_cells_, "INSERT OR REPLACE INTO reduced VALUES(?1, ?2, ?3, ?4)"},
  };
  for (const auto& [statement, sql] : statements) {
    auto prepared = db_.prepare(sql);
    if (!prepared) return prepared.error();
    *statement = std::move(*prepared);
  }
  return blocks_.prepare();
}

Status TickStore::load() {
  groups_.clear();
  newest_ns_ = INT64_MIN;
  auto select =
      db_.prepare("SELECT id >> 32, min(oldest_ns), sum(length(ticks)), max(id) FROM open_ticks GROUP BY id >> 32");
  if (!select) return select.error();
  int rc = select->step();
  for (; rc == SQLITE_ROW; rc = select->step()) {
    Group& group = groups_[select->integer(0)];
    group.oldest_ns = select->integer(1);
    group.bytes = static_cast<uint64_t>(select->integer(2));
    group.next_row = select->integer(3) + 1;
  }
  return rc == SQLITE_DONE ? blocks_.load() : db_.error(rc, "reading");
}

Status TickStore::run(Statement& statement) {
  const ResetLater reset(statement);
  const int rc = statement.step();
  return rc == SQLITE_DONE ? Status() : db_.error(rc, "writing");
}

Status TickStore::add(int64_t agent, int64_t time_ns, std::string_view points, int64_t now_ns) {
  newest_ns_ = std::max(newest_ns_, now_ns);
  const int64_t number = group_of(agent);
  const auto [found, created] = groups_.try_emplace(number);
  Group& group = found->second;
  if (created) {
    group.next_row = first_row(number);
    group.sealed_until_ns = due_before(number, now_ns);
  }
  group.added.add({.agent = agent, .time_ns = time_ns, .points = points});
  return group.added.bytes().size() >= kMostRowBytes ? write_added(number, group) : Status();
}

Status TickStore::write_added(int64_t number, Group& group) {
  if (group.added.empty()) return {};
  insert_open_.bind(1, group.next_row++);
  insert_open_.bind(2, group.added.oldest_ns());
  insert_open_.bind_blob(3, group.added.bytes());
  if (auto status = run(insert_open_); !status) return status;
  group.bytes += group.added.bytes().size();
  group.oldest_ns = std::min(group.oldest_ns, group.added.oldest_ns());
  group.added.clear();
  if (group.bytes <= kMostOpenBytes) return {};
  if (auto status = seal(number, group, due_before(number, newest_ns_)); !status) return status;
  return group.bytes <= kMostOpenBytes / 2 ? Status() : seal(number, group, INT64_MAX);
}

Status TickStore::write_rows() {
  for (auto& [number, group] : groups_) {
    if (auto status = write_added(number, group); !status) return status;
  }
  return {};
}

Status TickStore::seal_due(int64_t now_ns) {
  for (auto at = groups_.begin(); at != groups_.end();) {
    auto& [number, group] = *at;
    const int64_t before = due_before(number, now_ns);
    if (group.sealed_until_ns < before) {
      if (auto status = seal(number, group, before); !status) return status;
      group.sealed_until_ns = before;
    }
    at = group.bytes == 0 && group.added.empty() ? groups_.erase(at) : std::next(at);
  }
  return {};
}

Status TickStore::seal(int64_t number, Group& group, int64_t before_ns) {
  if (group.oldest_ns >= before_ns) return {};
  const auto rows = read_open_ticks(db_, number);
  if (!rows) return rows.error();
  if (rows->malformed > 0) {
    damaged_ += rows->malformed;
    log_error("rows of the history with the newest ticks are damaged; some ticks are lost",
              {{"group", number}, {"rows", rows->malformed}});
  }
  std::vector<OpenTick> due;
  std::vector<OpenTick> rest;
  for (const OpenTick& tick : rows->ticks) (tick.time_ns < before_ns ? due : rest).push_back(tick);
  if (auto status = seal_ticks(due); !status) return status;
  return replace_rows(number, group, rest);
}

Status TickStore::seal_ticks(std::vector<OpenTick>& ticks) {
  std::ranges::stable_sort(ticks, {}, [](const OpenTick& tick) { return std::pair(tick.agent, tick.time_ns); });
  std::span<const OpenTick> left = ticks;
  while (!left.empty()) {
    const int64_t agent = left.front().agent;
    const auto end = std::ranges::find_if(left, [agent](const OpenTick& tick) { return tick.agent != agent; });
    const auto its = left.first(static_cast<size_t>(end - left.begin()));
    left = left.subspan(its.size());
    const auto known = exists(agent);
    if (!known) return known.error();
    if (!*known) continue;  // it was forgotten
    if (auto status = blocks_.add(agent, its); !status) return status;
    if (auto status = reduce(agent, its); !status) return status;
  }
  return {};
}

Status TickStore::reduce(int64_t agent, std::span<const OpenTick> ticks) {
  Buckets buckets(agent);
  for (const OpenTick& tick : ticks) {
    values_.clear();
    PointReader reader(tick.points);
    while (const auto point = reader.next()) values_.emplace_back(point->index, value_of(*point));
    if (auto status = buckets.add(tick.time_ns, values_, *this); !status) return status;
  }
  return buckets.write(*this);
}

Status TickStore::replace_rows(int64_t number, Group& group, const std::vector<OpenTick>& rest) {
  OpenTickWriter writer;
  for (const OpenTick& tick : rest) writer.add(tick);
  delete_open_.bind(1, first_row(number));
  delete_open_.bind(2, first_row(number + 1));
  if (auto status = run(delete_open_); !status) return status;
  group.bytes = writer.bytes().size();
  group.oldest_ns = writer.oldest_ns();
  group.next_row = first_row(number);
  if (writer.empty()) return {};
  insert_open_.bind(1, group.next_row++);
  insert_open_.bind(2, writer.oldest_ns());
  insert_open_.bind_blob(3, writer.bytes());
  return run(insert_open_);
}

Result<bool> TickStore::exists(int64_t agent) {
  const ResetLater reset(agent_exists_);
  agent_exists_.bind(1, agent);
  const int rc = agent_exists_.step();
  return rc == SQLITE_ROW || rc == SQLITE_DONE ? Result<bool>(rc == SQLITE_ROW) : db_.error(rc, "reading");
}

Result<std::string> TickStore::read(int64_t width, int64_t agent, int64_t bucket) {
  const ResetLater reset(read_cells_);
  read_cells_.bind(1, width);
  read_cells_.bind(2, agent);
  read_cells_.bind(3, bucket);
  const int rc = read_cells_.step();
  if (rc == SQLITE_ROW) return std::string(read_cells_.bytes(0));
  if (rc == SQLITE_DONE) return std::string();
  return db_.error(rc, "reading");
}

Status TickStore::write(int64_t width, int64_t agent, int64_t bucket, const std::string& cells) {
  write_cells_.bind(1, width);
  write_cells_.bind(2, agent);
  write_cells_.bind(3, bucket);
  write_cells_.bind_blob(4, cells);
  return run(write_cells_);
}

}  // namespace monitor::analysis::history
