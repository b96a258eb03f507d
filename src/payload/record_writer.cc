#include "payload/record_writer.h"

#include <algorithm>
#include <utility>

#include "payload/column.h"
#include "payload/layout.h"

namespace monitor::payload {

namespace {

using protowire::put_varint;
using protowire::zigzag;

bool on_grid(int64_t time_ns) { return time_ns >= 0 && time_ns % kGridNs == 0 && time_ns / kGridNs < int64_t{1} << 48; }

int64_t since(int64_t later_ns, int64_t earlier_ns) {
  return static_cast<int64_t>(static_cast<uint64_t>(later_ns) - static_cast<uint64_t>(earlier_ns));
}

bool is_identity(const Shape& shape, size_t series) {
  if (shape.size() != series) return false;
  for (size_t i = 0; i < shape.size(); ++i) {
    if (shape[i] != i) return false;
  }
  return true;
}

// Runs of consecutive indexes.
void put_shape(std::string& out, const Shape& shape) {
  std::vector<std::pair<uint32_t, uint32_t>> runs;  // the first index, and one past the last
  for (const uint32_t index : shape) {
    if (!runs.empty() && runs.back().second == index) {
      ++runs.back().second;
    } else {
      runs.emplace_back(index, index + 1);
    }
  }
  put_varint(out, runs.size());
  int64_t next = 0;
  for (const auto& [first, end] : runs) {
    put_varint(out, zigzag(int64_t{first} - next));
    put_varint(out, end - first - 1);
    next = end;
  }
}

}  // namespace

bool Content::is_whole() const {
  return shapes.size() == 1 && is_identity(shapes[0], plan->size()) &&
         std::ranges::none_of(frames, [](const FrameHead& frame) { return frame.continued; });
}

Result<std::string> RecordWriter::write(const Content& content) {
  if (auto s = check_envelope(content.envelope); !s) return s.error();
  body_.clear();
  choose_unit(content);
  put_times(content);
  if (!content.frames.empty()) {
    put_set(content);
    if (!content.is_whole()) put_shapes(content);
    columns_.clear();
    values_.write(content, columns_);
    if (values_.any_other()) put_forms(*content.plan);
    body_ += columns_;
  }
  Amount amount{.points = content.values.size()};
  for (const FrameHead& frame : content.frames) amount.ticks += frame.continued ? 0 : 1;
  std::string out;
  out.reserve(body_.size() + 64);
  put_envelope(out, content.envelope, amount, flags_);
  out += body_;
  return out;
}

void RecordWriter::choose_unit(const Content& content) {
  const bool all = on_grid(content.envelope.appended_ns) && std::ranges::all_of(content.frames, [](const auto& frame) {
                     return on_grid(frame.time_ns) && on_grid(frame.rates_since_ns) && on_grid(frame.elapsed_ns);
                   });
  flags_ = all ? uint64_t{0} : uint64_t{kNanoseconds};
  unit_ = static_cast<int64_t>(unit_ns(flags_));
  nominal_ = nominal_units(content.envelope.send_every_ns, content.frames.size(), flags_);
}

void RecordWriter::put_times(const Content& content) {
  const auto frames = content.frames;
  const int64_t appended_ns = content.envelope.appended_ns;
  if (frames.size() == 1) {
    flags_ |= kOneFrame;
  } else {
    put_varint(body_, frames.size());
  }
  if (frames.empty()) return put_fixed(body_, units(appended_ns), time_bytes(flags_));
  put_fixed(body_, units(frames[0].time_ns), time_bytes(flags_));
  put_varint(body_, zigzag(since(appended_ns, frames.back().time_ns) / unit_));
  column_.clear();
  for (size_t i = 1; i < frames.size(); ++i) {
    column_.push_back(units(since(frames[i].time_ns, frames[i - 1].time_ns)) - nominal_);
  }
  put_column(body_, column_, Sign::kSigned);
  put_rates(frames);
}

void RecordWriter::put_rates(std::span<const FrameHead> frames) {
  const bool none = std::ranges::all_of(frames, [](const FrameHead& f) { return f.rates_since_ns == 0; });
  bool regular = frames[0].rates_since_ns != 0;
  bool explained = true;
  for (size_t i = 0; i < frames.size(); ++i) {
    if (i > 0) {
      const FrameHead& before = frames[i - 1];
      regular = regular && frames[i].rates_since_ns == (frames[i].continued ? before.rates_since_ns : before.time_ns);
    }
    explained = explained && frames[i].elapsed_ns == frames[i].usual_elapsed_ns();
  }
  const Rates rates = none ? Rates::kNone : regular ? Rates::kRegular : Rates::kColumn;
  put_varint(body_, static_cast<uint64_t>(rates) + (explained ? 0 : kElapsedFollows));
  if (rates != Rates::kNone) {
    column_.clear();
    for (const FrameHead& frame : frames.first(regular ? 1 : frames.size())) {
      column_.push_back(units(since(frame.time_ns, frame.rates_since_ns)) - nominal_);
    }
    put_column(body_, column_, Sign::kSigned);
  }
  if (explained) return;
  column_.clear();
  for (const FrameHead& frame : frames) column_.push_back(units(since(frame.elapsed_ns, frame.usual_elapsed_ns())));
  put_column(body_, column_, Sign::kSigned);
}

void RecordWriter::put_set(const Content& content) {
  if (content.standard) return put_varint(body_, kFirstStandard + *content.standard);
  put_varint(body_, kInline);
  put_text(body_, content.inline_set);
}

void RecordWriter::put_shapes(const Content& content) {
  flags_ |= kShapes;
  put_varint(body_, content.shapes.size());
  for (const Shape& shape : content.shapes) put_shape(body_, shape);
  for (const FrameHead& frame : content.frames)
    put_varint(body_, uint64_t{frame.shape} * 2 + (frame.continued ? 1 : 0));
}

void RecordWriter::put_forms(const SetPlan& plan) {
  flags_ |= kForms;
  const auto& forms = values_.forms();
  const auto code = [&](size_t at) { return forms[at] == plan.usual[at] ? 0 : static_cast<uint64_t>(forms[at]) + 1; };
  for (size_t i = 0; i < forms.size();) {
    size_t end = i + 1;
    while (end < forms.size() && code(end) == code(i)) ++end;
    put_varint(body_, end - i);
    put_varint(body_, code(i));
    i = end;
  }
}

}  // namespace monitor::payload
