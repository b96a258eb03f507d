// The factories of this folder's collectors, one for each declaration in metrics/catalog/collectors.def.
#pragma once

#include <memory>

#include "inputs/collector.h"
#include "inputs/proc/mount_prober.h"
#include "inputs/proc/roots.h"

namespace monitor::agent {

// Dependencies for creating a collector. A collector shares the prober, and copies what it needs from the roots.
struct CollectorContext {
  const Roots& roots;
  std::shared_ptr<MountProber> prober;
};

#define COLLECTOR(x) std::unique_ptr<Collector> make_##x(const CollectorContext& context);
#include "metrics/catalog/collectors.def"
#undef COLLECTOR

}  // namespace monitor::agent
