// BatchWalker: reads a MetricBatch in one pass and makes every check. The sink decides what becomes of the parts: a
// reader builds a batch from them (decode.cc), a server keeps only what it must verify (check.cc). Internal to these
// two.
//
// A sink has these functions:
//
//   void resource(const LabelView&)
//   Status series(const SeriesView&, const BatchLimits&)
//   void frame(const FrameView&, std::string_view packed_series, const SeriesMemory::Types&)
//   Status other(const protowire::Field&)    the rest of the envelope; read_other() reads it
//
// Not thread-safe. Limits, sink, types and memory must outlive the walker; the bytes must outlive the view.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <utility>

#include "base/protowire.h"
#include "base/text.h"
#include "metrics/batch_reader.h"
#include "metrics/check.h"
#include "metrics/series_memory.h"

namespace monitor::metrics::wire {

inline constexpr size_t kMaxSeries = 20'000;
inline constexpr uint32_t kSeriesField = 10;

inline constexpr char kSeriesTag = (kSeriesField << 3) | static_cast<uint32_t>(protowire::WireType::kBytes);

// Returns the bytes of the series at the start of `bytes`, and their number.
inline std::pair<std::string_view, size_t> list_of_series(std::string_view bytes) {
  std::string_view rest = bytes;
  size_t count = 0;
  while (!rest.empty() && rest.front() == kSeriesTag) {
    protowire::Reader reader(rest.substr(1));
    const auto size = reader.varint();
    if (!size || *size > reader.rest().size()) break;
    rest = reader.rest().substr(*size);
    ++count;
  }
  return {bytes.substr(0, bytes.size() - rest.size()), count};
}

template <typename Sink>
class BatchWalker {
 public:
  // `types` is scratch space. With a memory, a list of series that the memory knows counts as checked, and the sink
  // does not receive it.
  BatchWalker(const BatchLimits& limits, Sink& sink, SeriesMemory::Types& types, SeriesMemory* memory = nullptr)
      : limits_(limits), sink_(sink), memory_(memory), integer_(types) {
    integer_.clear();
  }

  Result<BatchView> walk(std::string_view bytes) {
    if (bytes.size() > limits_.batch_bytes) return over("size in bytes", bytes.size(), limits_.batch_bytes);
    protowire::Reader reader(bytes);
    std::string_view here = bytes;
    while (const auto field = reader.next()) {
      if (field->number == kSeriesField && recall(here)) {
        reader = protowire::Reader(here.substr(list_.first.size()));
      } else if (const Status s = top_level(*field); !s) {
        return s.error();
      }
      here = reader.rest();
    }
    if (reader.failed()) return malformed("the top level");
    if (auto s = finish(); !s) return s.error();
    if (memory_ != nullptr && !recalled_) memory_->keep(list_.first, std::span(integer_).first(list_.second));
    // More series may follow the list.
    if (memory_ != nullptr && list_.second == view_.series) view_.list_id = memory_->last_id();
    return view_;
  }

 private:
  // Looks the batch's first list of series up in the memory.
  bool recall(std::string_view here) {
    if (memory_ == nullptr || view_.series > 0 || view_.frames > 0) return false;
    const std::string_view last = memory_->last();
    const bool same =
        !last.empty() && here.starts_with(last) && (here.size() == last.size() || here[last.size()] != kSeriesTag);
    const SeriesMemory::Types* types = nullptr;
    if (same) {
      types = &memory_->use_last();
      list_ = {here.substr(0, last.size()), types->size()};
    } else {
      list_ = list_of_series(here);
      types = memory_->find(list_.first);
    }
    if (types == nullptr) return false;
    integer_ = *types;
    view_.series = integer_.size();
    recalled_ = true;
    return true;
  }

  Status top_level(const protowire::Field& field) {
    const bool is_message = field.number == 6 || (field.number >= 8 && field.number <= 11) || field.number == 13 ||
                            field.number == 14 || (field.number >= 1 && field.number <= 3) || field.number == 15;
    if (is_message != (field.type == protowire::WireType::kBytes) && field.number <= 16)
      return malformed("a field's type");
    switch (field.number) {
      case 1:
        view_.agent_id = field.bytes;
        break;
      case 2:
        view_.hostname = field.bytes;
        break;
      case 3:
        view_.incarnation = field.bytes;
        break;
      case 4:
        view_.sequence = field.value;
        break;
      case 5:
        view_.config_revision = field.value;
        break;
      case 6:
        return resource(field.bytes);
      case 7:
        view_.first_unacked = field.value;
        break;
      case kSeriesField:
        return series(field.bytes);
      case 11:
        return frame(field.bytes);
      case 12:
        view_.appended_ns = field.as_signed();
        break;
      default:
        return sink_.other(field);
    }
    return {};
  }

