// DeadLetters: copies records that could not be decoded to another log, so that somebody can inspect them. A copy has
// the record's key, value and headers, and two more headers: `skipped-because` and `skipped-from` (PARTITION/OFFSET).
//
// Not thread-safe. The writer may be nullptr. It must outlive this object, whose destructor flushes it.
#pragma once

#include <cstdint>
#include <optional>

#include "base/result.h"
#include "consume/send_queue.h"
#include "metriclog/log.h"

namespace monitor::analysis {

class DeadLetters {
 public:
  explicit DeadLetters(metriclog::LogWriter* writer);

  void add(const metriclog::Record& record, const Error& why);
  // Waits until the copies are resolved. OK: each one is stored, or can never be.
  Status settle(int64_t timeout_ns);

 private:
  std::optional<SendQueue> queue_;
};

}  // namespace monitor::analysis
