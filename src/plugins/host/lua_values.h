// Lua's values as bytes and as JSON: the table `state`, which goes from one version of a script to the next, and the
// configuration.
#pragma once

#include <lua.hpp>
#include <nlohmann/json_fwd.hpp>

#include <string>
#include <string_view>

namespace monitor::plugin_host {

// Pushes a JSON value. May leave by error (memory).
void push_json(lua_State* state, const nlohmann::json& value);

// Appends the value at the top of the stack: nil, booleans, numbers, texts, and tables of those. false: it has
// something else in it, goes round, or is too large; `out` is then not to be used. Never leaves.
bool save_value(lua_State* state, std::string& out);
// Pushes what save_value() wrote. May leave by error (memory, or bytes that are not from save_value()).
void push_saved(lua_State* state, std::string_view bytes);

}  // namespace monitor::plugin_host
