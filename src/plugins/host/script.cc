#include "plugins/host/script.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <utility>

#include "plugins/host/lua_batch.h"
#include "plugins/host/lua_budget.h"
#include "plugins/host/lua_library.h"
#include "plugins/host/lua_values.h"

namespace monitor::plugin_host {

using plugin_wire::tame;
using plugin_wire::Verdict;

namespace {

constexpr size_t kMostLines = 100;  // of log lines per call
const char kScriptKey = 0;

// Like Lua's own interpreter, skips a byte order mark and a first line that starts with #.
std::string_view program_in(std::string_view source) {
  constexpr std::string_view kMark = "\xef\xbb\xbf";
  if (source.starts_with(kMark)) source.remove_prefix(kMark.size());
  if (source.starts_with('#')) source.remove_prefix(std::min(source.find('\n'), source.size()));
  return source;
}

class Script final : public Instance {
 public:
  explicit Script(Log log) : log_(std::move(log)), batch_(series_) {}
  ~Script() override {
    if (state_ == nullptr) return;
    if (const Status done = call_global("finalize", false); !done) print_last(plugin_, done.error().message());
    lua_close(state_);
  }

  Result<plugin_wire::Loaded> load(const plugin_wire::Load& load) override {
    state_ = budget_.open();
    if (state_ == nullptr) return Error(Code::kResourceExhausted, "not enough memory for the script");
    load_ = &load;
    plugin_ = load.name;
    config_ = nlohmann::json::parse(load.config, nullptr, false);
    Status done = protectedly([](lua_State* state) { return self(state).prepare(state); });
    load_ = nullptr;
    if (!done) return done.error();
    if (Status begun = call_global("initialize", true); !begun) return begun.error();
    Status runs = protectedly([](lua_State* state) {
      if (lua_getglobal(state, "run") == LUA_TFUNCTION) return 0;
      return luaL_error(state, "it has no function run(batch)");
    });
    if (!runs) return runs.error();
    return plugin_wire::Loaded{load.name, "", 1, 0, 0};
  }

  Result<Verdict> run(HostTick& tick) override {
    batch_.begin(tick);
    lines_ = 0;
    Status done = protectedly([](lua_State* state) {
      lua_getglobal(state, "run");
      push_batch(state, self(state).batch_);
      lua_call(state, 1, 1);
      self(state).dropped_ = lua_isboolean(state, -1) && lua_toboolean(state, -1) == 0;
      return 0;
    });
    batch_.end();
    if (!done) return done.error();
    return dropped_ || tick.count == 0 ? Verdict::kDropped : Verdict::kChanged;
  }

  Result<std::string> save() override {
    bytes_.clear();
    Status done = protectedly([](lua_State* state) {
      // Bypasses metamethods, so that no code of the script runs here.
      lua_pushglobaltable(state);
      lua_pushliteral(state, "state");
      lua_rawget(state, -2);
      bool good = false;
      try {
        good = save_value(state, self(state).bytes_);
      } catch (const std::exception&) {
        good = false;  // a Lua error must not be raised from a catch block
      }
      if (good) return 0;
      return luaL_error(state,
                        "`state` cannot be saved: it contains functions, is nested too deeply, or has more than 4 MiB");
    });
    if (!done) return done.error();
    return std::exchange(bytes_, {});
  }

  Status restore(std::string_view state) override {
    if (state.empty()) return {};
    saved_ = state;
    Status done = protectedly([](lua_State* lua) {
      push_saved(lua, self(lua).saved_);
      if (!lua_istable(lua, -1)) return luaL_error(lua, "the state is not a table");
      lua_setglobal(lua, "state");
      return 0;
    });
    saved_ = {};
    return done;
  }

 private:
  static Script& self(lua_State* state) {
    lua_rawgetp(state, LUA_REGISTRYINDEX, &kScriptKey);
    auto* const script = static_cast<Script*>(lua_touserdata(state, -1));
    lua_pop(state, 1);
    return *script;
  }

