#include "simulation/ledger.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <functional>
#include <map>

#include "metrics/encode.h"
#include "payload/decode.h"

namespace monitor::simulation {

namespace {

uint64_t hash_of(std::string_view bytes) { return std::hash<std::string_view>()(bytes); }

uint64_t dropped_of(const metrics::Counters& counters) {
  uint64_t sum = 0;
  for (const metrics::Drop& total : counters.dropped) sum += total.batches;
  return sum;
}

}  // namespace

size_t Ledger::begin(const std::string& agent_id, uint64_t salt) {
  const uint64_t index = incarnations_.size();
  Incarnation one;
  one.id.resize(metrics::kIncarnationBytes);
  std::memcpy(one.id.data(), &index, sizeof index);
  std::memcpy(one.id.data() + sizeof index, &salt, sizeof salt);
  one.agent_id = agent_id;
  incarnations_.push_back(std::move(one));
  return index;
}

Incarnation* Ledger::find(std::string_view id) {
  uint64_t index = 0;
  if (id.size() != metrics::kIncarnationBytes) return nullptr;
  std::memcpy(&index, id.data(), sizeof index);
  return index < incarnations_.size() && incarnations_[index].id == id ? &incarnations_[index] : nullptr;
}

Entry* Ledger::find(std::string_view id, uint64_t sequence) {
  Incarnation* const one = find(id);
  return one != nullptr && sequence > 0 && sequence <= one->entries.size() ? &one->entries[sequence - 1] : nullptr;
}

void Ledger::fail(const std::string& what) {
  if (failed()) return;
  failure_ = fmt::format("at {:.3f} s: {}", static_cast<double>(schedule_.now_ns()) / 1e9, what);
}

std::string Ledger::name(const Incarnation& incarnation, uint64_t sequence) {
  uint64_t index = 0;
  std::memcpy(&index, incarnation.id.data(), sizeof index);
  std::string text = fmt::format("batch {} of run {} ({}", sequence, index, incarnation.agent_id);
  if (sequence == 0 || sequence > incarnation.entries.size()) return text + ")";
  const Entry& entry = incarnation.entries[sequence - 1];
  if (entry.stored > 0) text += fmt::format(", {} times in the log", entry.stored);
  if (entry.acknowledged) text += ", acknowledged";
  if (entry.dropped) text += ", dropped";
  if (entry.recorded) text += ", drop recorded";
  if (entry.exposed) text += ", exposed";
  if (entry.suspect) text += ", suspect";
  return text + ")";
}

Entry& Ledger::appended(size_t process, const agent::BatchInfo& info, std::string_view bytes) {
  Incarnation& own = incarnations_[process];
  if (info.incarnation != own.id || info.sequence != own.entries.size() + 1) {
    fail(fmt::format("{} was appended after {}", name(own, info.sequence), own.entries.size()));
  }
  own.points += info.points;
  Entry entry;
  entry.appended_ns = schedule_.now_ns();
  entry.hash = entry.v1_hash = hash_of(bytes);
  if (payload::is_payload(bytes)) {
    const auto batch = payload::decode(bytes, own.agent_id);
    if (!batch) fail(name(own, info.sequence) + " does not decode: " + batch.error().message());
    if (batch) entry.v1_hash = hash_of(metrics::encode_batch(*batch));
  }
  entry.points_before = own.points;
  entry.dropped_before = own.dropped;
  own.entries.push_back(entry);
  ++batches_;
  return own.entries.back();
}

void Ledger::acknowledged(const agent::BatchInfo& info) {
  Entry* const entry = find(info.incarnation, info.sequence);
  if (entry == nullptr) return fail("an unknown batch was acknowledged");
  if (entry->stored == 0) fail(name(*find(info.incarnation), info.sequence) + " is acknowledged, but not in the log");
  entry->acknowledged = true;
}

void Ledger::lost(size_t process, const metrics::Drop& drop) {
  incarnations_[process].dropped += drop.batches;
  Incarnation* const from = find(drop.incarnation);
  if (from == nullptr) return fail("a batch of an unknown run was dropped");
  for (uint64_t sequence = drop.first_sequence; sequence <= drop.last_sequence; ++sequence) {
    Entry* const entry = find(drop.incarnation, sequence);
    if (entry == nullptr) return fail(name(*from, sequence) + " is dropped, but was never appended");
    // A failing disk may leave a torn copy, and the intact one may have been evicted since.
    if (drop.reason == metrics::reason::kDamaged && !entry->exposed && !entry->was_suspect) {
      return fail(name(*from, sequence) + " is dropped as damaged, but was not damaged");
    }
    entry->dropped = true;
  }
}

void Ledger::stored(std::string_view key, std::string_view value) {
  const auto batch = payload::decode_any(value, key);
  if (!batch) return fail("the log has a record that does not decode: " + batch.error().message());
  Incarnation* const from = find(batch->incarnation);
  Entry* const entry = find(batch->incarnation, batch->sequence);
  if (entry == nullptr) return fail("the log has an unknown batch");
  const uint64_t hash = hash_of(value);
  if ((entry->hash != hash && entry->v1_hash != hash) || from->agent_id != batch->agent_id) {
    return fail(name(*from, batch->sequence) + " is in the log with other bytes");
  }
  if (payload::is_payload(value)) ++stored_as_v2_;
  if (entry->hash != hash) ++converted_;
  ++entry->stored;
  if (entry->stored > 1) return;
  ++stored_;
  first_stored(*from, *entry, *batch);
}

void Ledger::first_stored(Incarnation& from, Entry& entry, const metrics::Batch& batch) {
  if (batch.counters.points_made != entry.points_before) {
    fail(fmt::format("{} says {} points were made, {} were", name(from, batch.sequence), batch.counters.points_made,
                     entry.points_before));
  }
  if (dropped_of(batch.counters) != entry.dropped_before) {
    fail(fmt::format("{} says {} batches were dropped, {} were", name(from, batch.sequence), dropped_of(batch.counters),
                     entry.dropped_before));
  }
  for (const metrics::Drop& drop : batch.drops) take_drop(drop);
  for (const metrics::IncarnationEnd& end : batch.ended) take_end(end);
  if (batch.final_batch) {
    from.final_stored = true;
    if (batch.sequence != from.entries.size()) fail(name(from, batch.sequence) + " says it is the last, and is not");
  }
  claim(batch.incarnation, batch.first_unacked);
  for (const metrics::OlderIncarnation& older : batch.older) claim(older.incarnation, older.first_unacked);
}

void Ledger::take_drop(const metrics::Drop& drop) {
  Incarnation* const of = find(drop.incarnation);
  if (of == nullptr) return fail("the log has a drop record of an unknown run");
  if (drop.batches != drop.last_sequence - drop.first_sequence + 1) {
    fail(fmt::format("a drop record names {} batches, from {} to {}", drop.batches, drop.first_sequence,
                     drop.last_sequence));
  }
  for (uint64_t sequence = drop.first_sequence; sequence <= drop.last_sequence; ++sequence) {
    Entry* const entry = find(drop.incarnation, sequence);
    if (entry == nullptr || !entry->dropped) {
      return fail(name(*of, sequence) + " has a drop record, but was not dropped");
    }
    entry->recorded = true;
  }
}

void Ledger::take_end(const metrics::IncarnationEnd& end) {
  Incarnation* const of = find(end.incarnation);
  if (of == nullptr) return fail("the log has the end of an unknown run");
  of->recorded_end = end;
  if (of->cloned) return;
  if (!of->ended) return fail(name(*of, end.last_sequence) + " is reported as the last batch, but its run continues");
  if (end.clean != of->clean && !of->ambiguous_end) {
    fail(fmt::format("the run of {} ended {}, but is reported as {}", name(*of, end.last_sequence),
                     of->clean ? "clean" : "unclean", end.clean ? "clean" : "unclean"));
  }
  if (end.last_sequence > of->entries.size()) fail(name(*of, end.last_sequence) + " is reported as the last batch");
}

void Ledger::claim(std::string_view id, uint64_t first_unacked) {
  Incarnation* const of = find(id);
  if (of == nullptr) return fail("the log has a claim about an unknown run");
  // Readers report a gap below it as missing, so every batch there must be in the log or have a drop record.
  for (; of->claimed + 1 < first_unacked; ++of->claimed) {
    const uint64_t sequence = of->claimed + 1;
    const Entry* const entry = find(id, sequence);
    if (entry == nullptr) return fail(name(*of, sequence) + " is claimed as resolved, but was never appended");
    if (entry->stored == 0 && !entry->recorded)
      return fail(name(*of, sequence) + " is missing: neither stored nor recorded as dropped");
  }
}

void Ledger::check(const Incarnation& incarnation) {
  const uint64_t last = incarnation.recorded_end ? incarnation.recorded_end->last_sequence : 0;
  bool expected = false;
  for (uint64_t sequence = 1; sequence <= incarnation.entries.size(); ++sequence) {
    const Entry& entry = incarnation.entries[sequence - 1];
    expected = expected || !entry.exposed;
    if (entry.stored > 0 || entry.recorded) continue;
    // After an unclean end, batches after the last known one may be unknown.
    const bool unknown =
        entry.exposed && sequence > last && !(incarnation.recorded_end && incarnation.recorded_end->clean);
    if (!unknown) return fail(name(incarnation, sequence) + " is lost: neither stored nor recorded as dropped");
  }
  if (expected && incarnation.ended && !incarnation.recorded_end) {
    fail(name(incarnation, incarnation.entries.size()) +
         " was the last batch, but the end of its run is not in the log");
  }
}

void Ledger::check_all() {
  for (const Incarnation& incarnation : incarnations_) {
    check(incarnation);
    for (uint64_t sequence = 1; sequence <= incarnation.entries.size(); ++sequence) {
      const Entry& entry = incarnation.entries[sequence - 1];
      if (entry.stored > 0 && entry.counted == 0) fail(name(incarnation, sequence) + " was never counted by a reader");
    }
  }
}

void Ledger::compare(const std::vector<analysis::LedgerRow>& rows) {
  std::map<std::string, const analysis::LedgerRow*> found;
  for (const analysis::LedgerRow& row : rows) {
    if (find(row.incarnation) == nullptr) return fail("readers have an unknown run");
    if (!found.emplace(row.incarnation, &row).second) return fail("a run is in two readers' ledgers");
  }
  const analysis::LedgerRow nothing;
  for (const Incarnation& incarnation : incarnations_) {
    const auto it = found.find(incarnation.id);
    compare(it == found.end() ? nothing : *it->second, incarnation);
  }
}

void Ledger::compare(const analysis::LedgerRow& row, const Incarnation& incarnation) {
  uint64_t stored = 0;
  uint64_t copies = 0;
  uint64_t last = 0;
  for (uint64_t sequence = 1; sequence <= incarnation.entries.size(); ++sequence) {
    const Entry& entry = incarnation.entries[sequence - 1];
    if (entry.stored == 0) continue;
    ++stored;
    copies += entry.stored - 1;
    last = sequence;
  }
  const std::string who = name(incarnation, row.last_sequence);
  if (row.batches_stored != stored || row.duplicates != copies || row.last_sequence != last) {
    fail(fmt::format("readers have {} batches and {} copies up to {} of {}, the log has {} and {} up to {}",
                     row.batches_stored, row.duplicates, row.last_sequence, who, stored, copies, last));
  }
  if (!row.missing.empty())
    fail(fmt::format("readers report batch {} of {} as missing", row.missing.front().first, who));
  if (!row.expired.empty())
    fail(fmt::format("readers report batch {} of {} as expired", row.expired.front().first, who));
  using End = analysis::LedgerRow::End;
  const bool has_end = row.end == End::kStopped || row.end == End::kUnclean;
  if (stored > 0 && has_end != (incarnation.recorded_end || incarnation.final_stored)) {
    fail("readers have a different end for " + who);
  }
  if (stored > 0) compare_sums(row, who);
}

// What a run made is the sum of what became of it.
void Ledger::compare_sums(const analysis::LedgerRow& row, const std::string& who) {
  using Amount = analysis::LedgerSums::Amount;
  const analysis::LedgerSums& sums = row.sums;
  for (const auto& [unit, of] : {std::pair{"batches", &Amount::batches}, std::pair{"points", &Amount::points}}) {
    uint64_t parts = 0;
    for (const Amount* const part :
         {&sums.stored, &sums.dropped, &sums.waiting, &sums.missing, &sums.elsewhere, &sums.expired, &sums.unread}) {
      parts += part->*of;
    }
    if (parts != sums.made.*of) {
      fail(fmt::format("of {}, readers account for {} {}, and {} were made", who, parts, unit, sums.made.*of));
    }
  }
}

}  // namespace monitor::simulation
