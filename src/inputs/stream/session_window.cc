// The memory of a session, and the window that it gives its agent.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "inputs/stream/session.h"

namespace monitor::server {

namespace {

// What a stream's bookkeeping costs: a batch in flight, here and in the receiver. Up to the first bound, which an
// ordinary stream does not exceed, it is not counted; above, it is taken from the budget in steps.
constexpr size_t kPerInFlight = 64;
constexpr size_t kFreeOverhead = size_t{64} * 1024;
constexpr size_t kOverheadStep = size_t{16} * 1024;

}  // namespace

// Called without memory for the batch. Discards it and the batches behind it, and gives the agent no more window. When
// there is memory, the agent is asked to send them again.
void Session::pause(uint64_t token, size_t cost) {
  if (!paused_at_) {
    paused_at_ = token;
    paused_cost_ = cost;
  }
  if (!std::exchange(paused_, true)) {
    memory_.end_turn();
    context_.memory.wait(*this);
  }
  settle(token);
}

size_t Session::turn(size_t share) const {
  const size_t held = memory_.held();
  if (held == 0) return std::max(paused_cost_, std::min(withheld_, share));
  if (held + paused_cost_ > share) return 0;
  return std::max(paused_cost_, std::min(withheld_, share - held));
}

void Session::resume(size_t taken) {
  paused_ = false;
  if (taken != 0) memory_.begin_turn(taken);
  const auto from = std::exchange(paused_at_, std::nullopt);
  if (from && receiver_.retry(*from)) context_.metrics.retried.add();
  release_withheld();
  flush();
}

void Session::give_back(size_t bytes) {
  if (paused_ || retry_timer_ != 0 || limit_timer_ != 0 || outbox_full()) {
    withheld_ += bytes;
  } else if (!ended_) {
    call_.consumed(bytes);
  }
}

void Session::release_withheld() {
  if (paused_ || retry_timer_ != 0 || limit_timer_ != 0 || withheld_ == 0 || ended_ || outbox_full()) return;
  call_.consumed(std::exchange(withheld_, 0));
}

bool Session::outbox_full() const { return call_.unsent_bytes() >= context_.options.max_unsent_bytes; }

// Bounds unread replies and the bookkeeping of tiny batches, and charges both to the budget.
void Session::charge_overhead() {
  if (ended_) return;
  const size_t outbox = receiver_.outbox_bytes();
  if (outbox > context_.options.max_outbox_bytes) {
    return end(Error(Code::kResourceExhausted,
                     fmt::format("stream: the agent does not read its replies: {} bytes wait, the limit is {}; read "
                                 "them, and send again on a new stream",
                                 outbox + call_.unsent_bytes(), context_.options.max_outbox_bytes)));
  }
  const size_t used = outbox + flights_.size() * kPerInFlight;
  const size_t wanted = used <= kFreeOverhead ? 0 : (used / kOverheadStep + 1) * kOverheadStep;
  if (!memory_.set_overhead(wanted)) {
    return end(Error(Code::kResourceExhausted,
                     fmt::format("stream: {} batches and {} bytes of replies wait, and the server's memory limit is "
                                 "reached; send again on a new stream",
                                 flights_.size(), outbox + call_.unsent_bytes())));
  }
}

}  // namespace monitor::server
