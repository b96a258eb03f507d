// Output: delivers the spool's batches: to a server (outputs/stream), into a file (outputs/file). The agent's loop
// knows only this interface; a new output is a folder beside those two and a line in bin/agent_output.cc.
//
// Flow. An output takes batches from the stream::BatchSource that it was made with, and answers for each one:
//
//   acknowledged(id)      delivered: what received it has made it durable
//   returned(id)          retry: unknown whether it was delivered
//   rejected(id, reason)  no retry can deliver it
//
// Delivery is at least once. A receiver recognizes a repeated batch by its agent, incarnation and sequence.
//
// Back-pressure. An output that cannot deliver takes no batch. It holds a bounded number of bytes; everything else
// waits in the spool, whose limits decide what is dropped. An output never drops a batch itself.
//
// Threads. All methods and all callbacks are called on the loop's thread. No method blocks: blocking work runs on a
// Worker. An implementation may have a blocking open() of its own, called before the loop runs, that finds what can
// never work.
//
// Lifetime. Source, timers and worker outlive the output. Its destructor returns every batch without an answer.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace monitor::agent {

struct OutputState {
  bool ready = false;    // it delivers: the server has answered, the last write succeeded
  std::string problem;   // why it is not ready, as a sentence without a full stop
  std::string warning;   // what an operator must know although batches are delivered; empty: nothing
  size_t in_flight = 0;  // batches taken and not yet answered
};

// A figure of one implementation, for /metrics.
struct OutputMetric {
  enum class Kind { kCounter, kGauge };
  std::string name;  // without the prefix `monitor_agent_`
  std::string help;
  Kind kind = Kind::kGauge;
  uint64_t value = 0;
};

class Output {
 public:
  virtual ~Output() = default;

  virtual void start() = 0;
  // The source may have a batch that it did not have before.
  virtual void wake() = 0;
  // The agent stops: delivers what can be delivered, and calls `done` once, later, when every batch in flight has its
  // answer, or when nothing can be delivered now. The caller bounds the time.
  virtual void drain(std::function<void()> done) = 0;

  virtual OutputState state() const = 0;
  virtual std::vector<OutputMetric> metrics() const = 0;
  // `call` is called when OutputState::warning has changed.
  virtual void set_on_warning(std::function<void()> call) = 0;
};

}  // namespace monitor::agent
