// Converts Lua values to bytes, and JSON to Lua values: for the table `state`, which one version of a script passes to
// the next, and for the configuration.
#pragma once

#include <lua.hpp>
#include <nlohmann/json_fwd.hpp>

#include <string>
#include <string_view>

namespace monitor::plugin_host {

// Pushes a JSON value. May leave by error (no memory).
void push_json(lua_State* state, const nlohmann::json& value);

// Appends the value at the top of the stack: nil, booleans, numbers, strings, and tables of those. Returns false, and
// leaves `out` invalid, if it contains something else, is cyclic, or is too large. Never leaves by error.
bool save_value(lua_State* state, std::string& out);
// Pushes what save_value() wrote. May leave by error (no memory, or bytes that save_value() did not write).
void push_saved(lua_State* state, std::string_view bytes);

}  // namespace monitor::plugin_host
