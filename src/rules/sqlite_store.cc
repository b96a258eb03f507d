#include "rules/sqlite_store.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <utility>

#include "rules/group_state.h"
#include "sqlite/versioned_file.h"

namespace monitor::rules {

namespace {

using sqlite::Database;
using sqlite::ResetLater;
using sqlite::Statement;

// How many rows one transaction of expire() deletes, so that it does not hold up an evaluation.
constexpr int64_t kExpireAtOnce = 50'000;
// Of a reader; it forgets series that were deleted when it begins anew.
constexpr size_t kMostKnownSeries = 500'000;

constexpr const char* kTables =
    "CREATE TABLE IF NOT EXISTS series(id INTEGER PRIMARY KEY AUTOINCREMENT, labels BLOB NOT NULL UNIQUE);"
    // A value is stored as the bits of the double, so that staleness markers stay what they are.
    "CREATE TABLE IF NOT EXISTS samples(series INTEGER, time_ms INTEGER, value INTEGER NOT NULL,"
    " PRIMARY KEY(series, time_ms)) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS groups(name TEXT PRIMARY KEY, evaluated_ms INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS rules(grp TEXT, rule TEXT, alerts BLOB NOT NULL, outputs BLOB NOT NULL,"
    " PRIMARY KEY(grp, rule)) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS files(name TEXT PRIMARY KEY, origin TEXT NOT NULL, text BLOB NOT NULL) WITHOUT ROWID;";

constexpr sqlite::FileKind kRules = {
    .name = "the rules' state",
    .version = 1,
    .tables = kTables,
    .pragmas = "PRAGMA synchronous=NORMAL; PRAGMA journal_size_limit=67108864; PRAGMA cache_size=-65536",
    .loss = "all alerts begin anew"};

bool matches(std::span<const query::Matcher> matchers, const query::Labels& labels) {
  return std::ranges::all_of(matchers, [&](const query::Matcher& one) { return one.matches(labels.get(one.label())); });
}

bool may_have_name(std::span<const query::Matcher> matchers, std::string_view name) {
  return std::ranges::all_of(
      matchers, [name](const query::Matcher& one) { return one.label() != query::kNameLabel || one.matches(name); });
}

Result<std::vector<query::Point>> points_of(const Database& db, Statement& statement, int64_t series, int64_t from_ms,
                                            int64_t to_ms) {
  const ResetLater reset(statement);
  statement.bind(1, series);
  statement.bind(2, from_ms);
  statement.bind(3, to_ms);
  std::vector<query::Point> points;
  int rc = statement.step();
  for (; rc == SQLITE_ROW; rc = statement.step()) {
    points.push_back({statement.integer(0), std::bit_cast<double>(statement.integer(1))});
  }
  if (rc != SQLITE_DONE) return db.error(rc, "reading");
  return points;
}

constexpr const char* kSamplesOf =
    "SELECT time_ms, value FROM samples WHERE series = ?1 AND time_ms BETWEEN ?2 AND ?3 ORDER BY time_ms";

}  // namespace

Result<std::unique_ptr<SqliteStore>> SqliteStore::open(const SqliteStoreOptions& options) {
  auto lock = LockFile::acquire(options.path + ".lock", "the rules' state " + options.path);
  if (!lock) return lock.error();
  auto db = sqlite::open_versioned(options.path, kRules);
  if (!db) return db.error();
  std::unique_ptr<SqliteStore> store(new SqliteStore(options, std::move(*lock), std::move(*db)));
  if (auto status = store->prepare(); !status) return status.error();
  if (auto status = store->read_series(); !status) return status.error();
  return store;
}

Status SqliteStore::prepare() {
  const std::vector<std::pair<Statement*, const char*>> statements = {
      {&add_series_, "INSERT INTO series(labels) VALUES(?1) RETURNING id"},
      {&add_sample_, "INSERT OR REPLACE INTO samples VALUES(?1, ?2, ?3)"},
      {&samples_of_, kSamplesOf},
      {&save_rule_, "INSERT OR REPLACE INTO rules VALUES(?1, ?2, ?3, ?4)"},
      {&save_group_, "INSERT OR REPLACE INTO groups VALUES(?1, ?2)"},
  };
  for (const auto& [statement, sql] : statements) {
    auto prepared = db_.prepare(sql);
    if (!prepared) return prepared.error();
    *statement = std::move(*prepared);
  }
  return {};
}

Status SqliteStore::read_series() {
  numbers_.clear();
  by_name_.clear();
  auto select = db_.prepare("SELECT id, labels FROM series");
  if (!select) return select.error();
  int rc = select->step();
  for (; rc == SQLITE_ROW; rc = select->step()) {
    auto labels = decode_labels(select->bytes(1));
    if (!labels) return labels.error();
    by_name_[std::string(labels->name())].emplace_back(select->integer(0), *labels);
    numbers_.emplace(std::move(*labels), select->integer(0));
  }
  return rc == SQLITE_DONE ? Status() : db_.error(rc, "reading");
}

Result<std::vector<query::StoredSeries>> SqliteStore::select(std::span<const query::Matcher> matchers, int64_t from_ms,
                                                             int64_t to_ms) {
  std::vector<query::StoredSeries> found;
  for (const auto& [name, all] : by_name_) {
    if (!may_have_name(matchers, name)) continue;
    for (const auto& [number, labels] : all) {
      if (!matches(matchers, labels)) continue;
      auto points = points_of(db_, samples_of_, number, from_ms, to_ms);
      if (!points) return points.error();
      if (!points->empty()) found.push_back({labels, std::move(*points)});
    }
  }
  return found;
}

Status SqliteStore::run(Statement& statement, const char* what) {
  const ResetLater reset(statement);
  int rc = statement.step();
  while (rc == SQLITE_ROW) rc = statement.step();
  return rc == SQLITE_DONE ? Status() : db_.error(rc, what);
}

Status SqliteStore::begin() {
  added_.clear();
  return db_.exec("BEGIN IMMEDIATE");
}

Result<int64_t> SqliteStore::number_of(const query::Labels& labels) {
  if (const auto known = numbers_.find(labels); known != numbers_.end()) return known->second;
  if (numbers_.size() >= options_.max_series) {
    return Error(Code::kResourceExhausted,
                 fmt::format("rules have written {} series, which is the limit; {} is not stored", numbers_.size(),
                             labels.to_string()));
  }
  const std::string bytes = encode_labels(labels);
  const ResetLater reset(add_series_);
  add_series_.bind_blob(1, bytes);
  const int rc = add_series_.step();
  if (rc != SQLITE_ROW) return db_.error(rc, "adding a series to");
  const int64_t number = add_series_.integer(0);
  add_series_.step();  // runs to the end, which completes the insert
  numbers_.emplace(labels, number);
  by_name_[std::string(labels.name())].emplace_back(number, labels);
  added_.push_back(labels);
  return number;
}

Status SqliteStore::append(const query::Labels& labels, const query::Point& point) {
  const auto number = number_of(labels);
  if (!number) return number.error();
  add_sample_.bind(1, *number);
  add_sample_.bind(2, point.time_ms);
  add_sample_.bind(3, std::bit_cast<int64_t>(point.value));
  return run(add_sample_, "writing a sample to");
}

Status SqliteStore::save_rule(const std::string& group, const std::string& rule, const StoredRule& state) {
  save_rule_.bind_text(1, group);
  save_rule_.bind_text(2, rule);
  save_rule_.bind_blob(3, state.alerts);
  save_rule_.bind_blob(4, state.outputs);
  return run(save_rule_, "writing a rule's state to");
}

Status SqliteStore::save_group(const std::string& group, int64_t evaluated_ms) {
  save_group_.bind_text(1, group);
  save_group_.bind(2, evaluated_ms);
  return run(save_group_, "writing a group's state to");
}

Status SqliteStore::commit() { return db_.exec("COMMIT"); }

void SqliteStore::rollback() {
  (void)db_.exec("ROLLBACK");
  for (const query::Labels& labels : added_) {
    numbers_.erase(labels);
    auto& all = by_name_[std::string(labels.name())];
    std::erase_if(all, [&labels](const auto& one) { return one.second == labels; });
  }
  added_.clear();
}

Result<std::optional<StoredGroup>> SqliteStore::load(const std::string& group) {
  auto select = db_.prepare("SELECT evaluated_ms FROM groups WHERE name = ?1");
  if (!select) return select.error();
  select->bind_text(1, group);
  int rc = select->step();
  if (rc == SQLITE_DONE) return std::optional<StoredGroup>();
  if (rc != SQLITE_ROW) return db_.error(rc, "reading");
  StoredGroup stored{.evaluated_ms = select->integer(0), .rules = {}};
  auto rules = db_.prepare("SELECT rule, alerts, outputs FROM rules WHERE grp = ?1");
  if (!rules) return rules.error();
  rules->bind_text(1, group);
  for (rc = rules->step(); rc == SQLITE_ROW; rc = rules->step()) {
    stored.rules[std::string(rules->bytes(0))] = {std::string(rules->bytes(1)), std::string(rules->bytes(2))};
  }
  if (rc != SQLITE_DONE) return db_.error(rc, "reading");
  return std::optional(std::move(stored));
}

Status SqliteStore::forget(const std::string& group) {
  for (const char* const sql : {"DELETE FROM groups WHERE name = ?1", "DELETE FROM rules WHERE grp = ?1"}) {
    auto statement = db_.prepare(sql);
    if (!statement) return statement.error();
    statement->bind_text(1, group);
    if (auto status = run(*statement, "removing a group from"); !status) return status;
  }
  return {};
}

Result<std::map<std::string, SqliteStore::StoredFile>> SqliteStore::load_files() {
  auto select = db_.prepare("SELECT name, origin, text FROM files");
  if (!select) return select.error();
  std::map<std::string, StoredFile> files;
  int rc = select->step();
  for (; rc == SQLITE_ROW; rc = select->step()) {
    files[std::string(select->bytes(0))] = {std::string(select->bytes(1)), std::string(select->bytes(2))};
  }
  if (rc != SQLITE_DONE) return db_.error(rc, "reading");
  return files;
}

Status SqliteStore::save_files(const std::map<std::string, StoredFile>& files) {
  if (auto status = db_.exec("BEGIN IMMEDIATE"); !status) return status;
  Status status = db_.exec("DELETE FROM files");
  for (const auto& [name, file] : files) {
    if (!status) break;
    auto insert = db_.prepare("INSERT INTO files VALUES(?1, ?2, ?3)");
    if (!insert) {
      status = insert.error();
      break;
    }
    insert->bind_text(1, name);
    insert->bind_text(2, file.origin);
    insert->bind_blob(3, file.text);
    status = run(*insert, "writing a rule file to");
  }
  if (status) status = db_.exec("COMMIT");
  if (!status) (void)db_.exec("ROLLBACK");
  return status;
}

Status SqliteStore::expire(int64_t now_ms) {
  const auto count = db_.integer("SELECT count(*) FROM samples");
  if (!count) return count.error();
  int64_t before_ms = now_ms - options_.keep_ms;
  if (std::cmp_greater(*count, options_.max_samples)) {
    // Samples are spread about evenly over the time that is kept.
    const auto oldest = db_.integer("SELECT min(time_ms) FROM samples", now_ms);
    if (!oldest) return oldest.error();
    const double share = 1 - static_cast<double>(options_.max_samples) * 0.9 / static_cast<double>(*count);
    before_ms = std::max(before_ms, *oldest + static_cast<int64_t>(share * static_cast<double>(now_ms - *oldest)));
  }
  int64_t left = kExpireAtOnce;
  for (const auto& [name, all] : by_name_) {
    for (const auto& [number, labels] : all) {
      if (left <= 0) break;
      if (auto status =
              db_.exec(fmt::format("DELETE FROM samples WHERE series = {} AND time_ms < {}", number, before_ms));
          !status) {
        return status;
      }
      const auto changed = db_.integer("SELECT changes()");
      if (!changed) return changed.error();
      left -= *changed;
    }
  }
  // A series without samples has been gone for the whole time that is kept.
  if (auto status = db_.exec("DELETE FROM series WHERE id NOT IN (SELECT series FROM samples)"); !status) return status;
  const auto gone = db_.integer("SELECT changes()");
  if (!gone) return gone.error();
  if (*gone > 0) {
    if (auto status = read_series(); !status) return status;
  }
  return db_.exec("PRAGMA incremental_vacuum(1000)");
}

Status ResultReader::open() {
  if (db_ && !db_->moved()) return {};
  samples_of_ = Statement();
  series_.clear();
  by_name_.clear();
  db_.reset();
  if (access(path_.c_str(), F_OK) != 0) return {};
  auto opened = Database::open(path_, SQLITE_OPEN_READONLY);
  if (!opened) return opened.error();
  auto samples = opened->prepare(kSamplesOf);
  if (!samples) return samples.error();
  samples_of_ = std::move(*samples);
  db_ = std::make_unique<Database>(std::move(*opened));
  return {};
}

// Numbers are never used again, so what was read stays right. Series that have been deleted have no samples.
Status ResultReader::read_new() {
  if (series_.size() > kMostKnownSeries) {
    series_.clear();
    by_name_.clear();
  }
  auto select = db_->prepare("SELECT id, labels FROM series WHERE id > ?1 ORDER BY id");
  if (!select) return select.error();
  select->bind(1, series_.empty() ? 0 : series_.back().first);
  int rc = select->step();
  for (; rc == SQLITE_ROW; rc = select->step()) {
    auto labels = decode_labels(select->bytes(1));
    if (!labels) return labels.error();
    by_name_[std::string(labels->name())].push_back(series_.size());
    series_.emplace_back(select->integer(0), std::move(*labels));
  }
  return rc == SQLITE_DONE ? Status() : db_->error(rc, "reading");
}

Result<std::span<const std::pair<int64_t, query::Labels>>> ResultReader::series() {
  if (auto status = open(); !status) return status.error();
  if (db_) {
    if (auto status = read_new(); !status) return status.error();
  }
  return std::span<const std::pair<int64_t, query::Labels>>(series_);
}

Result<std::vector<query::StoredSeries>> ResultReader::select(std::span<const query::Matcher> matchers, int64_t from_ms,
                                                              int64_t to_ms) {
  if (const auto known = series(); !known) return known.error();
  std::vector<query::StoredSeries> found;
  for (const auto& [name, places] : by_name_) {
    if (!may_have_name(matchers, name)) continue;
    for (const size_t place : places) {
      const auto& [number, labels] = series_[place];
      if (!matches(matchers, labels)) continue;
      auto points = points_of(*db_, samples_of_, number, from_ms, to_ms);
      if (!points) return points.error();
      if (!points->empty()) found.push_back({labels, std::move(*points)});
    }
  }
  return found;
}

}  // namespace monitor::rules
