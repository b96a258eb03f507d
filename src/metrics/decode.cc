#include "metrics/decode.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <span>
#include <utility>

#include "base/protowire.h"
#include "base/text.h"
#include "metrics/batch_reader.h"
#include "metrics/claims.h"
#include "metrics/resource.h"

namespace monitor::metrics {

namespace {

using namespace wire;

using protowire::Field;
using protowire::Reader;
using protowire::WireType;

constexpr size_t kMaxSeries = 20'000;
constexpr uint32_t kSeriesField = 10;

// Returns the bytes of the series at the start of `bytes`, and their number.
std::pair<std::string_view, size_t> list_of_series(std::string_view bytes) {
  constexpr char kTag = (kSeriesField << 3) | static_cast<uint32_t>(WireType::kBytes);
  std::string_view rest = bytes;
  size_t count = 0;
  while (!rest.empty() && rest.front() == kTag) {
    Reader reader(rest.substr(1));
    const auto size = reader.varint();
    if (!size || *size > reader.rest().size()) break;
    rest = reader.rest().substr(*size);
    ++count;
  }
  return {bytes.substr(0, bytes.size() - rest.size()), count};
}

// One pass over the bytes, with all checks. The sink receives every part, and may build a batch from them.
template <typename Sink>
class Walker {
 public:
  // `types` is scratch space. With a memory, a list of series that the memory knows counts as checked, and the sink
  // does not receive it.
  Walker(const BatchLimits& limits, Sink& sink, SeriesMemory::Types& types, SeriesMemory* memory = nullptr)
      : limits_(limits), sink_(sink), memory_(memory), integer_(types) {
    integer_.clear();
  }

