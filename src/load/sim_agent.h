// SimAgent: behaves like an agent towards server and ledger: it reconnects after failures, numbers its batches 1, 2, 3
// ..., and keeps and repeats them until they are acknowledged.
//
// A batch is due at its tick, but generated only when it can be sent: a waiting batch is only a number, and its delay
// counts from when it was due.
//
// Thread contract: the loop's thread. All constructor arguments must outlive it.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/event_loop.h"
#include "base/random.h"
#include "grpc/client_call.h"
#include "load/delays.h"
#include "load/fleet_batches.h"
#include "outputs/stream/publish_client.h"

namespace monitor::load {

// Totals over all agents.
struct FleetCounts {
  uint64_t due = 0;   // ticks
  uint64_t made = 0;  // batches that have a sequence
  uint64_t sent = 0;  // including repeats
  uint64_t acknowledged = 0;
  uint64_t rejected = 0;
  uint64_t connects = 0;
  uint64_t failures = 0;  // streams that ended or failed
  size_t connected = 0;   // connected now
  std::string first_failure;
};

class SimAgent final : private stream::BatchSource, private agent::PublishListener {
 public:
  using Connector = std::function<std::unique_ptr<grpc::CallStarter>()>;
  struct Shared {
    Timers& timers;
    Random& random;
    FleetBatches& batches;
    Connector connect;
    FleetCounts& counts;
    Delays& delays;
    size_t window;
    int64_t interval_ns;
    std::function<void()> settled;  // called when the first connection is established or has failed
  };

  SimAgent(Shared& shared, const std::string& id, uint64_t seed);
  ~SimAgent() override;

  void connect() { client_.start(); }
  // Ticks start at this monotonic time.
  void start_grid(int64_t first_due_ns);
  // Adds a tick that is due.
  void tick_due();
  // Sends a heartbeat if nothing was sent for long.
  void beat_if_silent(int64_t now_ns);

  const std::string& id() const { return id_; }
  const std::string& incarnation() const { return envelope_.incarnation; }
  uint64_t made() const { return envelope_.sequence; }
  uint64_t acknowledged() const { return acknowledged_; }
  uint64_t rejected() const { return rejected_; }
  uint64_t resent() const { return resent_; }
  // Ticks that are due but not generated.
  uint64_t waiting() const { return due_ - made_ticks_; }
  size_t unacknowledged() const { return waits_.size(); }
  // Counts unacknowledged batches as if they were acknowledged now. Without them, the result would look too good.
  void count_open(int64_t now_ns) const;

 private:
  struct Waiting {
    uint64_t sequence = 0;
    int64_t due_ns = 0;  // 0: a heartbeat, which has no delay
    std::string bytes;
    bool out = false;  // in flight on the stream
    bool tried = false;
  };

  static metrics::Envelope envelope_of(const Shared& shared, const std::string& id);
  void no_longer_connected();
  void make_tick();
  void make(int64_t due_ns, bool tick);
  int64_t due_of(uint64_t tick) const { return first_due_ns_ + static_cast<int64_t>(tick) * shared_.interval_ns; }

  // --- stream::BatchSource; the id is the sequence.
  std::optional<stream::Outgoing> next() override;
  void acknowledged(uint64_t id) override;
  void rejected(uint64_t id, stream::RejectedBy by, std::string_view reason) override;
  void returned(uint64_t id) override;
  // --- agent::PublishListener.
  std::unique_ptr<grpc::CallStarter> on_connect() override { return shared_.connect(); }
  void on_established(const stream::Sender& sender) override;
  void on_failed(const Error& why, int64_t wait_ns) override;

  std::deque<Waiting>::iterator find(uint64_t sequence);
  void forget(uint64_t sequence);

  Shared& shared_;
  const std::string id_;
  metrics::Envelope envelope_;
  FleetBatches::Values values_;
  std::deque<Waiting> waits_;  // ascending by sequence
  size_t out_ = 0;             // how many of them are in flight
  int64_t first_due_ns_ = 0;
  uint64_t due_ = 0;         // ticks
  uint64_t made_ticks_ = 0;  // how many of these were generated
  int64_t last_made_ns_ = 0;
  uint64_t acknowledged_ = 0;
  uint64_t rejected_ = 0;
  uint64_t resent_ = 0;
  uint64_t drops_sent_from_ = 0;  // the first batch that carries envelope_.drops; 0: none yet

  bool connected_ = false;
  bool settled_ = false;
  agent::PublishClient client_;  // last, because its destructor returns batches
};

}  // namespace monitor::load
