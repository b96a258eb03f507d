#include "payload/decode.h"

#include <fmt/format.h>

#include <bit>
#include <memory>
#include <utility>
#include <vector>

#include "base/hex.h"
#include "base/text.h"
#include "payload/column.h"
#include "payload/cursor.h"
#include "payload/envelope.h"
#include "payload/forms.h"
#include "payload/layout.h"
#include "payload/table.h"

namespace monitor::payload {

namespace {

using metrics::Batch;
using metrics::BatchLimits;
using metrics::Frame;
using metrics::Point;

int64_t wrapping_sum(int64_t a, uint64_t b) { return static_cast<int64_t>(static_cast<uint64_t>(a) + b); }

class Decoder {
 public:
  Decoder(std::string_view bytes, std::string_view agent_id, const SeriesSets* sets, const BatchLimits& limits)
      : in_(bytes), sets_(sets), limits_(limits) {
    batch_.agent_id = agent_id;
  }

  Result<Batch> run() {
    if (!valid_name(batch_.agent_id)) {
      return Error(Code::kInvalidArgument, fmt::format("payload: agent id {} is not 1 to 128 of [A-Za-z0-9._-]",
                                                       json_quote(batch_.agent_id.substr(0, 160))));
    }
    read_times();
    if (!batch_.frames.empty()) {
      read_set();
      read_shapes();
      read_forms();
      read_values();
      make_points();
    }
    if (in_.ok() && in_.left() > 0) {
      in_.fail(Code::kInvalidArgument, "the end", fmt::format("{} bytes follow it", in_.left()));
    }
    if (!in_.ok()) return in_.error();
    settle_counters(batch_, amount_);
    return std::move(batch_);
  }

  Result<std::string> set_name() {
    read_times();
    if (!in_.ok()) return in_.error();
    const bool named = !batch_.frames.empty() && in_.varint("the series set") == kNamed;
    std::string name(named ? in_.take(kSetNameBytes, "the name of the series set") : std::string_view());
    if (!in_.ok()) return in_.error();
    return name;
  }

 private:
  // Envelope and times. After a fault there are no frames.
  void read_times() {
    flags_ = get_envelope(in_, batch_, limits_);
    const uint64_t count = (flags_ & kOneFrame) != 0 ? 1 : in_.count(limits_.frames, "the number of frames");
    unit_ = unit_ns(flags_);
    const uint64_t start = in_.fixed(time_bytes(flags_), "the first time") * unit_;
    if (!in_.ok()) return;
    if (count == 0) {
      batch_.appended_ns = static_cast<int64_t>(start);
      return;
    }
    const uint64_t nominal = nominal_units(batch_.send_every_ns, count, flags_);
    const uint64_t appended = static_cast<uint64_t>(in_.zigzag("the time of appending")) * unit_;
    std::vector<uint64_t> steps(count - 1);
    get_column(in_, steps, Sign::kSigned);
    std::vector<Frame> frames(count);
    frames[0].time_ns = static_cast<int64_t>(start);
    for (size_t i = 1; i < count; ++i) {
      frames[i].time_ns = wrapping_sum(frames[i - 1].time_ns, (steps[i - 1] + nominal) * unit_);
    }
    for (const Frame& frame : frames) {
      if (frame.time_ns <= 0) in_.fail(Code::kInvalidArgument, "the times", "are not all after 1970");
    }
    batch_.appended_ns = wrapping_sum(frames.back().time_ns, appended);
    read_rates(frames, nominal);
    if (in_.ok()) batch_.frames = std::move(frames);
  }

  // Keeps spans in place of rates_since until read_shapes() knows which frames are continued.
  void read_rates(const std::vector<Frame>& frames, uint64_t nominal) {
    const uint64_t code = in_.varint("the form of rates_since");
    if (code > static_cast<uint64_t>(Rates::kColumn) + kElapsedFollows || code % kElapsedFollows > 2) {
      return in_.fail(Code::kInvalidArgument, "the form of rates_since", fmt::format("is {}", code));
    }
    rates_ = static_cast<Rates>(code % kElapsedFollows);
    spans_.resize(rates_ == Rates::kNone ? 0 : rates_ == Rates::kRegular ? 1 : frames.size());
    get_column(in_, spans_, Sign::kSigned);
    for (uint64_t& span : spans_) span = (span + nominal) * unit_;
    elapsed_.assign(frames.size(), 0);
    if (code >= kElapsedFollows) get_column(in_, elapsed_, Sign::kSigned);
  }

