// A spool in memory: bounded; when it is full, the oldest batches are dropped, with a record.
#pragma once

#include <cstdint>
#include <map>

#include "agent/spool/spool.h"

namespace monitor::agent {

class MemorySpool final : public Spool {
 public:
  static constexpr size_t kDefaultMaxBytes = size_t{64} * 1024 * 1024;

  explicit MemorySpool(SpoolListener& listener, size_t max_bytes = kDefaultMaxBytes)
      : listener_(listener), max_bytes_(max_bytes) {}

  Status append(BatchInfo info, std::string bytes) override;
  uint64_t first_unacked(const std::string& incarnation, uint64_t next_sequence) const override;
  std::vector<metrics::OlderIncarnation> older(const std::string& incarnation) const override;
  size_t batches() const override { return waiting_.size(); }
  size_t bytes() const override { return bytes_; }
  int64_t oldest_time_ns() const override;
  bool has_unsent() const override { return unsent_ > 0; }

  std::optional<protocol::Outgoing> next() override;
  void acknowledged(uint64_t id) override;
  void rejected(uint64_t id, std::string_view reason) override;
  void returned(uint64_t id) override;

 private:
  struct Waiting {
    BatchInfo info;
    std::string bytes;
    bool sent = false;
  };
  using Place = std::map<uint64_t, Waiting>::iterator;

  // Bookkeeping costs memory, too: the cap is on what is really used.
  static size_t cost(const Waiting& waiting) { return waiting.bytes.capacity() + sizeof(Waiting) + 64; }
  void erase(Place place);
  bool make_room(size_t needed);

  SpoolListener& listener_;
  size_t max_bytes_;
  size_t bytes_ = 0;
  size_t unsent_ = 0;
  uint64_t next_id_ = 1;
  std::map<uint64_t, Waiting> waiting_;  // by id: in the order of their appending
};

}  // namespace monitor::agent
