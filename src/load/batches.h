// Batches that look like an agent's: the series of a host, with values that walk and sometimes jump, so that they
// compress like measured ones.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace monitor::load {

struct BatchShape {
  size_t series = 8;  // points per tick
  size_t ticks = 1;   // per batch
};

// Generates the batches of a simulated agent; the same seed gives the same batches. They pass the server's validation
// as long as they keep to its limits. Not thread-safe.
class BatchMaker {
 public:
  BatchMaker(std::string agent_id, uint64_t seed, BatchShape shape);
  ~BatchMaker();
  BatchMaker(const BatchMaker&) = delete;
  BatchMaker& operator=(const BatchMaker&) = delete;

  const std::string& agent_id() const { return agent_id_; }
  const std::string& incarnation() const { return incarnation_; }
  // Sets the sequence of the next batch. Counters stay constant from then on: a load that sends the same batches under
  // other sequences must not report counters that go back.
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