  void read_set() {
    const uint64_t code = in_.varint("the series set");
    if (!in_.ok()) return;
    if (code == kInline) {
      set_ = std::make_shared<const SeriesSet>(get_set(in_, limits_));
    } else if (code == kNamed) {
      const std::string_view name = in_.take(kSetNameBytes, "the name of the series set");
      set_ = in_.ok() && sets_ != nullptr ? sets_->find(name) : nullptr;
      if (!set_) in_.fail(Code::kNotFound, "the series set", fmt::format("{} is not known", hex(name)));
    } else {
      set_ = standard_set(code - kFirstStandard);
      if (!set_)
        in_.fail(Code::kInvalidArgument, "the series set", fmt::format("{} is no standard set", code - kFirstStandard));
    }
    if (in_.ok()) batch_.series = set_->series;
  }

  void read_shapes() {
    shape_of_.assign(batch_.frames.size(), 0);
    if (!in_.ok()) return;
    if ((flags_ & kShapes) == 0) {
      shapes_.resize(1);
      shapes_[0].resize(batch_.series.size());
      for (uint32_t i = 0; i < batch_.series.size(); ++i) shapes_[0][i] = i;
    } else {
      const uint64_t count = in_.count(batch_.frames.size(), "the number of shapes");
      size_t total = 0;
      while (in_.ok() && shapes_.size() < count) read_shape(total);
      read_shapes_of_frames();
    }
    count_points();
    settle_rates();
  }

  void read_shape(size_t& total) {
    std::vector<uint32_t> list;
    const uint64_t runs = in_.varint("the number of runs of a shape");
    uint64_t next = 0;
    for (uint64_t i = 0; in_.ok() && i < runs; ++i) {
      const uint64_t first = next + static_cast<uint64_t>(in_.zigzag("the start of a run"));
      const uint64_t length = in_.count(batch_.series.size(), "the length of a run") + 1;
      if (!in_.ok()) return;
      if (first >= batch_.series.size() || length > batch_.series.size() - first) {
        return in_.fail(Code::kInvalidArgument, "a run of a shape",
                        fmt::format("{} series from {} on, the set has {}", length, first, batch_.series.size()));
      }
      total += length;
      if (total > limits_.points) {
        return in_.fail(Code::kResourceExhausted, "the shapes",
                        fmt::format("have {} series, the limit is {}", total, limits_.points));
      }
      for (uint64_t index = first; index < first + length; ++index) list.push_back(static_cast<uint32_t>(index));
      next = first + length;
    }
    shapes_.push_back(std::move(list));
  }

  void read_shapes_of_frames() {
    for (size_t i = 0; in_.ok() && i < batch_.frames.size(); ++i) {
      const uint64_t code = in_.varint("the shape of a frame");
      if (code / 2 >= shapes_.size()) {
        return in_.fail(Code::kInvalidArgument, "the shape of a frame",
                        fmt::format("is {} of {}", code / 2, shapes_.size()));
      }
      shape_of_[i] = static_cast<uint32_t>(code / 2);
      batch_.frames[i].continued = code % 2 == 1;
    }
  }

  void count_points() {
    if (!in_.ok()) return;
    for (size_t i = 0; i < batch_.frames.size(); ++i) {
      const size_t points = shapes_[shape_of_[i]].size();
      if (points == 0) return in_.fail(Code::kInvalidArgument, "a frame", "has no points");
      amount_.points += points;
      amount_.ticks += batch_.frames[i].continued ? 0 : 1;
    }
    if (amount_.points > limits_.points) {
      in_.fail(Code::kResourceExhausted, "the number of points",
               fmt::format("is {}, the limit is {}", amount_.points, limits_.points));
    }
  }

