// Ingest: all agents' streams of one loop. Creates a Session for every Publish call. The log's writer reports from its
// own thread; the reports are passed on to the sessions here. memory_queue.h and log_queue.h contain the queues of
// streams that wait for memory or for the log.
//
// Thread contract: call everything on the loop's thread, except on_delivered() and on_reset(), which the log calls on
// its own thread. Must outlive the calls of its sessions, and every record that it appended: flush or destroy the log
// first.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <span>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "grpc/server_call.h"
#include "inputs/stream/orphans.h"
#include "inputs/stream/session_context.h"
#include "metriclog/log.h"

namespace monitor::server {

class Ingest final : public SessionOwner {
 public:
  static constexpr const char* kPublishPath = "/monitor.v1.Ingest/Publish";

  Ingest(IngestEnvironment environment, IngestOptions options);
  ~Ingest() override;
  Ingest(const Ingest&) = delete;
  Ingest& operator=(const Ingest&) = delete;

  // For grpc::Server::add_method(kPublishPath, factory(), method_options()).
  grpc::CallFactory factory();
  grpc::MethodOptions method_options() const;

  // Asks every stream to end and rejects new streams.
  void drain();
  size_t open_streams() const { return sessions_.size(); }

  void on_delivered(std::span<const metriclog::Delivery> deliveries) override;
  void on_reset() override;

 private:
  uint32_t enter(Session& session) override;
  void leave(uint32_t id) override;
  void adopt(uint32_t id, uint64_t first_token, std::deque<size_t> costs) override;
  void post(uint32_t id, std::function<void(Session&)> call) override;

  void post_to_loop(bool reset, std::span<const metriclog::Delivery> deliveries);
  void take_deliveries();
  void flush(const std::unordered_set<uint32_t>& ids);

  SessionContext context_;
  Orphans orphans_;
  std::unordered_map<uint32_t, Session*> sessions_;
  uint32_t last_id_ = 0;
  bool draining_ = false;

  std::mutex mutex_;  // guards the mailbox
  std::vector<metriclog::Delivery> mailbox_;
  bool mailbox_reset_ = false;
  bool mailbox_posted_ = false;
};

}  // namespace monitor::server
