// Ingest: all agents' streams of one loop. It makes a Session for every Publish call, and brings back to the sessions
// what the log's writer reports from its own thread.
//
// Thread contract: everything on the loop's thread, but on_delivered() and on_reset(), which the log calls. Must
// outlive the calls that its factory made sessions for, and every record that it appended: flush the log, or destroy
// it, first.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/event_loop.h"
#include "base/random.h"
#include "grpc/server_call.h"
#include "inputs/stream/held_batches.h"
#include "inputs/stream/memory_budget.h"
#include "inputs/stream/options.h"
#include "inputs/stream/stream_table.h"
#include "metriclog/log.h"
#include "telemetry/registry.h"

namespace monitor::server {

class Session;

// The loop's own cells of the server's metrics.
struct IngestMetrics {
  explicit IngestMetrics(telemetry::Registry& registry);
  telemetry::Counter& stored;
  telemetry::Counter& copies;
  telemetry::Counter& contradictions;
  telemetry::Counter& retried;
  telemetry::Counter& rejected_large;
  telemetry::Counter& rejected_invalid;
  telemetry::Counter& rejected_agent;
  telemetry::Counter& rejected_log;
  telemetry::Counter& bytes;
  telemetry::Counter& points;
  telemetry::Counter& log_full;
  telemetry::Counter& paused;
  telemetry::Counter& streams_opened;
  telemetry::Counter& conflicts;
  telemetry::Gauge& streams;
  telemetry::Gauge& waiting_bytes;
  telemetry::Gauge& paused_streams;
  telemetry::Gauge& memory_bytes;
  telemetry::Histogram& append_seconds;
};

// What the loop lends to its ingest. All must outlive it.
struct IngestEnvironment {
  Timers& timers;
  std::function<void(std::function<void()>)> post;  // onto the loop, from any thread
  metriclog::LogWriter& log;
  StreamTable& streams;
  MemoryBudget& memory;
  HeldBatches& held;
  telemetry::Registry& registry;
  Random& random;
};

class Ingest final : public metriclog::DeliveryListener {
 public:
  static constexpr const char* kPublishPath = "/monitor.v1.Ingest/Publish";

  Ingest(IngestEnvironment environment, IngestOptions options);
  ~Ingest() override;
  Ingest(const Ingest&) = delete;
  Ingest& operator=(const Ingest&) = delete;

  // For grpc::Server::add_method(kPublishPath, factory(), method_options()).
  grpc::CallFactory factory();
  grpc::MethodOptions method_options() const;

  // Every stream is asked to end; new ones are refused.
  void drain();
  size_t open_streams() const { return sessions_.size(); }

  void on_delivered(std::span<const metriclog::Delivery> deliveries) override;
  void on_reset() override;

 private:
  friend class Session;

  // Session's part of it.
  uint32_t enter(Session& session);
  void leave(uint32_t id);
  void wait_for_room(uint32_t id);
  bool take_memory(size_t bytes);
  bool take_memory_for_turn(size_t bytes);
  void give_memory_back(size_t bytes);
  void wait_for_memory(uint32_t id);
  void leave_memory_queue(uint32_t id);
  // What the log still holds of a stream that has ended; freed with its reports.
  void adopt(uint32_t id, uint64_t first_token, std::deque<size_t> costs);

  void settle_deliveries();
  static void tell(const HeldBatches::Outcomes& outcomes);
  void try_waiting();
  void set_waiting_bytes(size_t bytes);
  void memory_taken(size_t bytes);
  void resume_paused();
  void schedule_resume();
  void orphan_reported(uint32_t id, uint32_t token_low);
  void post_to_loop(bool reset, std::span<const metriclog::Delivery> deliveries);

  IngestEnvironment env_;
  const IngestOptions options_;
  std::string log_identity_;  // of the log that confirmed the last deliveries
  IngestMetrics metrics_;
  metrics::BatchChecker checker_{options_.limits};
  std::unordered_map<uint32_t, Session*> sessions_;
  uint32_t last_id_ = 0;
  std::deque<uint32_t> waiting_;  // sessions that the full log keeps waiting, in turn
  size_t waiting_bytes_ = 0;
  size_t held_ = 0;              // of the memory budget, by this loop
  std::deque<uint32_t> paused_;  // sessions that wait for memory, in turn
  Timers::TimerId paused_timer_ = 0;
  struct Orphans {
    uint64_t first_token = 0;
    std::deque<size_t> costs;  // 0: reported
    size_t left = 0;
  };
  std::unordered_map<uint32_t, Orphans> orphans_;  // by session
  Timers::TimerId waiting_timer_ = 0;
  bool draining_ = false;

  std::mutex mutex_;  // guards the mailbox
  std::vector<metriclog::Delivery> mailbox_;
  bool mailbox_reset_ = false;
  bool mailbox_posted_ = false;
};

}  // namespace monitor::server
