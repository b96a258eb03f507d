// LogService: reads the metric log for the page: partitions, lag and records. Calls block, and must all come from the
// same thread.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "metriclog/browser.h"
#include "ui/web/http.h"

namespace monitor::analysis::web {

using OpenBrowser = std::function<Result<std::unique_ptr<metriclog::LogBrowser>>()>;

struct MessageSearch {
  int32_t partition = -1;  // -1: all
  std::string agent;       // shell pattern; empty: all
  std::string metric;      // shell pattern over series; empty: all
  int64_t since_ns = 0;    // by the log's clock
  int64_t until_ns = INT64_MAX;
  int64_t offset = -1;  // in `partition`: read upwards from this offset; -1: read downwards from the newest record
  std::map<int32_t, int64_t> cursor;  // by partition: offset at which the previous result stopped
  size_t limit = 50;
};
// Parses "0:17,1:4" (partition:offset). An empty text gives an empty cursor.
Result<std::map<int32_t, int64_t>> parse_cursor(const std::string& text);

class LogService {
 public:
  LogService(OpenBrowser open, std::string describe) : open_(std::move(open)), describe_(std::move(describe)) {}
  Reply overview();
  Reply messages(const MessageSearch& search);
  Result<std::vector<metriclog::Heartbeat>> heartbeats();

 private:
  struct Found;
  Result<metriclog::LogBrowser*> browser();
  Status search_down(const MessageSearch& search, int32_t partition, Found& found);
  static bool matches(const MessageSearch& search, const metriclog::Record& record, std::string& json);

  const OpenBrowser open_;
  const std::string describe_;
  std::unique_ptr<metriclog::LogBrowser> browser_;
};

}  // namespace monitor::analysis::web
