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
#include "metriclog/log.h"
#include "rpc/server_call.h"
#include "server/ingest/options.h"
#include "server/ingest/stream_table.h"
#include "telemetry/registry.h"

namespace monitor::server {

class Session;

// The loop's own cells of the server's metrics.
struct IngestMetrics {
  explicit IngestMetrics(telemetry::Registry& registry);
  telemetry::Counter& stored;
  telemetry::Counter& retried;
  telemetry::Counter& rejected_large;
  telemetry::Counter& rejected_invalid;
  telemetry::Counter& rejected_agent;
  telemetry::Counter& rejected_log;
  telemetry::Counter& bytes;
  telemetry::Counter& points;
  telemetry::Counter& log_full;
  telemetry::Counter& streams_opened;
  telemetry::Counter& conflicts;
  telemetry::Gauge& streams;
  telemetry::Gauge& waiting_bytes;
  telemetry::Histogram& append_seconds;
};

// What the loop lends to its ingest. All must outlive it.
struct IngestEnvironment {
  Timers& timers;
  std::function<void(std::function<void()>)> post;  // onto the loop, from any thread
  metriclog::LogWriter& log;
  StreamTable& streams;
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

  // For rpc::Server::add_method(kPublishPath, factory(), method_options()).
  rpc::CallFactory factory();
  rpc::MethodOptions method_options() const;

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

  void settle_deliveries();
  void try_waiting();
  void post_to_loop(bool reset, std::span<const metriclog::Delivery> deliveries);

  IngestEnvironment env_;
  const IngestOptions options_;
  IngestMetrics metrics_;
  metrics::BatchChecker checker_{options_.limits};
  std::unordered_map<uint32_t, Session*> sessions_;
  uint32_t last_id_ = 0;
  std::deque<uint32_t> waiting_;  // sessions that the full log keeps waiting, in turn
  size_t waiting_bytes_ = 0;
  Timers::TimerId waiting_timer_ = 0;
  bool draining_ = false;

  std::mutex mutex_;  // guards the mailbox
  std::vector<metriclog::Delivery> mailbox_;
  bool mailbox_reset_ = false;
  bool mailbox_posted_ = false;
};

}  // namespace monitor::server
