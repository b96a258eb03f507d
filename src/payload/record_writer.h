// Writes a record from its content. Internal to the encoders.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "payload/content.h"
#include "payload/envelope.h"
#include "payload/values_writer.h"

namespace monitor::payload {

// Reuse it, for its memory. Not thread-safe.
class RecordWriter {
 public:
  // Error: no record can hold the envelope. What the frames refer to must be there.
  Result<std::string> write(const Content& content);

 private:
  void choose_unit(const Content& content);
  uint64_t units(int64_t ns) const { return static_cast<uint64_t>(ns / unit_); }
  void put_times(const Content& content);
  void put_rates(std::span<const FrameHead> frames);
  void put_set(const Content& content);
  void put_shapes(const Content& content);
  void put_forms(const SetPlan& plan);

  uint64_t flags_ = 0;
  int64_t unit_ = 1;
  uint64_t nominal_ = 0;
  std::string body_;
  std::string columns_;
  std::vector<uint64_t> column_;
  ValuesWriter values_;
};

}  // namespace monitor::payload
