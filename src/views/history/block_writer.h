// Writes ticks into blocks: the tables blocks and block_rows. Ticks that come late are merged into the block of their
// time. Not thread-safe; the database must outlive it. The caller opens and commits the transaction.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "views/history/block.h"
#include "views/history/database.h"
#include "views/history/open_ticks.h"

namespace monitor::analysis::history {

class BlockWriter {
 public:
  explicit BlockWriter(Database& db) : db_(db) {}
  // Prepares the statements. Call once, before all others.
  Status prepare();
  // Call after opening and after each rollback.
  Status load();

  // Writes an agent's ticks, ascending in time. What cannot be read of a block is left out; see damaged().
  // Errors: those of the disk.
  Status add(int64_t agent, std::span<const OpenTick> ticks);
  // Rows so far whose values are lost because their bytes are damaged.
  uint64_t damaged() const { return damaged_; }

 private:
  struct Draft {
    std::vector<int64_t> times;
    std::map<uint32_t, BlockColumn> columns;  // with all their ticks listed
  };
  struct Place {
    int64_t part = 0;
    std::optional<int64_t> block;  // to be merged with what is written
  };

  Status write_window(int64_t agent, int64_t begin_ns, std::span<const OpenTick> ticks);
  Result<Place> find_place(int64_t agent, int64_t begin_ns);
  // Nothing if the block's times are damaged.
  Result<std::optional<Draft>> read_block(int64_t block);
  void note_damage(int64_t block, const char* what);
  static void append(Draft& draft, std::span<const OpenTick> ticks);
  static void sort(Draft& draft);
  Status remove(int64_t agent, int64_t begin_ns, const Place& place);
  Status write_block(int64_t agent, int64_t begin_ns, int64_t part, Draft& draft);
  Status write_row(int64_t row, const std::string& bytes);
  Status run(Statement& statement);

  Database& db_;
  Statement last_part_, rows_of_, insert_block_, insert_row_, delete_block_, delete_rows_;
  int64_t next_block_ = 0;
  uint64_t damaged_ = 0;
  std::string bytes_;  // kept to reuse its memory
};

}  // namespace monitor::analysis::history
