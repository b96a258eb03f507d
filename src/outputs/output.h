// Output: delivers the spool's batches, to a server (outputs/stream) or to a file (outputs/file). The agent's loop
// knows only this interface. To add an output, add a folder next to those two, and a line in bin/agent_output.cc.
//
// Flow. An output takes batches from its stream::BatchSource, and answers for each one:
//
//   acknowledged(id)      delivered, and durable at the receiver
//   returned(id)          unknown whether it was delivered; must be sent again
//   rejected(id, by, reason)  can never be delivered: the server refused it, or the output cannot write it
//
// Delivery is at least once. A receiver recognizes a repeated batch by its agent, incarnation and sequence.
//
// Back-pressure. An output that cannot deliver takes no batch. It holds a bounded number of bytes; everything else
// waits in the spool, whose limits decide what is dropped. An output never drops a batch itself.
//
// Threads. All methods and all callbacks are called on the loop's thread. No method blocks: blocking work runs on a
// Worker. An implementation may have its own blocking open(), called before the loop runs, to detect permanent errors.
//
// Lifetime. Source, timers and worker must outlive the output. Its destructor returns every batch without an answer.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace monitor::agent {

// Of the certificate with which an output connects, in Unix seconds; 0: it has none.
struct CertificateValidity {
  int64_t from_s = 0;
  int64_t until_s = 0;
};

struct OutputState {
  bool ready = false;    // it can deliver: the server has answered, or the last write succeeded
  std::string problem;   // why it is not ready; a clause without a full stop
  std::string warning;   // a problem despite delivery; empty: none
  size_t in_flight = 0;  // batches taken but not yet answered
  bool refused = false;  // the receiver answers that this agent may not deliver
  CertificateValidity certificate = {};
};

// A metric of one implementation, for /metrics.
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
  // The agent is stopping. Delivers what can be delivered, and later calls `done` once: when every batch in flight has
  // its answer, or when nothing can be delivered at the moment. The caller sets a time limit.
  virtual void drain(std::function<void()> done) = 0;

  virtual OutputState state() const = 0;
  virtual std::vector<OutputMetric> metrics() const = 0;
  // `call` is called after OutputState::warning has changed.
  virtual void set_on_warning(std::function<void()> call) = 0;
};

}  // namespace monitor::agent
