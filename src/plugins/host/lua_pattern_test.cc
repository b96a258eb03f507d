// Compares patterns with Lua's own implementation, on random combinations of pattern elements.
#include "plugins/host/lua_pattern.h"

#include <gtest/gtest.h>
#include <lua.hpp>

#include <random>
#include <string>
#include <vector>

namespace monitor::plugin_host {
namespace {

// The result of Lua's own string.find: "start end capture ...", "none", or "error".
class Reference {
 public:
  Reference() : state_(luaL_newstate()) {
    luaL_requiref(state_, "string", luaopen_string, 1);
    lua_settop(state_, 0);
  }
  ~Reference() { lua_close(state_); }
  Reference(const Reference&) = delete;
  Reference& operator=(const Reference&) = delete;

  std::string find(const std::string& subject, const std::string& pattern) {
    lua_settop(state_, 0);
    lua_getglobal(state_, "string");
    lua_getfield(state_, -1, "find");
    lua_pushlstring(state_, subject.data(), subject.size());
    lua_pushlstring(state_, pattern.data(), pattern.size());
    if (lua_pcall(state_, 2, LUA_MULTRET, 0) != LUA_OK) return "error";
    std::string out;
    for (int i = 2; i <= lua_gettop(state_); ++i) {
      if (lua_isnil(state_, i)) return "none";
      out += std::string(luaL_tolstring(state_, i, nullptr)) + " ";
      lua_pop(state_, 1);
    }
    return out;
  }

 private:
  lua_State* state_;
};

std::string ours(const std::string& subject, std::string pattern) {
  if (pattern.find_first_of("^$*+?.([%-") == std::string::npos) {
    const size_t at = subject.find(pattern);  // find() treats such a pattern as plain text
    return at == std::string::npos ? "none" : std::to_string(at + 1) + " " + std::to_string(at + pattern.size()) + " ";
  }
  const bool anchored = pattern.starts_with('^');
  if (anchored) pattern.erase(0, 1);
  LuaPattern matcher(subject, pattern);
  for (size_t start = 0; start <= subject.size(); ++start) {
    const size_t end = matcher.match(start);
    if (matcher.error() != nullptr) return "error";
    if (end != LuaPattern::kNone) {
      std::string out = std::to_string(start + 1) + " " + std::to_string(end) + " ";
      for (size_t i = 0; i < matcher.captures(); ++i) {
        const auto& capture = matcher.capture(i);
        out += capture.length == LuaPattern::kPosition
                   ? std::to_string(capture.start + 1)
                   : subject.substr(capture.start, static_cast<size_t>(capture.length));
        out += " ";
      }
      return out;
    }
    if (anchored) break;
  }
  return "none";
}

TEST(LuaPattern, AgreesWithLua) {
  static const std::vector<std::string> kPieces = {
      "a", "b", "c", ".", "%a", "%d", "%s", "%w",   "%A",     "%.", "[ab]", "[^a]", "[a-c]", "[%d_]", "[]a]", "*",
      "+", "-", "?", "(", ")",  "()", "%1", "%b()", "%f[%w]", "$",  "^",    "%",    "[",     "1",     " "};
  std::mt19937 random(7);  // the same sequence every time
  Reference reference;
  size_t matches = 0;
  for (int i = 0; i < 60'000; ++i) {
    std::string pattern;
    for (size_t pieces = 1 + random() % 6; pieces > 0; --pieces) pattern += kPieces[random() % kPieces.size()];
    std::string subject;
    for (size_t size = random() % 10; size > 0; --size) subject += "aabbc1 (_)."[random() % 11];
    const std::string expected = reference.find(subject, pattern);
    ASSERT_EQ(ours(subject, pattern), expected) << "pattern \"" << pattern << "\" in \"" << subject << "\"";
    matches += expected != "none" && expected != "error" ? 1 : 0;
  }
  EXPECT_GT(matches, 5'000U) << "otherwise the test compares too little";
}

TEST(LuaPattern, StopsOnceItsStepsAreSpent) {
  const std::string subject(10'000, 'a');
  LuaPattern matcher(subject, "a*a*a*a*a*a*b");
  matcher.set_most_steps(100'000);
  EXPECT_EQ(matcher.match(0), LuaPattern::kNone);
  EXPECT_TRUE(matcher.exhausted());
  EXPECT_LT(matcher.steps(), 110'000);
}

}  // namespace
}  // namespace monitor::plugin_host
