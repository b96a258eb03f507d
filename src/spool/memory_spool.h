// MemorySpool: a bounded spool in memory, which is lost with the process. It holds only batches of the running
// incarnation.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/interval_set.h"
#include "spool/send_queue.h"
#include "spool/spool.h"

namespace monitor::agent {

class MemorySpool final : public Spool {
 public:
  static constexpr size_t kDefaultMaxBytes = size_t{64} * 1024 * 1024;

  // Clock and listener must outlive it.
  MemorySpool(SpoolListener& listener, const Clock& clock, size_t max_bytes = kDefaultMaxBytes,
              SpoolFull full = SpoolFull::kDropOldest)
      : listener_(listener), clock_(clock), max_bytes_(max_bytes), full_(full) {}

  Status append(BatchInfo info, std::string bytes) override;
  void set_limits(uint64_t max_bytes, SpoolFull full) override {
    max_bytes_ = max_bytes;
    full_ = full;
  }
  uint64_t first_unacked(const std::string& incarnation, uint64_t next_sequence) const override;
  std::vector<metrics::OlderIncarnation> older(const std::string& incarnation) const override;
  std::vector<SettledSequences> settled() const override;
  size_t batches() const override { return waiting_.size(); }
  size_t bytes() const override { return bytes_; }
  int64_t oldest_time_ns() const override;
  bool has_unsent() const override { return waiting_.size() > queue_.in_flight(); }
  SpoolStats stats() const override;

  std::optional<stream::Outgoing> next() override;
  void log_named(std::string_view log) override { listener_.on_log_named(log); }
  void acknowledged(uint64_t id) override;
  void rejected(uint64_t id, stream::RejectedBy by, std::string_view reason) override;
  void returned(uint64_t id) override { queue_.returned(id); }

 private:
  struct Waiting {
    BatchInfo info;
    std::string bytes;
  };
  using Place = std::map<uint64_t, Waiting>::iterator;

  // Bookkeeping costs memory as well; the limit applies to the memory that is really used.
  static size_t cost(const Waiting& waiting) {
    return waiting.bytes.capacity() + sizeof(Waiting) + sizeof(RecordRef) + size_t{128};
  }
  void erase(Place place);
  bool make_room(size_t needed);
  std::optional<stream::Outgoing> replay();

  SpoolListener& listener_;
  const Clock& clock_;
  size_t max_bytes_;
  SpoolFull full_;
  size_t bytes_ = 0;
  std::map<uint64_t, Waiting> waiting_;  // by sequence
  std::string incarnation_;              // incarnation
  uint64_t last_sequence_ = 0;           // and sequence of the last appended batch
  SendQueue queue_;
  uint64_t cursor_ = 0;  // every unsent batch that is not in the queue has at least this sequence
};

}  // namespace monitor::agent
