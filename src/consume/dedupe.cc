#include "consume/dedupe.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "base/mutant.h"
#include "base/protowire.h"

namespace monitor::analysis {

namespace {

using protowire::Reader;
using protowire::WireType;

// Fields of an encoded entry: agent, incarnation, last time, intervals as packed (gap, length) pairs, and the latest
// digests as packed (sequence, offset, digest). Sequence and offset are stored as differences to those of the previous
// digest. Old snapshots have no digests: their batches are only known by sequence.
constexpr uint32_t kEntry = 1;
constexpr uint32_t kAgent = 1;
constexpr uint32_t kIncarnation = 2;
constexpr uint32_t kLastTime = 3;
constexpr uint32_t kIntervals = 4;
constexpr uint32_t kDigests = 5;
constexpr uint32_t kAdded = 6;

}  // namespace

bool Dedupe::contains(const Run& run, uint64_t sequence) {
  if (is_mutant("high_water_dedupe")) return sequence <= run.sequences.intervals().rbegin()->second;
  return run.sequences.contains(sequence);
}

bool Dedupe::seen(std::string_view agent, std::string_view incarnation, uint64_t sequence) const {
  const auto it = seen_.find(std::pair(agent, incarnation));
  return it != seen_.end() && contains(it->second, sequence);
}

Dedupe::Verdict Dedupe::look(std::string_view agent, std::string_view incarnation, uint64_t sequence, Digest digest) {
  const auto it = seen_.find(std::pair(agent, incarnation));
  if (it == seen_.end()) return {};
  Run& run = it->second;
  if (!contains(run, sequence)) return {.run = &run};
  const KnownBatch* const known = run.known.find(sequence);
  if (known == nullptr) return {.kind = Verdict::Kind::kCopy, .run = &run};
  const bool other = known->digest.contradicts(digest);
  return {other ? Verdict::Kind::kConflict : Verdict::Kind::kCopy, known->offset, &run};
}

void Dedupe::add(std::string_view agent, std::string_view incarnation, uint64_t sequence, Digest digest, Place place,
                 Run* run) {
  if (run == nullptr) {
    auto it = seen_.find(std::pair(agent, incarnation));
    if (it == seen_.end()) it = seen_.emplace(Key(agent, incarnation), Run()).first;
    run = &it->second;
  }
  run->last_time_ns = std::max(run->last_time_ns, place.log_time_ns);
  now_.take(place.log_time_ns);
  if (!run->sequences.add(sequence)) return;
  run->known.add({sequence, place.offset, digest});
  ++digests_;
  ++run->added;
  random_ = SeededRandom(random_.next() ^ digest.value ^ static_cast<uint64_t>(place.offset) << 32);
  shrink(*run);
  if (digests_ > std::max(kMostOfAll, 4 * seen_.size())) shrink_all();
}

// Each digest that is not among the newest has the same chance to be kept (reservoir sampling: Vitter, "Random Sampling
// with a Reservoir", 1985, algorithm R).
void Dedupe::shrink(Run& run) {
  const size_t sample = most_of_run_ - most_of_run_ / 2;
  while (run.known.size() > most_of_run_) {
    const uint64_t older = std::max<uint64_t>(run.added - std::min<uint64_t>(run.added, most_of_run_ / 2), sample + 1);
    run.known.remove(static_cast<size_t>(std::min<uint64_t>(random_.below(older), sample)), sample);
    --digests_;
  }
}

// With more runs, each may keep fewer digests. The limit does not grow again, because repeated shrinking would leave no
// old digests.
void Dedupe::shrink_all() {
  most_of_run_ = std::max<size_t>(2, most_of_run_ / 2);
  for (auto& [key, run] : seen_) shrink(run);
}

void Dedupe::prune() {
  std::erase_if(seen_, [this](const auto& entry) {
    const bool old = elapsed_ns(entry.second.last_time_ns, now_.now_ns()) > kKeepNs;
    if (old) digests_ -= entry.second.known.size();
    return old;
  });
}

void Dedupe::encode_known(const KnownBatches& known, std::string& out) {
  uint64_t sequence = 0;
  uint64_t offset = 0;
  known.for_each([&](const KnownBatch& one) {
    protowire::put_varint(out, one.sequence - sequence);
    // Modulo 2^64, because offsets of a retried batch can be lower than previous ones.
    protowire::put_varint(out, protowire::zigzag(static_cast<int64_t>(static_cast<uint64_t>(one.offset) - offset)));
    protowire::put_varint(out, one.digest.value);
    sequence = one.sequence;
    offset = static_cast<uint64_t>(one.offset);
  });
}

bool Dedupe::decode_known(std::string_view bytes, KnownBatches& known) {
  std::vector<KnownBatch> found;
  Reader packed(bytes);
  uint64_t sequence = 0;
  uint64_t offset = 0;
  while (const auto step = packed.varint()) {
    const auto moved = packed.varint();
    const auto digest = packed.varint();
    if (!moved || !digest || *digest > UINT32_MAX || *step > UINT64_MAX - sequence) return false;
    if (*step == 0 && !found.empty()) return false;
    sequence += *step;
    offset += static_cast<uint64_t>(protowire::unzigzag(*moved));
    found.push_back({sequence, static_cast<int64_t>(offset), {static_cast<uint32_t>(*digest)}});
  }
  known = KnownBatches(std::move(found));
  return !packed.failed();
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
    std::string known;
    encode_known(entry.known, known);
    protowire::put_bytes(bytes, kDigests, known);
    protowire::put_uint64(bytes, kAdded, entry.added);
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
    Run entry;
    Reader inner(field->bytes);
    while (const auto part = inner.next()) {
      if (part->number == kAgent) key.first = part->bytes;
      if (part->number == kIncarnation) key.second = part->bytes;
      if (part->number == kLastTime) entry.last_time_ns = part->as_signed();
      if (part->number == kAdded) entry.added = part->value;
      if (part->number == kDigests && !decode_known(part->bytes, entry.known)) return bad;
      if (part->number != kIntervals) continue;
      auto sequences = IntervalSet::decode(part->bytes);
      if (!sequences) return bad;
      entry.sequences = std::move(*sequences);
    }
    if (inner.failed()) return bad;
    Run& kept = dedupe.seen_[std::move(key)];
    dedupe.digests_ -= kept.known.size();
    dedupe.digests_ += entry.known.size();
    kept = std::move(entry);
  }
  if (outer.failed()) return bad;
  return dedupe;
}

}  // namespace monitor::analysis
