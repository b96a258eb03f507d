// The library that scripts have: what of Lua's own cannot hurt as it is, and replacements for what can. Everything that
// may take long charges the budget.
#pragma once

#include <lua.hpp>

namespace monitor::plugin_host {

// Fills a state's globals. May leave by error: to be called protected.
void open_library(lua_State* state);

// Pushes the text of a value as Lua's tostring() makes it, but that what Lua tells apart by its address (tables,
// functions, coroutines) gets a number instead: "table: 3", the same for as long as the value lives. A script's texts
// leave the host, and addresses are what an attack on it needs first.
void push_text(lua_State* state, int index);

// Of the above, a file each: the table is on the top of the stack, functions are added to it.
void add_string_functions(lua_State* state);
void add_text_functions(lua_State* state);  // tostring, string.format
void add_table_functions(lua_State* state);

}  // namespace monitor::plugin_host
