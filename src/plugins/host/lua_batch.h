// The batch and its points, as scripts see them.
//
//   for point in batch:points() do
//     point.name, point.unit, point.value, point.kind, point.labels, point:label(K), point:set_label(K, V),
//     point:drop()
//   end
//   batch:add{name = "x", value = 1, unit = "1", labels = {k = "v"}, counter = false}
//   batch.time, batch.mono (seconds), #batch
//
// A point and a batch are handles, which become invalid when the call of run() that received them returns.
#pragma once

#include <lua.hpp>

#include <string>
#include <vector>

#include "metrics/series.h"
#include "plugins/host/instance.h"

namespace monitor::plugin_host {

// The object behind the handles, one per script. The state's registry contains its address.
struct LuaBatch {
  static constexpr size_t kMostPoints = 20'000;

  explicit LuaBatch(SeriesStore& store) : series(store) {}

  SeriesStore& series;
  HostTick* tick = nullptr;    // set during run()
  std::vector<bool> dropped;   // by point of the tick
  lua_Integer generation = 0;  // of the valid handles
  std::string error;           // of a failing function; stored here because the function leaves by longjmp

  void begin(HostTick& of);
  // Removes the dropped points.
  void end();
};

// Call once per state; may leave by a Lua error.
void add_batch_types(lua_State* state, LuaBatch& batch);
// Pushes a handle of the batch.
void push_batch(lua_State* state, LuaBatch& batch);

}  // namespace monitor::plugin_host
