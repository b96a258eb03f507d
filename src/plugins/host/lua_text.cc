// How scripts convert values to text: tostring() and string.format(), without addresses.
#include <array>
#include <cstring>
#include <string>
#include <string_view>

#include "plugins/host/lua_budget.h"
#include "plugins/host/lua_library.h"

namespace monitor::plugin_host {

namespace {

constexpr size_t kMostFormat = 1000;
constexpr int64_t kCost = 20;
const char kNumbersKey = 0;
const char kNextKey = 0;

// Pushes the table that maps values to their numbers; its keys are weak, so it keeps no value alive.
void push_numbers(lua_State* state) {
  if (lua_rawgetp(state, LUA_REGISTRYINDEX, &kNumbersKey) == LUA_TTABLE) return;
  lua_pop(state, 1);
  lua_newtable(state);
  lua_newtable(state);
  lua_pushliteral(state, "k");
  lua_setfield(state, -2, "__mode");
  lua_setmetatable(state, -2);
  lua_pushvalue(state, -1);
  lua_rawsetp(state, LUA_REGISTRYINDEX, &kNumbersKey);
}

lua_Integer number_of(lua_State* state, int index) {
  index = lua_absindex(state, index);
  luaL_checkstack(state, 6, "text");
  push_numbers(state);
  lua_pushvalue(state, index);
  if (lua_rawget(state, -2) == LUA_TNUMBER) {
    const lua_Integer known = lua_tointeger(state, -1);
    lua_pop(state, 2);
    return known;
  }
  lua_pop(state, 1);
  lua_rawgetp(state, LUA_REGISTRYINDEX, &kNextKey);
  const lua_Integer next = lua_tointeger(state, -1) + 1;
  lua_pop(state, 1);
  lua_pushinteger(state, next);
  lua_rawsetp(state, LUA_REGISTRYINDEX, &kNextKey);
  lua_pushvalue(state, index);
  lua_pushinteger(state, next);
  lua_rawset(state, -3);
  lua_pop(state, 1);
  return next;
}

int to_string(lua_State* state) {
  luaL_checkany(state, 1);
  LuaBudget::of(state).charge(state, kCost);
  push_text(state, 1);
  return 1;
}

// Replaces every argument of %s and %p by its text, and leaves the adapted format at the top of the stack.
void prepare_arguments(lua_State* state, std::string_view format) {
  constexpr std::string_view kModifiers = "-+ #0123456789.";
  const int count = lua_gettop(state);
  luaL_Buffer out;
  luaL_buffinitsize(state, &out, kMostFormat + 1);  // large enough for everything, so that the buffer does not move
  int argument = 1;
  for (size_t i = 0; i < format.size(); ++i) {
    luaL_addchar(&out, format[i]);
    if (format[i] != '%') continue;
    ++i;
    if (i < format.size() && format[i] == '%') {
      luaL_addchar(&out, '%');
      continue;
    }
    while (i < format.size() && kModifiers.find(format[i]) != std::string_view::npos) luaL_addchar(&out, format[i++]);
    if (i >= format.size()) break;
    ++argument;
    const char wanted = format[i];
    luaL_addchar(&out, wanted == 'p' ? 's' : wanted);
    if ((wanted != 's' && wanted != 'p') || argument > count) continue;
    // The arguments are below the buffer's own stack slot, if it has one, and are replaced in place.
    push_text(state, argument);
    lua_replace(state, argument);
  }
  luaL_pushresult(&out);
}

// string.format. The upvalue is Lua's own function.
int format(lua_State* state) {
  size_t size = 0;
  const char* const text = luaL_checklstring(state, 1, &size);
  if (size > kMostFormat) return luaL_error(state, "format too long");
  const int count = lua_gettop(state);
  prepare_arguments(state, {text, size});
  lua_replace(state, 1);
  size_t bytes = 0;
  for (int i = 1; i <= count; ++i) {
    if (lua_type(state, i) == LUA_TSTRING) bytes += lua_rawlen(state, i);
  }
  LuaBudget::of(state).charge(state, kCost + static_cast<int64_t>(bytes / 4));
  lua_pushvalue(state, lua_upvalueindex(1));
  lua_insert(state, 1);
  lua_call(state, count, 1);
  return 1;
}

}  // namespace

void push_text(lua_State* state, int index) {
  index = lua_absindex(state, index);
  luaL_checkstack(state, 6, "text");
  if (luaL_callmeta(state, index, "__tostring") != 0) {
    if (lua_isstring(state, -1) == 0) luaL_error(state, "'__tostring' must return a string");
    return;
  }
  switch (lua_type(state, index)) {
    case LUA_TNIL:
    case LUA_TBOOLEAN:
    case LUA_TNUMBER:
    case LUA_TSTRING:
      luaL_tolstring(state, index, nullptr);
      return;
    default:
      break;
  }
  const lua_Integer number = number_of(state, index);
  const int named = luaL_getmetafield(state, index, "__name");
  const char* const kind = named == LUA_TSTRING ? lua_tostring(state, -1) : luaL_typename(state, index);
  lua_pushfstring(state, "%s: %I", kind, static_cast<LUAI_UACINT>(number));
  if (named != LUA_TNIL) lua_remove(state, -2);
}

void add_text_functions(lua_State* state) {
  lua_pushcfunction(state, to_string);
  lua_setglobal(state, "tostring");
  lua_getglobal(state, "string");
  lua_getfield(state, -1, "format");
  lua_pushcclosure(state, format, 1);
  lua_setfield(state, -2, "format");
  lua_pop(state, 1);
}

}  // namespace monitor::plugin_host
