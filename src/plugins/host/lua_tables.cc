// The table library of scripts: without metamethods, which could keep a loop in C running forever, and with a charge
// for every element.
#include <array>
#include <cstdint>

#include "plugins/host/lua_budget.h"
#include "plugins/host/lua_library.h"

namespace monitor::plugin_host {

namespace {

lua_Integer size_of(lua_State* state) {
  luaL_checktype(state, 1, LUA_TTABLE);
  return static_cast<lua_Integer>(lua_rawlen(state, 1));
}

void charge(lua_State* state, lua_Integer elements) {
  LuaBudget::of(state).charge(state, 20 + (elements > 0 ? elements : 0));
}

int insert(lua_State* state) {
  const lua_Integer end = size_of(state) + 1;
  if (lua_gettop(state) == 2) {
    charge(state, 0);
    lua_rawseti(state, 1, end);
    return 0;
  }
  if (lua_gettop(state) != 3) return luaL_error(state, "wrong number of arguments to 'insert'");
  const lua_Integer at = luaL_checkinteger(state, 2);
  luaL_argcheck(state, at >= 1 && at <= end, 2, "position out of bounds");
  charge(state, end - at);
  for (lua_Integer i = end; i > at; --i) {
    lua_rawgeti(state, 1, i - 1);
    lua_rawseti(state, 1, i);
  }
  lua_rawseti(state, 1, at);
  return 0;
}

int remove(lua_State* state) {
  const lua_Integer size = size_of(state);
  const lua_Integer at = luaL_optinteger(state, 2, size);
  if (lua_gettop(state) > 1)
    luaL_argcheck(state, size + 1 == at || (at >= 1 && at <= size + 1) || size == 0, 2, "position out of bounds");
  charge(state, size - at);
  lua_rawgeti(state, 1, at);
  for (lua_Integer i = at; i < size; ++i) {
    lua_rawgeti(state, 1, i + 1);
    lua_rawseti(state, 1, i);
  }
  if (at >= 1 && at <= size) {
    lua_pushnil(state);
    lua_rawseti(state, 1, size);
  }
  return 1;
}

int concat(lua_State* state) {
  const lua_Integer size = size_of(state);
  size_t separator_size = 0;
  const char* const separator = luaL_optlstring(state, 2, "", &separator_size);
  const lua_Integer first = luaL_optinteger(state, 3, 1);
  const lua_Integer last = luaL_optinteger(state, 4, size);
  luaL_Buffer out;
  luaL_buffinit(state, &out);
  for (lua_Integer i = first; i <= last; ++i) {
    if (lua_rawgeti(state, 1, i) != LUA_TSTRING && lua_type(state, -1) != LUA_TNUMBER) {
      return luaL_error(state, "invalid value (at index %I) in table for 'concat'", static_cast<LUAI_UACINT>(i));
    }
    charge(state, static_cast<lua_Integer>(lua_rawlen(state, -1) / 16));
    luaL_addvalue(&out);
    if (i == last) break;
    luaL_addlstring(&out, separator, separator_size);
  }
  luaL_pushresult(&out);
  return 1;
}

int pack(lua_State* state) {
  const int count = lua_gettop(state);
  charge(state, count);
  lua_createtable(state, count, 1);
  lua_insert(state, 1);
  for (int i = count; i >= 1; --i) lua_rawseti(state, 1, i);
  lua_pushinteger(state, count);
  lua_setfield(state, 1, "n");
  return 1;
}

int unpack(lua_State* state) {
  const lua_Integer size = size_of(state);
  const lua_Integer first = luaL_optinteger(state, 2, 1);
  const lua_Integer last = luaL_optinteger(state, 3, size);
  if (first > last) return 0;
  constexpr lua_Unsigned kMost = 10'000;
  const lua_Unsigned count = static_cast<lua_Unsigned>(last) - static_cast<lua_Unsigned>(first) + 1;
  if (count == 0 || count > kMost || lua_checkstack(state, static_cast<int>(count)) == 0) {
    return luaL_error(state, "too many results to unpack");
  }
  charge(state, static_cast<lua_Integer>(count));
  for (lua_Unsigned i = 0; i < count; ++i) lua_rawgeti(state, 1, first + static_cast<lua_Integer>(i));
  return static_cast<int>(count);
}

// True if the element at stack index a comes before the one at b.
bool before(lua_State* state, int a, int b) {
  lua_Integer cost = 4;
  if (lua_type(state, a) == LUA_TSTRING) cost += static_cast<lua_Integer>(lua_rawlen(state, a) / 16);
  charge(state, cost);
  if (lua_isnil(state, 2)) return lua_compare(state, a, b, LUA_OPLT) != 0;
  const int top = lua_gettop(state);
  lua_pushvalue(state, 2);
  lua_pushvalue(state, a);
  lua_pushvalue(state, b);
  lua_call(state, 2, 1);
  const bool yes = lua_toboolean(state, -1) != 0;
  lua_settop(state, top);
  return yes;
}

// Moves the element at `root` down in the heap of the first `size` elements. Heapsort takes n log n steps even with an
// inconsistent order function.
void sink(lua_State* state, lua_Integer root, lua_Integer size) {
  const int top = lua_gettop(state);
  while (2 * root <= size) {
    lua_Integer child = 2 * root;
    lua_rawgeti(state, 1, child);
    if (child < size) {
      lua_rawgeti(state, 1, child + 1);
      if (before(state, top + 1, top + 2)) {
        ++child;
        lua_remove(state, top + 1);
      } else {
        lua_pop(state, 1);
      }
    }
    lua_rawgeti(state, 1, root);  // the larger child, then the root
    const bool done = !before(state, top + 2, top + 1);
    if (!done) {
      lua_rawseti(state, 1, child);
      lua_rawseti(state, 1, root);
    }
    lua_settop(state, top);
    if (done) return;
    root = child;
  }
}

int sort(lua_State* state) {
  const lua_Integer size = size_of(state);
  if (!lua_isnoneornil(state, 2)) luaL_checktype(state, 2, LUA_TFUNCTION);
  lua_settop(state, 2);
  luaL_checkstack(state, 10, "sort");
  for (lua_Integer i = size / 2; i >= 1; --i) sink(state, i, size);
  for (lua_Integer end = size; end > 1; --end) {
    lua_rawgeti(state, 1, 1);
    lua_rawgeti(state, 1, end);
    lua_rawseti(state, 1, 1);
    lua_rawseti(state, 1, end);
    sink(state, 1, end - 1);
  }
  return 0;
}

}  // namespace

void add_table_functions(lua_State* state) {
  static constexpr std::array<luaL_Reg, 7> kFunctions = {{{"insert", insert},
                                                          {"remove", remove},
                                                          {"concat", concat},
                                                          {"pack", pack},
                                                          {"unpack", unpack},
                                                          {"sort", sort},
                                                          {nullptr, nullptr}}};
  luaL_setfuncs(state, kFunctions.data(), 0);
}

}  // namespace monitor::plugin_host
