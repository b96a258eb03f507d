#include "payload/encode.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <utility>
#include <vector>

#include "metrics/batch.h"
#include "payload/column.h"
#include "payload/envelope.h"
#include "payload/forms.h"
#include "payload/layout.h"
#include "payload/series_set.h"
#include "payload/table.h"

namespace monitor::payload {

namespace {

using metrics::Batch;
using metrics::Frame;
using metrics::Point;
using protowire::put_varint;
using protowire::zigzag;

bool on_grid(int64_t time_ns) { return time_ns >= 0 && time_ns % kGridNs == 0 && time_ns / kGridNs < int64_t{1} << 48; }

int64_t since(int64_t later_ns, int64_t earlier_ns) {
  return static_cast<int64_t>(static_cast<uint64_t>(later_ns) - static_cast<uint64_t>(earlier_ns));
}

class Encoder {
 public:
  Encoder(const Batch& batch, const EncodeOptions& options) : batch_(batch), options_(options) {}

  Result<std::string> run() {
    if (auto s = check(); !s) return s.error();
    choose_unit();
    put_times();
    if (!batch_.frames.empty()) {
      if (auto s = put_series_set(); !s) return s.error();
      put_shapes();
      put_values();
    }
    std::string out;
    put_envelope(out, batch_, amount_, flags_);
    out += body_;
    if (out.size() > options_.limits.batch_bytes) {
      return Error(Code::kResourceExhausted, fmt::format("payload: the record has {} bytes, the limit is {}",
                                                         out.size(), options_.limits.batch_bytes));
    }
    return out;
  }

 private:
  Status check() {
    if (auto s = check_envelope(batch_); !s) return s;
    const auto& frames = batch_.frames;
    if (frames.size() > options_.limits.frames) return over("frames", frames.size(), options_.limits.frames);
    if (!options_.elapsed_ns.empty() && options_.elapsed_ns.size() != frames.size()) {
      return Error(Code::kInvalidArgument,
                   fmt::format("payload: {} elapsed times for {} frames", options_.elapsed_ns.size(), frames.size()));
    }
    for (const Frame& frame : frames) {
      if (frame.points.empty() || frame.time_ns <= 0) {
        return Error(Code::kInvalidArgument, "payload: a frame without points, or without a time");
      }
      amount_.points += frame.points.size();
      amount_.ticks += frame.continued ? 0 : 1;
      for (const Point& point : frame.points) {
        if (point.series >= batch_.series.size())
          return over("an index of a series", point.series, batch_.series.size());
      }
    }
    if (amount_.points > options_.limits.points) return over("points", amount_.points, options_.limits.points);
    return {};
  }

  static Error over(std::string_view what, size_t got, size_t limit) {
    return Error(Code::kResourceExhausted, fmt::format("payload: {}: {}, the limit is {}", what, got, limit));
  }

  int64_t default_elapsed(const Frame& frame) const {
    return frame.rates_since_ns == 0 ? 0 : since(frame.time_ns, frame.rates_since_ns);
  }
  int64_t elapsed(size_t frame) const {
    return options_.elapsed_ns.empty() ? default_elapsed(batch_.frames[frame]) : options_.elapsed_ns[frame];
  }

  void choose_unit() {
    bool all = on_grid(batch_.appended_ns);
    for (size_t i = 0; all && i < batch_.frames.size(); ++i) {
      const Frame& frame = batch_.frames[i];
      all = on_grid(frame.time_ns) && on_grid(frame.rates_since_ns) && on_grid(elapsed(i));
    }
    if (!all) flags_ |= kNanoseconds;
    unit_ = static_cast<int64_t>(unit_ns(flags_));
    nominal_ = nominal_units(batch_.send_every_ns, batch_.frames.size(), flags_);
  }

  uint64_t units(int64_t ns) const { return static_cast<uint64_t>(ns / unit_); }

  void put_times() {
    const auto& frames = batch_.frames;
    if (frames.size() == 1) {
      flags_ |= kOneFrame;
    } else {
      put_varint(body_, frames.size());
    }
    if (frames.empty()) return put_fixed(body_, units(batch_.appended_ns), time_bytes(flags_));
    put_fixed(body_, units(frames[0].time_ns), time_bytes(flags_));
    put_varint(body_, zigzag(since(batch_.appended_ns, frames.back().time_ns) / unit_));
    column_.clear();
    for (size_t i = 1; i < frames.size(); ++i) {
      column_.push_back(units(since(frames[i].time_ns, frames[i - 1].time_ns)) - nominal_);
    }
    put_column(body_, column_, Sign::kSigned);
    put_rates();
  }

