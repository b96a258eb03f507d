// Batches that resemble an agent's: the series of a host, with values that drift and sometimes jump, so that they
// compress like measured ones.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace monitor::load {

struct BatchShape {
  size_t series = 8;     // points per tick
  size_t ticks = 1;      // per batch
  int payload = 1;       // version: 1 or 2
  int64_t begin_ns = 0;  // when the agent starts; its ticks follow, one a second. 0: now
};

// BatchMaker: generates the batches of a simulated agent. The same seed gives the same batches. They pass the server's
// validation if the shape is within its limits. Not thread-safe.
class BatchMaker {
 public:
  BatchMaker(std::string agent_id, uint64_t seed, BatchShape shape);
  ~BatchMaker();
  BatchMaker(const BatchMaker&) = delete;
  BatchMaker& operator=(const BatchMaker&) = delete;

  const std::string& agent_id() const { return agent_id_; }
  const std::string& incarnation() const { return incarnation_; }
  // Sets the sequence of the next batch. Counters stay constant from then on, because a load that sends the same
  // batches with other sequences must not report falling counters.
  void repeat_from(uint64_t sequence);
  // The next batch in wire form.
  std::string next();

 private:
  struct Host;
  std::string agent_id_;
  std::string incarnation_;
  std::unique_ptr<Host> host_;
};

}  // namespace monitor::load
