#include "views/ledger/partition_ledger.h"

#include <algorithm>

#include "base/saturating.h"
#include "metrics/claims.h"

namespace monitor::analysis {

namespace {

// A list of older incarnations of this length may have been truncated: an incarnation that is not in it may still wait.
constexpr size_t kWholeOlderList = 63;
// Longest chain of runs that ended one another; only forged data has a longer one.
constexpr int kLongestChain = 1000;

// True if the incarnation's batches were in the same spool as `batch` when that was created. This is known if the run
// of `batch`, or an earlier one, has reported how the incarnation ended.
bool descends(const Accounts& accounts, const Account& account, const metrics::Batch& batch) {
  const Account* child = &account;
  for (int i = 0; i < kLongestChain && !child->ended_by.empty(); ++i) {
    if (child->ended_by == batch.incarnation) return batch.sequence >= child->ended_at;
    const auto parent = accounts.find(child->ended_by);
    if (parent == accounts.end()) return false;
    child = &parent->second;
  }
  return false;
}

bool listed(const metrics::Batch& batch, std::string_view incarnation) {
  return std::ranges::any_of(batch.older, [&](const auto& one) { return one.incarnation == incarnation; });
}

}  // namespace

Account& PartitionLedger::account(Accounts& accounts, std::string_view incarnation) const {
  const auto it = accounts.find(incarnation);
  if (it != accounts.end()) return it->second;
  Account& fresh = accounts[std::string(incarnation)];
  fresh.awaited = hole_;
  return fresh;
}

void PartitionLedger::apply(const metriclog::Record& record, const metrics::Batch& batch) {
  now_.take(record.time_ns);
  Accounts& accounts = agents_[batch.agent_id];
  Account& own = account(accounts, batch.incarnation);
  if (const Status claims = metrics::check_claims(batch); !claims) {
    if (own.host.empty()) own.host = batch.hostname;
    own.note({batch.sequence, -1, record.offset, record.time_ns, claims.error().message()});
    return;
  }
  // Drop records first, because they explain gaps; then what opens gaps.
  take_drops(record, batch, own, accounts);
  take_elsewhere(record, batch, accounts);
  own.store(record, batch);
  own.claim(batch.first_unacked, record.time_ns);
  if (batch.final_batch) own.final_sequence = batch.sequence;
  take_ends(record, batch, accounts);
}

void PartitionLedger::apply_copy(const metriclog::Record& record, const metrics::Batch& batch) {
  now_.take(record.time_ns);
  account(agents_[batch.agent_id], batch.incarnation).store(record, batch);
}

void PartitionLedger::apply_conflict(const metriclog::Record& record, const metrics::Batch& batch,
                                     int64_t first_offset) {
  now_.take(record.time_ns);
  account(agents_[batch.agent_id], batch.incarnation)
      .note({batch.sequence, first_offset, record.offset, record.time_ns,
             "its content differs from the record that was counted"});
}

// The account of an incarnation to which a batch refers.
Account& PartitionLedger::spoken_of(const metriclog::Record& record, const metrics::Batch& batch,
                                    std::string_view incarnation, Accounts& accounts) const {
  Account& of = account(accounts, incarnation);
  if (of.host.empty()) of.host = batch.hostname;
  of.last_log_ns = std::max(of.last_log_ns, record.time_ns);
  return of;
}

void PartitionLedger::take_drops(const metriclog::Record& record, const metrics::Batch& batch, Account& own,
                                 Accounts& accounts) const {
  for (const metrics::Drop& drop : batch.drops) {
    if (drop.first_sequence == 0) {  // the totals in the counters include it
      if (drop.incarnation == batch.incarnation) own.losses.add(drop);
      continue;
    }
    Account& of = spoken_of(record, batch, drop.incarnation, accounts);
    const DroppedRanges::Added added = of.drop(drop);
    if (drop.incarnation == batch.incarnation) continue;
    DroppedRanges::Added& foreign = own.foreign[{drop.stage, drop.reason}];
    add_saturating(foreign.batches, added.batches);
    add_saturating(foreign.points, added.points);
  }
}

void PartitionLedger::take_elsewhere(const metriclog::Record& record, const metrics::Batch& batch,
                                     Accounts& accounts) const {
  for (const metrics::Elsewhere& one : batch.elsewhere) {
    spoken_of(record, batch, one.incarnation, accounts).note_elsewhere(one);
  }
}

void PartitionLedger::take_ends(const metriclog::Record& record, const metrics::Batch& batch,
                                Accounts& accounts) const {
  for (const metrics::IncarnationEnd& end : batch.ended) {
    if (end.incarnation == batch.incarnation) continue;
    Account& of = spoken_of(record, batch, end.incarnation, accounts);
    of.end = end;
    if (of.ended_by == batch.incarnation) {
      of.ended_at = std::min(of.ended_at, batch.sequence);
    } else if (of.ended_by.empty()) {
      of.ended_by = batch.incarnation;
      of.ended_at = batch.sequence;
    }
  }
  for (const metrics::OlderIncarnation& older : batch.older) {
    if (older.incarnation == batch.incarnation) continue;
    Account& of = spoken_of(record, batch, older.incarnation, accounts);
    of.claim(older.first_unacked, record.time_ns);
  }
  if (batch.older.size() > kWholeOlderList) return;
  for (auto& [incarnation, of] : accounts) {
    if (!of.end || of.settled() || listed(batch, incarnation) || !descends(accounts, of, batch)) continue;
    of.claim(saturating_add(of.end->last_sequence, 1), record.time_ns);
  }
}

void PartitionLedger::lose() {
  hole_ = Hole::kExpired;
  for (auto& [agent, accounts] : agents_) {
    for (auto& [incarnation, account] : accounts) account.lose(Hole::kExpired);
  }
}

void PartitionLedger::prune() {
  for (auto& [agent, accounts] : agents_) {
    std::erase_if(accounts, [this](const auto& entry) {
      return entry.second.last_log_ns != 0 && elapsed_ns(entry.second.last_log_ns, now_.now_ns()) > kKeepNs;
    });
    for (auto& [incarnation, account] : accounts) account.tidy();
  }
  std::erase_if(agents_, [](const auto& entry) { return entry.second.empty(); });
}

}  // namespace monitor::analysis
