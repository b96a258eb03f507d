// The string library of scripts: Lua's semantics, but everything charges the budget.
#include <array>
#include <cctype>
#include <cstring>
#include <string_view>

#include "plugins/host/lua_budget.h"
#include "plugins/host/lua_library.h"
#include "plugins/host/lua_pattern.h"

namespace monitor::plugin_host {

namespace {

constexpr size_t kMostResult = size_t{1} << 20;

std::string_view text_at(lua_State* state, int index) {
  size_t size = 0;
  const char* const data = luaL_checklstring(state, index, &size);
  return {data, size};
}

void charge_bytes(lua_State* state, size_t bytes) {
  LuaBudget::of(state).charge(state, 20 + static_cast<int64_t>(bytes / 16));
}

// Converts a start position, which may count from the end, to an index: 0 is the first character.
size_t start_of(lua_Integer init, size_t size) {
  if (init > 0) return static_cast<size_t>(init) - 1;
  if (init == 0) return 0;
  const auto back = static_cast<size_t>(-(init + 1)) + 1;
  return back > size ? 0 : size - back;
}

bool has_specials(std::string_view pattern) { return pattern.find_first_of("^$*+?.([%-") != std::string_view::npos; }

// Runs a match with the rest of the budget, and charges its work.
size_t match_at(lua_State* state, LuaPattern& matcher, size_t start) {
  const int64_t before = matcher.steps();
  matcher.set_most_steps(before + LuaBudget::of(state).left());
  const size_t end = matcher.match(start);
  LuaBudget::of(state).charge(state, 1 + matcher.steps() - before);
  if (matcher.error() != nullptr) luaL_error(state, "%s", matcher.error());
  return end;
}

// Pushes a capture, or the whole match if there are no captures.
void push_capture(lua_State* state, const LuaPattern& matcher, size_t i, std::string_view subject, size_t start,
                  size_t end) {
  if (i >= matcher.captures()) {
    if (i != 0) luaL_error(state, "invalid capture index %%%d", static_cast<int>(i) + 1);
    lua_pushlstring(state, subject.data() + start, end - start);
    return;
  }
  const LuaPattern::Capture& capture = matcher.capture(i);
  if (capture.length == LuaPattern::kPosition) {
    lua_pushinteger(state, static_cast<lua_Integer>(capture.start) + 1);
  } else {
    lua_pushlstring(state, subject.data() + capture.start, static_cast<size_t>(capture.length));
  }
}

int push_captures(lua_State* state, const LuaPattern& matcher, std::string_view subject, size_t start, size_t end,
                  bool whole) {
  const size_t count = matcher.captures() == 0 && whole ? 1 : matcher.captures();
  luaL_checkstack(state, static_cast<int>(count), "too many captures");
  for (size_t i = 0; i < count; ++i) push_capture(state, matcher, i, subject, start, end);
  return static_cast<int>(count);
}

int find_or_match(lua_State* state, bool find) {
  const std::string_view subject = text_at(state, 1);
  std::string_view pattern = text_at(state, 2);
  const size_t init = start_of(luaL_optinteger(state, 3, 1), subject.size());
  if (init > subject.size()) {
    lua_pushnil(state);
    return 1;
  }
  charge_bytes(state, pattern.size() * 4);
  if (find && (lua_toboolean(state, 4) != 0 || !has_specials(pattern))) {
    charge_bytes(state, subject.size() * 4 + pattern.size());
    if (subject.size() * pattern.size() > kMostResult * 16) return luaL_error(state, "too much to search");
    const size_t at = subject.find(pattern, init);
    if (at == std::string_view::npos) {
      lua_pushnil(state);
      return 1;
    }
    lua_pushinteger(state, static_cast<lua_Integer>(at) + 1);
    lua_pushinteger(state, static_cast<lua_Integer>(at) + static_cast<lua_Integer>(pattern.size()));
    return 2;
  }
  const bool anchored = pattern.starts_with('^');
  if (anchored) pattern.remove_prefix(1);
  LuaPattern matcher(subject, pattern);
  for (size_t start = init; start <= subject.size(); ++start) {
    const size_t end = match_at(state, matcher, start);
    if (end != LuaPattern::kNone) {
      if (!find) return push_captures(state, matcher, subject, start, end, true);
      lua_pushinteger(state, static_cast<lua_Integer>(start) + 1);
      lua_pushinteger(state, static_cast<lua_Integer>(end));
      return 2 + push_captures(state, matcher, subject, start, end, false);
    }
    if (anchored) break;
  }
  lua_pushnil(state);
  return 1;
}

int find(lua_State* state) { return find_or_match(state, true); }
int match(lua_State* state) { return find_or_match(state, false); }

int gmatch_next(lua_State* state) {
  const std::string_view subject = text_at(state, lua_upvalueindex(1));
  const std::string_view pattern = text_at(state, lua_upvalueindex(2));
  const auto from = static_cast<size_t>(lua_tointeger(state, lua_upvalueindex(3)));
  const auto last = static_cast<size_t>(lua_tointeger(state, lua_upvalueindex(4)));
  LuaPattern matcher(subject, pattern);
  for (size_t start = from; start <= subject.size(); ++start) {
    const size_t end = match_at(state, matcher, start);
    if (end == LuaPattern::kNone || end + 1 == last)
      continue;  // an empty match at the end of the previous match does not count
    lua_pushinteger(state, static_cast<lua_Integer>(end));
    lua_replace(state, lua_upvalueindex(3));
    lua_pushinteger(state, static_cast<lua_Integer>(end) + 1);
    lua_replace(state, lua_upvalueindex(4));
    return push_captures(state, matcher, subject, start, end, true);
  }
  return 0;
}

int gmatch(lua_State* state) {
  text_at(state, 1);
  text_at(state, 2);
  lua_settop(state, 2);
  lua_pushinteger(state, 0);
  lua_pushinteger(state, 0);
  lua_pushcclosure(state, gmatch_next, 4);
  return 1;
}

// Appends the replacement, in which %0, %1 ... stand for captures.
void add_template(lua_State* state, luaL_Buffer* out, const LuaPattern& matcher, std::string_view replacement,
                  std::string_view subject, size_t start, size_t end) {
  for (size_t i = 0; i < replacement.size(); ++i) {
    if (replacement[i] != '%') {
      luaL_addchar(out, replacement[i]);
      continue;
    }
    const char next = ++i < replacement.size() ? replacement[i] : '\0';
    if (next == '%') {
      luaL_addchar(out, '%');
    } else if (next == '0') {
      luaL_addlstring(out, subject.data() + start, end - start);
    } else if (std::isdigit(static_cast<unsigned char>(next)) != 0) {
      push_capture(state, matcher, static_cast<size_t>(next - '1'), subject, start, end);
      luaL_tolstring(state, -1, nullptr);  // a string or a number
      lua_remove(state, -2);
      luaL_addvalue(out);
    } else {
      luaL_error(state, "invalid use of '%%' in replacement string");
    }
  }
}

void add_replacement(lua_State* state, luaL_Buffer* out, const LuaPattern& matcher, std::string_view subject,
                     size_t start, size_t end) {
  switch (lua_type(state, 3)) {
    case LUA_TFUNCTION: {
      lua_pushvalue(state, 3);
      const int count = push_captures(state, matcher, subject, start, end, true);
      lua_call(state, count, 1);
      break;
    }
    case LUA_TTABLE:
      push_capture(state, matcher, 0, subject, start, end);
      lua_gettable(state, 3);
      break;
    default:
      return add_template(state, out, matcher, text_at(state, 3), subject, start, end);
  }
  if (lua_toboolean(state, -1) == 0) {
    lua_pop(state, 1);
    luaL_addlstring(out, subject.data() + start, end - start);
  } else if (lua_isstring(state, -1) == 0) {
    luaL_error(state, "invalid replacement value (a %s)", luaL_typename(state, -1));
  } else {
    luaL_addvalue(out);
  }
}

int gsub(lua_State* state) {
  const std::string_view subject = text_at(state, 1);
  std::string_view pattern = text_at(state, 2);
  const int type = lua_type(state, 3);
  luaL_argexpected(state, type == LUA_TNUMBER || type == LUA_TSTRING || type == LUA_TFUNCTION || type == LUA_TTABLE, 3,
                   "string/function/table");
  const lua_Integer most = luaL_optinteger(state, 4, static_cast<lua_Integer>(subject.size()) + 1);
  const bool anchored = pattern.starts_with('^');
  if (anchored) pattern.remove_prefix(1);
  charge_bytes(state, subject.size());
  LuaPattern matcher(subject, pattern);
  luaL_Buffer out;
  luaL_buffinit(state, &out);
  size_t at = 0;
  size_t last = LuaPattern::kNone;  // end of the previous match
  lua_Integer count = 0;
  while (count < most) {
    const size_t end = match_at(state, matcher, at);
    if (end != LuaPattern::kNone && end != last) {
      ++count;
      add_replacement(state, &out, matcher, subject, at, end);
      charge_bytes(state, end - at);
      at = last = end;
    } else if (at < subject.size()) {
      luaL_addchar(&out, subject[at]);
      ++at;
    } else {
      break;
    }
    if (anchored) break;
  }
  if (at < subject.size()) luaL_addlstring(&out, subject.data() + at, subject.size() - at);
  luaL_pushresult(&out);
  lua_pushinteger(state, count);
  return 2;
}

int repeat(lua_State* state) {
  const std::string_view text = text_at(state, 1);
  const lua_Integer times = luaL_checkinteger(state, 2);
  size_t separator_size = 0;
  const char* const separator = luaL_optlstring(state, 3, "", &separator_size);
  if (times <= 0) {
    lua_pushliteral(state, "");
    return 1;
  }
  const size_t one = text.size() + separator_size;
  if (one > kMostResult || (one > 0 && static_cast<size_t>(times) > kMostResult / one)) {
    return luaL_error(state, "resulting string too large");
  }
  charge_bytes(state, one * static_cast<size_t>(times));
  luaL_Buffer out;
  luaL_buffinit(state, &out);
  for (lua_Integer i = 0; one > 0 && i < times; ++i) {
    luaL_addlstring(&out, text.data(), text.size());
    if (i + 1 < times) luaL_addlstring(&out, separator, separator_size);
  }
  luaL_pushresult(&out);
  return 1;
}

// Charges the budget and then calls Lua's own function, which is the upvalue.
int charged(lua_State* state) {
  const int count = lua_gettop(state);
  size_t bytes = 0;
  for (int i = 1; i <= count; ++i) {
    if (lua_type(state, i) == LUA_TSTRING) bytes += lua_rawlen(state, i);
  }
  charge_bytes(state, bytes * 4);
  lua_pushvalue(state, lua_upvalueindex(1));
  lua_insert(state, 1);
  lua_call(state, count, LUA_MULTRET);
  return lua_gettop(state);
}

}  // namespace

void add_string_functions(lua_State* state) {
  static constexpr std::array<luaL_Reg, 6> kOwn = {
      {{"find", find}, {"match", match}, {"gmatch", gmatch}, {"gsub", gsub}, {"rep", repeat}, {nullptr, nullptr}}};
  luaL_setfuncs(state, kOwn.data(), 0);
  luaopen_string(state);
  for (const char* const name : {"byte", "char", "len", "lower", "upper", "reverse", "sub", "format"}) {
    lua_getfield(state, -1, name);
    // format() is replaced in add_text_functions().
    if (std::string_view(name) != "format") lua_pushcclosure(state, charged, 1);
    lua_setfield(state, -3, name);
  }
  lua_pop(state, 1);
}

}  // namespace monitor::plugin_host