  void put_rates() {
    const auto& frames = batch_.frames;
    const bool none = std::ranges::all_of(frames, [](const Frame& f) { return f.rates_since_ns == 0; });
    bool regular = frames[0].rates_since_ns != 0;
    bool explained = true;
    for (size_t i = 0; i < frames.size(); ++i) {
      if (i > 0)
        regular = regular && frames[i].rates_since_ns == regular_rates_since(frames[i - 1], frames[i].continued);
      explained = explained && elapsed(i) == default_elapsed(frames[i]);
    }
    const Rates rates = none ? Rates::kNone : regular ? Rates::kRegular : Rates::kColumn;
    put_varint(body_, static_cast<uint64_t>(rates) + (explained ? 0 : kElapsedFollows));
    const auto span = [&](const Frame& f) { return units(since(f.time_ns, f.rates_since_ns)) - nominal_; };
    if (rates != Rates::kNone) {
      column_.clear();
      for (size_t i = 0; i < (regular ? 1 : frames.size()); ++i) column_.push_back(span(frames[i]));
      put_column(body_, column_, Sign::kSigned);
    }
    if (explained) return;
    column_.clear();
    for (size_t i = 0; i < frames.size(); ++i) column_.push_back(units(since(elapsed(i), default_elapsed(frames[i]))));
    put_column(body_, column_, Sign::kSigned);
  }

  Status put_series_set() {
    if (const auto standard = standard_set_of(batch_.series)) {
      put_varint(body_, kFirstStandard + *standard);
      for (const Row& row : table().subspan(standard_sets()[*standard].first, batch_.series.size())) {
        rows_.push_back(static_cast<uint32_t>(&row - table().data()));
      }
      return {};
    }
    const auto set = encode_set(batch_.series, options_.limits);
    if (!set) return set.error();
    put_varint(body_, options_.name_set ? kNamed : kInline);
    body_ += options_.name_set ? name_of_set(*set) : *set;
    for (const metrics::Series& series : batch_.series) {
      const auto match = find_row(series);
      rows_.push_back(match ? match->number : kNoRow);
    }
    return {};
  }

  bool is_whole(const Frame& frame) const {
    if (frame.continued || frame.points.size() != batch_.series.size()) return false;
    for (size_t i = 0; i < frame.points.size(); ++i) {
      if (frame.points[i].series != i) return false;
    }
    return true;
  }

  static std::vector<uint32_t> list_of(const Frame& frame) {
    std::vector<uint32_t> list;
    list.reserve(frame.points.size());
    for (const Point& point : frame.points) list.push_back(point.series);
    return list;
  }

  void put_shape(const std::vector<uint32_t>& list) {
    std::vector<std::pair<uint32_t, uint32_t>> runs;  // the first index, and one past the last
    for (const uint32_t index : list) {
      if (!runs.empty() && runs.back().second == index) {
        ++runs.back().second;
      } else {
        runs.emplace_back(index, index + 1);
      }
    }
    put_varint(body_, runs.size());
    int64_t next = 0;
    for (const auto& [first, end] : runs) {
      put_varint(body_, zigzag(int64_t{first} - next));
      put_varint(body_, end - first - 1);
      next = end;
    }
  }

  void put_shapes() {
    if (std::ranges::all_of(batch_.frames, [this](const Frame& frame) { return is_whole(frame); })) return;
    flags_ |= kShapes;
    std::vector<std::vector<uint32_t>> shapes;
    std::vector<uint64_t> of_frames;
    for (const Frame& frame : batch_.frames) {
      auto list = list_of(frame);
      const auto found = std::ranges::find(shapes, list);
      of_frames.push_back(static_cast<uint64_t>(found - shapes.begin()) * 2 + (frame.continued ? 1 : 0));
      if (found == shapes.end()) shapes.push_back(std::move(list));
    }
    put_varint(body_, shapes.size());
    for (const auto& shape : shapes) put_shape(shape);
    for (const uint64_t one : of_frames) put_varint(body_, one);
  }

  // Sorts the points by series, in the order of the frames.
  void gather() {
    start_.assign(batch_.series.size() + 1, 0);
    for (const Frame& frame : batch_.frames) {
      for (const Point& point : frame.points) ++start_[point.series + 1];
    }
    for (size_t i = 1; i < start_.size(); ++i) start_[i] += start_[i - 1];
    points_.resize(amount_.points);
    frames_.resize(amount_.points);
    std::vector<size_t> next(start_.begin(), start_.end() - 1);
    for (uint32_t f = 0; f < batch_.frames.size(); ++f) {
      for (const Point& point : batch_.frames[f].points) {
        const size_t at = next[point.series]++;
        points_[at] = point;
        frames_[at] = f;
      }
    }
  }

