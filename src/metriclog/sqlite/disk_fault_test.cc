// The writer on a failing disk: writes, syncs or both fail on command, below SQLite.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sqlite3.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <new>

#include "base/testing/fake_clock.h"
#include "metriclog/sqlite/sqlite_log.h"
#include "metriclog/testing/deliveries.h"

namespace monitor::metriclog {
namespace {

using ::testing::HasSubstr;

std::atomic<int> g_write_fault{SQLITE_OK};
std::atomic<int> g_sync_fault{SQLITE_OK};
std::atomic<int> g_syncs{0};

// SQLite's own VFS with replaced xWrite and xSync. A file is this struct, followed by the real file.
struct FaultyFile {
  sqlite3_file base;
  sqlite3_io_methods methods;
  sqlite3_file* real() { return reinterpret_cast<sqlite3_file*>(this + 1); }
};

sqlite3_file* real(sqlite3_file* file) { return reinterpret_cast<FaultyFile*>(file)->real(); }
const sqlite3_io_methods* m(sqlite3_file* file) { return real(file)->pMethods; }

int open_file(sqlite3_vfs* vfs, const char* name, sqlite3_file* file, int flags, int* out_flags) {
  auto* below = static_cast<sqlite3_vfs*>(vfs->pAppData);
  auto* faulty = new (file) FaultyFile();
  const int rc = below->xOpen(below, name, faulty->real(), flags, out_flags);
  file->pMethods = nullptr;
  if (faulty->real()->pMethods == nullptr) return rc;
  sqlite3_io_methods& methods = faulty->methods;
  methods.iVersion = 2;  // with shared memory for the WAL, without memory mapping
  methods.xClose = [](sqlite3_file* f) { return m(f)->xClose(real(f)); };
  methods.xRead = [](sqlite3_file* f, void* p, int n, sqlite3_int64 o) { return m(f)->xRead(real(f), p, n, o); };
  methods.xWrite = [](sqlite3_file* f, const void* p, int n, sqlite3_int64 o) {
    if (const int fault = g_write_fault; fault != SQLITE_OK) return fault;
    return m(f)->xWrite(real(f), p, n, o);
  };
  methods.xTruncate = [](sqlite3_file* f, sqlite3_int64 n) { return m(f)->xTruncate(real(f), n); };
  methods.xSync = [](sqlite3_file* f, int how) {
    ++g_syncs;
    if (const int fault = g_sync_fault; fault != SQLITE_OK) return fault;
    return m(f)->xSync(real(f), how);
  };
  methods.xFileSize = [](sqlite3_file* f, sqlite3_int64* n) { return m(f)->xFileSize(real(f), n); };
  methods.xLock = [](sqlite3_file* f, int how) { return m(f)->xLock(real(f), how); };
  methods.xUnlock = [](sqlite3_file* f, int how) { return m(f)->xUnlock(real(f), how); };
  methods.xCheckReservedLock = [](sqlite3_file* f, int* out) { return m(f)->xCheckReservedLock(real(f), out); };
  methods.xFileControl = [](sqlite3_file* f, int op, void* p) { return m(f)->xFileControl(real(f), op, p); };
  methods.xSectorSize = [](sqlite3_file* f) { return m(f)->xSectorSize(real(f)); };
  methods.xDeviceCharacteristics = [](sqlite3_file* f) { return m(f)->xDeviceCharacteristics(real(f)); };
  methods.xShmMap = [](sqlite3_file* f, int page, int size, int extend, void volatile** out) {
    return m(f)->xShmMap(real(f), page, size, extend, out);
  };
  methods.xShmLock = [](sqlite3_file* f, int o, int n, int flag) { return m(f)->xShmLock(real(f), o, n, flag); };
  methods.xShmBarrier = [](sqlite3_file* f) { m(f)->xShmBarrier(real(f)); };
  methods.xShmUnmap = [](sqlite3_file* f, int remove) { return m(f)->xShmUnmap(real(f), remove); };
  file->pMethods = &methods;
  return rc;
}

const char* faulty_vfs() {
  static sqlite3_vfs vfs = [] {
    sqlite3_vfs* below = sqlite3_vfs_find(nullptr);
    sqlite3_vfs copy = *below;
    copy.zName = "faulty";
    copy.szOsFile = static_cast<int>(sizeof(FaultyFile)) + below->szOsFile;
    copy.pAppData = below;
    copy.xOpen = &open_file;
    return copy;
  }();
  static const int registered = sqlite3_vfs_register(&vfs, 0);
  return registered == SQLITE_OK ? vfs.zName : nullptr;
}

class DiskFault : public ::testing::Test {
 protected:
  static constexpr int64_t kPatience = 20 * kNanosPerSecond;

