#include "spool/spool.h"

#include <utility>

namespace monitor::agent {

metrics::Drop drop_of(const BatchInfo& batch, std::string_view stage, std::string_view reason) {
  metrics::Drop drop = drop_of_range(batch.incarnation, batch.sequence, batch.sequence, stage, reason);
  drop.ticks = batch.ticks;
  drop.points = batch.points;
  drop.first_time_ns = batch.first_time_ns;
  drop.last_time_ns = batch.last_time_ns;
  return drop;
}

metrics::Drop drop_of_range(std::string incarnation, uint64_t first, uint64_t last, std::string_view stage,
                            std::string_view reason) {
  return {.stage = std::string(stage),
          .reason = std::string(reason),
          .batches = last - first + 1,
          .incarnation = std::move(incarnation),
          .first_sequence = first,
          .last_sequence = last};
}

}  // namespace monitor::agent
