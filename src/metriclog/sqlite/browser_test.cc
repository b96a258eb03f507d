#include "metriclog/browser.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/testing/fake_clock.h"
#include "base/testing/temporary_folder.h"
#include "metriclog/sqlite/sqlite_log.h"
#include "metriclog/testing/deliveries.h"
#include "sqlite/database.h"

namespace monitor::metriclog {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class SqliteBrowserTest : public ::testing::Test {
 protected:
  SqliteBrowserTest() {
    auto opened = open_sqlite_writer({.path = path_, .max_record_bytes = 4096}, clock_);
    EXPECT_TRUE(opened.ok());
    writer_ = std::move(*opened);
    for (int i = 0; i < 10; ++i) {
      const std::string key = i % 3 == 0 ? "a" : "b";
      EXPECT_EQ(writer_->append({key, {}, "value-" + std::to_string(i)}, deliveries_, static_cast<uint64_t>(i)),
                LogWriter::Accepted::kYes);
      EXPECT_TRUE(writer_->flush(20 * kNanosPerSecond));
      clock_.advance(kNanosPerSecond);
    }
  }
  // The values of the records whose key is "a", until one is `last`.
  std::vector<std::string> scan(Span& span, const std::string& last = "") {
    std::vector<std::string> values;
    std::vector<Span> spans = {span};
    const Status done = browser_->scan(
        spans, [](std::string_view key) { return key == "a"; },
        [&](const Record& record) {
          values.push_back(record.value);
          return record.value != last;
        });
    EXPECT_TRUE(done.ok());
    span = spans[0];
    return values;
  }

  const TemporaryFolder folder_;
  const std::string path_ = folder_.path() + "/log.db";
  FakeClock clock_;
  Deliveries deliveries_;
  std::unique_ptr<LogWriter> writer_;
  const std::unique_ptr<LogBrowser> browser_ = open_sqlite_browser(path_);
};

TEST_F(SqliteBrowserTest, ScansTheRecordsOfASpanWithWantedKeys) {
  Span span{0, 1, 9};  // the values 0 to 7
  EXPECT_THAT(scan(span), ElementsAre("value-0", "value-3", "value-6"));
  EXPECT_EQ(span.next, 9);
  span = {0, 2, 11};
  EXPECT_THAT(scan(span, "value-3"), ElementsAre("value-3"));
  EXPECT_EQ(span.next, 5) << "after the record at which it stopped";
  EXPECT_THAT(scan(span), ElementsAre("value-6", "value-9"));
  span = {0, 9, 9};
  EXPECT_THAT(scan(span), IsEmpty());
  span = {1, 0, 100};
  EXPECT_THAT(scan(span), IsEmpty()) << "there is no such partition";
}

TEST_F(SqliteBrowserTest, ScansOverARangeThatRetentionDeleted) {
  {
    auto db = ::monitor::sqlite::Database::open(path_, SQLITE_OPEN_READWRITE);
    ASSERT_TRUE(db.ok());
    ASSERT_TRUE(db->exec("DELETE FROM records WHERE offset BETWEEN 3 AND 8").ok());
  }
  Span span{0, 2, 9};
  EXPECT_THAT(scan(span), IsEmpty());
  EXPECT_EQ(span.next, 9);
  span = {0, 2, 11};
  EXPECT_THAT(scan(span), ElementsAre("value-9"));
}

TEST_F(SqliteBrowserTest, TellsTheSizeOnDiskWithoutFreePages) {
  const auto before = browser_->partitions();
  ASSERT_TRUE(before.ok());
  EXPECT_EQ((*before)[0].begin, 1);
  EXPECT_EQ((*before)[0].end, 11);
  EXPECT_GT((*before)[0].bytes, 4096);
  EXPECT_EQ((*before)[0].bytes % 4096, 0);
}

}  // namespace
}  // namespace monitor::metriclog
