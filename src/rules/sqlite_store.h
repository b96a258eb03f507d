// SqliteStore: a ResultStore in an SQLite file. State and samples of an evaluation are one transaction, so that a kill
// at any moment leaves both of them or none.
//
// The file is locked: one process at a time can write it. Others may read its series (ResultReader). A file that is
// damaged is moved aside, and begins anew.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/lock_file.h"
#include "rules/result_store.h"
#include "sqlite/database.h"

namespace monitor::rules {

// The store's file beside a history.
inline std::string store_path(const std::string& history_path) { return history_path + "-rules"; }

struct SqliteStoreOptions {
  std::string path;
  int64_t keep_ms = int64_t{30} * 86'400'000;
  size_t max_series = 200'000;
  size_t max_samples = 20'000'000;  // beyond it, the oldest are deleted; about 20 bytes each
};

class SqliteStore final : public ResultStore {
 public:
  // kAborted: another process has the file.
  static Result<std::unique_ptr<SqliteStore>> open(const SqliteStoreOptions& options);

  Result<std::vector<query::StoredSeries>> select(std::span<const query::Matcher> matchers, int64_t from_ms,
                                                  int64_t to_ms) override;
  Status begin() override;
  // kResourceExhausted: the store has max_series already.
  Status append(const query::Labels& labels, const query::Point& point) override;
  Status save_rule(const std::string& group, const std::string& rule, const StoredRule& state) override;
  Status save_group(const std::string& group, int64_t evaluated_ms) override;
  Status commit() override;
  void rollback() override;
  Result<std::optional<StoredGroup>> load(const std::string& group) override;
  Status forget(const std::string& group) override;

  // The rule files in force, so that a process that starts continues with them although their origin does not answer
  // yet, or has another version that is not valid. By name; the origin is the caller's.
  struct StoredFile {
    std::string origin;
    std::string text;
  };
  Result<std::map<std::string, StoredFile>> load_files();
  Status save_files(const std::map<std::string, StoredFile>& files);

  // Deletes what is older than keep_ms before `now_ms`, and the oldest of the rest if there is too much. Call from time
  // to time, outside of an evaluation.
  Status expire(int64_t now_ms);
  size_t series() const { return numbers_.size(); }

 private:
  using Database = sqlite::Database;
  using Statement = sqlite::Statement;

  SqliteStore(const SqliteStoreOptions& options, LockFile lock, Database db)
      : options_(options), lock_(std::move(lock)), db_(std::move(db)) {}
  Status prepare();
  Status read_series();
  Result<int64_t> number_of(const query::Labels& labels);
  Status run(Statement& statement, const char* what);

  const SqliteStoreOptions options_;
  LockFile lock_;
  Database db_;
  Statement add_series_, add_sample_, samples_of_, save_rule_, save_group_;
  std::unordered_map<query::Labels, int64_t, query::LabelsHash> numbers_;
  std::map<std::string, std::vector<std::pair<int64_t, query::Labels>>, std::less<>> by_name_;
  std::vector<query::Labels> added_;  // in the open evaluation
};

// The series that an SqliteStore has written, for a process or a thread that only reads. One thread.
class ResultReader final : public query::SeriesSource {
 public:
  // `path`: of the store. The file need not exist: there are no series then.
  explicit ResultReader(std::string path) : path_(std::move(path)) {}

  Result<std::vector<query::StoredSeries>> select(std::span<const query::Matcher> matchers, int64_t from_ms,
                                                  int64_t to_ms) override;
  // The labels of all series, also of those that have ended. Valid until the next call.
  Result<std::span<const std::pair<int64_t, query::Labels>>> series();

 private:
  Status open();
  // Reads the labels of series that were added since.
  Status read_new();

  std::string path_;
  std::unique_ptr<sqlite::Database> db_;
  sqlite::Statement samples_of_;
  std::vector<std::pair<int64_t, query::Labels>> series_;            // by number, ascending
  std::map<std::string, std::vector<size_t>, std::less<>> by_name_;  // places in series_
};

}  // namespace monitor::rules
