// Reads a record part by part: envelope, times, series set, shapes, computations, columns. Internal to decode.cc,
// batch_decoder.cc and check.cc.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "metrics/batch.h"
#include "metrics/decode.h"
#include "payload/cursor.h"
#include "payload/envelope.h"
#include "payload/layout.h"
#include "payload/series_set.h"
#include "payload/set_memory.h"

namespace monitor::payload {

// What is made of the values. All of them are checked in any case.
enum class Want {
  kValues,  // points with values
  kCounts,  // the right number of points, without values
  kChecks,  // nothing; frames have no points
};

// Reuse it, for its memory. Not thread-safe.
class RecordReader {
 public:
  RecordReader(const metrics::BatchLimits& limits, Want want) : limits_(limits), want_(want) {}

  // Fills the batch, whose memory is reused, except for its series: they are those of set(). Errors as of decode(); the
  // batch is undefined then.
  Status read(std::string_view bytes, std::string_view agent_id, SetMemory& memory, metrics::Batch& batch);

  // Of the last record; its plan is nullptr if the record has no frames.
  const KnownSet& set() const { return set_; }
  size_t points() const { return amount_.points; }

 private:
  void read_times();
  void read_steps(uint64_t start, uint64_t count);
  void read_rates(uint64_t nominal);
  void read_set(SetMemory& memory);
  void read_inline_set(SetMemory& memory);
  void read_shapes();
  void read_shape(size_t& total);
  void read_shapes_of_frames();
  void count_points();
  void settle_rates();
  void read_forms();
  void check_form(size_t series);
  void read_values();
  void sort_by_series();
  uint32_t frame_of(size_t series, size_t value) const;
  size_t size_of(size_t series) const;
  std::span<uint64_t> column_of(size_t series);
  void read_column(size_t series);
  bool value_of_column(size_t series, uint64_t& value, size_t frame) const;
  void read_bits(std::span<uint64_t> column);
  void compute_shares(const SetPlan::Share& share);
  void make_points();
  void finish(Status& status);

  const metrics::BatchLimits limits_;
  const Want want_;
  Cursor in_{std::string_view()};
  metrics::Batch* batch_ = nullptr;
  uint64_t flags_ = 0;
  uint64_t unit_ = 1;
  Amount amount_;
  Rates rates_ = Rates::kNone;
  std::vector<uint64_t> steps_;
  std::vector<uint64_t> spans_;
  std::vector<uint64_t> elapsed_;
  KnownSet set_;
  bool whole_ = false;  // every frame has every series, in order
  std::vector<std::vector<uint32_t>> shapes_;
  std::vector<uint32_t> shape_of_;  // of each frame
  std::vector<Form> forms_;
  // By series, and in the order of the frames within a series. With whole_, each series has a value of every frame, and
  // the two lists are not used.
  std::vector<size_t> start_;
  std::vector<uint32_t> frame_of_;
  std::vector<size_t> next_;
  std::vector<uint64_t> values_;
};

}  // namespace monitor::payload
