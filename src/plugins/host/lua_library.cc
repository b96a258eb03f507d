#include "plugins/host/lua_library.h"

#include <sys/random.h>

#include <array>

#include "plugins/host/lua_budget.h"

namespace monitor::plugin_host {

namespace {

constexpr int64_t kCallCost = 100;

// A script that catches the error of a spent budget must not continue: raises the error again.
void not_spent(lua_State* state) {
  if (LuaBudget::of(state).spent()) LuaBudget::fail(state);
}

int after_pcall(lua_State* state, int status, lua_KContext extra) {
  not_spent(state);
  const bool good = status == LUA_OK || status == LUA_YIELD;
  if (!good) {
    lua_pushboolean(state, 0);
    lua_pushvalue(state, -2);
    return 2;
  }
  return lua_gettop(state) - static_cast<int>(extra);
}

int protected_call(lua_State* state) {
  luaL_checkany(state, 1);
  LuaBudget::of(state).charge(state, kCallCost);
  lua_pushboolean(state, 1);
  lua_insert(state, 1);
  return after_pcall(state, lua_pcallk(state, lua_gettop(state) - 2, LUA_MULTRET, 0, 0, after_pcall), 0);
}

// A script's message handler. Does not call it when the budget is spent: that error is raised by a hook, and while a
// handler of such an error runs, no hook runs and nothing is counted.
int handle_message(lua_State* state) {
  if (LuaBudget::of(state).spent()) return 1;
  lua_settop(state, 1);
  lua_pushvalue(state, lua_upvalueindex(1));
  lua_insert(state, 1);
  lua_call(state, 1, 1);
  return 1;
}

int protected_call_with_handler(lua_State* state) {
  const int count = lua_gettop(state);
  luaL_checktype(state, 2, LUA_TFUNCTION);
  lua_pushvalue(state, 2);
  lua_pushcclosure(state, handle_message, 1);
  lua_replace(state, 2);
  LuaBudget::of(state).charge(state, kCallCost);
  lua_pushboolean(state, 1);
  lua_pushvalue(state, 1);
  lua_rotate(state, 3, 2);
  return after_pcall(state, lua_pcallk(state, count - 2, LUA_MULTRET, 2, 2, after_pcall), 2);
}

int set_metatable(lua_State* state) {
  luaL_checktype(state, 1, LUA_TTABLE);
  luaL_argexpected(state, lua_isnil(state, 2) || lua_istable(state, 2), 2, "nil or table");
  if (lua_istable(state, 2)) {
    // Finalizers run at any time, and their work would not be counted.
    lua_pushliteral(state, "__gc");
    if (lua_rawget(state, 2) != LUA_TNIL) return luaL_error(state, "__gc is not available to scripts");
    lua_pop(state, 1);
  }
  if (luaL_getmetafield(state, 1, "__metatable") != LUA_TNIL) return luaL_error(state, "a protected metatable");
  lua_settop(state, 2);
  lua_setmetatable(state, 1);
  return 1;
}

// A coroutine's own instructions are counted by its hook; starting and resuming it is charged in addition.
int resume(lua_State* state, lua_State* thread, int arguments) {
  LuaBudget::of(state).charge(state, kCallCost);
  if (lua_checkstack(thread, arguments) == 0) return luaL_error(state, "too many arguments to resume");
  lua_xmove(state, thread, arguments);
  int results = 0;
  const int status = lua_resume(thread, state, arguments, &results);
  not_spent(state);
  if (status != LUA_OK && status != LUA_YIELD) {
    lua_xmove(thread, state, 1);
    return -1;
  }
  if (lua_checkstack(state, results + 1) == 0) return luaL_error(state, "too many results to resume");
  lua_xmove(thread, state, results);
  return results;
}

lua_State* thread_at(lua_State* state, int index) {
  lua_State* const thread = lua_tothread(state, index);
  luaL_argexpected(state, thread != nullptr, index, "coroutine");
  return thread;
}

// True for a coroutine that can be resumed: not dead, not running, not waiting for another.
bool resumable(lua_State* thread) {
  const int status = lua_status(thread);
  if (status == LUA_YIELD) return true;
  lua_Debug frame;
  return status == LUA_OK && lua_getstack(thread, 0, &frame) == 0 && lua_gettop(thread) > 0;
}

int coroutine_create(lua_State* state) {
  luaL_checktype(state, 1, LUA_TFUNCTION);
  LuaBudget::of(state).charge(state, kCallCost);
  lua_State* const thread = lua_newthread(state);  // inherits the hook of its creator
  lua_pushvalue(state, 1);
  lua_xmove(state, thread, 1);
  return 1;
}

int coroutine_resume(lua_State* state) {
  lua_State* const thread = thread_at(state, 1);
  if (!resumable(thread)) {
    lua_pushboolean(state, 0);
    lua_pushliteral(state, "cannot resume that coroutine");
    return 2;
  }
  const int results = resume(state, thread, lua_gettop(state) - 1);
  lua_pushboolean(state, results < 0 ? 0 : 1);
  const int count = results < 0 ? 1 : results;
  lua_insert(state, -(count + 1));
  return count + 1;
}

int wrapped(lua_State* state) {
  lua_State* const thread = lua_tothread(state, lua_upvalueindex(1));
  if (!resumable(thread)) return luaL_error(state, "cannot resume that coroutine");
  const int results = resume(state, thread, lua_gettop(state));
  return results < 0 ? lua_error(state) : results;
}

int coroutine_wrap(lua_State* state) {
  coroutine_create(state);
  lua_pushcclosure(state, wrapped, 1);
  return 1;
}

int coroutine_yield(lua_State* state) { return lua_yield(state, lua_gettop(state)); }

int coroutine_status(lua_State* state) {
  lua_State* const thread = thread_at(state, 1);
  if (thread == state) {
    lua_pushliteral(state, "running");
  } else if (resumable(thread)) {
    lua_pushliteral(state, "suspended");
  } else {
    lua_Debug frame;
    lua_pushstring(state, lua_status(thread) == LUA_OK && lua_getstack(thread, 0, &frame) != 0 ? "normal" : "dead");
  }
  return 1;
}

// Calls one of Lua's own functions that read a string, which may be long. The function is the upvalue.
int charged_for_text(lua_State* state) {
  if (lua_type(state, 1) == LUA_TSTRING) {
    LuaBudget::of(state).charge(state, static_cast<int64_t>(lua_rawlen(state, 1) / 4));
  }
  lua_pushvalue(state, lua_upvalueindex(1));
  lua_insert(state, 1);
  lua_call(state, lua_gettop(state) - 1, LUA_MULTRET);
  return lua_gettop(state);
}

// The functions of the base library that reach nothing outside.
constexpr std::array kBase = {"assert", "error",  "getmetatable", "ipairs",   "next",     "pairs", "rawequal", "rawget",
                              "rawlen", "rawset", "select",       "tonumber", "tostring", "type",  "_VERSION"};

void keep_base(lua_State* state) {
  luaL_requiref(state, "_G", luaopen_base, 0);  // adds all of its functions to the globals
  lua_newtable(state);
  for (const char* const name : kBase) {
    lua_getfield(state, -2, name);
    lua_setfield(state, -2, name);
  }
  // Replaces the globals by a table with only these functions.
  lua_pushnil(state);
  while (lua_next(state, -3) != 0) {
    lua_pop(state, 1);
    lua_pushvalue(state, -1);
    lua_pushnil(state);
    lua_settable(state, -5);
  }
  lua_pushnil(state);
  while (lua_next(state, -2) != 0) {
    lua_pushvalue(state, -2);
    lua_insert(state, -2);
    lua_settable(state, -5);
  }
  lua_pop(state, 2);
  lua_pushglobaltable(state);
  lua_setglobal(state, "_G");
}

// Seeds with the given numbers or with random ones, and returns nothing: Lua's own function returns its seeds, which by
// default are the time and an address.
int random_seed(lua_State* state) {
  LuaBudget::of(state).charge(state, kCallCost);
  const int count = lua_gettop(state);
  lua_pushvalue(state, lua_upvalueindex(1));
  lua_insert(state, 1);
  if (count == 0) {
    std::array<lua_Integer, 2> seed{};
    if (getrandom(seed.data(), sizeof seed, GRND_NONBLOCK) < 0) return luaL_error(state, "no random numbers");
    for (const lua_Integer one : seed) lua_pushinteger(state, one);
  }
  lua_call(state, lua_gettop(state) - 1, 0);
  return 0;
}

void add_math(lua_State* state) {
  luaL_requiref(state, "math", luaopen_math, 1);
  lua_getfield(state, -1, "randomseed");
  lua_pushcclosure(state, random_seed, 1);
  lua_pushvalue(state, -1);
  lua_setfield(state, -3, "randomseed");
  // The first numbers must not reveal an address either.
  lua_call(state, 0, 0);
  lua_pop(state, 1);
}

void set_global(lua_State* state, const char* name, lua_CFunction function) {
  lua_pushcfunction(state, function);
  lua_setglobal(state, name);
}

}  // namespace

void open_library(lua_State* state) {
  keep_base(state);
  lua_getglobal(state, "tonumber");
  lua_pushcclosure(state, charged_for_text, 1);
  lua_setglobal(state, "tonumber");
  set_global(state, "pcall", protected_call);
  set_global(state, "xpcall", protected_call_with_handler);
  set_global(state, "setmetatable", set_metatable);

  add_math(state);

  lua_newtable(state);
  add_string_functions(state);
  lua_setglobal(state, "string");
  add_text_functions(state);
  // Strings have no methods, because everything reachable through their metatable would be as good as a global.
  lua_pushliteral(state, "");
  lua_pushnil(state);
  lua_setmetatable(state, -2);
  lua_pop(state, 1);

  lua_newtable(state);
  add_table_functions(state);
  lua_setglobal(state, "table");

  static constexpr std::array<luaL_Reg, 6> kCoroutine = {{{"create", coroutine_create},
                                                          {"resume", coroutine_resume},
                                                          {"wrap", coroutine_wrap},
                                                          {"yield", coroutine_yield},
                                                          {"status", coroutine_status},
                                                          {nullptr, nullptr}}};
  lua_newtable(state);
  luaL_setfuncs(state, kCoroutine.data(), 0);
  lua_setglobal(state, "coroutine");
  // Loaded libraries must not be found through the registry.
  lua_pushnil(state);
  lua_setfield(state, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
}

}  // namespace monitor::plugin_host
