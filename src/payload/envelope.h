// The head and the envelope of a record. Internal to encode.cc and decode.cc.
#pragma once

#include <cstdint>
#include <string>

#include "metrics/batch.h"
#include "metrics/decode.h"
#include "payload/cursor.h"

namespace monitor::payload {

// The first byte of a record of this version: 2 in the upper five bits. No protobuf message begins with it, because its
// lower three bits would be an unknown wire type, and no JSON object does.
inline constexpr unsigned kVersion = 2;
inline constexpr unsigned kLastVersion = 7;      // of all that may come; text begins with larger bytes
inline constexpr unsigned kMark = 6;             // in the lower three bits
inline constexpr unsigned kLongIncarnation = 1;  // added to the mark: 16 bytes follow, otherwise 8

// Bits of the flags.
enum Flag : uint64_t {
  kOneFrame = 1,
  kNanoseconds = 2,
  kCounted = 4,  // counters that do not follow the rule
  kUnacked = 8,
  kHostname = 16,
  kShapes = 32,
  kForms = 64,
  kFinal = 128,
  kResource = 256,
  kAccounts = 512,
};
inline constexpr uint64_t kKnownFlags = 1023;

// What the counters' rule needs.
struct Amount {
  uint64_t ticks = 0;  // frames that begin a tick
  uint64_t points = 0;
};

inline constexpr int64_t kGridNs = 10'000;

// Bytes of an absolute time: the grid reaches to 2059, nanoseconds to 2262.
inline size_t time_bytes(uint64_t flags) { return (flags & kNanoseconds) != 0 ? 8 : 6; }
inline uint64_t unit_ns(uint64_t flags) { return (flags & kNanoseconds) != 0 ? 1 : uint64_t{kGridNs}; }

// What no record can hold: an incarnation of another size, sequence 0, numbers and words that are too large.
Status check_envelope(const metrics::Envelope& envelope);
// Writes the head and the envelope. `flags` are those of the frames; the envelope adds its own.
void put_envelope(std::string& out, const metrics::Envelope& envelope, const Amount& amount, uint64_t flags);
// Reads the same; returns the flags. The agent id is not in the record.
uint64_t get_envelope(Cursor& in, metrics::Envelope& envelope, const metrics::BatchLimits& limits);
// Adds what the rule says to the counters that get_envelope() read as differences.
void settle_counters(metrics::Envelope& envelope, const Amount& amount);

}  // namespace monitor::payload
