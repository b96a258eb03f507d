// Decoders of many records, for readers. They remember the series sets that they have met, so that a record with a
// known set costs its values.
//
// An object belongs to one thread at a time. What it returns is its own memory, valid until the next call.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "metrics/batch.h"
#include "metrics/decode.h"
#include "payload/record_reader.h"
#include "payload/set_memory.h"

namespace monitor::payload {

// As decode(), and adds the labels of the batch's resource to its series (metrics::carry_resource()).
class BatchDecoder {
 public:
  Result<const metrics::Batch*> decode(std::string_view bytes, std::string_view agent_id);

 private:
  static constexpr size_t kMaxKnownSeries = 200'000;

  void carry(const KnownSet& known);

  SetMemory memory_{SetMemory::Keep::kSeries};
  RecordReader reader_{{}, Want::kValues};
  // Series with the labels of a resource, by the set's number (0: the standard set) and the resource.
  std::map<uint64_t, std::map<metrics::Labels, std::vector<metrics::Series>>> known_;
  size_t known_series_ = 0;
  // The batch has the series of this entry, and the entry has none, until the next call.
  std::vector<metrics::Series>* lent_ = nullptr;
  metrics::Batch batch_;
};

// Decodes envelopes, for ledgers, which need no values. Frames have their times and the right number of points, but the
// points are empty. There are no series. Checks what decode() checks.
class EnvelopeDecoder {
 public:
  Result<const metrics::Batch*> decode(std::string_view bytes, std::string_view agent_id);

 private:
  SetMemory memory_{SetMemory::Keep::kPlans};
  RecordReader reader_{{}, Want::kCounts};
  metrics::Batch batch_;
};

}  // namespace monitor::payload
