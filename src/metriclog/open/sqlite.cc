#include <utility>

#include "metriclog/open/backends.h"
#include "metriclog/sqlite/sqlite_log.h"

namespace monitor::metriclog {

namespace {

class SqliteLog final : public Log {
 public:
  explicit SqliteLog(std::string path) : path_(std::move(path)) {}

  Result<std::unique_ptr<LogWriter>> writer(const WriterOptions& options, const Clock& clock) const override {
    SqliteWriterOptions own{.path = path_};
    own.retention_ns = options.retention_ns;
    own.host = options.host;
    return open_sqlite_writer(own, clock);
  }
  Result<std::unique_ptr<LogReader>> reader(const ReaderOptions& options) const override {
    return open_sqlite_reader(path_, options);
  }
  Result<std::unique_ptr<LogBrowser>> browser() const override { return open_sqlite_browser(path_); }
  Result<std::unique_ptr<LogWriter>> dead_letters(const std::string& /*name*/) const override {
    return Error(Code::kFailedPrecondition, "a log in a file has no place for records that cannot be decoded");
  }
  bool is_file() const override { return true; }

 private:
  const std::string path_;
};

}  // namespace

Result<std::unique_ptr<Log>> open_sqlite(std::string_view rest, const LogSettings& /*settings*/) {
  if (rest.empty()) return Error(Code::kInvalidArgument, "no path");
  return std::unique_ptr<Log>(std::make_unique<SqliteLog>(std::string(rest)));
}

}  // namespace monitor::metriclog
