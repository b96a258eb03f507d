// Session: one agent's stream in the server. The protocol's rules are stream::Receiver's; the session checks each
// batch, appends it to the log, and gives the agent room to send again only when the log has settled what it had sent.
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
#include "inputs/stream/ingest.h"
#include "metriclog/log.h"
#include "metrics/decode.h"
#include "stream/receiver.h"

namespace monitor::server {

class Session final : public grpc::ServerCallHandler {
 public:
  Session(Ingest& ingest, grpc::ServerCall& call);
  ~Session() override;
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  void on_message(std::string_view message) override;
  void on_half_close() override;
  void on_cancelled() override;
  void on_writable() override { flush(); }

  // The log's word on the record that was appended under (id of this session, low half of the receiver's token).
  void delivered(uint32_t token_low, metriclog::Outcome outcome, std::string reason);
  // Nothing that was appended so far will be reported.
  void log_reset();
  // Appends the oldest waiting batch. False: the log is still full.
  bool append_waiting();
  bool waiting() const { return !waiting_.empty(); }
  // The memory with which it can go on when each stream may hold `share`; 0: it holds its share.
  size_t turn(size_t share) const;
  // There is memory again, taken for it: the agent gets room, and sends from where it was paused.
  void resume(size_t taken);

  void drain();
  // Another run sends under the same agent id: the agent is told, at most each minute.
  void tell_conflict(const std::string& who);
  void end(const Error& error);
  // Writes what the agent is to be told.
  void flush();

 private:
  // A batch from its arrival until the log has settled it; tokens are contiguous.
  struct InFlight {
    uint64_t token = 0;
    size_t bytes = 0;
    size_t cost = 0;  // of the memory budget; 0: it is not held any more
    int64_t since_ns = 0;
    bool settled = false;
    bool copy = false;  // of a batch that the log has: not appended again
  };
  struct Waiting {
    uint64_t token = 0;
    std::string batch;
    HeldBatches::Id id;
  };

  void welcome();
  void take_batch(const stream::Receiver::Event& event, size_t message_bytes);
  void append(uint64_t token, std::string_view batch);
  bool append_to_log(uint64_t token, std::string_view batch, const metrics::BatchView& view, const HeldBatches::Id& id);
  bool append_record(uint64_t token, const metriclog::RecordView& record, const metrics::BatchView& view,
                     const HeldBatches::Id& id);
  Status check_counters(const metrics::BatchView& view);
  bool take_copy(uint64_t token, HeldBatches::State state);
  HeldBatches::Waiter waiter(uint64_t token) { return {&ingest_, (uint64_t{id_} << 32) | (token & 0xFFFFFFFFU)}; }
  void reject(uint64_t token, telemetry::Counter& counter, std::string reason);
  InFlight* flight_of(uint64_t token);
  void release(InFlight& flight);
  void give_back(size_t bytes);
  void release_withheld();
  bool outbox_full() const;
  void charge_overhead();
  void free_overhead();
  bool afford(size_t cost);
  void pause(uint64_t token, size_t cost);
  void end_turn();
  void leave_orphans();
  void settle(InFlight& flight);
  void settle(uint64_t token);
  void ask_again(uint64_t token);
  // From `token` on.
  void drop_waiting(uint64_t token = 0);
  void leave_table();
  void look_for_rival();

  Ingest& ingest_;
  grpc::ServerCall& call_;
  stream::Receiver receiver_;
  uint32_t id_ = 0;
  std::shared_ptr<LiveStream> live_;  // set by Hello
  Fifo<InFlight> in_flight_;
  Fifo<Waiting> waiting_;
  bool paused_ = false;  // for want of memory: what comes is not kept
  // The first token of which that is true; none since the agent was asked to send from an earlier one.
  std::optional<uint64_t> paused_at_;
  size_t paused_cost_ = 0;  // of that one
  size_t held_ = 0;         // of the memory budget, by what is in flight
  size_t turn_ = 0;         // of it, taken for what comes next
  // Bytes that the agent gets no room for while it is paused, a retry is awaited, or it does not read its replies.
  size_t withheld_ = 0;
  size_t overhead_ = 0;  // of the memory budget, by replies that wait and by the records of what is in flight
  Timers::TimerId hello_timer_ = 0;
  Timers::TimerId turn_timer_ = 0;
  Timers::TimerId retry_timer_ = 0;  // set: nothing is written until then
  int64_t retry_ns_ = 0;
  // Of the stream's own incarnation: totals never fall from one sequence to the next.
  uint64_t last_sequence_ = 0;
  uint64_t last_ticks_due_ = 0;
  uint64_t last_ticks_missed_ = 0;
  bool in_conflict_ = false;
  int64_t conflict_told_ns_ = 0;
  bool half_closed_ = false;
  bool ended_ = false;
};

}  // namespace monitor::server
