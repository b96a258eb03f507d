// TickEncoder: writes batches as payload v2, one tick after the other. This is the agent's hot path.
//
// It remembers the last set of series, and which rows of the static table they have, so that a batch with the series of
// the one before costs its values. A batch ends where one of v1 would end: each can be written as v1 for an older
// server.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "metrics/encode.h"
#include "metrics/series.h"
#include "payload/content.h"
#include "payload/record_writer.h"

namespace monitor::payload {

// Not thread-safe; the table must outlive it.
class TickEncoder final : public metrics::BatchWriter {
 public:
  explicit TickEncoder(const metrics::SeriesTable& table) : table_(table) {}

  bool add(const metrics::Tick& tick, bool continued = false) override;
  size_t add_part(const metrics::Tick& tick, size_t first) override;
  Result<std::string> close(const metrics::Envelope& envelope) override;
  void clear() override;

 private:
  static constexpr uint32_t kNone = UINT32_MAX;

  // Of a series, by its SeriesId.
  struct Known {
    bool known = false;
    bool integer = false;
    bool rate = false;
    uint32_t row = kNoRow;
    uint32_t v1_bytes = 0;
    uint32_t index = kNone;  // in this batch
    uint64_t last = 0;       // its last value in this batch
  };
  // Bytes of the batch so far, as v1 and as v2; upper bounds.
  struct Size {
    size_t v1 = 0;
    size_t v2 = 0;
  };
  // The last set of series.
  struct Set {
    std::vector<metrics::SeriesId> ids;
    uint64_t epoch = 0;
    SetPlan plan;
    std::optional<size_t> standard;
    std::string inline_form;
  };

  const Known& know(metrics::SeriesId id);
  size_t take(const metrics::Tick& tick, size_t first);
  bool is_last_shape(const metrics::Tick& tick, size_t first) const;
  void give_back(size_t series, const Size& size);
  void put_frame(const metrics::Tick& tick, size_t first, size_t points, bool continued);
  uint32_t shape_of(const metrics::Tick& tick, size_t first, size_t points);
  void put_value(const metrics::Point& point);
  void refresh_set();

  const metrics::SeriesTable& table_;
  uint64_t epoch_ = 0;
  std::vector<Known> known_;
  std::vector<metrics::SeriesId> used_;      // in the order of their indexes
  std::vector<metrics::SeriesId> last_ids_;  // of the last frame
  Size size_;
  std::vector<FrameHead> frames_;
  std::vector<Shape> shapes_;
  Shape shape_;  // scratch space
  std::vector<uint64_t> values_;
  Set set_;
  RecordWriter writer_;
};

}  // namespace monitor::payload