  Result<BatchView> walk(std::string_view bytes) {
    if (bytes.size() > limits_.batch_bytes) return over("size in bytes", bytes.size(), limits_.batch_bytes);
    Reader reader(bytes);
    std::string_view here = bytes;
    while (const auto field = reader.next()) {
      if (field->number == kSeriesField && recall(here)) {
        reader = Reader(here.substr(list_.first.size()));
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
    list_ = list_of_series(here);
    const SeriesMemory::Types* const types = memory_->find(list_.first);
    if (types == nullptr) return false;
    integer_ = *types;
    view_.series = integer_.size();
    recalled_ = true;
    return true;
  }

  Status top_level(const Field& field) {
    const bool is_message = field.number == 6 || (field.number >= 8 && field.number <= 11) || field.number == 13 ||
                            field.number == 14 || (field.number >= 1 && field.number <= 3) || field.number == 15;
    if (is_message != (field.type == WireType::kBytes) && field.number <= 16) return malformed("a field's type");
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
    Reader reader(packed);
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

// The rest of the envelope, for check_batch() and decode_batch(): a server must reject what a reader could not decode.
template <typename Keep>
Status read_other(const Field& field, Keep&& keep) {
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

// Stores the claims and checks them at the end, because a claim may precede the fields that bound it.
class CheckSink {
 public:
  Status other(const Field& field) {
    return read_other(field, [this](auto part) { keep(std::move(part)); });
  }
  void resource(const LabelView&) {}
  Status series(const SeriesView&, const BatchLimits&) { return {}; }
  void frame(const FrameView& view, std::string_view, const SeriesMemory::Types&) {
    latest_ns_ = std::max({latest_ns_, view.time_ns, view.rates_since_ns});
  }

  Result<BatchView> finish(Result<BatchView> walked) const {
    if (!walked) return walked;
    if (latest_ns_ > kMaxTimeNs) {
      return Error(Code::kInvalidArgument, fmt::format("batch: the time of a frame is {} ns, the limit is {} (the year "
                                                       "2200)",
                                                       latest_ns_, kMaxTimeNs));
    }
    const Status claims = check_claims({walked->incarnation, walked->sequence, walked->first_unacked,
                                        walked->appended_ns, counters_, drops_, ended_, older_, elsewhere_});
    if (!claims) return claims.error();
    walked->ticks_due = counters_.ticks_due;
    walked->ticks_missed = counters_.ticks_missed;
    return walked;
  }

 private:
  void keep(Counters counters) { counters_ = std::move(counters); }
  void keep(Drop drop) { drops_.push_back(std::move(drop)); }
  void keep(IncarnationEnd end) { ended_.push_back(std::move(end)); }
  void keep(OlderIncarnation older) { older_.push_back(std::move(older)); }
  void keep(Elsewhere elsewhere) { elsewhere_.push_back(std::move(elsewhere)); }

  int64_t latest_ns_ = 0;
  Counters counters_;
  std::vector<Drop> drops_;
  std::vector<IncarnationEnd> ended_;
  std::vector<OlderIncarnation> older_;
  std::vector<Elsewhere> elsewhere_;
};

// Keeps the envelope, and no values. Reuses the memory of the batch, which may have been decoded before.
class EnvelopeSink {
 public:
  explicit EnvelopeSink(Batch& batch) : batch_(batch) {
    batch_.agent_version.clear();
    batch_.resource.clear();
    Counters& counters = batch_.counters;
    counters.ticks_due = counters.ticks_missed = counters.points_made = 0;
    counters.dropped.clear();
    batch_.drops.clear();
    batch_.ended.clear();
    batch_.older.clear();
    batch_.elsewhere.clear();
    batch_.send_every_ns = 0;
    batch_.final_batch = false;
    batch_.series.clear();
  }

  void finish(const BatchView& view) {
    batch_.frames.resize(frames_);
    batch_.agent_id = view.agent_id;
    batch_.hostname = view.hostname;
    batch_.incarnation = view.incarnation;
    batch_.sequence = view.sequence;
    batch_.config_revision = view.config_revision;
    batch_.first_unacked = view.first_unacked;
    batch_.appended_ns = view.appended_ns;
  }

  Status other(const Field& field) {
    if (field.number == 17) batch_.final_batch = field.value != 0;
    if (field.number == 16) batch_.send_every_ns = field.value;
    if (field.number == 15) batch_.agent_version = field.bytes;
    return read_other(field, [this](auto part) { keep(std::move(part)); });
  }

  void resource(const LabelView&) {}
  Status series(const SeriesView&, const BatchLimits&) { return {}; }
  void frame(const FrameView& view, std::string_view list, const SeriesMemory::Types&) {
    add_frame(view).points.resize(wire::count_varints(list).value_or(0));
  }

 private:
  void keep(Counters counters) { batch_.counters = std::move(counters); }
  void keep(Drop drop) { batch_.drops.push_back(std::move(drop)); }
  void keep(IncarnationEnd end) { batch_.ended.push_back(std::move(end)); }
  void keep(OlderIncarnation older) { batch_.older.push_back(std::move(older)); }
  void keep(Elsewhere elsewhere) { batch_.elsewhere.push_back(std::move(elsewhere)); }

 protected:
  // Its points may be those of an earlier batch.
  Frame& add_frame(const FrameView& view) {
    if (frames_ == batch_.frames.size()) batch_.frames.emplace_back();
    Frame& frame = batch_.frames[frames_++];
    frame.time_ns = view.time_ns;
    frame.rates_since_ns = view.rates_since_ns;
    frame.continued = view.continued;
    return frame;
  }

  Batch& batch_;

 private:
  size_t frames_ = 0;
};

class BuildSink final : public EnvelopeSink {
 public:
  // `last_values` is scratch space.
  BuildSink(Batch& batch, std::vector<int64_t>& last_values) : EnvelopeSink(batch), last_value_(last_values) {
    last_value_.clear();
  }

  void resource(const LabelView& label) { set_label(batch_.resource, label.key, label.value); }

  Status series(const SeriesView& view, const BatchLimits& limits) {
    Series series;
    series.name = view.name;
    series.unit = view.unit;
    series.kind = view.kind;
    series.integer = view.integer;
    series.exponent = static_cast<int>(view.exponent);
    Reader reader(view.bytes);
    while (const auto field = reader.next()) {
      if (field->number != 2) continue;
      const auto label = read_label(field->bytes, limits);
      if (!label) return label.error();
      series.labels.emplace_back(label->key, label->value);
    }
    batch_.series.push_back(std::move(series));
    return {};
  }

  void frame(const FrameView& view, std::string_view list, const SeriesMemory::Types& integer) {
    // Of a known list, the sink gets no series.
    if (last_value_.size() < integer.size()) last_value_.resize(integer.size());
    Frame& frame = add_frame(view);
    frame.points.clear();
    frame.points.reserve(list.size());  // an index has at least one byte
    Reader series(list);
    Reader ints(view.ints);
    Reader doubles(view.doubles);
    while (const auto index = series.varint()) {
      Point point;
      point.series = static_cast<SeriesId>(*index);
      if (integer[*index] != 0) {
        const int64_t delta = protowire::unzigzag(*ints.varint());
        last_value_[*index] =
            static_cast<int64_t>(static_cast<uint64_t>(last_value_[*index]) + static_cast<uint64_t>(delta));
        point.integer = last_value_[*index];
      } else {
        const Field bits{.value = *doubles.fixed64()};
        point.real = bits.as_double();
      }
      frame.points.push_back(point);
    }
  }

 private:
  std::vector<int64_t>& last_value_;
};

}  // namespace

double Batch::value(const Point& point) const {
  const Series& s = series[point.series];
  if (!s.integer) return point.real;
  return s.exponent < 0 ? static_cast<double>(point.integer) / power_of_ten(-s.exponent)
                        : static_cast<double>(point.integer) * power_of_ten(s.exponent);
}

Result<Batch> decode_batch(std::string_view bytes, const BatchLimits& limits) {
  Batch batch;
  std::vector<int64_t> last_values;
  BuildSink sink(batch, last_values);
  SeriesMemory::Types types;
  const auto view = Walker<BuildSink>(limits, sink, types).walk(bytes);
  if (!view) return view.error();
  sink.finish(*view);
  return batch;
}

Result<const Batch*> EnvelopeDecoder::decode(std::string_view bytes) {
  EnvelopeSink sink(batch_);
  const auto view = Walker<EnvelopeSink>(limits_, sink, types_, &memory_).walk(bytes);
  if (!view) return view.error();
  sink.finish(*view);
  return &batch_;
}

Result<const Batch*> BatchDecoder::decode(std::string_view bytes) {
  if (lent_ != nullptr) std::exchange(lent_, nullptr)->swap(batch_.series);
  BuildSink sink(batch_, last_values_);
  const auto view = Walker<BuildSink>(limits_, sink, types_, &memory_).walk(bytes);
  if (!view) return view.error();
  sink.finish(*view);
  const auto known = known_.find(view->list_id);
  if (known != known_.end()) {
    if (const auto found = known->second.find(batch_.resource); found != known->second.end()) {
      lent_ = &found->second;
      lent_->swap(batch_.series);
      return &batch_;
    }
  }
  if (batch_.series.size() != view->series) {
    auto whole = decode_batch(bytes, limits_);
    if (!whole) return whole.error();
    batch_ = std::move(*whole);
  }
  const Labels resource = batch_.resource;
  carry_resource(batch_);
  if (view->list_id != 0) keep(view->list_id, resource);
  return &batch_;
}

void BatchDecoder::keep(uint64_t list_id, const Labels& resource) {
  if (batch_.series.size() > kMaxKnownSeries) return;
  if (known_series_ + batch_.series.size() > kMaxKnownSeries) {
    known_.clear();
    known_series_ = 0;
  }
  known_series_ += batch_.series.size();
  known_[list_id][resource] = batch_.series;
}

Result<BatchView> check_batch(std::string_view bytes, const BatchLimits& limits) {
  CheckSink sink;
  SeriesMemory::Types types;
  return sink.finish(Walker<CheckSink>(limits, sink, types).walk(bytes));
}

Result<BatchView> BatchChecker::check(std::string_view bytes) {
  CheckSink sink;
  return sink.finish(Walker<CheckSink>(limits_, sink, types_, &memory_).walk(bytes));
}

Result<Drop> decode_drop(std::string_view bytes) { return wire::read_drop(bytes); }
Result<IncarnationEnd> decode_end(std::string_view bytes) { return wire::read_end(bytes); }
Result<Elsewhere> decode_elsewhere(std::string_view bytes) { return wire::read_elsewhere(bytes); }

}  // namespace monitor::metrics
