// HistoryStore: deletes rows, by age and to limit the size.
#include <fmt/format.h>

#include <algorithm>
#include <string>

#include "base/log.h"
#include "views/history/store.h"

namespace monitor::analysis::history {

namespace {

// This much of each resolution is kept, however large the file is.
constexpr std::array<int64_t, 4> kLeast = {kHourNs / 6, kHourNs, 6 * kHourNs, 7 * kDayNs};
constexpr int64_t kForgetSeries = 8 * kDayNs;
constexpr size_t kMostMakeWay = 50;  // agents to remove, with their rows, at a time

}  // namespace

Result<uint64_t> HistoryStore::used_bytes() {
  const auto pages = db_.integer("PRAGMA page_count");
  const auto unused = db_.integer("PRAGMA freelist_count");
  const auto size = db_.integer("PRAGMA page_size");
  if (!pages || !unused || !size) return Error(Code::kUnavailable, "history: cannot read its size");
  const auto used = static_cast<uint64_t>((*pages - *unused) * *size);
  metrics_.bytes.set(static_cast<double>(used));
  return used;
}

Status HistoryStore::expire() {
  if (open_ || !failure_) return failure_;
  // A clock that jumps must not make data old.
  const int64_t now = trusted_.now_ns();
  if (auto status = seal_in_time(); !status) return status;
  std::array<int64_t, 4> before{};
  for (size_t i = 0; i < before.size(); ++i) before[i] = now - keep_ns_[i];
  if (auto status = delete_older(before); !status) return status;
  if (auto status = forget_gone(now); !status) return status;
  const auto used = used_bytes();
  if (!used) return used.error();
  if (auto status = shrink(*used); !status) return status;
  // Returns a few unused pages at a time to the filesystem.
  const auto pages = db_.integer("PRAGMA page_count");
  const auto unused = db_.integer("PRAGMA freelist_count");
  if (pages && unused && *unused > *pages / 8) return db_.exec("PRAGMA incremental_vacuum(2000)");
  return {};
}

// Ticks of agents that send nothing more are sealed by time. A clock that is wrong does no harm here: later ticks are
// merged into the blocks.
Status HistoryStore::seal_in_time() {
  Status status = db_.exec("BEGIN IMMEDIATE");
  if (!status) return status;
  status = ticks_.seal_due(trusted_.now_ns());
  if (status) status = db_.exec("COMMIT");
  if (status) return status;
  (void)db_.exec("ROLLBACK");
  // What is in memory about the rows may be wrong now.
  if (auto loaded = ticks_.load(); !loaded) failure_ = loaded;
  return status;
}

Status HistoryStore::delete_older(const std::array<int64_t, 4>& before) {
  if (auto status = db_.exec("BEGIN IMMEDIATE"); !status) return status;
  const std::string points = "DELETE FROM points WHERE agent IN (SELECT id FROM agents) AND time_ns < ";
  const auto count = [this] {
    const auto rows = db_.integer("SELECT changes()");
    if (rows) metrics_.expired.add(static_cast<uint64_t>(*rows));
  };
  Status status = db_.exec(points + std::to_string(before[0]));
  count();
  if (status) status = expire_blocks(before[0]);
  for (size_t i = 0; i < kReduced.size() && status; ++i) {
    status = db_.exec("DELETE FROM reduced WHERE width = " + std::to_string(width_ns(kReduced[i])) +
                      " AND agent IN (SELECT id FROM agents) AND bucket < " + std::to_string(before[i + 1]));
    count();
  }
  if (status) status = note_kept(before);
  if (status) status = db_.exec("COMMIT");
  if (!status) (void)db_.exec("ROLLBACK");
  return status;
}

// Deletes the blocks that have expired as a whole.
Status HistoryStore::expire_blocks(int64_t before_ns) {
  return delete_blocks(fmt::format("agent IN (SELECT id FROM agents) AND begin_ns < {0} AND last_ns < {0}", before_ns));
}

// Blocks and open ticks may hold expired ticks as well: notes for the readers up to where they have expired.
Status HistoryStore::note_kept(const std::array<int64_t, 4>& before) {
  for (size_t i = 0; i < before.size(); ++i) {
    const auto name = to_string(i == 0 ? Resolution::kFull : kReduced[i - 1]);
    const Status noted = db_.exec(fmt::format("INSERT OR REPLACE INTO kept VALUES('{}', {})", name, before[i]));
    if (!noted) return noted;
  }
  return {};
}

Status HistoryStore::delete_blocks(const std::string& which) {
  auto blocks = db_.prepare("SELECT id FROM blocks WHERE " + which);
  if (!blocks) return blocks.error();
  auto remove = db_.prepare("DELETE FROM block_rows WHERE id >= ?1 AND id < ?2");
  if (!remove) return remove.error();
  int rc = blocks->step();
  for (; rc == SQLITE_ROW; rc = blocks->step()) {
    remove->bind(1, times_row(blocks->integer(0)));
    remove->bind(2, times_row(blocks->integer(0) + 1));
    if (auto status = db_.run(*remove, "deleting rows of"); !status) return status;
    const auto rows = db_.integer("SELECT changes()");
    if (rows) metrics_.expired.add(static_cast<uint64_t>(*rows));
  }
  if (rc != SQLITE_DONE) return db_.error(rc, "reading");
  blocks->reset();
  return db_.exec("DELETE FROM blocks WHERE " + which);
}

// Deletes the oldest data of the finest resolution first, until the file is small enough.
Status HistoryStore::shrink(uint64_t used) {
  // Must also work before any time is trusted.
  const int64_t trusted = trusted_.now_ns();
  const int64_t now = trusted > 0 ? trusted : clock_.wall_ns();
  if (used < options_.max_bytes / 2) {
    keep_ns_ = options_.keep_ns;
    return {};
  }
  for (size_t i = 0; i < keep_ns_.size() && used > options_.max_bytes; ++i) {
    const std::string oldest =
        i == 0 ? "SELECT min(t) FROM (SELECT (SELECT min(time_ns) FROM points WHERE agent = agents.id) AS t FROM agents"
                 " UNION ALL SELECT (SELECT min(begin_ns) FROM blocks WHERE agent = agents.id) FROM agents)"
               : "SELECT min(t) FROM (SELECT (SELECT min(bucket) FROM reduced WHERE agent = agents.id AND width = " +
                     std::to_string(width_ns(kReduced[i - 1])) + ") AS t FROM agents)";
    while (used > options_.max_bytes && keep_ns_[i] > kLeast[i]) {
      const auto begin = db_.integer(oldest, now);
      if (!begin) return begin.error();
      const int64_t span = std::clamp(now - *begin, kLeast[i], keep_ns_[i]);
      keep_ns_[i] = std::max(span / 10 * 8, kLeast[i]);
      std::array<int64_t, 4> before{};
      for (size_t k = 0; k < before.size(); ++k) before[k] = now - keep_ns_[k];
      if (auto status = delete_older(before); !status) return status;
      const auto left = used_bytes();
      if (!left) return left.error();
      used = *left;
    }
    log_info("history is too large; retention is shortened",
             {{"resolution", i == 0 ? "full" : to_string(kReduced[i - 1])},
              {"kept_s", keep_ns_[i] / kNanosPerSecond},
              {"bytes", used}});
  }
  return {};
}

// Forgets agents without any rows, and series whose values have expired. Names that come and go (such as containers'
// interfaces) must not fill the table: if it is more than half full, series that were not seen for days are forgotten
// at once.
Status HistoryStore::forget_gone(int64_t now_ns) {
  const std::string old = std::to_string(now_ns - kForgetSeries);
  const int64_t longest = std::max(*std::ranges::max_element(options_.keep_ns), kForgetSeries);
  const auto before = db_.integer("SELECT total_changes()");
  std::string crowded;
  if (agents_.series() <= options_.max_series / 2) {
    crowded = fmt::format(" AND agent IN (SELECT agent FROM series GROUP BY agent HAVING count(*) > {})",
                          options_.max_series_per_agent / 2);
  }
  for (const std::string& which : {std::to_string(now_ns - longest), old + crowded}) {
    if (auto status = db_.exec("DELETE FROM series WHERE seen_ns < " + which); !status) return status;
  }
  if (auto status =
          db_.exec("DELETE FROM agents WHERE json_extract(info, '$.seen_ns') < " + old +
                   " AND NOT EXISTS(SELECT 1 FROM points WHERE agent = agents.id)"
                   " AND NOT EXISTS(SELECT 1 FROM blocks WHERE agent = agents.id)"
                   " AND NOT EXISTS(SELECT 1 FROM reduced WHERE width = 3600000000000 AND agent = agents.id)");
      !status) {
    return status;
  }
  if (auto status = make_way(old); !status) return status;
  const auto after = db_.integer("SELECT total_changes()");
  // Data in memory may refer to deleted rows.
  if (!before || !after || *before != *after) reset();
  return {};
}

// Agents that come and go (such as containers) must not fill their table: if it is more than half full, agents that
// were not seen for days are removed with all their rows.
Status HistoryStore::make_way(const std::string& seen_before) {
  if (agents_.agents() <= options_.max_agents / 2) return {};
  auto select =
      db_.prepare(fmt::format("SELECT id FROM agents WHERE json_extract(info, '$.seen_ns') < {} ORDER BY "
                              "json_extract(info, '$.seen_ns') LIMIT {}",
                              seen_before, std::min(agents_.agents() - options_.max_agents / 2, kMostMakeWay)));
  if (!select) return select.error();
  std::string ids;
  int rc = select->step();
  for (; rc == SQLITE_ROW; rc = select->step()) ids += (ids.empty() ? "" : ",") + std::to_string(select->integer(0));
  if (rc != SQLITE_DONE) return db_.error(rc, "reading");
  return ids.empty() ? Status() : delete_agents(ids);
}

Status HistoryStore::forget(const std::map<std::string, int64_t, std::less<>>& agents) {
  if (open_ || !failure_ || agents.empty()) return failure_;
  auto select = db_.prepare("SELECT id FROM agents WHERE name = ?1 AND json_extract(info, '$.seen_ns') <= ?2");
  if (!select) return select.error();
  std::string ids;
  for (const auto& [name, until_ns] : agents) {
    const ResetLater reset(*select);
    select->bind_text(1, name);
    select->bind(2, until_ns);
    const int rc = select->step();
    if (rc == SQLITE_ROW) ids += (ids.empty() ? "" : ",") + std::to_string(select->integer(0));
    if (rc != SQLITE_ROW && rc != SQLITE_DONE) return db_.error(rc, "reading");
  }
  if (ids.empty()) return {};
  if (Status deleted = delete_agents(ids); !deleted) return deleted;
  reset();  // data in memory refers to them
  return failure_;
}

Status HistoryStore::delete_agents(const std::string& ids) {
  Status status = db_.exec("BEGIN IMMEDIATE");
  if (!status) return status;
  std::string widths;
  for (const Resolution one : kReduced) widths += (widths.empty() ? "" : ",") + std::to_string(width_ns(one));
  status = delete_blocks(fmt::format("agent IN ({})", ids));
  for (const std::string& rows :
       {std::string("points WHERE agent"), "reduced WHERE width IN (" + widths + ") AND agent",
        std::string("series WHERE agent"), std::string("agents WHERE id")}) {
    if (status) status = db_.exec(fmt::format("DELETE FROM {} IN ({})", rows, ids));
  }
  if (status) status = db_.exec("COMMIT");
  if (!status) (void)db_.exec("ROLLBACK");
  return status;
}

}  // namespace monitor::analysis::history
