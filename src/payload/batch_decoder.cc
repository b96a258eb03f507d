#include "payload/batch_decoder.h"

#include <utility>

#include "metrics/resource.h"

namespace monitor::payload {

Result<const metrics::Batch*> BatchDecoder::decode(std::string_view bytes, std::string_view agent_id) {
  if (lent_ != nullptr) std::exchange(lent_, nullptr)->swap(batch_.series);
  if (auto s = reader_.read(bytes, agent_id, memory_, batch_); !s) return s.error();
  if (reader_.set().set) {
    carry(reader_.set());
  } else {
    batch_.series.clear();
  }
  return &batch_;
}

void BatchDecoder::carry(const KnownSet& known) {
  const bool standard = known.set == standard_set(0);
  if (known.id != 0 || standard) {
    auto& by_resource = known_[known.id];
    if (const auto found = by_resource.find(batch_.resource); found != by_resource.end()) {
      lent_ = &found->second;
      lent_->swap(batch_.series);
      return;
    }
  }
  const metrics::Labels resource = batch_.resource;
  batch_.series = known.set->series;
  metrics::carry_resource(batch_);
  const size_t series = batch_.series.size();
  if ((known.id == 0 && !standard) || series > kMaxKnownSeries) return;
  if (known_series_ + series > kMaxKnownSeries) {
    known_.clear();
    known_series_ = 0;
  }
  known_series_ += series;
  known_[known.id][resource] = batch_.series;
}

Result<const metrics::Batch*> EnvelopeDecoder::decode(std::string_view bytes, std::string_view agent_id) {
  if (auto s = reader_.read(bytes, agent_id, memory_, batch_); !s) return s.error();
  return &batch_;
}

}  // namespace monitor::payload