  void put_values() {
    gather();
    std::string columns;
    std::vector<Form> forms;
    bool any_other = false;
    for (size_t i = 0; i < batch_.series.size(); ++i) {
      const Form usual = default_form(batch_.series[i].integer, rows_[i]);
      const Form form = batch_.series[i].integer ? integer_form(i, usual) : double_form(i);
      any_other = any_other || form != usual;
      forms.push_back(form);
      if (form == Form::kBits) {
        put_bits(columns);
      } else if (form != Form::kShare) {
        put_column(columns, column_, is_signed(form) ? Sign::kSigned : Sign::kUnsigned);
      }
    }
    if (any_other) put_forms(forms);
    body_ += columns;
  }

  void put_forms(const std::vector<Form>& forms) {
    flags_ |= kForms;
    for (size_t i = 0; i < forms.size();) {
      const auto code = [&](size_t at) {
        const Form usual = default_form(batch_.series[at].integer, rows_[at]);
        return forms[at] == usual ? 0 : static_cast<uint64_t>(forms[at]) + 1;
      };
      size_t end = i + 1;
      while (end < forms.size() && code(end) == code(i)) ++end;
      put_varint(body_, end - i);
      put_varint(body_, code(i));
      i = end;
    }
  }

  // The first of the forms, from the usual one on, that gives every value of the column; fills column_ with the
  // integers.
  Form integer_form(size_t series, Form usual) {
    if (usual == Form::kShare) {
      if (is_share(series)) return usual;
      usual = Form::kCount;
    }
    const Form last = is_rate(usual) ? Form::kRate : Form::kCount;
    for (auto form = static_cast<uint8_t>(usual); form >= static_cast<uint8_t>(last) && form > 0; --form) {
      if (fill(series, static_cast<Form>(form))) return static_cast<Form>(form);
    }
    if (is_rate(usual) && fill(series, Form::kCount)) return Form::kCount;
    fill(series, Form::kSigned);
    return Form::kSigned;
  }

  Form double_form(size_t series) {
    constexpr int kTried = 9;
    for (int decimals = 0; decimals <= kTried; ++decimals) {
      const auto form = static_cast<Form>(static_cast<int>(Form::kDecimal) + decimals);
      if (fill_doubles(series, form)) return form;
    }
    fill_doubles(series, Form::kBits);
    return Form::kBits;
  }

  bool fill(size_t series, Form form) {
    column_.clear();
    for (size_t at = start_[series]; at < start_[series + 1]; ++at) {
      const auto integer = integer_of(form, points_[at].integer, is_rate(form) ? elapsed(frames_[at]) : 0);
      if (!integer) return false;
      column_.push_back(*integer);
    }
    return true;
  }

  bool fill_doubles(size_t series, Form form) {
    column_.clear();
    for (size_t at = start_[series]; at < start_[series + 1]; ++at) {
      const auto integer = integer_of(form, points_[at].real);
      if (!integer) return false;
      column_.push_back(*integer);
    }
    return true;
  }

  bool is_share(size_t series) const {
    const Row& row = table()[rows_[series]];
    const auto part = first_with(rows_, row.part);
    const auto whole = first_with(rows_, row.whole);
    const size_t size = start_[series + 1] - start_[series];
    if (!part || !whole || start_[*part + 1] - start_[*part] != size || start_[*whole + 1] - start_[*whole] != size) {
      return false;
    }
    for (size_t i = 0; i < size; ++i) {
      const auto share = share_of(points_[start_[*part] + i].integer, points_[start_[*whole] + i].integer);
      if (share != points_[start_[series] + i].integer) return false;
    }
    return true;
  }

  void put_bits(std::string& out) const {
    if (column_.empty()) return;
    const bool equal = std::ranges::all_of(column_, [this](uint64_t bits) { return bits == column_[0]; });
    if (column_.size() > 1) out += static_cast<char>(equal ? kEqualBits : kEachBits);
    for (size_t i = 0; i < (equal ? 1 : column_.size()); ++i) put_fixed(out, column_[i], 8);
  }

  const Batch& batch_;
  const EncodeOptions& options_;
  Amount amount_;
  uint64_t flags_ = 0;
  int64_t unit_ = 1;
  uint64_t nominal_ = 0;
  std::string body_;
  std::vector<uint32_t> rows_;
  std::vector<size_t> start_;  // of each series: where its points begin
  std::vector<Point> points_;
  std::vector<uint32_t> frames_;  // of points_
  std::vector<uint64_t> column_;
};

}  // namespace

Result<std::string> encode(const Batch& batch, const EncodeOptions& options) { return Encoder(batch, options).run(); }

}  // namespace monitor::payload
