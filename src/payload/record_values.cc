// RecordReader: the columns of a record, and the points that are made of them.
#include <fmt/format.h>

#include <bit>

#include "payload/column.h"
#include "payload/record_reader.h"

namespace monitor::payload {

// The frames of each series, in order.
void RecordReader::sort_by_series() {
  start_.assign(set_.plan->size() + 1, 0);
  for (const uint32_t shape : shape_of_) {
    for (const uint32_t index : shapes_[shape]) ++start_[index + 1];
  }
  for (size_t i = 1; i < start_.size(); ++i) start_[i] += start_[i - 1];
  frame_of_.resize(amount_.points);
  next_.assign(start_.begin(), start_.end() - 1);
  for (uint32_t f = 0; f < shape_of_.size(); ++f) {
    for (const uint32_t index : shapes_[shape_of_[f]]) frame_of_[next_[index]++] = f;
  }
}

size_t RecordReader::size_of(size_t series) const {
  return whole_ ? batch_->frames.size() : start_[series + 1] - start_[series];
}

std::span<uint64_t> RecordReader::column_of(size_t series) {
  const size_t first = whole_ ? series * batch_->frames.size() : start_[series];
  return {values_.data() + first, size_of(series)};
}

uint32_t RecordReader::frame_of(size_t series, size_t value) const {
  return whole_ ? static_cast<uint32_t>(value) : frame_of_[start_[series] + value];
}

// Reads each column, and computes its values in place.
void RecordReader::read_values() {
  if (!in_.ok()) return;
  if (!whole_) sort_by_series();
  values_.resize(amount_.points);
  for (size_t i = 0; in_.ok() && i < forms_.size(); ++i) read_column(i);
  for (const SetPlan::Share& share : set_.plan->shares) {
    if (in_.ok() && forms_[share.series] == Form::kShare) compute_shares(share);
  }
}

// Computes a value in place. False: it does not fit.
bool RecordReader::value_of_column(size_t series, uint64_t& value, size_t frame) const {
  const Form form = forms_[series];
  if (!fits_integer(form)) {
    value = std::bit_cast<uint64_t>(double_of(form, value));
    return true;
  }
  // A rate always fits if the growth does, so that a check need not divide.
  const bool divides = want_ == Want::kValues || set_.plan->part[series] != 0;
  if (is_rate(form) && !divides) return fits_growth(form, value);
  const auto result = value_of(form, value, static_cast<int64_t>(elapsed_[frame]));
  if (!result) return false;
  value = static_cast<uint64_t>(*result);
  return true;
}

void RecordReader::read_column(size_t series) {
  const Form form = forms_[series];
  const std::span<uint64_t> column = column_of(series);
  if (form == Form::kShare) return;
  if (form == Form::kBits) return read_bits(column);
  get_column(in_, column, is_signed(form) ? Sign::kSigned : Sign::kUnsigned);
  if (form == Form::kSigned) return;
  for (size_t i = 0; in_.ok() && i < column.size(); ++i) {
    const uint64_t integer = column[i];
    if (value_of_column(series, column[i], frame_of(series, i))) continue;
    in_.fail(Code::kInvalidArgument, "a value",
             fmt::format("{} with computation {} has more than 63 bits", integer, static_cast<int>(form)));
  }
}

void RecordReader::read_bits(std::span<uint64_t> column) {
  const uint64_t head = column.size() > 1 ? in_.fixed(1, "the head of a column") : uint64_t{kEachBits};
  if (head > 1) return in_.fail(Code::kInvalidArgument, "the head of a column", fmt::format("is {}", head));
  for (size_t i = 0; i < column.size() && in_.ok(); ++i) {
    column[i] = i > 0 && head == 1 ? column[0] : in_.fixed(8, "a double");
  }
}

void RecordReader::compute_shares(const SetPlan::Share& share) {
  const std::span<uint64_t> values = column_of(share.series);
  if (values.empty()) return;
  const bool known = share.part != kNoRow && share.whole != kNoRow;
  if (!known || size_of(share.part) != values.size() || size_of(share.whole) != values.size()) {
    return in_.fail(Code::kInvalidArgument, "a share",
                    fmt::format("series {} has no series of its parts", share.series));
  }
  const std::span<uint64_t> part = column_of(share.part);
  const std::span<uint64_t> whole = column_of(share.whole);
  for (size_t i = 0; i < values.size(); ++i) {
    const auto value = share_of(static_cast<int64_t>(part[i]), static_cast<int64_t>(whole[i]));
    if (!value) return in_.fail(Code::kInvalidArgument, "a share", "one of its parts is negative");
    values[i] = static_cast<uint64_t>(*value);
  }
}

void RecordReader::make_points() {
  auto& frames = batch_->frames;
  if (!whole_) next_.assign(start_.begin(), start_.end() - 1);
  for (size_t f = 0; f < frames.size(); ++f) {
    auto& points = frames[f].points;
    points.clear();
    if (want_ == Want::kChecks) continue;
    points.resize(whole_ ? forms_.size() : shapes_[shape_of_[f]].size());
    if (want_ == Want::kCounts) continue;
    for (size_t i = 0; i < points.size(); ++i) {
      const uint32_t index = whole_ ? static_cast<uint32_t>(i) : shapes_[shape_of_[f]][i];
      const uint64_t value = values_[whole_ ? i * frames.size() + f : next_[index]++];
      points[i].series = index;
      if (set_.plan->integer[index] != 0) {
        points[i].integer = static_cast<int64_t>(value);
      } else {
        points[i].real = std::bit_cast<double>(value);
      }
    }
  }
}

}  // namespace monitor::payload