  void settle_rates() {
    auto& frames = batch_.frames;
    for (size_t i = 0; i < frames.size(); ++i) {
      if (rates_ == Rates::kRegular && i > 0) {
        frames[i].rates_since_ns = regular_rates_since(frames[i - 1], frames[i].continued);
      } else if (rates_ != Rates::kNone) {
        frames[i].rates_since_ns = wrapping_sum(frames[i].time_ns, 0 - spans_[i]);
      }
      const uint64_t span = frames[i].rates_since_ns == 0 ? 0
                                                          : static_cast<uint64_t>(frames[i].time_ns) -
                                                                static_cast<uint64_t>(frames[i].rates_since_ns);
      elapsed_[i] = elapsed_[i] * unit_ + span;
    }
  }

  void read_forms() {
    if (!in_.ok()) return;
    for (size_t i = 0; i < batch_.series.size(); ++i) {
      forms_.push_back(default_form(batch_.series[i].integer, set_->rows[i]));
    }
    if ((flags_ & kForms) == 0) return;
    for (size_t at = 0; in_.ok() && at < forms_.size();) {
      const uint64_t length = in_.count(forms_.size() - at, "the length of a run of computations");
      const uint64_t code = in_.varint("a computation");
      if (in_.ok() && (length == 0 || (code != 0 && !is_known(code - 1)))) {
        in_.fail(Code::kInvalidArgument, "a computation", fmt::format("{} of {} series is not known", code, length));
      }
      if (!in_.ok()) return;
      for (const size_t end = at + length; at < end; ++at) {
        if (code != 0) forms_[at] = static_cast<Form>(code - 1);
        check_form(at);
      }
    }
  }

  void check_form(size_t series) {
    const bool is_share = forms_[series] == Form::kShare;
    const bool has_parts = set_->rows[series] != kNoRow && table()[set_->rows[series]].form == Form::kShare;
    if (fits_integer(forms_[series]) != batch_.series[series].integer || (is_share && !has_parts)) {
      in_.fail(Code::kInvalidArgument, "a computation",
               fmt::format("{} does not fit series {}", static_cast<int>(forms_[series]), series));
    }
  }

  // Sorts the frames' indexes by series, reads each column, and computes its values in place.
  void read_values() {
    if (!in_.ok()) return;
    start_.assign(batch_.series.size() + 1, 0);
    for (const uint32_t shape : shape_of_) {
      for (const uint32_t index : shapes_[shape]) ++start_[index + 1];
    }
    for (size_t i = 1; i < start_.size(); ++i) start_[i] += start_[i - 1];
    std::vector<uint32_t> frame_of(amount_.points);
    std::vector<size_t> next(start_.begin(), start_.end() - 1);
    for (uint32_t f = 0; f < shape_of_.size(); ++f) {
      for (const uint32_t index : shapes_[shape_of_[f]]) frame_of[next[index]++] = f;
    }
    values_.resize(amount_.points);
    for (size_t i = 0; in_.ok() && i < batch_.series.size(); ++i) read_column(i, frame_of);
    for (size_t i = 0; in_.ok() && i < batch_.series.size(); ++i) {
      if (forms_[i] == Form::kShare) compute_shares(i);
    }
  }

  void read_column(size_t series, const std::vector<uint32_t>& frame_of) {
    const Form form = forms_[series];
    const std::span<uint64_t> column(values_.data() + start_[series], start_[series + 1] - start_[series]);
    if (form == Form::kShare) return;
    if (form == Form::kBits) return read_bits(column);
    get_column(in_, column, is_signed(form) ? Sign::kSigned : Sign::kUnsigned);
    for (size_t i = 0; in_.ok() && i < column.size(); ++i) {
      if (!fits_integer(form)) {
        column[i] = std::bit_cast<uint64_t>(double_of(form, column[i]));
        continue;
      }
      const auto value = value_of(form, column[i], static_cast<int64_t>(elapsed_[frame_of[start_[series] + i]]));
      if (!value) {
        return in_.fail(Code::kInvalidArgument, "a value",
                        fmt::format("{} with computation {} has more than 63 bits", column[i], static_cast<int>(form)));
      }
      column[i] = static_cast<uint64_t>(*value);
    }
  }

