#include "payload/decode.h"

#include <fmt/format.h>

#include <utility>

#include "payload/envelope.h"
#include "payload/record_reader.h"

namespace monitor::payload {

bool is_payload(std::string_view bytes) {
  if (bytes.empty()) return false;
  const auto first = static_cast<unsigned char>(bytes.front());
  return (first & kMark) == kMark && first >> 3 >= kVersion && first >> 3 <= kLastVersion;
}

Result<Head> read_head(std::string_view bytes) {
  Cursor in(bytes);
  Head head;
  const uint64_t first = in.fixed(1, "the first byte");
  if (in.ok() && ((first & kMark) != kMark || first >> 3 != kVersion)) {
    in.fail(Code::kUnimplemented, "the first byte",
            fmt::format("0x{:02x} is no payload of version {}", first, kVersion));
  }
  const bool is_long = (first & kLongIncarnation) != 0;
  head.incarnation = in.take(is_long ? metrics::kIncarnationBytes : metrics::kIncarnationBytes / 2, "the incarnation");
  head.incarnation.resize(metrics::kIncarnationBytes);
  head.sequence = in.varint("the sequence");
  if (!in.ok()) return in.error();
  return head;
}

Result<metrics::Batch> decode(std::string_view bytes, std::string_view agent_id, const metrics::BatchLimits& limits) {
  metrics::Batch batch;
  SetMemory memory(SetMemory::Keep::kSeries);
  RecordReader reader(limits, Want::kValues);
  if (auto s = reader.read(bytes, agent_id, memory, batch); !s) return s.error();
  if (reader.set().set) batch.series = reader.set().set->series;
  return batch;
}

Result<metrics::Batch> decode_any(std::string_view bytes, std::string_view agent_id,
                                  const metrics::BatchLimits& limits) {
  return is_payload(bytes) ? decode(bytes, agent_id, limits) : metrics::decode_batch(bytes, limits);
}

}  // namespace monitor::payload
