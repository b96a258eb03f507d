#include "analysis/consume/dedupe.h"

#include <algorithm>

#include "base/mutant.h"
#include "base/protowire.h"

namespace monitor::analysis {

namespace {

using protowire::Reader;
using protowire::WireType;

// Fields of an encoded entry: agent, incarnation, last time, and intervals as packed (gap, length) pairs.
constexpr uint32_t kEntry = 1;
constexpr uint32_t kAgent = 1;
constexpr uint32_t kIncarnation = 2;
constexpr uint32_t kLastTime = 3;
constexpr uint32_t kIntervals = 4;

}  // namespace

bool Dedupe::seen(std::string_view agent, std::string_view incarnation, uint64_t sequence) const {
  const auto it = seen_.find(std::pair(agent, incarnation));
  if (is_mutant("high_water_dedupe")) {
    return it != seen_.end() && sequence <= it->second.sequences.intervals().rbegin()->second;
  }
  return it != seen_.end() && it->second.sequences.contains(sequence);
}

void Dedupe::add(std::string_view agent, std::string_view incarnation, uint64_t sequence, int64_t log_time_ns) {
  auto it = seen_.find(std::pair(agent, incarnation));
  if (it == seen_.end()) it = seen_.emplace(Key(agent, incarnation), Entry()).first;
  it->second.sequences.add(sequence);
  it->second.last_time_ns = std::max(it->second.last_time_ns, log_time_ns);
  now_.take(log_time_ns);
}

void Dedupe::prune() {
  std::erase_if(seen_,
                [this](const auto& entry) { return elapsed_ns(entry.second.last_time_ns, now_.now_ns()) > kKeepNs; });
}

void Dedupe::encode(std::string& out) const {
  for (const auto& [key, entry] : seen_) {
    std::string intervals;
    entry.sequences.encode(intervals);
    std::string bytes;
    protowire::put_bytes(bytes, kAgent, key.first);
    protowire::put_bytes(bytes, kIncarnation, key.second);
    protowire::put_sfixed64(bytes, kLastTime, entry.last_time_ns);
    protowire::put_bytes(bytes, kIntervals, intervals);
    protowire::put_message(out, kEntry, bytes);
  }
}

Result<Dedupe> Dedupe::decode(std::string_view bytes) {
  const Error bad(Code::kDataLoss, "snapshot: its list of seen batches is malformed");
  Dedupe dedupe;
  Reader outer(bytes);
  while (const auto field = outer.next()) {
    if (field->number != kEntry || field->type != WireType::kBytes) continue;
    Key key;
    Entry entry;
    Reader inner(field->bytes);
    while (const auto part = inner.next()) {
      if (part->number == kAgent) key.first = part->bytes;
      if (part->number == kIncarnation) key.second = part->bytes;
      if (part->number == kLastTime) entry.last_time_ns = part->as_signed();
      if (part->number != kIntervals) continue;
      auto sequences = IntervalSet::decode(part->bytes);
      if (!sequences) return bad;
      entry.sequences = std::move(*sequences);
    }
    if (inner.failed()) return bad;
    dedupe.seen_.insert_or_assign(std::move(key), std::move(entry));
  }
  if (outer.failed()) return bad;
  return dedupe;
}

}  // namespace monitor::analysis