  void read_bits(std::span<uint64_t> column) {
    const uint64_t head = column.size() > 1 ? in_.fixed(1, "the head of a column") : uint64_t{kEachBits};
    if (head > 1) return in_.fail(Code::kInvalidArgument, "the head of a column", fmt::format("is {}", head));
    for (size_t i = 0; i < column.size() && in_.ok(); ++i) {
      column[i] = i > 0 && head == 1 ? column[0] : in_.fixed(8, "a double");
    }
  }

  void compute_shares(size_t series) {
    const Row& row = table()[set_->rows[series]];
    const auto part = first_with(set_->rows, row.part);
    const auto whole = first_with(set_->rows, row.whole);
    const size_t size = start_[series + 1] - start_[series];
    if (size == 0) return;
    if (!part || !whole || start_[*part + 1] - start_[*part] != size || start_[*whole + 1] - start_[*whole] != size) {
      return in_.fail(Code::kInvalidArgument, "a share", fmt::format("series {} has no series of its parts", series));
    }
    for (size_t i = 0; i < size; ++i) {
      const auto share =
          share_of(static_cast<int64_t>(values_[start_[*part] + i]), static_cast<int64_t>(values_[start_[*whole] + i]));
      if (!share) return in_.fail(Code::kInvalidArgument, "a share", "one of its parts is negative");
      values_[start_[series] + i] = static_cast<uint64_t>(*share);
    }
  }

  void make_points() {
    if (!in_.ok()) return;
    std::vector<size_t> next(start_.begin(), start_.end() - 1);
    for (size_t f = 0; f < batch_.frames.size(); ++f) {
      auto& points = batch_.frames[f].points;
      points.reserve(shapes_[shape_of_[f]].size());
      for (const uint32_t index : shapes_[shape_of_[f]]) {
        Point point{.series = index};
        const uint64_t value = values_[next[index]++];
        if (batch_.series[index].integer) {
          point.integer = static_cast<int64_t>(value);
        } else {
          point.real = std::bit_cast<double>(value);
        }
        points.push_back(point);
      }
    }
  }

  Cursor in_;
  const SeriesSets* sets_;
  const BatchLimits& limits_;
  Batch batch_;
  uint64_t flags_ = 0;
  uint64_t unit_ = 1;
  Amount amount_;
  Rates rates_ = Rates::kNone;
  std::vector<uint64_t> spans_;    // nanoseconds from rates_since to the frame's time
  std::vector<uint64_t> elapsed_;  // of each frame; nanoseconds after settle_rates()
  std::shared_ptr<const SeriesSet> set_;
  std::vector<std::vector<uint32_t>> shapes_;  // indexes of series
  std::vector<uint32_t> shape_of_;             // of each frame
  std::vector<Form> forms_;
  std::vector<size_t> start_;  // of each series: where its values begin
  std::vector<uint64_t> values_;
};

Status check_bytes(std::string_view bytes, const BatchLimits& limits) {
  if (bytes.size() <= limits.batch_bytes) return {};
  return Error(Code::kResourceExhausted,
               fmt::format("payload: the record has {} bytes, the limit is {}", bytes.size(), limits.batch_bytes));
}

}  // namespace

bool is_payload(std::string_view bytes) {
  if (bytes.empty()) return false;
  const auto first = static_cast<unsigned char>(bytes[0]);
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

Result<Batch> decode(std::string_view bytes, std::string_view agent_id, const SeriesSets* sets,
                     const BatchLimits& limits) {
  if (auto s = check_bytes(bytes, limits); !s) return s.error();
  return Decoder(bytes, agent_id, sets, limits).run();
}

Result<std::string> set_named_by(std::string_view bytes, const BatchLimits& limits) {
  if (auto s = check_bytes(bytes, limits); !s) return s.error();
  return Decoder(bytes, "", nullptr, limits).set_name();
}

}  // namespace monitor::payload
