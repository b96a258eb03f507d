// Lua's values as bytes and from JSON: for the table `state`, which one version of a script passes to the next, and for
// the configuration.
#pragma once

#include <lua.hpp>
#include <nlohmann/json_fwd.hpp>

#include <string>
#include <string_view>

namespace monitor::plugin_host {

// Pushes a JSON value. May leave by error (memory).
void push_json(lua_State* state, const nlohmann::json& value);

// Appends the value at the top of the stack: nil, booleans, numbers, texts, and tables of those. False: it contains
// something else, is cyclic, or is too large; `out` is then invalid. Never leaves by error.
bool save_value(lua_State* state, std::string& out);
// Pushes what save_value() wrote. May leave by error (memory, or bytes that are not from save_value()).
void push_saved(lua_State* state, std::string_view bytes);

}  // namespace monitor::plugin_host
