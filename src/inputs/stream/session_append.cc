// From a batch of a session to a record of the log.
#include <fmt/format.h>

#include <string>
#include <utility>

#include "base/hex.h"
#include "base/log.h"
#include "base/mutant.h"
#include "inputs/stream/log_record.h"
#include "inputs/stream/session.h"

namespace monitor::server {

namespace {

using metriclog::LogWriter;
using metriclog::Outcome;

// What a copy of a batch that the log holds takes from the memory budget.
constexpr size_t kCopyCost = 128;

}  // namespace

void Session::append(uint64_t token, std::string_view batch) {
  const auto view = context_.checker.check(batch, receiver_.hello().agent_id);
  IngestMetrics& metrics = context_.metrics;
  if (!view) {
    const bool large = view.error().code() == Code::kResourceExhausted;
    return reject(
        token, large ? metrics.rejected_large : metrics.rejected_invalid,
        fmt::format("{}: {}", large ? metrics::reason::kTooLarge : metrics::reason::kInvalid, view.error().message()));
  }
  // The incarnation may be an earlier one of the same agent, because its spool survives its process.
  if (view->agent_id != receiver_.hello().agent_id) {
    return reject(token, metrics.rejected_agent,
                  fmt::format("invalid: permission denied, the batch is of agent {}, the stream of agent {}",
                              view->agent_id, receiver_.hello().agent_id));
  }
  const bool own_run = view->incarnation == receiver_.hello().incarnation;
  if (const Status counters = own_run ? counters_.check(*view) : Status(); !counters) {
    return reject(token, metrics.rejected_invalid,
                  fmt::format("{}: {}", metrics::reason::kInvalid, counters.error().message()));
  }
  if (use_.wants_series(view->list_id)) {
    use_.count_series(context_.checker.wire_series(batch, view->agent_id), view->list_id);
  }
  if (stop_at_limits()) return pause(token, batch.size() + MemoryBudget::kPerBatch);
  const HeldBatches::Id id = context_.env.held.id_of(*view, batch);
  if (!paused_ && take_copy(token, context_.env.held.join(id, waiter(token)))) {
    // The copy gets the outcome of the first batch, and only costs its entries in queues.
    if (!memory_.hold(kCopyCost)) return pause(token, kCopyCost);
    flights_.find(token)->cost = kCopyCost;
    return;
  }
  const size_t cost = batch.size() + MemoryBudget::kPerBatch;
  if (paused_ || !memory_.hold(cost)) return pause(token, cost);
  flights_.find(token)->cost = cost;
  // Waiting batches come first: the log keeps the order of the stream, and streams take turns.
  if (context_.log_queue.empty() && waiting_.empty() && append_to_log(token, batch, *view, id)) {
    metrics.points.add(view->points);
    if (is_mutant("ack_before_confirmation")) receiver_.stored(token);
    return;
  }
  metrics.log_full.add();
  if (waiting_.empty()) context_.log_queue.wait(id_, *this);
  waiting_.push_back({token, std::string(batch), id});
  context_.log_queue.add_bytes(batch.size());
}

// Returns true if the log holds the batch, or is about to; the copy then gets the same outcome.
bool Session::take_copy(uint64_t token, HeldBatches::State state) {
  if (state != HeldBatches::State::kHeld && state != HeldBatches::State::kStored) return false;
  flights_.find(token)->copy = true;
  if (state == HeldBatches::State::kHeld) return true;
  const metriclog::Delivery stored{.token = waiter(token).token, .outcome = Outcome::kStored, .reason = {}};
  owner_.on_delivered({&stored, 1});
  return true;
}

bool Session::append_to_log(uint64_t token, std::string_view batch, const metrics::BatchView& view,
                            const HeldBatches::Id& id) {
  LogRecord made(view, batch, context_.options);
  const auto record = made.record();
  if (!record) {
    reject(token, context_.metrics.rejected_invalid, "invalid: " + record.error().message());
    return true;
  }
  return append_record(token, *record, view, id);
}

bool Session::append_record(uint64_t token, const metriclog::RecordView& record, const metrics::BatchView& view,
                            const HeldBatches::Id& id) {
  const HeldBatches::Waiter self = waiter(token);
  const HeldBatches::State state = context_.env.held.hold(id, self);
  if (take_copy(token, state)) return true;
  if (state == HeldBatches::State::kOther) {
    context_.metrics.contradictions.add();
    log_warning("batch contradicts another of the same sequence; both are stored, readers use the first",
                {{"agent", view.agent_id},
                 {"incarnation", hex(view.incarnation)},
                 {"sequence", view.sequence},
                 {"host", receiver_.hello().hostname},
                 {"peer", call_.peer()}});
  }
  if (context_.env.log.append(record, owner_, self.token) == LogWriter::Accepted::kYes) return true;
  HeldBatches::deliver(context_.env.held.release(self));
  return false;
}

bool Session::append_waiting() {
  const Waiting& oldest = waiting_.front();
  const auto view = context_.checker.check(oldest.batch, receiver_.hello().agent_id);
  if (view && !append_to_log(oldest.token, oldest.batch, *view, oldest.id)) return false;
  if (view) context_.metrics.points.add(view->points);
  context_.log_queue.remove_bytes(oldest.batch.size());
  waiting_.pop_front();
  return true;
}

}  // namespace monitor::server
