// VersionedSource: gives the batches of another source in a version of the payload that the server takes. A batch of
// payload v2 is written as v1 for an older server; its values are the same.
//
// On the source's thread. The source must outlive it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "stream/batch_source.h"

namespace monitor::agent {

class VersionedSource final : public stream::BatchSource {
 public:
  VersionedSource(stream::BatchSource& source, std::string agent_id)
      : source_(source), agent_id_(std::move(agent_id)) {}

  // Call for every stream, before its first next().
  void set_takes_v2(bool takes) { takes_v2_ = takes; }
  // Batches that were written as v1.
  uint64_t converted() const { return converted_; }

  std::optional<stream::Outgoing> next() override;
  void log_named(std::string_view log) override { source_.log_named(log); }
  void acknowledged(uint64_t id) override { source_.acknowledged(id); }
  void rejected(uint64_t id, stream::RejectedBy by, std::string_view reason) override {
    source_.rejected(id, by, reason);
  }
  void returned(uint64_t id) override { source_.returned(id); }

 private:
  stream::BatchSource& source_;
  const std::string agent_id_;
  bool takes_v2_ = false;
  uint64_t converted_ = 0;
  std::string bytes_;  // that next() returned last
};

}  // namespace monitor::agent
