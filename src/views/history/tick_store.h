// Stores ticks: first as rows of open_ticks, together with the position in the log. When five minutes of a group of
// agents are complete, it seals them: they become blocks, they are added to the reduced rows, and they are removed from
// open_ticks, all in one transaction. So a tick is always in exactly one of the two forms, and the reduced rows hold
// exactly the ticks that are no longer open. Nothing that matters is kept in memory between transactions.
//
// Not thread-safe; the database must outlive it. The caller opens and commits the transactions.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "views/history/block_writer.h"
#include "views/history/buckets.h"
#include "views/history/database.h"
#include "views/history/open_ticks.h"

namespace monitor::analysis::history {

class TickStore final : private BucketRows {
 public:
  explicit TickStore(Database& db) : db_(db), blocks_(db) {}
  // Prepares the statements. Call once, before all others.
  Status prepare();
  // Forgets what is not written; call after opening and after each rollback.
  Status load();

  // Adds a tick, with its points as PointWriter wrote them. `now_ns`: the log's time of its record.
  Status add(int64_t agent, int64_t time_ns, std::string_view points, int64_t now_ns);
  // Writes what was added as rows. Call before each commit.
  Status write_rows();
  // Seals what is due by the newest time given to add().
  Status seal_due() { return seal_due(newest_ns_); }
  // Seals what is due at a time, also if nothing more is added.
  Status seal_due(int64_t now_ns);

  // Rows so far whose bytes were damaged, so that values were lost.
  uint64_t damaged() const { return damaged_ + blocks_.damaged(); }

 private:
  struct Group {
    OpenTickWriter added;
    uint64_t bytes = 0;  // of its rows
    int64_t oldest_ns = INT64_MAX;
    int64_t next_row = 0;
    int64_t sealed_until_ns = INT64_MIN;
  };

  Status write_added(int64_t number, Group& group);
  Status seal(int64_t number, Group& group, int64_t before_ns);
  Status seal_ticks(std::vector<OpenTick>& ticks);
  Status reduce(int64_t agent, std::span<const OpenTick> ticks);
  Status replace_rows(int64_t number, Group& group, const std::vector<OpenTick>& rest);
  Result<bool> exists(int64_t agent);
  Status run(Statement& statement);
  Result<std::string> read(int64_t width, int64_t agent, int64_t bucket) override;
  Status write(int64_t width, int64_t agent, int64_t bucket, const std::string& cells) override;

  Database& db_;
  BlockWriter blocks_;
  Statement insert_open_, delete_open_, agent_exists_, read_cells_, write_cells_;
  std::map<int64_t, Group> groups_;
  int64_t newest_ns_ = INT64_MIN;
  uint64_t damaged_ = 0;
  Buckets::Values values_;  // kept to reuse its memory
};

}  // namespace monitor::analysis::history
