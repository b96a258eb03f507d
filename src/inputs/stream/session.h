// Session: one agent's stream in the server. stream::Receiver implements the protocol. The session checks each batch
// and appends it to the log, and returns window to the agent once the log has confirmed or rejected a batch.
//
// On the loop's thread; owned by its call (grpc::ServerCallHandler).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/event_loop.h"
#include "base/fifo.h"
#include "grpc/server_call.h"
#include "inputs/stream/conflict_watch.h"
#include "inputs/stream/counter_check.h"
#include "inputs/stream/flights.h"
#include "inputs/stream/identity_limits.h"
#include "inputs/stream/session_context.h"
#include "inputs/stream/stream_memory.h"
#include "metriclog/log.h"
#include "metrics/check.h"
#include "stream/receiver.h"

namespace monitor::server {

class Session final : public grpc::ServerCallHandler, private MemoryWaiter, private LogWaiter {
 public:
  Session(SessionContext& context, SessionOwner& owner, grpc::ServerCall& call);
  ~Session() override;
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  void on_message(std::string_view message) override;
  void on_half_close() override;
  void on_cancelled() override;
  void on_draining() override { drain(); }
  void on_writable() override { flush(); }

  // The outcome of the record with the token (id of this session, low half of the receiver's token).
  void delivered(uint32_t token_low, metriclog::Outcome outcome, std::string reason);
  // The log will report none of the records that were appended so far.
  void log_reset();
  void drain();
  // Another run sends under the same agent id. Notifies the agent, at most once a minute.
  void tell_conflict(const std::string& who);
  void end(const Error& error);
  // Writes pending replies.
  void flush();

 private:
  struct Waiting {
    uint64_t token = 0;
    std::string batch;
    HeldBatches::Id id;
  };

  bool waiting() const override { return !waiting_.empty(); }
  void welcome();
  void take_batch(const stream::Receiver::Event& event, size_t message_bytes);
  void reject(uint64_t token, telemetry::Counter& counter, std::string reason);
  void release(Flight& flight);
  void end_stream();
  void leave_orphans();
  void settle(Flight& flight);
  void settle(uint64_t token);
  void ask_again(uint64_t token);
  // Discards the waiting batches from `token` on.
  void drop_waiting(uint64_t token = 0);
  void leave_table();
  // session_append.cc: from a batch to a record of the log.
  void append(uint64_t token, std::string_view batch);
  bool append_to_log(uint64_t token, std::string_view batch, const metrics::BatchView& view, const HeldBatches::Id& id);
  bool append_record(uint64_t token, const metriclog::RecordView& record, const metrics::BatchView& view,
                     const HeldBatches::Id& id);
  bool append_waiting() override;
  bool take_copy(uint64_t token, HeldBatches::State state);
  HeldBatches::Waiter waiter(uint64_t token) { return {&owner_, (uint64_t{id_} << 32) | (token & 0xFFFFFFFFU)}; }
  // session_window.cc: memory, and the window that the agent gets.
  size_t turn(size_t share) const override;
  void pause(uint64_t token, size_t cost);
  // There is memory again: returns window to the agent, and asks it to send from where it was paused.
  void resume(size_t taken) override;
  void give_back(size_t bytes);
  void release_withheld();
  bool outbox_full() const;
  void charge_overhead();
  // session_limits.cc: the identity's limits.
  bool stop_at_limits();
  void report_breach(IdentityLimit limit);
  void hold_back(int64_t wait_ns);
  void look_at_limits();

  SessionContext& context_;
  SessionOwner& owner_;
  grpc::ServerCall& call_;
  stream::Receiver receiver_;
  StreamMemory memory_;
  IdentityUse use_;
  ConflictWatch conflicts_;
  uint32_t id_ = 0;
  std::shared_ptr<LiveStream> live_;  // set by Hello
  Flights flights_;
  Fifo<Waiting> waiting_;
  bool paused_ = false;           // arriving batches are discarded: without memory, or
  bool paused_by_limit_ = false;  // because too many batches of the identity are in flight
  // The first discarded token. Nothing if the agent was already asked to send from an earlier one.
  std::optional<uint64_t> paused_at_;
  size_t paused_cost_ = 0;  // what the batch at `paused_at_` costs
  // Received bytes that are withheld from the agent's window while it is paused, exceeds a limit, waits for a retry, or
  // does not read its replies.
  size_t withheld_ = 0;
  Timers::TimerId hello_timer_ = 0;
  Timers::TimerId retry_timer_ = 0;  // while it is set, nothing is written
  int64_t retry_ns_ = 0;
  Timers::TimerId limit_timer_ = 0;  // while it is set, the agent's identity exceeds a limit
  CounterCheck counters_;            // for the stream's own incarnation
  bool half_closed_ = false;
  bool ended_ = false;
};

}  // namespace monitor::server
