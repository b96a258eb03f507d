// The resource of a batch: labels of all series of an agent (`labels` in its configuration). A batch contains them
// once; readers show them as labels of each series. Pure functions.
#pragma once

#include "metrics/batch.h"

namespace monitor::metrics {

// Adds the labels of the batch's resource to every series. A label of the series itself wins. A label is added as
// `resource.NAME` if its own name would change the identity of the series. That is the case if the name distinguishes
// parts of a host (host_figures.h), or if two series of the batch would become equal. Batch::resource is not changed.
void carry_resource(Batch& batch);

}  // namespace monitor::metrics
