#include "metriclog/browser.h"

#include <unistd.h>

#include <algorithm>

#include "metriclog/sqlite/record_rows.h"
#include "metriclog/sqlite/schema.h"
#include "metriclog/sqlite/sqlite_log.h"

namespace monitor::metriclog {

namespace sqlite {
namespace {

class Browser final : public LogBrowser {
 public:
  explicit Browser(std::string path) : path_(std::move(path)) {}

  Result<std::vector<PartitionExtent>> partitions() override {
    auto db = open_for_reading(path_);
    if (!db) return db.error();
    const auto begin = first_offset(*db);
    const auto end = end_offset(*db);
    if (!begin || !end) return begin ? end.error() : begin.error();
    // Pages in use: those that retention has freed are still part of the file.
    const auto pages = db->integer("SELECT page_count - freelist_count FROM pragma_page_count, pragma_freelist_count");
    const auto size = db->integer("PRAGMA page_size");
    if (!pages || !size) return pages ? size.error() : pages.error();
    return std::vector<PartitionExtent>{{0, *begin, *end, *pages * *size}};
  }

  Result<std::vector<GroupPosition>> groups() override {
    std::vector<GroupPosition> found;
    auto log = open_for_reading(path_);
    if (!log) return log.error();
    const auto identity = read_identity(*log);
    if (!identity) return identity.error();
    const std::string path = path_ + "-groups.db";
    if (access(path.c_str(), F_OK) != 0) return found;
    auto db = Database::open(path, SQLITE_OPEN_READONLY);
    if (!db) return db.error();
    auto select = db->prepare(
        "SELECT group_id, partition, next_offset FROM snapshots WHERE log_id = ?1 ORDER BY group_id, partition");
    if (!select) return select.error();
    select->bind_text(1, identity->log_id);
    int rc = select->step();
    for (; rc == SQLITE_ROW; rc = select->step()) {
      found.push_back({std::string(select->bytes(0)), static_cast<int32_t>(select->integer(1)), select->integer(2)});
    }
    if (rc != SQLITE_DONE) return db->error(rc, "reading");
    return found;
  }

  Result<std::vector<Record>> read(int32_t partition, int64_t from, size_t limit) override {
    std::vector<Record> records;
    if (partition != 0) return records;
    auto db = open_for_reading(path_);
    if (!db) return db.error();
    auto select = db->prepare(kSelectRecords);
    if (!select) return select.error();
    select->bind(1, from);
    select->bind(2, static_cast<int64_t>(limit));
    int rc = select->step();
    for (; rc == SQLITE_ROW; rc = select->step()) records.push_back(record_of(*select));
    if (rc != SQLITE_DONE) return db->error(rc, "reading");
    return records;
  }

  Status scan(std::vector<Span>& spans, const KeyFilter& wanted, const TakeRecord& take) override {
    auto db = open_for_reading(path_);
    if (!db) return db.error();
    for (Span& span : spans) {
      const auto more = span.partition == 0 ? scan_records(*db, span, wanted, take) : Result<bool>(true);
      if (!more) return more.error();
      if (!*more) return {};
      span.next = span.end;
    }
    return {};
  }

  Result<int64_t> offset_at(int32_t /*partition*/, int64_t time_ns) override {
    auto db = open_for_reading(path_);
    if (!db) return db.error();
    return first_since(*db, time_ns);
  }

  Result<std::vector<Heartbeat>> heartbeats() override {
    std::vector<Heartbeat> found;
    auto db = open_for_reading(path_);
    if (!db) return db.error();
    const auto tables = db->integer("SELECT count(*) FROM sqlite_master WHERE name = 'writers'");
    if (!tables) return tables.error();
    if (*tables == 0) return found;
    auto select = db->prepare("SELECT writer, program, host, count, time_ns, ended FROM writers");
    if (!select) return select.error();
    int rc = select->step();
    for (; rc == SQLITE_ROW; rc = select->step()) {
      found.push_back({.writer = std::string(select->bytes(0)),
                       .program = std::string(select->bytes(1)),
                       .host = std::string(select->bytes(2)),
                       .count = static_cast<uint64_t>(select->integer(3)),
                       .time_ns = select->integer(4),
                       .ended = select->integer(5) != 0});
    }
    if (rc != SQLITE_DONE) return db->error(rc, "reading");
    return found;
  }

  int32_t partition_of(std::string_view /*key*/, size_t /*partitions*/) const override { return 0; }

 private:
  // False: `take` wants no more.
  static Result<bool> scan_records(Database& db, Span& span, const KeyFilter& wanted, const TakeRecord& take) {
    auto select = db.prepare(kSelectRecords);
    if (!select) return select.error();
    select->bind(1, span.next);
    select->bind(2, std::max<int64_t>(span.end - span.next, 0));
    int rc = select->step();
    for (; rc == SQLITE_ROW; rc = select->step()) {
      const int64_t offset = select->integer(0);
      if (offset >= span.end) return true;
      span.next = offset + 1;
      if (wanted(select->bytes(2)) && !take(record_of(*select))) return false;
    }
    if (rc != SQLITE_DONE) return db.error(rc, "reading");
    return true;
  }

  const std::string path_;
};

}  // namespace
}  // namespace sqlite

std::unique_ptr<LogBrowser> open_sqlite_browser(const std::string& path) {
  return std::make_unique<sqlite::Browser>(path);
}

}  // namespace monitor::metriclog