  // Calls a function of ours that may leave by error, with the full budget.
  Status protectedly(lua_CFunction function) {
    budget_.refill(state_);
    lua_settop(state_, 0);
    // Neither call can fail: a light C function needs no memory, and the stack has room.
    lua_pushcfunction(state_, run_with_self);
    lua_pushlightuserdata(state_, this);
    lua_pushcfunction(state_, function);
    const int status = lua_pcall(state_, 2, 0, 0);
    if (status == LUA_OK) return {};
    std::string reason;
    if (lua_type(state_, -1) == LUA_TSTRING) {
      size_t size = 0;
      const char* const text = lua_tolstring(state_, -1, &size);
      reason = tame({text, size});
    } else {
      reason = fmt::format("an error that is a {}", luaL_typename(state_, -1));
    }
    if (status == LUA_ERRMEM) {
      reason = budget_.spent()
                   ? LuaBudget::kSpent
                   : fmt::format("it needs more than {} MiB of memory, {} in one table, or {} in one string",
                                 LuaBudget::kMemory >> 20, LuaBudget::kBlock >> 20, LuaBudget::kText >> 20);
    }
    lua_settop(state_, 0);
    // What an error has used must not count in the next call.
    budget_.refill(state_);
    lua_gc(state_, LUA_GCCOLLECT);
    return Error(Code::kInternal, reason);
  }

  static int run_with_self(lua_State* state) {
    lua_pushvalue(state, 1);
    lua_rawsetp(state, LUA_REGISTRYINDEX, &kScriptKey);
    lua_CFunction const function = lua_tocfunction(state, 2);
    lua_settop(state, 0);
    return function(state);
  }

  // Calls a function that the script may define, if it does; `with_config` passes the configuration.
  Status call_global(const char* name, bool with_config) {
    name_ = name;
    with_config_ = with_config;
    return protectedly([](lua_State* state) {
      Script& script = self(state);
      if (lua_getglobal(state, script.name_) != LUA_TFUNCTION) return 0;
      if (script.with_config_) push_json(state, script.config_);
      lua_call(state, script.with_config_ ? 1 : 0, 0);
      return 0;
    });
  }

  // Loads the library, our own functions, and the script's chunk.
  int prepare(lua_State* state) {
    open_library(state);
    add_batch_types(state, batch_);
    lua_pushcfunction(state, log_function);
    lua_setglobal(state, "log");
    lua_pushcfunction(state, print_function);
    lua_setglobal(state, "print");
    lua_newtable(state);
    lua_setglobal(state, "state");
    lua_pushfstring(state, "=%s", load_->name.c_str());
    const char* const chunk = lua_tostring(state, -1);
    // Accepts only source text, because Lua does not verify precompiled code.
    const std::string_view source = program_in(load_->source);
    if (luaL_loadbufferx(state, source.data(), source.size(), chunk, "t") != LUA_OK) return lua_error(state);
    lua_call(state, 0, 0);
    return 0;
  }

  // print(...): writes the arguments as one line, separated by spaces, because a log line contains no tabs.
  static int print_function(lua_State* state) {
    const int count = lua_gettop(state);
    luaL_Buffer line;
    luaL_buffinit(state, &line);
    for (int i = 1; i <= count; ++i) {
      if (i > 1) luaL_addchar(&line, ' ');
      push_text(state, i);
      luaL_addvalue(&line);
    }
    luaL_pushresult(&line);
    say(state, 1, -1);
    return 0;
  }

  // log(text), log("warning", text)
  static int log_function(lua_State* state) {
    uint32_t level = 1;
    int text_at = 1;
    if (lua_gettop(state) > 1 && lua_type(state, 1) == LUA_TSTRING) {
      static constexpr const char* const kLevels[] = {"debug", "info", "warning", "error", nullptr};
      level = static_cast<uint32_t>(luaL_checkoption(state, 1, nullptr, kLevels));
      text_at = 2;
    }
    say(state, level, text_at);
    return 0;
  }

  static void say(lua_State* state, uint32_t level, int text_at) {
    Script& script = self(state);
    size_t size = 0;
    push_text(state, text_at);
    const char* const text = lua_tolstring(state, -1, &size);
    LuaBudget::of(state).charge(state, 1000);
    if (++script.lines_ > kMostLines) return;
    bool good = true;
    try {
      script.log_(level, {text, size});
    } catch (const std::exception&) {
      good = false;
    }
    if (!good) luaL_error(state, "writing the log failed");
  }

  Log log_;
  std::string plugin_;
  LuaBudget budget_;
  lua_State* state_ = nullptr;
  LuaBatch batch_;
  const plugin_wire::Load* load_ = nullptr;
  nlohmann::json config_;
  std::string_view saved_;
  std::string bytes_;
  const char* name_ = "";
  bool with_config_ = false;
  bool dropped_ = false;
  size_t lines_ = 0;
};

}  // namespace

std::unique_ptr<Instance> make_script(Instance::Log log) { return std::make_unique<Script>(std::move(log)); }

}  // namespace monitor::plugin_host
