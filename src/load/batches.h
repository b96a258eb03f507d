// Batches as agents make them, without an agent: the series of a host, whose values walk and now and then jump, so that
// they compress as measured ones do.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace monitor::load {

struct BatchShape {
  size_t series = 8;  // points a tick
  size_t ticks = 1;   // a batch
};

// A simulated agent and its batches one after the other. The same seed makes the same ones. Not thread-safe.
// What is made passes the server's checks as long as it keeps to its limits.
class BatchMaker {
 public:
  BatchMaker(std::string agent_id, uint64_t seed, BatchShape shape);
  ~BatchMaker();
  BatchMaker(const BatchMaker&) = delete;
  BatchMaker& operator=(const BatchMaker&) = delete;

  const std::string& agent_id() const { return agent_id_; }
  const std::string& incarnation() const { return incarnation_; }
  // The next one has this sequence, and all have the same counters from then on: what a load sends again and again with
  // other sequences must not state counters that go back.
  void repeat_from(uint64_t sequence);
  // The next one's wire form.
  std::string next();

 private:
  struct Host;
  std::string agent_id_;
  std::string incarnation_;
  std::unique_ptr<Host> host_;
};

}  // namespace monitor::load
