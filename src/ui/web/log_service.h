// LogService: reads the metric log for the page: partitions, lag and records. Calls block, and must all come from the
// same thread.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "metriclog/browser.h"
#include "ui/web/http.h"
#include "ui/web/lag_history.h"
#include "ui/web/message_json.h"
#include "ui/web/message_search.h"
#include "ui/web/reader_place.h"

namespace monitor::analysis::web {

using OpenBrowser = std::function<Result<std::unique_ptr<metriclog::LogBrowser>>()>;

class LogService {
 public:
  // `places`: of the page's own reader. Called on the thread of the calls.
  LogService(OpenBrowser open, std::string describe, std::function<ReaderPlaces()> places)
      : open_(std::move(open)), describe_(std::move(describe)), places_(std::move(places)) {}
  Reply overview();
  Reply messages(const MessageSearch& search, MessageContent content);
  // One record, decoded. 404 if the log does not hold it.
  Reply message(int32_t partition, int64_t offset);
  // At most `most` bytes of its value, from byte `from` on.
  Reply value(int32_t partition, int64_t offset, size_t from, size_t most);
  Result<std::vector<metriclog::Heartbeat>> heartbeats();

  // Adds the present lag of all readers to the history.
  void sample_lag(int64_t now_ns);
  Reply lag(int64_t span_ns, int64_t now_ns) const;

 private:
  struct Ends {
    int64_t begin = -1;
    int64_t oldest_ns = 0;
    int64_t end = -1;
    int64_t newest_ns = 0;
  };
  Result<metriclog::LogBrowser*> browser();
  Result<metriclog::Record> record_at(int32_t partition, int64_t offset);
  Status read_ends(const std::vector<metriclog::PartitionExtent>& extents);
  Status read_times(std::vector<metriclog::Span> spans, int64_t Ends::* time);
  std::string partitions_json(const std::vector<metriclog::PartitionExtent>& extents, const ReaderPlaces& places) const;

  const OpenBrowser open_;
  const std::string describe_;
  const std::function<ReaderPlaces()> places_;
  std::unique_ptr<metriclog::LogBrowser> browser_;
  std::map<int32_t, Ends> ends_;  // the times of the records at both ends, so that each is read once
  LagHistory lags_;
};

}  // namespace monitor::analysis::web
