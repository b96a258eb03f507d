#include "spool/spool.h"

#include <utility>

#include "base/log.h"
#include "stream/messages.h"

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

metrics::Drop drop_of_rejected(const BatchInfo& batch, stream::RejectedBy by, std::string_view reason) {
  const std::string_view stage = by == stream::RejectedBy::kServer ? metrics::stage::kServer : metrics::stage::kUplink;
  log_warning("batch rejected; it is dropped", {{"stage", stage}, {"sequence", batch.sequence}, {"reason", reason}});
  return drop_of(batch, stage, stream::reject_word(reason));
}

}  // namespace monitor::agent
