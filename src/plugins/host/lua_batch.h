// The batch and its points in the scripts' interface.
//
//   for point in batch:points() do
//     point.name, point.unit, point.value, point.kind, point.labels, point:label(K), point:set_label(K, V),
//     point:drop()
//   end
//   batch:add{name = "x", value = 1, unit = "1", labels = {k = "v"}, counter = false}
//   batch.time, batch.mono (seconds), #batch
//
// A point and a batch are handles, which become invalid after the call of run() that they were passed to.
#pragma once

#include <lua.hpp>

#include <string>
#include <vector>

#include "metrics/series.h"
#include "plugins/host/instance.h"

namespace monitor::plugin_host {

// The object behind the handles, one for each script. Its address is in the state's registry.
struct LuaBatch {
  static constexpr size_t kMostPoints = 20'000;

  explicit LuaBatch(SeriesStore& store) : series(store) {}

  SeriesStore& series;
  HostTick* tick = nullptr;    // while run() runs
  std::vector<bool> dropped;   // points of it
  lua_Integer generation = 0;  // of valid handles
  std::string error;           // of a failing function: kept here, because it leaves by longjmp

  void begin(HostTick& of);
  // Removes the dropped points.
  void end();
};

// Once for a state; may leave by error.
void add_batch_types(lua_State* state, LuaBatch& batch);
// Pushes a handle of the batch.
void push_batch(lua_State* state, LuaBatch& batch);

}  // namespace monitor::plugin_host
