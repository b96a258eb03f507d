#include "payload/record_reader.h"

#include <fmt/format.h>

#include <utility>

#include "base/text.h"
#include "payload/column.h"

namespace monitor::payload {

namespace {

using metrics::Frame;

int64_t wrapping_sum(int64_t a, uint64_t b) { return static_cast<int64_t>(static_cast<uint64_t>(a) + b); }

void clear_envelope(metrics::Envelope& envelope) {
  envelope.resource.clear();
  envelope.counters.ticks_due = envelope.counters.ticks_missed = envelope.counters.points_made = 0;
  envelope.counters.dropped.clear();
  envelope.drops.clear();
  envelope.ended.clear();
  envelope.older.clear();
  envelope.elsewhere.clear();
  envelope.appended_ns = 0;
}

}  // namespace

Status RecordReader::read(std::string_view bytes, std::string_view agent_id, SetMemory& memory, metrics::Batch& batch) {
  if (!valid_name(agent_id)) {
    return Error(Code::kInvalidArgument, fmt::format("payload: agent id {} is not 1 to 128 of [A-Za-z0-9._-]",
                                                     json_quote(agent_id.substr(0, 160))));
  }
  if (bytes.size() > limits_.batch_bytes) {
    return Error(Code::kResourceExhausted,
                 fmt::format("payload: the record has {} bytes, the limit is {}", bytes.size(), limits_.batch_bytes));
  }
  in_ = Cursor(bytes);
  batch_ = &batch;
  amount_ = {};
  set_ = {};
  batch.agent_id = agent_id;
  read_times();
  if (in_.ok() && !batch.frames.empty()) {
    read_set(memory);
    read_shapes();
    read_forms();
    read_values();
    if (in_.ok()) make_points();
  }
  if (in_.ok() && in_.left() > 0) {
    in_.fail(Code::kInvalidArgument, "the end", fmt::format("{} bytes follow it", in_.left()));
  }
  if (!in_.ok()) return in_.error();
  settle_counters(batch, amount_);
  return {};
}

// Envelope and times.
void RecordReader::read_times() {
  clear_envelope(*batch_);
  flags_ = get_envelope(in_, *batch_, limits_);
  const uint64_t count = (flags_ & kOneFrame) != 0 ? 1 : in_.count(limits_.frames, "the number of frames");
  unit_ = unit_ns(flags_);
  const uint64_t start = in_.fixed(time_bytes(flags_), "the first time") * unit_;
  if (!in_.ok()) return;
  batch_->frames.resize(count);
  if (count == 0) {
    batch_->appended_ns = static_cast<int64_t>(start);
    return;
  }
  read_steps(start, count);
}

void RecordReader::read_steps(uint64_t start, uint64_t count) {
  auto& frames = batch_->frames;
  const uint64_t nominal = nominal_units(batch_->send_every_ns, count, flags_);
  const uint64_t appended = static_cast<uint64_t>(in_.zigzag("the time of appending")) * unit_;
  steps_.resize(count - 1);
  get_column(in_, steps_, Sign::kSigned);
  if (!in_.ok()) return;
  frames[0].time_ns = static_cast<int64_t>(start);
  for (size_t i = 1; i < count; ++i) {
    frames[i].time_ns = wrapping_sum(frames[i - 1].time_ns, (steps_[i - 1] + nominal) * unit_);
  }
  for (Frame& frame : frames) {
    if (frame.time_ns <= 0) in_.fail(Code::kInvalidArgument, "the times", "are not all after 1970");
    frame.rates_since_ns = 0;
    frame.continued = false;
  }
  batch_->appended_ns = wrapping_sum(frames.back().time_ns, appended);
  read_rates(nominal);
}

// Keeps spans in place of rates_since until read_shapes() knows which frames are continued.
void RecordReader::read_rates(uint64_t nominal) {
  const size_t frames = batch_->frames.size();
  const uint64_t code = in_.varint("the form of rates_since");
  if (code > static_cast<uint64_t>(Rates::kColumn) + kElapsedFollows || code % kElapsedFollows > 2) {
    return in_.fail(Code::kInvalidArgument, "the form of rates_since", fmt::format("is {}", code));
  }
  rates_ = static_cast<Rates>(code % kElapsedFollows);
  spans_.resize(rates_ == Rates::kNone ? 0 : rates_ == Rates::kRegular ? 1 : frames);
  get_column(in_, spans_, Sign::kSigned);
  for (uint64_t& span : spans_) span = (span + nominal) * unit_;
  elapsed_.assign(frames, 0);
  if (code >= kElapsedFollows) get_column(in_, elapsed_, Sign::kSigned);
}

void RecordReader::read_set(SetMemory& memory) {
  const uint64_t code = in_.varint("the series set");
  if (!in_.ok()) return;
  if (code == kInline) return read_inline_set(memory);
  set_.set = standard_set(code - kFirstStandard);
  if (!set_.set) {
    return in_.fail(Code::kInvalidArgument, "the series set",
                    fmt::format("{} is no standard set", code - kFirstStandard));
  }
  set_.plan = std::shared_ptr<const SetPlan>(set_.set, &set_.set->plan);
}

void RecordReader::read_inline_set(SetMemory& memory) {
  const std::string_view form =
      in_.take(in_.count(limits_.batch_bytes, "the size of the series set"), "the series set");
  if (!in_.ok()) return;
  auto known = memory.find(form, limits_);
  if (known) {
    set_ = std::move(*known);
  } else {
    in_.fail(known.error());
  }
}

void RecordReader::read_shapes() {
  if (!in_.ok()) return;
  shape_of_.assign(batch_->frames.size(), 0);
  whole_ = (flags_ & kShapes) == 0;
  if (!whole_) {
    const uint64_t count = in_.count(batch_->frames.size(), "the number of shapes");
    size_t total = 0;
    shapes_.clear();
    while (in_.ok() && shapes_.size() < count) read_shape(total);
    read_shapes_of_frames();
  }
  count_points();
  settle_rates();
}

void RecordReader::read_shape(size_t& total) {
  const size_t series = set_.plan->size();
  std::vector<uint32_t> list;
  const uint64_t runs = in_.varint("the number of runs of a shape");
  uint64_t next = 0;
  for (uint64_t i = 0; in_.ok() && i < runs; ++i) {
    const uint64_t first = next + static_cast<uint64_t>(in_.zigzag("the start of a run"));
    const uint64_t length = in_.count(series, "the length of a run") + 1;
    if (!in_.ok()) return;
    if (first >= series || length > series - first) {
      return in_.fail(Code::kInvalidArgument, "a run of a shape",
                      fmt::format("{} series from {} on, the set has {}", length, first, series));
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

void RecordReader::read_shapes_of_frames() {
  for (size_t i = 0; in_.ok() && i < batch_->frames.size(); ++i) {
    const uint64_t code = in_.varint("the shape of a frame");
    if (code / 2 >= shapes_.size()) {
      return in_.fail(Code::kInvalidArgument, "the shape of a frame",
                      fmt::format("is {} of {}", code / 2, shapes_.size()));
    }
    shape_of_[i] = static_cast<uint32_t>(code / 2);
    batch_->frames[i].continued = code % 2 == 1;
  }
}

void RecordReader::count_points() {
  if (!in_.ok()) return;
  for (size_t i = 0; i < batch_->frames.size(); ++i) {
    const size_t points = whole_ ? set_.plan->size() : shapes_[shape_of_[i]].size();
    if (points == 0) return in_.fail(Code::kInvalidArgument, "a frame", "has no points");
    amount_.points += points;
    amount_.ticks += batch_->frames[i].continued ? 0 : 1;
  }
  if (amount_.points > limits_.points) {
    in_.fail(Code::kResourceExhausted, "the number of points",
             fmt::format("is {}, the limit is {}", amount_.points, limits_.points));
  }
}

void RecordReader::settle_rates() {
  if (!in_.ok()) return;
  auto& frames = batch_->frames;
  for (size_t i = 0; i < frames.size(); ++i) {
    if (rates_ == Rates::kRegular && i > 0) {
      frames[i].rates_since_ns = frames[i].continued ? frames[i - 1].rates_since_ns : frames[i - 1].time_ns;
    } else if (rates_ != Rates::kNone) {
      frames[i].rates_since_ns = wrapping_sum(frames[i].time_ns, 0 - spans_[i]);
    }
    const uint64_t span = frames[i].rates_since_ns == 0 ? 0
                                                        : static_cast<uint64_t>(frames[i].time_ns) -
                                                              static_cast<uint64_t>(frames[i].rates_since_ns);
    elapsed_[i] = elapsed_[i] * unit_ + span;
  }
}

void RecordReader::read_forms() {
  if (!in_.ok()) return;
  forms_ = set_.plan->usual;
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

void RecordReader::check_form(size_t series) {
  const bool is_share = forms_[series] == Form::kShare;
  const bool has_parts = set_.plan->usual[series] == Form::kShare;
  if (fits_integer(forms_[series]) != (set_.plan->integer[series] != 0) || (is_share && !has_parts)) {
    in_.fail(Code::kInvalidArgument, "a computation",
             fmt::format("{} does not fit series {}", static_cast<int>(forms_[series]), series));
  }
}

}  // namespace monitor::payload
