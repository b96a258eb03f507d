// FleetView: the fleet as a view of a Consumer, and why the log is unreadable at the moment.
#pragma once

#include <string>

#include "consume/view.h"
#include "views/fleet/fleet.h"

namespace monitor::analysis {

class FleetView final : public View {
 public:
  const Fleet& fleet() const { return fleet_; }
  // Empty if the log is readable.
  const std::string& trouble() const { return trouble_; }

  void apply(const metriclog::Record& record, const metrics::Batch& batch) override { fleet_.apply(record, batch); }
  void on_trouble(const std::string& text) override { trouble_ = text; }
  void on_recovered() override { trouble_.clear(); }

 private:
  Fleet fleet_;
  std::string trouble_;
};

}  // namespace monitor::analysis