  DiskFault() {
    g_write_fault = g_sync_fault = SQLITE_OK;
    std::string name = (std::filesystem::temp_directory_path() / "disk-fault-XXXXXX").string();
    folder_ = mkdtemp(name.data());
    auto opened = open_sqlite_writer({.path = folder_ + "/log.db", .vfs = faulty_vfs()}, clock_);
    EXPECT_TRUE(opened.ok());
    writer_ = std::move(*opened);
  }
  ~DiskFault() override {
    g_write_fault = g_sync_fault = SQLITE_OK;
    writer_.reset();
    std::filesystem::remove_all(folder_);
  }

  Delivery append(const std::string& value) {
    const size_t before = deliveries_.all().size();
    EXPECT_EQ(writer_->append({"agent", {}, value}, deliveries_, before), LogWriter::Accepted::kYes);
    EXPECT_TRUE(writer_->flush(kPatience));
    const auto all = deliveries_.all();
    return all.size() == before + 1 ? all.back() : Delivery{};
  }
  std::vector<std::string> stored() {
    auto reader = open_sqlite_reader(folder_ + "/log.db", {.start = {.kind = StartAt::Kind::kEarliest}});
    std::vector<std::string> values;
    auto events = (*reader)->poll(0);
    EXPECT_TRUE(events.ok());
    for (const ReaderEvent& event : *events) {
      for (const Record& record : event.records) values.push_back(record.value);
    }
    return values;
  }

  // Changes whenever the WAL is restarted.
  std::string wal_salt() const {
    std::ifstream file(folder_ + "/log.db-wal", std::ios::binary);
    std::string header(32, '\0');
    file.read(header.data(), static_cast<std::streamsize>(header.size()));
    return header.substr(16, 8);
  }

  std::string folder_;
  FakeClock clock_;
  Deliveries deliveries_;
  std::unique_ptr<LogWriter> writer_;
};

TEST_F(DiskFault, EachConfirmationFollowsASync) {
  for (int i = 0; i < 3; ++i) {
    const int before = g_syncs;
    EXPECT_EQ(append("x").outcome, Outcome::kStored);
    EXPECT_GT(g_syncs, before);
  }
}

TEST_F(DiskFault, FullDiskIsRetryAndRecoversByItself) {
  EXPECT_EQ(append("before").outcome, Outcome::kStored);
  g_write_fault = SQLITE_FULL;
  const Delivery refused = append("refused");
  EXPECT_EQ(refused.outcome, Outcome::kRetry);
  EXPECT_THAT(refused.reason, HasSubstr("full"));
  EXPECT_THAT(refused.reason, HasSubstr(folder_));
  EXPECT_THAT(writer_->trouble(), HasSubstr("free space"));
  EXPECT_TRUE(writer_->failure().ok());
  EXPECT_EQ(append("again").outcome, Outcome::kRetry);
  g_write_fault = SQLITE_OK;
  EXPECT_EQ(append("after").outcome, Outcome::kStored);
  EXPECT_EQ(writer_->trouble(), "");
  EXPECT_THAT(stored(), ::testing::ElementsAre("before", "after"));
}

TEST_F(DiskFault, FailedSyncIsNotAConfirmation) {
  EXPECT_EQ(append("before").outcome, Outcome::kStored);
  g_sync_fault = SQLITE_IOERR_FSYNC;
  EXPECT_EQ(append("lost").outcome, Outcome::kRetry);
  g_sync_fault = SQLITE_OK;
  const std::string salt = wal_salt();
  EXPECT_EQ(append("after").outcome, Outcome::kStored);
  EXPECT_NE(wal_salt(), salt) << "nothing may be appended behind a failed write";
  // Unconfirmed records may be stored nevertheless: agents send them again, and readers drop the copies.
  EXPECT_THAT(stored(), ::testing::AllOf(::testing::Contains("before"), ::testing::Contains("after")));
}

TEST_F(DiskFault, IoErrorRecoversByItself) {
  g_write_fault = SQLITE_IOERR_WRITE;
  EXPECT_EQ(append("refused").outcome, Outcome::kRetry);
  g_write_fault = SQLITE_OK;
  EXPECT_EQ(append("after").outcome, Outcome::kStored);
}

TEST_F(DiskFault, DamageIsAPermanentFailure) {
  g_write_fault = SQLITE_CORRUPT;
  EXPECT_EQ(append("refused").outcome, Outcome::kRetry);
  ASSERT_FALSE(writer_->failure().ok());
  EXPECT_EQ(writer_->failure().error().code(), Code::kDataLoss);
}

}  // namespace
}  // namespace monitor::metriclog
