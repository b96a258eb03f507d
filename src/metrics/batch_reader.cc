#include "metrics/batch_reader.h"

#include <fmt/format.h>

#include <utility>

#include "base/counted.h"
#include "base/protowire.h"
#include "base/text.h"

namespace monitor::metrics::wire {

using protowire::Reader;
using protowire::WireType;

Error malformed(std::string_view where) {
  return Error(Code::kInvalidArgument, fmt::format("batch: malformed protobuf in {}", where));
}

Error over(std::string_view what, size_t got, size_t limit) {
  return Error(Code::kResourceExhausted, fmt::format("batch: {} is {}, the limit is {}", what, got, limit));
}

Status check_text(std::string_view what, std::string_view text, size_t limit) {
  if (text.size() > limit) return over(fmt::format("length of {}", what), text.size(), limit);
  if (!valid_utf8(text)) return Error(Code::kInvalidArgument, fmt::format("batch: {} is not valid UTF-8", what));
  return {};
}

Status check_incarnation(std::string_view what, std::string_view bytes) {
  if (bytes.size() == kIncarnationBytes) return {};
  return Error(Code::kInvalidArgument,
               fmt::format("batch: {} has {}, expected {}", what, counted(bytes.size(), "byte"), kIncarnationBytes));
}

Result<LabelView> read_label(std::string_view bytes, const BatchLimits& limits) {
  LabelView label;
  Reader reader(bytes);
  while (const auto field = reader.next()) {
    if (field->number == 1 && field->type == WireType::kBytes) label.key = field->bytes;
    if (field->number == 2 && field->type == WireType::kBytes) label.value = field->bytes;
  }
  if (reader.failed()) return malformed("a label");
  if (label.key.empty()) return Error(Code::kInvalidArgument, "batch: a label without a key");
  if (auto s = check_text("a label's key", label.key, limits.name_bytes); !s) return s.error();
  if (auto s = check_text("a label's value", label.value, limits.value_bytes); !s) return s.error();
  return label;
}

Result<SeriesView> read_series(std::string_view bytes, const BatchLimits& limits) {
  SeriesView series{.bytes = bytes};
  size_t labels = 0;
  std::string_view previous_key;
  Reader reader(bytes);
  while (const auto field = reader.next()) {
    switch (field->number) {
      case 1:
        series.name = field->bytes;
        break;
      case 2: {
        const auto label = read_label(field->bytes, limits);
        if (!label) return label.error();
        if (++labels > limits.labels) return over("number of labels of a series", labels, limits.labels);
        if (labels > 1 && label->key <= previous_key) {
          return Error(Code::kInvalidArgument, "batch: labels of a series are not sorted, or not unique");
        }
        previous_key = label->key;
        break;
      }
      case 3:
        series.unit = field->bytes;
        break;
      case 4:
        if (field->value > 1) return Error(Code::kInvalidArgument, "batch: unknown kind of a series");
        series.kind = static_cast<Kind>(field->value);
        break;
      case 5:
        if (field->value > 1) return Error(Code::kInvalidArgument, "batch: unknown value type of a series");
        series.integer = field->value == 1;
        break;
      case 6:
        series.exponent = field->as_sint();
        break;
      default:
        break;
    }
  }
  if (reader.failed()) return malformed("a series");
  if (series.name.empty()) return Error(Code::kInvalidArgument, "batch: a series without a name");
  if (series.exponent < -18 || series.exponent > 18) {
    return Error(Code::kInvalidArgument,
                 fmt::format("batch: exponent of a series is {}, the limits are -18 and 18", series.exponent));
  }
  if (auto s = check_text("a metric's name", series.name, limits.name_bytes); !s) return s.error();
  if (auto s = check_text("a unit", series.unit, limits.name_bytes); !s) return s.error();
  return series;
}

Result<FrameView> read_frame(std::string_view bytes) {
  FrameView frame;
  Reader reader(bytes);
  while (const auto field = reader.next()) {
    const bool packed = field->type == WireType::kBytes;
    if (field->number >= 3 && field->number <= 5 && !packed) {
      return Error(Code::kInvalidArgument, "batch: the lists of a frame must be packed");
    }
    if (field->number == 1) frame.time_ns = field->as_signed();
    if (field->number == 2) frame.rates_since_ns = field->as_signed();
    if (field->number == 3) frame.series = field->bytes;
    if (field->number == 4) frame.ints = field->bytes;
    if (field->number == 5) frame.doubles = field->bytes;
    if (field->number == 6) frame.continued = field->value != 0;
  }
  if (reader.failed()) return malformed("a frame");
  if (frame.time_ns <= 0) return Error(Code::kInvalidArgument, "batch: a frame without a time");
  return frame;
}

std::optional<size_t> count_varints(std::string_view packed) {
  // Every varint ends with a byte below 0x80, and has at most ten bytes.
  constexpr size_t kMaxContinued = 9;
  size_t count = 0;
  size_t continued = 0;
  bool too_long = false;
  for (const char c : packed) {
    const bool ends = static_cast<unsigned char>(c) < 0x80;
    count += ends ? 1 : 0;
    continued = ends ? 0 : continued + 1;
    too_long = too_long || continued > kMaxContinued;
  }
  if (too_long || continued > 0) return std::nullopt;
  return count;
}

namespace {

Result<Drop> read_drop_total(std::string_view bytes) {
  Drop total;
  Reader reader(bytes);
  while (const auto field = reader.next()) {
    if (field->number == 1) total.stage = field->bytes;
    if (field->number == 2) total.reason = field->bytes;
    if (field->number == 3) total.batches = field->value;
    if (field->number == 4) total.ticks = field->value;
    if (field->number == 5) total.points = field->value;
    if (field->number == 6) total.plugin = field->bytes;
  }
  if (reader.failed() || !valid_utf8(total.stage) || !valid_utf8(total.reason) || !valid_utf8(total.plugin)) {
    return malformed("a drop total");
  }
  return total;
}

}  // namespace

Result<Counters> read_counters(std::string_view bytes) {
  Counters counters;
  Reader reader(bytes);
  while (const auto field = reader.next()) {
    if (field->number == 1) counters.ticks_due = field->value;
    if (field->number == 2) counters.ticks_missed = field->value;
    if (field->number == 3) counters.points_made = field->value;
    if (field->number == 4) {
      auto total = read_drop_total(field->bytes);
      if (!total) return total.error();
      counters.dropped.push_back(std::move(*total));
    }
  }
  if (reader.failed()) return malformed("the counters");
  return counters;
}

Result<Drop> read_drop(std::string_view bytes) {
  Drop drop;
  Reader reader(bytes);
  while (const auto field = reader.next()) {
    switch (field->number) {
      case 1:
        drop.incarnation = field->bytes;
        break;
      case 2:
        drop.stage = field->bytes;
        break;
      case 3:
        drop.reason = field->bytes;
        break;
      case 4:
        drop.plugin = field->bytes;
        break;
      case 5:
        drop.batches = field->value;
        break;
      case 6:
        drop.ticks = field->value;
        break;
      case 7:
        drop.points = field->value;
        break;
      case 8:
        drop.first_sequence = field->value;
        break;
      case 9:
        drop.last_sequence = field->value;
        break;
      case 10:
        drop.first_time_ns = field->as_signed();
        break;
      case 11:
        drop.last_time_ns = field->as_signed();
        break;
      default:
        break;
    }
  }
  if (reader.failed() || !valid_utf8(drop.stage) || !valid_utf8(drop.reason) || !valid_utf8(drop.plugin)) {
    return malformed("a drop record");
  }
  if (auto s = check_incarnation("a drop record's incarnation", drop.incarnation); !s) return s.error();
  return drop;
}

Result<IncarnationEnd> read_end(std::string_view bytes) {
  IncarnationEnd end;
  Reader reader(bytes);
  while (const auto field = reader.next()) {
    if (field->number == 1) end.incarnation = field->bytes;
    if (field->number == 2) end.last_sequence = field->value;
    if (field->number == 3) end.last_time_ns = field->as_signed();
    if (field->number == 4) end.clean = field->value != 0;
  }
  if (reader.failed()) return malformed("an incarnation's end");
  if (auto s = check_incarnation("an ended incarnation", end.incarnation); !s) return s.error();
  return end;
}

Result<OlderIncarnation> read_older(std::string_view bytes) {
  OlderIncarnation older;
  Reader reader(bytes);
  while (const auto field = reader.next()) {
    if (field->number == 1) older.incarnation = field->bytes;
    if (field->number == 2) older.first_unacked = field->value;
  }
  if (reader.failed()) return malformed("an older incarnation");
  if (auto s = check_incarnation("an older incarnation", older.incarnation); !s) return s.error();
  return older;
}

Result<Elsewhere> read_elsewhere(std::string_view bytes) {
  Elsewhere elsewhere;
  Reader reader(bytes);
  while (const auto field = reader.next()) {
    if (field->number == 1) elsewhere.incarnation = field->bytes;
    if (field->number == 2) elsewhere.log = field->bytes;
    if (field->number == 3) elsewhere.first_sequence = field->value;
    if (field->number == 4) elsewhere.last_sequence = field->value;
  }
  if (reader.failed()) return malformed("a record of batches in another log");
  if (auto s = check_text("the name of another log", elsewhere.log, Elsewhere::kMaxLogBytes); !s) return s.error();
  if (auto s = check_incarnation("an incarnation with batches in another log", elsewhere.incarnation); !s) {
    return s.error();
  }
  return elsewhere;
}

}  // namespace monitor::metrics::wire