  Status resource(std::string_view bytes) {
    const auto label = read_label(bytes, limits_);
    if (!label) return label.error();
    if (++resource_labels_ > limits_.labels) return over("number of resource labels", resource_labels_, limits_.labels);
    sink_.resource(*label);
    return {};
  }

  Status series(std::string_view bytes) {
    if (view_.frames > 0) return Error(Code::kInvalidArgument, "batch: a series after the first frame");
    const auto series = read_series(bytes, limits_);
    if (!series) return series.error();
    const size_t limit = std::min(limits_.series, kMaxSeries);
    if (view_.series >= limit) return over("number of series", view_.series + 1, limit);
    integer_.push_back(series->integer ? 1 : 0);
    ++view_.series;
    return sink_.series(*series, limits_);
  }

  // Checks a frame's list of series, which later frames may reuse.
  Status series_list(std::string_view packed) {
    ints_ = 0;
    doubles_ = 0;
    protowire::Reader reader(packed);
    while (const auto index = reader.varint()) {
      if (*index >= view_.series) return over("index of a series", *index, view_.series);
      (integer_[*index] != 0 ? ints_ : doubles_) += 1;
    }
    if (reader.failed() || !reader.at_end()) return malformed("the series of a frame");
    frame_list_ = packed;
    return {};
  }

  Status frame(std::string_view bytes) {
    const auto frame = read_frame(bytes);
    if (!frame) return frame.error();
    if (!frame->series.empty()) {
      if (auto s = series_list(frame->series); !s) return s;
    }
    const auto ints = count_varints(frame->ints);
    if (!ints || frame->doubles.size() % 8 != 0) return malformed("the values of a frame");
    if (*ints != ints_ || frame->doubles.size() / 8 != doubles_) {
      return Error(Code::kInvalidArgument,
                   fmt::format("batch: a frame has {} integers and {} doubles, expected {} and {} for its series",
                               *ints, frame->doubles.size() / 8, ints_, doubles_));
    }
    if (view_.frames == 0) view_.first_time_ns = frame->time_ns;
    view_.last_time_ns = frame->time_ns;
    view_.points += ints_ + doubles_;
    if (++view_.frames > limits_.frames) return over("number of frames", view_.frames, limits_.frames);
    if (view_.points > limits_.points) return over("number of points", view_.points, limits_.points);
    sink_.frame(*frame, frame_list_, integer_);
    return {};
  }

  Status finish() {
    if (!valid_name(view_.agent_id)) {
      return Error(Code::kInvalidArgument, fmt::format("batch: agent id {} is not 1 to 128 of [A-Za-z0-9._-]",
                                                       json_quote(view_.agent_id.substr(0, 160))));
    }
    if (auto s = check_incarnation("the incarnation", view_.incarnation); !s) return s;
    if (view_.sequence == 0) return Error(Code::kInvalidArgument, "batch: sequence is 0, the first one is 1");
    return check_text("the host name", view_.hostname, limits_.value_bytes);
  }

  const BatchLimits& limits_;
  Sink& sink_;
  SeriesMemory* memory_;
  SeriesMemory::Types& integer_;              // of all series
  std::pair<std::string_view, size_t> list_;  // the first list of series, and its length
  bool recalled_ = false;
  BatchView view_;
  size_t resource_labels_ = 0;
  std::string_view frame_list_;  // packed series of the current frame
  size_t ints_ = 0;
  size_t doubles_ = 0;
};

// Reads a field of the envelope that the walker does not read itself, and passes the part to `keep`. check_batch() and
// decode_batch() share it: a server must reject what a reader could not decode.
template <typename Keep>
Status read_other(const protowire::Field& field, Keep&& keep) {
  const auto pass = [&keep](auto result) -> Status {
    if (!result) return result.error();
    keep(std::move(*result));
    return {};
  };
  switch (field.number) {
    case 8:
      return pass(read_counters(field.bytes));
    case 9:
      return pass(read_drop(field.bytes));
    case 13:
      return pass(read_end(field.bytes));
    case 14:
      return pass(read_older(field.bytes));
    case 18:
      return pass(read_elsewhere(field.bytes));
    case 15:
      return check_text("the agent's version", field.bytes, 64);
    default:
      return {};
  }
}

}  // namespace monitor::metrics::wire
