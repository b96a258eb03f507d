// BatchSource: where whatever sends batches gets them from. The agent's spool is one.
//
// Delivery is at least once: a batch that was given out stays the source's until one of the answers below names it.
// Everything on the thread of the source's owner. The bytes of a batch live until the next call to the source.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace monitor::stream {

// A batch as its source knows it; the id is the source's own.
struct Outgoing {
  uint64_t id = 0;
  std::string_view bytes;  // an encoded MetricBatch
};

class BatchSource {
 public:
  virtual ~BatchSource() = default;
  // The next batch to send; nothing when there is none now.
  virtual std::optional<Outgoing> next() = 0;
  // Identifies where batches are that are acknowledged from now on: the metric log that the server writes
  // (metriclog::LogWriter::identity()), or a file. Empty: not known. An output calls it before its first
  // acknowledgement, and when it changes.
  virtual void log_named(std::string_view /*log*/) {}
  // Delivered, and durable where it went: the source frees it.
  virtual void acknowledged(uint64_t id) = 0;
  // It can never be delivered: the source drops it, with a drop record. The reason begins with a word of
  // metrics::reason, "too_large:" or "invalid:".
  virtual void rejected(uint64_t id, std::string_view reason) = 0;
  // Retry: not known to be delivered; the source gives it out again. Called newest first.
  virtual void returned(uint64_t id) = 0;
};

}  // namespace monitor::stream
