#include "plugins/host/lua_values.h"

#include <nlohmann/json.hpp>

#include <cstring>

namespace monitor::plugin_host {

using nlohmann::json;

namespace {

constexpr size_t kMostState = size_t{4} << 20;
constexpr int kMostDepth = 16;

enum class Tag : char {
  kNil = 'n',
  kFalse = 'f',
  kTrue = 't',
  kInteger = 'i',
  kNumber = 'd',
  kText = 's',
  kTable = '{',
  kEnd = '}'
};

void put(std::string& out, Tag tag) { out += static_cast<char>(tag); }

template <typename T>
void put(std::string& out, Tag tag, T value) {
  put(out, tag);
  out.append(reinterpret_cast<const char*>(&value), sizeof value);
}

// Saves the value at `index`. lua_next can only fail for a key that does not exist, and here every key exists.
bool save_at(lua_State* state, int index, std::string& out, int depth) {
  if (depth > kMostDepth || out.size() > kMostState || lua_checkstack(state, 4) == 0) return false;
  switch (lua_type(state, index)) {
    case LUA_TNIL:
      put(out, Tag::kNil);
      return true;
    case LUA_TBOOLEAN:
      put(out, lua_toboolean(state, index) != 0 ? Tag::kTrue : Tag::kFalse);
      return true;
    case LUA_TNUMBER:
      if (lua_isinteger(state, index) != 0) {
        put(out, Tag::kInteger, lua_tointeger(state, index));
      } else {
        put(out, Tag::kNumber, lua_tonumber(state, index));
      }
      return true;
    case LUA_TSTRING: {
      size_t size = 0;
      const char* const data = lua_tolstring(state, index, &size);
      put(out, Tag::kText, static_cast<uint32_t>(size));  // limited by the memory of the state
      out.append(data, size);
      return true;
    }
    case LUA_TTABLE: {
      put(out, Tag::kTable);
      const int table = lua_absindex(state, index);
      lua_pushnil(state);
      while (lua_next(state, table) != 0) {
        const int top = lua_gettop(state);
        const bool key_good = lua_type(state, top - 1) != LUA_TTABLE;
        if (!key_good || !save_at(state, top - 1, out, depth + 1) || !save_at(state, top, out, depth + 1)) {
          lua_settop(state, table);
          return false;
        }
        lua_settop(state, top - 1);
      }
      put(out, Tag::kEnd);
      return out.size() <= kMostState;
    }
    default:
      return false;
  }
}

struct Bytes {
  const char* at;
  size_t left;
};

template <typename T>
T take(lua_State* state, Bytes& bytes) {
  T value{};
  if (bytes.left < sizeof value) luaL_error(state, "the state is damaged");
  std::memcpy(&value, bytes.at, sizeof value);
  bytes.at += sizeof value;
  bytes.left -= sizeof value;
  return value;
}

// Returns false at the end of a table.
bool push_value(lua_State* state, Bytes& bytes, int depth) {
  luaL_checkstack(state, 4, "state");
  if (depth > kMostDepth + 1) luaL_error(state, "the state is damaged");
  switch (static_cast<Tag>(take<char>(state, bytes))) {
    case Tag::kNil:
      lua_pushnil(state);
      return true;
    case Tag::kFalse:
      lua_pushboolean(state, 0);
      return true;
    case Tag::kTrue:
      lua_pushboolean(state, 1);
      return true;
    case Tag::kInteger:
      lua_pushinteger(state, take<lua_Integer>(state, bytes));
      return true;
    case Tag::kNumber:
      lua_pushnumber(state, take<lua_Number>(state, bytes));
      return true;
    case Tag::kText: {
      const auto size = take<uint32_t>(state, bytes);
      if (size > bytes.left) luaL_error(state, "the state is damaged");
      lua_pushlstring(state, bytes.at, size);
      bytes.at += size;
      bytes.left -= size;
      return true;
    }
    case Tag::kTable:
      lua_newtable(state);
      while (push_value(state, bytes, depth + 1)) {
        if (lua_isnil(state, -1) || !push_value(state, bytes, depth + 1)) luaL_error(state, "the state is damaged");
        lua_rawset(state, -3);
      }
      return true;
    case Tag::kEnd:
      return false;
  }
  luaL_error(state, "the state is damaged");
  return false;
}

}  // namespace

bool save_value(lua_State* state, std::string& out) { return save_at(state, lua_gettop(state), out, 0); }

void push_saved(lua_State* state, std::string_view bytes) {
  Bytes rest{bytes.data(), bytes.size()};
  if (!push_value(state, rest, 0) || rest.left != 0) luaL_error(state, "the state is damaged");
}

void push_json(lua_State* state, const json& value) {
  luaL_checkstack(state, 4, "configuration");
  switch (value.type()) {
    case json::value_t::boolean:
      lua_pushboolean(state, value.get<bool>() ? 1 : 0);
      return;
    case json::value_t::number_unsigned:
      if (value.get<uint64_t>() > static_cast<uint64_t>(LUA_MAXINTEGER)) {
        lua_pushnumber(state, value.get<double>());
        return;
      }
      [[fallthrough]];
    case json::value_t::number_integer:
      lua_pushinteger(state, value.get<lua_Integer>());
      return;
    case json::value_t::number_float:
      lua_pushnumber(state, value.get<double>());
      return;
    case json::value_t::string: {
      const auto& text = value.get_ref<const std::string&>();
      lua_pushlstring(state, text.data(), text.size());
      return;
    }
    case json::value_t::array:
      lua_newtable(state);
      for (size_t i = 0; i < value.size(); ++i) {
        push_json(state, value[i]);
        lua_rawseti(state, -2, static_cast<lua_Integer>(i) + 1);
      }
      return;
    case json::value_t::object:
      lua_newtable(state);
      for (auto member = value.begin(); member != value.end(); ++member) {
        const std::string& key = member.key();
        lua_pushlstring(state, key.data(), key.size());
        push_json(state, member.value());
        lua_rawset(state, -3);
      }
      return;
    default:
      lua_pushnil(state);
  }
}

}  // namespace monitor::plugin_host
