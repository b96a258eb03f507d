#include "metriclog/sqlite/sqlite_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "base/testing/fake_clock.h"
#include "metriclog/testing/log_contract.h"

namespace monitor::metriclog {
namespace {

using ::testing::HasSubstr;

class TempFolder {
 public:
  TempFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "sqlite-log-XXXXXX").string();
    path_ = mkdtemp(name.data());
  }
  ~TempFolder() { std::filesystem::remove_all(path_); }
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;
  std::string file(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

class SqliteFixture final : public LogFixture {
 public:
  SqliteFixture() {
    auto opened = open_sqlite_writer({.path = path_, .max_record_bytes = max_record_bytes()}, clock_);
    EXPECT_TRUE(opened.ok());
    writer_ = std::move(*opened);
  }
  LogWriter& writer() override { return *writer_; }
  std::unique_ptr<LogReader> reader(const ReaderOptions& options) override {
    auto opened = open_sqlite_reader(path_, options);
    EXPECT_TRUE(opened.ok());
    return std::move(*opened);
  }
  void advance(int64_t ns) override { clock_.advance(ns); }
  int64_t now_ns() override { return clock_.wall_ns(); }
  void take_first(int64_t count) override {
    // Deletes the first records as if they were older, then makes one append, which runs retention.
    sqlite3* db = nullptr;
    ASSERT_EQ(sqlite3_open(path_.c_str(), &db), SQLITE_OK);
    sqlite3_busy_timeout(db, 5000);
    const std::string sql = "DELETE FROM records WHERE offset <= " + std::to_string(count);
    EXPECT_EQ(sqlite3_exec(db, sql.c_str(), nullptr, nullptr, nullptr), SQLITE_OK);
    sqlite3_close(db);
  }
  size_t max_record_bytes() const override { return 4096; }

 private:
  TempFolder folder_;
  std::string path_ = folder_.file("log.db");
  FakeClock clock_;
  std::unique_ptr<LogWriter> writer_;
};

INSTANTIATE_TEST_SUITE_P(Sqlite, MetricLogContract,
                         ::testing::Values([] { return std::unique_ptr<LogFixture>(new SqliteFixture()); }));

class SqliteLog : public ::testing::Test {
 protected:
  static constexpr int64_t kPatience = 20 * kNanosPerSecond;

  std::unique_ptr<LogWriter> open(SqliteWriterOptions options = {}) {
    options.path = path_;
    auto opened = open_sqlite_writer(options, clock_);
    if (!opened) ADD_FAILURE() << opened.error().to_string();
    return opened ? std::move(*opened) : nullptr;
  }
  Error open_error() {
    auto opened = open_sqlite_writer({.path = path_}, clock_);
    EXPECT_FALSE(opened.ok());
    return opened ? Error(Code::kOk, "") : opened.error();
  }
  std::unique_ptr<LogReader> reader(const ReaderOptions& options) {
    return std::move(*open_sqlite_reader(path_, options));
  }
  void append(LogWriter& writer, const std::string& value) {
    ASSERT_EQ(writer.append({"agent", {}, value}, deliveries_, ++token_), LogWriter::Accepted::kYes);
    ASSERT_TRUE(writer.flush(kPatience));
  }
  int64_t query(const std::string& sql) {
    sqlite3* db = nullptr;
    EXPECT_EQ(sqlite3_open(path_.c_str(), &db), SQLITE_OK);
    sqlite3_stmt* statement = nullptr;
    EXPECT_EQ(sqlite3_prepare_v2(db, sql.c_str(), -1, &statement, nullptr), SQLITE_OK) << sqlite3_errmsg(db);
    sqlite3_step(statement);
    const int64_t value = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    sqlite3_close(db);
    return value;
  }
  std::vector<ReaderEvent> poll(LogReader& reader) {
    auto events = reader.poll(kPatience);
    EXPECT_TRUE(events.ok()) << events.error().to_string();
    return events ? std::move(*events) : std::vector<ReaderEvent>();
  }

  TempFolder folder_;
  std::string path_ = folder_.file("data/log.db");
  FakeClock clock_;
  Deliveries deliveries_;
  uint64_t token_ = 0;
};

TEST_F(SqliteLog, IsAFileThatAnyoneCanQuery) {
  const auto writer = open();
  const std::vector<std::pair<std::string_view, std::string_view>> headers = {{"agent", "a\"b"}, {"sequence", "12"}};
  writer->append({"key", headers, "bytes"}, deliveries_, 1);
  ASSERT_TRUE(writer->flush(kPatience));
  EXPECT_EQ(query("SELECT offset FROM records"), 1);
  EXPECT_EQ(query("SELECT headers ->> 'sequence' FROM records"), 12);
  EXPECT_EQ(query("SELECT headers ->> 'agent' = 'a\"b' AND key = 'key' AND value = CAST('bytes' AS BLOB) FROM records"),
            1);
  EXPECT_EQ(query("SELECT time_ns FROM records"), clock_.wall_ns());
  EXPECT_EQ(query("SELECT value FROM meta WHERE key = 'schema_version'"), 1);
}

TEST_F(SqliteLog, ContinuesAfterAReopen) {
  append(*open(), "one");
  append(*open(), "two");
  EXPECT_EQ(query("SELECT max(offset) FROM records"), 2);
}

TEST_F(SqliteLog, RejectsASecondWriterAndNamesTheFirst) {
  const auto writer = open({.program = "monitor-server"});
  const Error error = open_error();
  EXPECT_EQ(error.code(), Code::kAborted);
  EXPECT_THAT(error.message(), HasSubstr("process " + std::to_string(getpid()) + " (monitor-server)"));
  EXPECT_THAT(error.message(), HasSubstr(path_));
}

TEST_F(SqliteLog, RetentionDeletesOnlyOldRecordsAndReadersAreNotified) {
  const auto writer = open({.retention_ns = 3600 * kNanosPerSecond, .clock_start = TrustedClock::Start::kTrust});
  append(*writer, "old");
  const auto behind = reader({.start = {.kind = StartAt::Kind::kEarliest}});
  ASSERT_EQ(poll(*behind).size(), 2U);  // assigned, one record
  append(*writer, "also old");
  clock_.advance(7200 * kNanosPerSecond);
  append(*writer, "new");
  append(*writer, "newest");  // its flush ends after the first record's retention
  EXPECT_EQ(query("SELECT min(offset) FROM records"), 3);
  const auto events = poll(*behind);
  ASSERT_EQ(events.size(), 2U);
  EXPECT_EQ(events[0].kind, ReaderEvent::Kind::kLost);
  EXPECT_EQ(events[0].from, 2);
  EXPECT_EQ(events[0].to, 3);
  EXPECT_EQ(events[1].records.size(), 2U);
}

TEST_F(SqliteLog, ClockThatIsWrongForAMinuteDeletesNothing) {
  for (const auto start : {TrustedClock::Start::kTrust, TrustedClock::Start::kUnknown}) {
    const auto writer = open({.retention_ns = 24 * 3600 * kNanosPerSecond, .clock_start = start});
    append(*writer, "kept");
    clock_.step_wall(30 * 24 * 3600 * kNanosPerSecond);
    for (int i = 0; i < 6; ++i) {
      clock_.advance(10 * kNanosPerSecond);
      append(*writer, "at the wrong time");
    }
    clock_.step_wall(-30 * 24 * 3600 * kNanosPerSecond);
    clock_.advance(600 * kNanosPerSecond);
    append(*writer, "after");
    append(*writer, "after");
    EXPECT_EQ(query("SELECT min(offset) FROM records"), 1);
  }
}

TEST_F(SqliteLog, ClockChangeWhileTheWriterIsDownDeletesNothing) {
  constexpr int64_t kHour = 3600 * kNanosPerSecond;
  {
    const auto writer = open({.clock_start = TrustedClock::Start::kTrust});
    append(*writer, "kept");
    append(*writer, "kept");
  }
  clock_.step_wall(1000 * kHour);
  const auto writer = open();
  append(*writer, "new");
  append(*writer, "newest");
  EXPECT_EQ(query("SELECT min(offset) FROM records"), 1);
  // The new time stays, so it is accepted.
  for (int i = 0; i < 10; ++i) {
    clock_.advance(kHour / 8);
    append(*writer, "newest");
  }
  append(*writer, "newest");
  EXPECT_EQ(query("SELECT min(offset) FROM records"), 3);
}

TEST_F(SqliteLog, ReportsALossEvenIfNoRecordIsLeft) {
  const auto writer = open();
  append(*writer, "a");
  const auto behind = reader({.start = {.kind = StartAt::Kind::kEarliest}});
  ASSERT_EQ(poll(*behind).size(), 2U);
  append(*writer, "b");
  query("DELETE FROM records");
  const auto events = poll(*behind);
  ASSERT_EQ(events.size(), 1U);
  EXPECT_EQ(events[0].kind, ReaderEvent::Kind::kLost);
  EXPECT_EQ(events[0].to, 3);
}

TEST_F(SqliteLog, ReaderWaitsForAMissingLogAndReadsItFromItsStart) {
  const auto early = reader({});
  const auto events = poll(*early);
  ASSERT_EQ(events.size(), 1U);
  EXPECT_EQ(events[0].kind, ReaderEvent::Kind::kTrouble);
  EXPECT_THAT(events[0].text, HasSubstr("does not exist yet"));
  append(*open(), "first");
  const auto later = poll(*early);
  ASSERT_EQ(later.size(), 2U);
  EXPECT_EQ(later[0].kind, ReaderEvent::Kind::kAssigned);
  EXPECT_EQ(later[1].records.at(0).value, "first");
}

TEST_F(SqliteLog, ReaderSwitchesToALogThatReplacedItsOwn) {
  auto writer = open();
  append(*writer, "a");
  const auto following = reader({.group = "g", .start = {.kind = StartAt::Kind::kEarliest}});
  ASSERT_EQ(poll(*following).size(), 2U);
  writer.reset();
  for (const char* end : {"", "-wal", "-shm"}) std::filesystem::remove(path_ + end);
  ASSERT_EQ(poll(*following).at(0).kind, ReaderEvent::Kind::kTrouble);
  append(*open(), "b");
  std::vector<ReaderEvent> events;
  while (events.empty() || events.back().kind == ReaderEvent::Kind::kTrouble) events = poll(*following);
  ASSERT_EQ(events.size(), 2U);
  EXPECT_EQ(events[0].kind, ReaderEvent::Kind::kReplaced);
  EXPECT_EQ(events[0].from, 2);
  EXPECT_EQ(events[0].to, 1);
  EXPECT_EQ(events[0].lost, 0);
  EXPECT_EQ(events[1].records.at(0).value, "b");
}

TEST_F(SqliteLog, GroupReadsAReplacementLogFromItsStart) {
  auto writer = open();
  for (const char* value : {"a", "b", "c"}) append(*writer, value);
  {
    const auto group = reader({.group = "g", .start = {.kind = StartAt::Kind::kEarliest}});
    ASSERT_EQ(poll(*group).size(), 2U);
    const Snapshot snapshot{.partition = 0, .next_offset = 4, .state = "built"};
    ASSERT_TRUE(group->store(std::span(&snapshot, 1)));
  }
  writer.reset();
  for (const char* end : {"", "-wal", "-shm"}) std::filesystem::remove(path_ + end);
  writer = open();
  for (const char* value : {"d", "e", "f", "g", "h"}) append(*writer, value);
  const auto group = reader({.group = "g"});
  const auto events = poll(*group);
  ASSERT_EQ(events.size(), 3U);
  EXPECT_EQ(events[0].kind, ReaderEvent::Kind::kAssigned);
  EXPECT_EQ(events[0].assigned.at(0).state, "built") << "records seen before must not be counted again";
  EXPECT_EQ(events[1].kind, ReaderEvent::Kind::kReplaced);
  EXPECT_EQ(events[1].from, 4);
  EXPECT_EQ(events[1].to, 1);
  ASSERT_EQ(events[2].records.size(), 5U);
  EXPECT_EQ(events[2].records.at(0).value, "d");
  const Snapshot snapshot{.partition = 0, .next_offset = 6, .state = "more"};
  ASSERT_TRUE(group->store(std::span(&snapshot, 1)));
  const auto again = reader({.group = "g"});
  EXPECT_TRUE(poll(*again).empty()) << "the other member holds the partition";
}

TEST_F(SqliteLog, CountsUnreadRecordsOfAReplacedLogAsLost) {
  auto writer = open();
  for (int i = 0; i < 700; ++i) append(*writer, "v");
  const auto following = reader({.start = {.kind = StartAt::Kind::kEarliest}});
  ASSERT_EQ(poll(*following).back().records.size(), 500U);
  writer.reset();
  for (const char* end : {"", "-wal", "-shm"}) std::filesystem::remove(path_ + end);
  ASSERT_EQ(poll(*following).at(0).kind, ReaderEvent::Kind::kTrouble);
  append(*open(), "b");
  std::vector<ReaderEvent> events;
  while (events.empty() || events.back().kind == ReaderEvent::Kind::kTrouble) events = poll(*following);
  ASSERT_EQ(events[0].kind, ReaderEvent::Kind::kReplaced);
  EXPECT_EQ(events[0].lost, 200);
}

TEST_F(SqliteLog, ReaderReportsRecoveryEvenIfNothingArrived) {
  append(*open(), "a");
  const auto following = reader({.start = {.kind = StartAt::Kind::kEarliest}});
  ASSERT_EQ(poll(*following).size(), 2U);
  std::filesystem::rename(path_, path_ + ".away");
  ASSERT_EQ(poll(*following).at(0).kind, ReaderEvent::Kind::kTrouble);
  std::filesystem::rename(path_ + ".away", path_);
  auto events = poll(*following);
  while (!events.empty() && events.back().kind == ReaderEvent::Kind::kTrouble) events = poll(*following);
  ASSERT_EQ(events.size(), 1U);
  EXPECT_EQ(events[0].kind, ReaderEvent::Kind::kRecovered);
  append(*open(), "b");
  events = poll(*following);
  ASSERT_EQ(events.size(), 1U) << "it must be reported once";
  EXPECT_EQ(events[0].records.at(0).value, "b");
}

TEST_F(SqliteLog, ReaderReopensALogWhoseWalWasReplaced) {
  append(*open(), "a");
  const auto following = reader({.start = {.kind = StartAt::Kind::kEarliest}});
  ASSERT_EQ(poll(*following).size(), 2U);
  std::filesystem::rename(path_ + "-wal", path_ + ".away-wal");
  std::filesystem::copy_file(path_ + ".away-wal", path_ + "-wal");
  const auto events = poll(*following);
  ASSERT_EQ(events.size(), 2U);
  EXPECT_EQ(events[0].kind, ReaderEvent::Kind::kTrouble);
  EXPECT_EQ(events[1].kind, ReaderEvent::Kind::kRecovered);
}

TEST_F(SqliteLog, WriterReportsRetryAndReopensWhenItsFileIsRemoved) {
  const auto writer = open();
  append(*writer, "a");
  for (const char* end : {"", "-wal", "-shm"}) std::filesystem::remove(path_ + end);
  append(*writer, "b");
  append(*writer, "c");
  const auto reports = deliveries_.all();
  ASSERT_EQ(reports.size(), 3U);
  EXPECT_NE(reports[1].outcome, Outcome::kStored);
  EXPECT_EQ(reports[2].outcome, Outcome::kStored);
  EXPECT_EQ(query("SELECT count(*) FROM records"), 1);
}

TEST_F(SqliteLog, RejectsAFileThatIsNotADatabase) {
  std::filesystem::create_directories(folder_.file("data"));
  std::ofstream(path_) << std::string(10'000, 'x');
  const Error error = open_error();
  EXPECT_EQ(error.code(), Code::kDataLoss);
  EXPECT_THAT(error.message(), HasSubstr(path_));
  EXPECT_THAT(error.message(), HasSubstr("damaged"));
  const auto events = reader({})->poll(0);
  ASSERT_FALSE(events.ok());
  EXPECT_EQ(events.error().code(), Code::kDataLoss);
}

TEST_F(SqliteLog, RejectsADamagedFileAtTheStart) {
  append(*open(), std::string(900'000, 'x'));
  std::fstream(path_).seekp(4096) << std::string(200'000, 'y');
  EXPECT_EQ(open_error().code(), Code::kDataLoss);
  const auto damaged = reader({.start = {.kind = StartAt::Kind::kEarliest}});
  auto events = damaged->poll(0);
  while (events.ok()) events = damaged->poll(0);
  EXPECT_EQ(events.error().code(), Code::kDataLoss);
}

TEST_F(SqliteLog, RejectsANewerSchemaAndAForeignDatabase) {
  open().reset();
  query("UPDATE meta SET value = 2 WHERE key = 'schema_version' RETURNING 1");
  Error error = open_error();
  EXPECT_EQ(error.code(), Code::kFailedPrecondition);
  EXPECT_THAT(error.message(), HasSubstr("newer version"));
  EXPECT_THAT(error.message(), HasSubstr("schema 2, known up to 1"));
  path_ = folder_.file("other.db");
  query("CREATE TABLE t(x)");
  error = open_error();
  EXPECT_EQ(error.code(), Code::kFailedPrecondition);
  EXPECT_THAT(error.message(), HasSubstr("not a metric log"));
  EXPECT_EQ(query("SELECT count(*) FROM sqlite_master"), 1) << "a foreign file must not be changed";
}

TEST_F(SqliteLog, ReportsAFolderThatCannotBeWritten) {
  path_ = "/proc/none/log.db";
  const Error error = open_error();
  EXPECT_THAT(error.message(), HasSubstr("/proc/none/log.db"));
}

TEST_F(SqliteLog, QueueIsBoundedInRecordsAndBytes) {
  // Commits are so far apart that everything accepted after the first record stays queued until the writer ends.
  auto writer = open({.commit_every_ns = 3600 * kNanosPerSecond, .max_queue_records = 3, .max_queue_bytes = 5000});
  append(*writer, "first");
  ASSERT_EQ(writer->append({"k", {}, std::string(4000, 'x')}, deliveries_, 2), LogWriter::Accepted::kYes);
  EXPECT_EQ(writer->append({"k", {}, std::string(4000, 'x')}, deliveries_, 3), LogWriter::Accepted::kFull);
  ASSERT_EQ(writer->append({"k", {}, ""}, deliveries_, 4), LogWriter::Accepted::kYes);
  ASSERT_EQ(writer->append({"k", {}, ""}, deliveries_, 5), LogWriter::Accepted::kYes);
  EXPECT_EQ(writer->append({"k", {}, ""}, deliveries_, 6), LogWriter::Accepted::kFull);
  EXPECT_FALSE(writer->flush(0));
  writer.reset();
  EXPECT_EQ(deliveries_.all().size(), 4U);
}

TEST_F(SqliteLog, WriterStoresHeartbeatsAndALastOneWhenItStops) {
  auto writer = open({.program = "writer", .host = "h"});
  auto beats = open_sqlite_browser(path_)->heartbeats();
  ASSERT_TRUE(beats && beats->size() == 1U);
  const Heartbeat first = beats->front();
  EXPECT_EQ(first.program, "writer");
  EXPECT_EQ(first.host, "h");
  EXPECT_EQ(first.time_ns, clock_.wall_ns());
  EXPECT_FALSE(first.ended);
  writer.reset();
  beats = open_sqlite_browser(path_)->heartbeats();
  ASSERT_TRUE(beats && beats->size() == 1U);
  EXPECT_EQ(beats->front().writer, first.writer);
  EXPECT_GT(beats->front().count, first.count);
  EXPECT_TRUE(beats->front().ended);
  writer = open();
  beats = open_sqlite_browser(path_)->heartbeats();
  ASSERT_TRUE(beats && beats->size() == 1U) << "the heartbeat of an earlier writer must be gone";
  EXPECT_NE(beats->front().writer, first.writer);
  EXPECT_FALSE(beats->front().ended);
}

TEST_F(SqliteLog, IdleWriterStoresHeartbeatsAsTimePasses) {
  const auto writer = open();
  const auto browser = open_sqlite_browser(path_);
  clock_.advance(Heartbeat::kEvery + kNanosPerSecond);
  const SystemClock patience;
  const int64_t end = patience.mono_ns() + kPatience;
  uint64_t count = 1;
  while (count < 2 && patience.mono_ns() < end) {
    const auto beats = browser->heartbeats();
    if (beats && !beats->empty()) count = beats->front().count;
    usleep(5000);
  }
  EXPECT_EQ(count, 2U);
}

TEST_F(SqliteLog, LogOfAnOlderServerHasNoHeartbeats) {
  open().reset();
  sqlite3* db = nullptr;
  ASSERT_EQ(sqlite3_open(path_.c_str(), &db), SQLITE_OK);
  EXPECT_EQ(sqlite3_exec(db, "DROP TABLE writers", nullptr, nullptr, nullptr), SQLITE_OK);
  sqlite3_close(db);
  const auto beats = open_sqlite_browser(path_)->heartbeats();
  ASSERT_TRUE(beats);
  EXPECT_TRUE(beats->empty());
  open().reset();
  EXPECT_EQ(open_sqlite_browser(path_)->heartbeats()->size(), 1U);
}

}  // namespace
}  // namespace monitor::metriclog
