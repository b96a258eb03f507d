// The library of scripts: Lua's harmless functions, and replacements for the others. Everything that may take long
// charges the budget.
#pragma once

#include <lua.hpp>

namespace monitor::plugin_host {

// Sets a state's globals. May leave by error, so it must be called in protected mode.
void open_library(lua_State* state);

// Pushes a value's text like Lua's tostring(), but with a number instead of an address for tables, functions and
// coroutines: "table: 3". The number stays the same while the value exists. Texts of scripts leave the host, and
// addresses would help an attack.
void push_text(lua_State* state, int index);

// Parts of the library, one per file. They add functions to the table at the top of the stack.
void add_string_functions(lua_State* state);
void add_text_functions(lua_State* state);  // tostring, string.format
void add_table_functions(lua_State* state);

}  // namespace monitor::plugin_host
