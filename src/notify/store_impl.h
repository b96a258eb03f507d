// The SQL of AlertStore. Internal to this folder.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "notify/store.h"
#include "sqlite/database.h"

namespace monitor::notify {

class AlertStore::Impl {
 public:
  using Value = std::variant<int64_t, std::string>;
  using Row = sqlite::Statement;

  Impl(sqlite::Database db, const Clock& clock) : db_(std::move(db)), clock_(clock) {}

  Status exec(const std::string& sql) { return db_.exec(sql); }
  Result<int64_t> integer(const std::string& sql) { return db_.integer(sql); }
  // Runs a statement with these values; `row` is called for each row, and ends the reading with an error.
  Status run(const std::string& sql, const std::vector<Value>& values,
             const std::function<Status(const Row& row)>& row = {});
  Status write_silence(const Silence& silence);
  Status note_change(const SilenceChange& change);
  // A value of the table `meta`; empty: there is none.
  Result<std::string> noted(const std::string& name);
  // All or nothing.
  Status transaction(const std::function<Status()>& work);

  int64_t now_ms() const { return clock_.wall_ns() / kNanosPerMilli; }
  const std::string& path() const { return db_.path(); }

 private:
  sqlite::Database db_;
  const Clock& clock_;
  std::map<std::string, sqlite::Statement> statements_;
};

// "0123456789abcdef,..." and back.
std::string join_fingerprints(const std::vector<uint64_t>& fingerprints);
std::vector<uint64_t> split_fingerprints(std::string_view text);

}  // namespace monitor::notify
