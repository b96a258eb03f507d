#include "payload/encode.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <utility>
#include <vector>

#include "payload/record_writer.h"

namespace monitor::payload {

namespace {

using metrics::Batch;
using metrics::Frame;
using metrics::Point;

Error over(std::string_view what, size_t got, size_t limit) {
  return Error(Code::kResourceExhausted, fmt::format("payload: {}: {}, the limit is {}", what, got, limit));
}

Status check(const Batch& batch, const EncodeOptions& options) {
  const auto& frames = batch.frames;
  if (frames.size() > options.limits.frames) return over("frames", frames.size(), options.limits.frames);
  if (!options.elapsed_ns.empty() && options.elapsed_ns.size() != frames.size()) {
    return Error(Code::kInvalidArgument,
                 fmt::format("payload: {} elapsed times for {} frames", options.elapsed_ns.size(), frames.size()));
  }
  size_t points = 0;
  for (const Frame& frame : frames) {
    if (frame.points.empty() || frame.time_ns <= 0) {
      return Error(Code::kInvalidArgument, "payload: a frame without points, or without a time");
    }
    points += frame.points.size();
    for (const Point& point : frame.points) {
      if (point.series >= batch.series.size()) return over("an index of a series", point.series, batch.series.size());
    }
  }
  if (points > options.limits.points) return over("points", points, options.limits.points);
  return {};
}

// The frames of a batch as the writer of records takes them.
struct Frames {
  std::vector<FrameHead> heads;
  std::vector<Shape> shapes;
  std::vector<uint64_t> values;

  Frames(const Batch& batch, std::span<const int64_t> elapsed_ns) {
    Shape shape;
    for (const Frame& frame : batch.frames) {
      FrameHead head{frame.time_ns, frame.rates_since_ns, 0, 0, frame.continued, values.size()};
      head.elapsed_ns = elapsed_ns.empty() ? head.usual_elapsed_ns() : elapsed_ns[heads.size()];
      shape.clear();
      for (const Point& point : frame.points) {
        shape.push_back(point.series);
        values.push_back(batch.series[point.series].integer ? static_cast<uint64_t>(point.integer)
                                                            : std::bit_cast<uint64_t>(point.real));
      }
      const auto found = std::ranges::find(shapes, shape);
      head.shape = static_cast<uint32_t>(found - shapes.begin());
      if (found == shapes.end()) shapes.push_back(shape);
      heads.push_back(head);
    }
  }
};

}  // namespace

Result<std::string> encode(const Batch& batch, const EncodeOptions& options) {
  if (auto s = check_envelope(batch); !s) return s.error();
  if (auto s = check(batch, options); !s) return s.error();
  const Frames frames(batch, options.elapsed_ns);
  Content content{batch, frames.heads, frames.shapes, frames.values};
  SetPlan plan;
  std::string inline_set;
  if (!batch.frames.empty()) {
    content.plan = &plan;
    content.standard = standard_set_of(batch.series);
    std::vector<uint32_t> rows;
    for (const metrics::Series& series : batch.series) {
      rows.push_back(row_of(series));
      plan.add(series.integer, rows.back());
    }
    plan.finish(rows);
    if (!content.standard) {
      auto set = encode_set(batch.series, options.limits);
      if (!set) return set.error();
      content.inline_set = inline_set = std::move(*set);
    }
  }
  auto record = RecordWriter().write(content);
  if (record && record->size() > options.limits.batch_bytes) {
    return Error(Code::kResourceExhausted, fmt::format("payload: the record has {} bytes, the limit is {}",
                                                       record->size(), options.limits.batch_bytes));
  }
  return record;
}

}  // namespace monitor::payload
