#include "plugins/host/lua_batch.h"

#include <array>
#include <cmath>
#include <exception>
#include <limits>
#include <string_view>

#include "plugins/host/lua_budget.h"

namespace monitor::plugin_host {

namespace {

constexpr const char* kPointType = "monitor.point";
constexpr const char* kBatchType = "monitor.batch";
constexpr int64_t kInternCost = 50;
const char kBatchKey = 0;  // its address is the key

struct Handle {
  lua_Integer generation;
  size_t index;
};

LuaBatch& batch_of(lua_State* state) {
  lua_rawgetp(state, LUA_REGISTRYINDEX, &kBatchKey);
  auto* const batch = static_cast<LuaBatch*>(lua_touserdata(state, -1));
  lua_pop(state, 1);
  return *batch;
}

// Returns the batch of a valid handle at index 1; else raises an error.
LuaBatch& alive(lua_State* state, const char* type) {
  const auto* const handle = static_cast<const Handle*>(luaL_checkudata(state, 1, type));
  LuaBatch& batch = batch_of(state);
  if (handle->generation != batch.generation || batch.tick == nullptr) {
    luaL_error(state, "a batch and its points are only valid until run() returns");
  }
  return batch;
}

metrics::Point& point_at(lua_State* state, LuaBatch& batch) {
  return batch.tick->room[static_cast<const Handle*>(lua_touserdata(state, 1))->index];
}

const metrics::Series& series_of(LuaBatch& batch, const metrics::Point& point) {
  return *batch.series.find(point.series);
}

double value_of(const metrics::Series& series, const metrics::Point& point) {
  if (!series.integer) return point.real;
  const double power = metrics::power_of_ten(series.exponent < 0 ? -series.exponent : series.exponent);
  const auto integer = static_cast<double>(point.integer);
  return series.exponent < 0 ? integer / power : integer * power;
}

// Keeps the series; an integer series gets the nearest value that it can hold. Returns false if it cannot hold the
// value.
bool set_value(const metrics::Series& series, metrics::Point& point, double value) {
  if (!series.integer) {
    point.real = value;
    return true;
  }
  const double scaled = value * std::pow(10.0, -series.exponent);
  if (!(std::fabs(scaled) < 9.2e18)) return false;
  point.integer = std::llround(scaled);
  return true;
}

std::string_view text_at(lua_State* state, int index) {
  size_t size = 0;
  const char* const data = luaL_checklstring(state, index, &size);
  return {data, size};
}

// Changes a copy of the point's series and assigns the copy to the point. Calls nothing of Lua meanwhile, because a
// longjmp would leak strings.
template <typename Change>
void change_series(lua_State* state, LuaBatch& batch, metrics::Point& point, Change change) {
  LuaBudget::of(state).charge(state, kInternCost);
  bool good = false;
  try {
    const metrics::Series& old = series_of(batch, point);
    metrics::Series series = old;
    change(series);
    const auto id = batch.series.intern(std::move(series));
    if (id) {
      point.series = *id;
      good = true;
    } else {
      batch.error = id.error().message();
    }
  } catch (const std::exception& e) {
    batch.error = e.what();  // a Lua error must not be raised from a catch block
  }
  if (!good) luaL_error(state, "%s", batch.error.c_str());
}

int point_label(lua_State* state) {
  LuaBatch& batch = alive(state, kPointType);
  const std::string_view key = text_at(state, 2);
  for (const auto& [name, value] : series_of(batch, point_at(state, batch)).labels) {
    if (name != key) continue;
    lua_pushlstring(state, value.data(), value.size());
    return 1;
  }
  lua_pushnil(state);
  return 1;
}

int point_set_label(lua_State* state) {
  LuaBatch& batch = alive(state, kPointType);
  const std::string_view key = text_at(state, 2);
  const bool remove = lua_isnoneornil(state, 3);
  const std::string_view value = remove ? std::string_view() : text_at(state, 3);
  change_series(state, batch, point_at(state, batch), [&](metrics::Series& series) {
    if (remove) {
      std::erase_if(series.labels, [&](const auto& label) { return label.first == key; });
    } else {
      metrics::set_label(series.labels, key, value);
    }
  });
  return 0;
}

int point_drop(lua_State* state) {
  LuaBatch& batch = alive(state, kPointType);
  batch.dropped[static_cast<const Handle*>(lua_touserdata(state, 1))->index] = true;
  return 0;
}

void push_labels(lua_State* state, const metrics::Series& series) {
  lua_createtable(state, 0, static_cast<int>(series.labels.size()));
  for (const auto& [name, value] : series.labels) {
    lua_pushlstring(state, name.data(), name.size());
    lua_pushlstring(state, value.data(), value.size());
    lua_rawset(state, -3);
  }
}

int point_get(lua_State* state) {
  LuaBatch& batch = alive(state, kPointType);
  const std::string_view key = text_at(state, 2);
  const metrics::Point& point = point_at(state, batch);
  const metrics::Series& series = series_of(batch, point);
  if (key == "value") {
    lua_pushnumber(state, value_of(series, point));
  } else if (key == "name") {
    lua_pushlstring(state, series.name.data(), series.name.size());
  } else if (key == "unit") {
    lua_pushlstring(state, series.unit.data(), series.unit.size());
  } else if (key == "kind") {
    lua_pushstring(state, series.kind == metrics::Kind::kCounter ? "counter" : "gauge");
  } else if (key == "labels") {
    push_labels(state, series);
  } else if (key == "label") {
    lua_pushcfunction(state, point_label);
  } else if (key == "set_label") {
    lua_pushcfunction(state, point_set_label);
  } else if (key == "drop") {
    lua_pushcfunction(state, point_drop);
  } else {
    return luaL_error(state, "a point has no '%s'", lua_tostring(state, 2));
  }
  return 1;
}

int point_set(lua_State* state) {
  LuaBatch& batch = alive(state, kPointType);
  const std::string_view key = text_at(state, 2);
  metrics::Point& point = point_at(state, batch);
  if (key == "value") {
    const double value = luaL_checknumber(state, 3);
    if (!set_value(series_of(batch, point), point, value))
      return luaL_error(state, "the series cannot hold this value");
  } else if (key == "name") {
    const std::string_view name = text_at(state, 3);
    change_series(state, batch, point, [&](metrics::Series& series) { series.name = name; });
  } else if (key == "unit") {
    const std::string_view unit = text_at(state, 3);
    change_series(state, batch, point, [&](metrics::Series& series) { series.unit = unit; });
  } else {
    return luaL_error(state, "a point's '%s' cannot be set", lua_tostring(state, 2));
  }
  return 0;
}

int next_point(lua_State* state) {
  LuaBatch& batch = alive(state, kBatchType);
  auto index = static_cast<size_t>(lua_tointeger(state, lua_upvalueindex(1)));
  const auto end = static_cast<size_t>(lua_tointeger(state, lua_upvalueindex(2)));
  while (index < end && batch.dropped[index]) ++index;
  if (index >= end) return 0;
  lua_pushinteger(state, static_cast<lua_Integer>(index) + 1);
  lua_replace(state, lua_upvalueindex(1));
  auto* const handle = static_cast<Handle*>(lua_newuserdatauv(state, sizeof(Handle), 0));
  *handle = {batch.generation, index};
  luaL_setmetatable(state, kPointType);
  return 1;
}

// Iterates over the points that exist now; points added by the loop are not visited.
int batch_points(lua_State* state) {
  LuaBatch& batch = alive(state, kBatchType);
  lua_pushinteger(state, 0);
  lua_pushinteger(state, static_cast<lua_Integer>(batch.tick->count));
  lua_pushcclosure(state, next_point, 2);
  lua_pushvalue(state, 1);
  return 2;
}

// A string field of the table at index 2. The value stays on the stack, which keeps the view valid.
std::string_view text_field(lua_State* state, const char* name, const char* otherwise) {
  if (lua_getfield(state, 2, name) == LUA_TNIL && otherwise != nullptr) return otherwise;
  if (lua_type(state, -1) != LUA_TSTRING) luaL_error(state, "'%s' must be a string", name);
  return text_at(state, -1);
}

// The field `labels` of the table at index 2, as pairs of names and values, which stay on the stack.
struct LabelTexts {
  std::array<std::string_view, 64> texts;
  size_t count = 0;
};

void read_labels(lua_State* state, LabelTexts& labels) {
  if (lua_getfield(state, 2, "labels") != LUA_TTABLE) {
    if (!lua_isnil(state, -1)) luaL_error(state, "'labels' must be a table");
    return;
  }
  const int table = lua_gettop(state);
  lua_pushnil(state);
  while (lua_next(state, table) != 0) {
    if (labels.count == labels.texts.size()) luaL_error(state, "too many labels");
    if (lua_type(state, -2) != LUA_TSTRING) luaL_error(state, "a label's name must be a string");
    labels.texts.at(labels.count++) = text_at(state, -2);
    labels.texts.at(labels.count++) = text_at(state, -1);  // converts a number to a string
    lua_pushvalue(state, -2);                              // the key for lua_next; the value and the key below it stay
  }
}

void add_point(LuaBatch& batch, uint32_t series, double value) {
  HostTick& tick = *batch.tick;
  metrics::Point point;
  point.series = series;
  point.real = value;
  if (tick.count == tick.room.size()) tick.room.resize(2 * tick.count + 1);
  tick.room[tick.count++] = point;
  batch.dropped.push_back(false);
}

int batch_add(lua_State* state) {
  LuaBatch& batch = alive(state, kBatchType);
  luaL_checktype(state, 2, LUA_TTABLE);
  lua_settop(state, 2);
  luaL_checkstack(state, 80, "add");
  if (batch.tick->count >= LuaBatch::kMostPoints) {
    return luaL_error(state, "too many points: the batch has %d, and its limit is %d",
                      static_cast<int>(batch.tick->count), static_cast<int>(LuaBatch::kMostPoints));
  }
  const std::string_view name = text_field(state, "name", nullptr);
  const std::string_view unit = text_field(state, "unit", "1");
  lua_getfield(state, 2, "value");
  const double value = luaL_checknumber(state, -1);
  lua_getfield(state, 2, "counter");
  const bool counter = lua_toboolean(state, -1) != 0;
  LabelTexts labels;
  read_labels(state, labels);
  LuaBudget::of(state).charge(state, kInternCost);
  bool good = false;
  try {
    metrics::Series series;
    series.name = name;
    series.unit = unit;
    series.kind = counter ? metrics::Kind::kCounter : metrics::Kind::kGauge;
    for (size_t i = 0; i < labels.count; i += 2) {
      metrics::set_label(series.labels, labels.texts.at(i), labels.texts.at(i + 1));
    }
    const auto id = batch.series.intern(std::move(series));
    if (id) {
      add_point(batch, *id, value);
      good = true;
    } else {
      batch.error = id.error().message();
    }
  } catch (const std::exception& e) {
    batch.error = e.what();
  }
  return good ? 0 : luaL_error(state, "%s", batch.error.c_str());
}

int batch_size(lua_State* state) {
  lua_pushinteger(state, static_cast<lua_Integer>(alive(state, kBatchType).tick->count));
  return 1;
}

int batch_get(lua_State* state) {
  LuaBatch& batch = alive(state, kBatchType);
  const std::string_view key = text_at(state, 2);
  if (key == "points") {
    lua_pushcfunction(state, batch_points);
  } else if (key == "add") {
    lua_pushcfunction(state, batch_add);
  } else if (key == "time") {
    lua_pushnumber(state, static_cast<double>(batch.tick->head.time_ns) / 1e9);
  } else if (key == "mono") {
    lua_pushnumber(state, static_cast<double>(batch.tick->head.due_mono_ns) / 1e9);
  } else {
    return luaL_error(state, "a batch has no '%s'", lua_tostring(state, 2));
  }
  return 1;
}

void add_type(lua_State* state, const char* name, const luaL_Reg* functions) {
  luaL_newmetatable(state, name);
  luaL_setfuncs(state, functions, 0);
  lua_pushboolean(state, 0);
  lua_setfield(state, -2, "__metatable");
  lua_pop(state, 1);
}

}  // namespace

void LuaBatch::begin(HostTick& of) {
  tick = &of;
  dropped.assign(of.count, false);
  ++generation;
}

void LuaBatch::end() {
  size_t kept = 0;
  for (size_t i = 0; i < tick->count; ++i) {
    if (!dropped[i]) tick->room[kept++] = tick->room[i];
  }
  tick->dropped = tick->count - kept;
  tick->count = kept;
  tick = nullptr;
}

void add_batch_types(lua_State* state, LuaBatch& batch) {
  lua_pushlightuserdata(state, &batch);
  lua_rawsetp(state, LUA_REGISTRYINDEX, &kBatchKey);
  static constexpr std::array<luaL_Reg, 3> kPoint = {
      {{"__index", point_get}, {"__newindex", point_set}, {nullptr, nullptr}}};
  static constexpr std::array<luaL_Reg, 3> kBatch = {
      {{"__index", batch_get}, {"__len", batch_size}, {nullptr, nullptr}}};
  add_type(state, kPointType, kPoint.data());
  add_type(state, kBatchType, kBatch.data());
}

void push_batch(lua_State* state, LuaBatch& batch) {
  auto* const handle = static_cast<Handle*>(lua_newuserdatauv(state, sizeof(Handle), 0));
  *handle = {batch.generation, 0};
  luaL_setmetatable(state, kBatchType);
}

}  // namespace monitor::plugin_host
