// BatchSource: the source of batches for an output. The agent's spool implements it.
//
// Delivery is at least once: a batch that was given out stays in the source until one of the answers below names it.
// All calls on the thread of the source's owner. The bytes of a batch are valid until the next call to the source.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace monitor::stream {

// Who found that a batch can never be delivered; it becomes the stage of the drop record.
enum class RejectedBy : uint8_t {
  kServer,  // the server validated the batch and refused it: stage `server`
  kOutput,  // the output cannot deliver the batch, and it was sent nowhere: stage `uplink`
};

// A batch given out by a source; the id is the source's own.
struct Outgoing {
  uint64_t id = 0;
  std::string_view bytes;  // an encoded MetricBatch
};

class BatchSource {
 public:
  virtual ~BatchSource() = default;
  // The next batch to send; nothing if there is none at the moment.
  virtual std::optional<Outgoing> next() = 0;
  // Names the place that stores the batches acknowledged from now on: the metric log that the server writes
  // (metriclog::LogWriter::identity()), or a file. Empty: unknown. An output calls it before its first acknowledgement,
  // and when it changes.
  virtual void log_named(std::string_view /*log*/) {}
  // Delivered, and durable at the receiver. The source frees the batch.
  virtual void acknowledged(uint64_t id) = 0;
  // The batch can never be delivered. The source drops it with a drop record, whose stage follows from `by`. The reason
  // starts with one of metrics::reason, "too_large:" or "invalid:".
  virtual void rejected(uint64_t id, RejectedBy by, std::string_view reason) = 0;
  // It is unknown whether the batch was delivered. The source will give it out again. Called newest first.
  virtual void returned(uint64_t id) = 0;
};

}  // namespace monitor::stream
