// A batch's resource: labels that every series of an agent carries (`labels` of its configuration). The wire has them
// once a batch; readers show them as labels of each series. Pure functions.
#pragma once

#include "metrics/batch.h"

namespace monitor::metrics {

// Gives every series the labels of the batch's resource. A label that a series has itself stays as it is: the series
// wins. A label is carried as `resource.NAME` where its name would change what the series is: a name by which parts of
// a host are told apart (host_figures.h), and where two series of the batch would become one. Batch::resource stays.
void carry_resource(Batch& batch);

}  // namespace monitor::metrics
