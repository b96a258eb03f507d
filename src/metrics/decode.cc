#include "metrics/decode.h"

#include <utility>

#include "base/protowire.h"
#include "metrics/batch_walker.h"
#include "metrics/resource.h"

namespace monitor::metrics {

namespace {

using protowire::Field;
using protowire::Reader;
using wire::BatchWalker;
using wire::FrameView;
using wire::LabelView;
using wire::SeriesView;

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
    return wire::read_other(field, [this](auto part) { keep(std::move(part)); });
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
      const auto label = wire::read_label(field->bytes, limits);
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
  const auto view = BatchWalker<BuildSink>(limits, sink, types).walk(bytes);
  if (!view) return view.error();
  sink.finish(*view);
  return batch;
}

Result<const Batch*> EnvelopeDecoder::decode(std::string_view bytes) {
  EnvelopeSink sink(batch_);
  const auto view = BatchWalker<EnvelopeSink>(limits_, sink, types_, &memory_).walk(bytes);
  if (!view) return view.error();
  sink.finish(*view);
  return &batch_;
}

Result<const Batch*> BatchDecoder::decode(std::string_view bytes) {
  if (lent_ != nullptr) std::exchange(lent_, nullptr)->swap(batch_.series);
  BuildSink sink(batch_, last_values_);
  const auto view = BatchWalker<BuildSink>(limits_, sink, types_, &memory_).walk(bytes);
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

Result<Drop> decode_drop(std::string_view bytes) { return wire::read_drop(bytes); }
Result<IncarnationEnd> decode_end(std::string_view bytes) { return wire::read_end(bytes); }
Result<Elsewhere> decode_elsewhere(std::string_view bytes) { return wire::read_elsewhere(bytes); }

}  // namespace monitor::metrics
