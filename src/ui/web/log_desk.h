// LogDesk: the page's look into the metric log: partitions, lag, messages. Calls that block, on one thread.
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
  int64_t since_ns = 0;    // by the log's time
  int64_t until_ns = INT64_MAX;
  int64_t offset = -1;                // from there upwards, in the named partition; -1: from the newest downwards
  std::map<int32_t, int64_t> cursor;  // where the last answer stopped
  size_t limit = 50;
};
// "0:17,1:4"; empty is none.
Result<std::map<int32_t, int64_t>> parse_cursor(const std::string& text);

class LogDesk {
 public:
  LogDesk(OpenBrowser open, std::string describe) : open_(std::move(open)), describe_(std::move(describe)) {}
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
