// Reports: what every batch repeats until one that carries it is stored: drops, the ends of earlier runs, and batches
// that went to other logs. As the spool's listener, it learns what became of batches, and it restores what an earlier
// run left unreported. Loop's thread only.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "agent/drops.h"
#include "agent/log_history.h"
#include "metrics/batch.h"
#include "spool/spool.h"

namespace monitor::agent {

class Reports final : public SpoolListener {
 public:
  explicit Reports(const std::string& incarnation);

  // The spool must outlive it, and is asked what became of earlier batches.
  void attach(const Spool& spool) { spool_ = &spool; }

  Drops& drops() { return drops_; }
  const Drops& drops() const { return drops_; }
  // Adds what the batch with the envelope's sequence carries.
  void carry(metrics::Envelope& envelope);

  void on_stored(const BatchInfo& batch) override;
  void on_lost(const metrics::Drop& drop) override;
  void on_recovered(const PendingReports& reports, const std::vector<SettledSequences>& earlier) override;
  void on_log_named(std::string_view log) override;
  PendingReports pending_reports() const override;

 private:
  // The end of an earlier run.
  struct End {
    metrics::IncarnationEnd end;
    uint64_t first_carrier = 0;  // 0: not reported yet
  };

  const std::string incarnation_;
  const Spool* spool_ = nullptr;
  Drops drops_;
  std::vector<End> ends_;
  LogHistory logs_;
};

}  // namespace monitor::agent
