// Scripts: what they can do with a batch, the state that they keep, and what they cannot do.
// tests/robustness/bad_plugins_test.py runs bad scripts in a real agent.
#include <gtest/gtest.h>

#include "plugins/host/testing/testing_host.h"

namespace monitor::plugin_host {
namespace {

using plugin_wire::Type;

struct World : TestingHost {
  explicit World(const std::string& source, const std::string& config = "{}") {
    EXPECT_EQ(load(source, config), "");
    tell(0, {"cpu", {{"core", "0"}}, "1", metrics::Kind::kGauge, false, 0});
    tell(1, {"memory", {}, "By", metrics::Kind::kGauge, true, 0});
  }
  // A tick with a double, and an integer of value 100.
  static metrics::Tick tick(double cpu = 0.5) {
    metrics::Tick tick = tick_of({cpu, 0});
    tick.points[1].integer = 100;
    return tick;
  }
};

TEST(Script, ReadsSetsAndDrops) {
  World w(R"(function run(batch)
    for p in batch:points() do
      if p.name == "cpu" then p.value = p.value * 2 end
      if p.unit == "By" then p:drop() end
    end
  end)");
  EXPECT_EQ(w.run(World::tick()), "changed");
  ASSERT_EQ(w.points.size(), 1U);
  EXPECT_EQ(w.points[0].series, 0U);
  EXPECT_EQ(w.points[0].real, 1.0);
}

TEST(Script, RoundsValuesOfAnIntegerSeries) {
  World w(
      "function run(batch) for p in batch:points() do if p.name == 'memory' then p.value = p.value / 3 end end end");
  EXPECT_EQ(w.run(World::tick()), "changed");
  EXPECT_EQ(w.points[1].integer, 33);
}

TEST(Script, ChangedLabelsNamesAndUnitsMakeNewSeries) {
  World w(R"(function run(batch)
    for p in batch:points() do
      assert(p:label("core") == p.labels.core)
      p:set_label("team", "ops")
      if p.name == "cpu" then p.name = "processor" p.unit = "%" p:set_label("core", nil) end
    end
  end)");
  EXPECT_EQ(w.run(World::tick()), "changed");
  const auto made = w.defined();
  ASSERT_FALSE(made.empty());
  EXPECT_EQ(metrics::to_string(made.back().series), "memory{team=ops}");
  const auto& processor = made[(w.points[0].series & ~plugin_wire::kOwnSeries)].series;
  EXPECT_EQ(metrics::to_string(processor), "processor{team=ops}");
  EXPECT_EQ(processor.unit, "%");
  EXPECT_EQ(w.run(World::tick()), "changed");
  EXPECT_TRUE(w.defined().empty()) << "each once";
}

TEST(Script, AddsPoints) {
  World w(R"(function run(batch)
    local n = #batch
    for p in batch:points() do batch:add{name = "sum", value = p.value, unit = "By", labels = {of = p.name}} end
    assert(#batch == 2 * n and batch.time == 1 and batch.mono == 2)
  end)");
  EXPECT_EQ(w.run(World::tick()), "changed");
  ASSERT_EQ(w.points.size(), 4U);
  EXPECT_EQ(w.points[3].real, 100.0);
}

TEST(Script, ReportsDroppedPointsEvenIfAsManyAreAdded) {
  World w("function run(batch) for p in batch:points() do p:drop() p:drop() batch:add{name = 'n', value = 1} end end");
  EXPECT_EQ(w.run(World::tick()), "changed");
  EXPECT_EQ(w.points.size(), 2U);
  EXPECT_EQ(w.dropped, 2U);
}

TEST(Script, ReturningFalseDropsTheTick) {
  World w("function run(batch) for p in batch:points() do if p.value > 0.9 then return false end end end");
  EXPECT_EQ(w.run(tick_of({0.5})), "unchanged");
  EXPECT_EQ(w.run(tick_of({0.95})), "dropped");
}

TEST(Script, ReadsItsConfigurationAndLogs) {
  World w(R"(function initialize(config) limit = config.limit log("limit " .. limit .. " " .. config.list[2]) end
             function run(batch) log("warning", "low") return batch.time > limit end)",
          R"({"limit": 5, "list": ["a", "b"]})");
  EXPECT_EQ(w.run(tick_of({1})), "dropped");
  const auto line = plugin_wire::LogLine::decode(w.said.front().payload);
  ASSERT_TRUE(line);
  EXPECT_EQ(line->level, 2U);
  EXPECT_EQ(line->text, "low");
}

TEST(Script, PassesItsStateToTheNextVersion) {
  const std::string source = R"(function run(batch)
    state.n = (state.n or 0) + 1
    state.deep = {list = {1, 2.5, "x", true}}
    for p in batch:points() do p.value = state.n end
  end)";
  World w(source);
  EXPECT_EQ(w.run(tick_of({0})), "changed");
  EXPECT_EQ(w.run(tick_of({0})), "changed");
  ASSERT_EQ(w.ask(Type::kSave, ""), "");
  const std::string state = w.said.back().payload;
  ASSERT_EQ(w.load(source, "{}", 2), "");
  ASSERT_EQ(w.ask(Type::kRestore, state, 2), "");
  std::string series;
  plugin_wire::put_series(series, 0, {"cpu", {}, "1", metrics::Kind::kGauge, false, 0});
  ASSERT_EQ(w.ask(Type::kSeries, series, 2), "");
  EXPECT_EQ(w.run(tick_of({0}), 2), "changed");
  EXPECT_EQ(w.points[0].real, 3.0);
  for (size_t cut = 1; cut + 1 < state.size(); ++cut) {
    EXPECT_NE(w.ask(Type::kRestore, state.substr(0, cut), 2), "") << cut;
  }
}

TEST(Script, SavesALargeState) {
  const std::string source = R"(function run(batch)
    state.t = state.t or {}
    local n = state.n or 0
    for i = n + 1, n + 2000 do state.t["key_" .. i] = i + 0.5 end
    state.n = n + 2000
    batch:add{name = "last", value = state.t["key_" .. state.n]}
  end)";
  World w(source);
  for (int i = 0; i < 50; ++i) ASSERT_EQ(w.run(tick_of({0})), "changed");
  ASSERT_EQ(w.ask(Type::kSave, ""), "");
  const std::string state = w.said.back().payload;
  ASSERT_EQ(w.load(source, "{}", 2), "");
  ASSERT_EQ(w.ask(Type::kRestore, state, 2), "");
  ASSERT_EQ(w.ask(Type::kSave, "", 2), "");
  EXPECT_EQ(w.said.back().payload.size(), state.size());
}

TEST(Script, SkipsAByteOrderMarkAndAShebangLine) {
  for (const std::string before : {"\xef\xbb\xbf", "#!/usr/bin/lua", "\xef\xbb\xbf#!lua", "#"}) {
    World w(before + "\nfunction run(batch) error('here') end");
    EXPECT_EQ(w.run(tick_of({1})), "failed: script:2: here");
  }
}

TEST(Script, PrintsAnErrorInFinalize) {
  testing::internal::CaptureStderr();
  {
    const World w("function run(batch) end function finalize() error('too late') end");
  }
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "script: finalize failed: script:1: too late\n");
}

TEST(Script, ReportsAStateThatCannotBeSaved) {
  World w("function run(batch) state.f = function() end end");
  EXPECT_EQ(w.run(tick_of({1})), "unchanged");
  EXPECT_NE(w.ask(Type::kSave, "").find("functions"), std::string::npos);
  World deep("function run(batch) state.self = state end");
  EXPECT_EQ(deep.run(tick_of({1})), "unchanged");
  EXPECT_NE(deep.ask(Type::kSave, ""), "");
}

TEST(Script, FailureCostsOneBatch) {
  World w("function run(batch) state.n = (state.n or 0) + 1 if state.n == 1 then error('once') end end");
  EXPECT_EQ(w.run(tick_of({1})), "failed: script:1: once");
  EXPECT_EQ(w.run(tick_of({1})), "unchanged");
}

TEST(Script, RejectsATickWithAnUnknownSeries) {
  World w("function run(batch) for p in batch:points() do p.value = 1 end end");
  metrics::Tick tick = tick_of({1});
  tick.points[0].series = 7;
  EXPECT_EQ(w.run(tick), "failed: the agent sent a point of series 7, which does not exist");
}

TEST(Script, EveryCallHasTheFullBudget) {
  World w("function run(batch) if not state.done then state.done = true while true do end end end");
  EXPECT_NE(w.run(tick_of({1})).find("budget"), std::string::npos);
  EXPECT_EQ(w.run(tick_of({1})), "unchanged");
}

// Work that C functions do between two instructions is charged as well. Without that, these scripts take hours.
TEST(Script, ChargesWorkInCFunctions) {
  for (const char* const body : {
           R"(string.find(string.rep("b", 1e6), "%f[" .. string.rep("a", 1e6) .. "]x"))",
           R"(string.find(string.rep("b", 1e6), "b" .. "[" .. string.rep("a", 1e6) .. "]?x"))",
           R"(local s = string.rep(" ", 1e6) while true do tonumber(s) end)",
           R"(local p = string.rep("a", 1e6) .. "." while true do string.find("", p) end)",
       }) {
    World w(std::string("function run(batch) ") + body + " end");
    EXPECT_NE(w.run(tick_of({1})).find("budget"), std::string::npos) << body;
  }
}

TEST(Script, LimitsTheLengthOfStrings) {
  World w("function run(batch) local s = string.rep('x', 2^20) log(#s) s = s .. s end");
  EXPECT_NE(w.run(tick_of({1})).find("1 in one string"), std::string::npos);
  EXPECT_EQ(plugin_wire::LogLine::decode(w.said.front().payload)->text, "1048576");
}

TEST(Script, ReportsWhatIsWrongWithASeries) {
  World w(R"(function run(batch) for p in batch:points() do
    if batch.time == 1 then p:set_label("k", string.rep("v", 2000)) else p.name = "" end end end)");
  EXPECT_EQ(w.run(tick_of({1})),
            "failed: script:2: invalid series: a label's value must be at most 1024 bytes of UTF-8");
  metrics::Tick second = tick_of({1});
  second.time_ns = 2'000'000'000;
  EXPECT_EQ(w.run(second), "failed: script:2: invalid series: a name must be 1 to 256 bytes of UTF-8");
  World many("function run(batch) for i = 1, 1e6 do batch:add{name = 'n', value = i} end end");
  metrics::Tick full = tick_of({1});
  full.points.resize(19'999, full.points[0]);  // set directly, because a script that adds so many points takes long
  EXPECT_EQ(many.run(full), "failed: script:1: too many points: the batch has 20000, and its limit is 20000");
}

TEST(Script, PrintAcceptsAnyArguments) {
  World w("function run(batch) print('a', 1, nil, true) print() end", "{}");
  EXPECT_EQ(w.run(tick_of({1})), "unchanged");
  EXPECT_EQ(plugin_wire::LogLine::decode(w.said.at(0).payload)->text, "a 1 nil true");
  EXPECT_EQ(plugin_wire::LogLine::decode(w.said.at(1).payload)->text, "");
}

TEST(Script, ConvertsLargeNumbersToDoubles) {
  World w("function initialize(config) big = config.big end function run(batch) log(big > 1e19) end",
          R"({"big": 18446744073709551615})");
  EXPECT_EQ(w.run(tick_of({1})), "unchanged");
  EXPECT_EQ(plugin_wire::LogLine::decode(w.said.front().payload)->text, "true");
}

TEST(Script, FailingScriptDoesNotAffectOthers) {
  World w("function run(batch) while true do end end");
  ASSERT_EQ(w.load("function run(batch) state.n = (state.n or 0) + 1 return state.n < 3 end", "{}", 2), "");
  std::string series;
  plugin_wire::put_series(series, 0, {"cpu", {}, "1", metrics::Kind::kGauge, false, 0});
  ASSERT_EQ(w.ask(Type::kSeries, series, 2), "");
  for (const char* const expected : {"unchanged", "unchanged", "dropped"}) {
    EXPECT_NE(w.run(tick_of({1})).find("budget"), std::string::npos);
    EXPECT_EQ(w.run(tick_of({1}), 2), expected);
  }
}

TEST(Script, RejectsInvalidScripts) {
  for (const auto& [source, reason] : {std::pair<std::string, std::string>{"\x1bLua", "binary"},
                                       {"function run(", "expected"},
                                       {"x = 1", "no function run"},
                                       {"error('no')", "no"},
                                       {"function initialize() error('not so') end function run() end", "not so"}}) {
    TestingHost host;
    EXPECT_NE(host.load(source).find(reason), std::string::npos) << source;
  }
}

// The globals are exactly those that docs/plugins.md lists.
TEST(Script, EnvironmentIsAnAllowList) {
  World w(R"(function run(batch)
    local names = {}
    for name, value in pairs(_G) do
      if type(value) == "table" and name ~= "_G" and name ~= "state" then
        for inner in pairs(value) do names[#names + 1] = name .. "." .. tostring(inner) end
      elseif name ~= "run" then
        names[#names + 1] = name
      end
    end
    table.sort(names)
    log(table.concat(names, " "))
  end)");
  EXPECT_EQ(w.run(tick_of({1})), "unchanged");
  const auto line = plugin_wire::LogLine::decode(w.said.front().payload);
  ASSERT_TRUE(line);
  const std::string expected =
      "_G _VERSION assert coroutine.create coroutine.resume coroutine.status coroutine.wrap coroutine.yield error "
      "getmetatable ipairs log ";
  EXPECT_EQ(line->text.substr(0, expected.size()), expected);
  for (const char* const missing :
       {"load", "dofile", "require", "collectgarbage", "io", "os.", "debug", "dump", " table.move"}) {
    EXPECT_EQ(line->text.find(missing), std::string::npos) << missing;
  }
}

// Every line is a program that must not raise an error.
TEST(Script, LibraryBehavesLikeLua) {
  const std::vector<std::string> lines = {
      R"lua(assert(string.find("hello world", "o w") == 5))lua",
      R"lua(local a, b, c = string.find("key = value", "(%w+) = ") assert(a == 1 and b == 6 and c == "key"))lua",
      R"lua(assert(string.match("2026-11-25", "(%d+)-(%d+)") == "2026"))lua",
      R"lua(assert(select(2, string.match("a.b", "^(.-)%.(.*)$")) == "b"))lua",
      R"lua(assert(string.match("  trim  ", "^%s*(.-)%s*$") == "trim"))lua",
      R"lua(assert(string.match("f(a(b)c)d", "%b()") == "(a(b)c)"))lua",
      R"lua(assert(string.match("THE (quick) fox", "%f[%a]%a+%f[%A]") == "THE"))lua",
      R"lua(assert(string.match("abcabc", "(abc)%1") == "abc"))lua",
      R"lua(assert(string.find("a]b", "[]]") == 2 and string.find("a-b", "[a-]", 2) == 2))lua",
      R"lua(assert(string.match("x=[1]", "[^=]+$") == "[1]"))lua",
      R"lua(assert(string.match("abc", "()b()") == 2))lua",
      R"lua(assert(string.find("abc", "b", -2) == 2 and string.find("abc", "", 10) == nil and string.find("abc", "", 4) == 4))lua",
      R"lua(assert(string.find("a.b", ".", 1, true) == 2))lua",
      R"lua(local t = {} for k, v in string.gmatch("a=1, b=2", "(%w+)=(%w+)") do t[k] = v end assert(t.a == "1" and t.b == "2"))lua",
      R"lua(local n = 0 for w in string.gmatch("one two", "%a*") do n = n + 1 end assert(n == 2, n))lua",
      R"lua(assert(string.gsub("hello", "l", "L") == "heLLo" and select(2, string.gsub("hello", "l", "L")) == 2))lua",
      R"lua(assert(string.gsub("hello", "", "-") == "-h-e-l-l-o-"))lua",
      R"lua(assert(string.gsub("abc", "%w", "%0%0") == "aabbcc" and string.gsub("abc", "(a)(b)", "%2%1") == "bac"))lua",
      R"lua(assert(string.gsub("$x $y", "%$(%w+)", {x = "1"}) == "1 $y"))lua",
      R"lua(assert(string.gsub("abc", "b", function(c) return string.upper(c) end) == "aBc"))lua",
      R"lua(assert(string.gsub("abc", "^a", "") == "bc" and string.gsub("aaa", "a", "b", 2) == "bba"))lua",
      R"lua(assert(string.rep("ab", 3, ",") == "ab,ab,ab" and string.rep("x", 0) == ""))lua",
      R"lua(assert(string.format("%5.2f %s %d %q", 1.5, "x", 3, "a") == " 1.50 x 3 \"a\""))lua",
      R"lua(assert(string.sub("hello", 2, -2) == "ell" and string.len("abc") == 3 and string.byte("A") == 65))lua",
      R"lua(local t = {3, 1, 2} table.sort(t) assert(table.concat(t, ",") == "1,2,3"))lua",
      R"lua(local t = {} for i = 1, 100 do t[i] = (i * 37) % 101 end table.sort(t, function(a, b) return a > b end)
         for i = 2, 100 do assert(t[i - 1] >= t[i]) end)lua",
      R"lua(local t = {"b", "a", "c"} table.sort(t) assert(t[1] == "a" and t[3] == "c"))lua",
      R"lua(local t = {1, 2} table.insert(t, 3) table.insert(t, 1, 0) assert(table.concat(t) == "0123"))lua",
      R"lua(local t = {1, 2, 3} assert(table.remove(t) == 3 and table.remove(t, 1) == 1 and #t == 1 and table.remove({}) == nil))lua",
      R"lua(assert(select("#", table.unpack({1, 2, 3})) == 3 and table.pack(1, nil).n == 2))lua",
      R"lua(local ok, e = pcall(error, {code = 1}) assert(not ok and e.code == 1))lua",
      R"lua(local ok, e = xpcall(function() error("x", 0) end, function(m) return m .. "!" end) assert(not ok and e == "x!"))lua",
      R"lua(assert(select("#", pcall(function() return 1, 2 end)) == 3))lua",
      R"lua(local c = coroutine.wrap(function(a) local b = coroutine.yield(a + 1) return b * 2 end) assert(c(1) == 2 and c(5) == 10))lua",
      R"lua(local c = coroutine.create(function() error("in it", 0) end) local ok, e = coroutine.resume(c)
         assert(not ok and e == "in it" and coroutine.status(c) == "dead" and not coroutine.resume(c)))lua",
      R"lua(local ok = pcall(function() coroutine.wrap(function() pcall(coroutine.yield, 1) end)() end) assert(ok))lua",
      R"lua(local t = setmetatable({}, {__index = function(_, k) return k end}) assert(t.x == "x"))lua",
      R"lua(assert(getmetatable("") == nil and not pcall(function() return ("x"):rep(2) end)))lua",
      R"lua(assert(not pcall(setmetatable, {}, {__gc = function() end})))lua",
      R"lua(assert(math.floor(1.5) == 1 and math.huge > 1))lua",
  };
  for (const std::string& line : lines) {
    TestingHost host;
    EXPECT_EQ(host.load("function run() end\n" + line), "") << line;
  }
}

// The text of a value contains no address of the host, and stays the same while the value exists.
TEST(Script, TextsContainNoAddresses) {
  World w(R"lua(function run(batch)
    local shared, f, c = {}, function() end, coroutine.create(function() end)
    local texts = {tostring(shared), tostring(f), tostring(c), tostring(print), tostring(string.format), tostring(batch),
                   string.format("%s|%10s|%-40s", shared, f, c), string.format("%p|%20p|%%p", shared, print),
                   string.format("%p", "text"), string.format("%p", 1), tostring(_G), tostring((math.randomseed())),
                   tostring(setmetatable({}, {__name = "named"})), select(2, pcall(function() return shared + 1 end)),
                   select(2, pcall(function() return f < c end)), select(2, pcall(string.rep, shared)),
                   select(2, pcall(string.format, "%d", shared)), select(2, pcall(string.format, "%q", shared)),
                   select(2, pcall(error, f)) == f and "" or "lost", select(2, xpcall(nil, tostring))}
    for point in batch:points() do texts[#texts + 1] = tostring(point) end
    for i, text in ipairs(texts) do
      assert(not string.find(text, "0x") and not string.find(text, "%x%x%x%x%x%x%x%x"), i .. ": " .. text)
    end
    print(shared, f, c)
    log("info", shared)
    assert(tostring(shared) == tostring(shared) and tostring({}) ~= tostring(shared))
    assert(string.find(tostring(shared), "^table: %d+$") and string.find(tostring(f), "^function: %d+$"))
    assert(string.find(tostring(c), "^thread: %d+$") and tostring(nil) == "nil" and tostring(1.5) == "1.5")
    assert(string.format("%5s|%-3s|%.2s", "a", true, "xyz") == "    a|true|xy" and string.format("%5.1f%%", 2) == "  2.0%")
    assert(string.format("%s", setmetatable({}, {__tostring = function() return "mine" end})) == "mine")
    assert(not pcall(string.format, "%s") and not pcall(string.format, "%y", 1) and not pcall(string.format, "%"))
  end)lua");
  EXPECT_EQ(w.run(tick_of({1})), "unchanged");
  for (const auto& message : w.said) {
    if (message.type != Type::kLog) continue;
    const auto line = plugin_wire::LogLine::decode(message.payload);
    ASSERT_TRUE(line);
    EXPECT_EQ(line->text.find("0x"), std::string::npos) << line->text;
    EXPECT_NE(line->text.find("table: "), std::string::npos) << line->text;
  }
}

// By default, Lua's own generator is seeded with the time and an address, and returns them.
TEST(Script, RandomNumbersRevealNoAddress) {
  World w(R"lua(function run(batch)
    assert(select("#", math.randomseed()) == 0 and select("#", math.randomseed(1, 2)) == 0)
    local a = math.random(0)
    math.randomseed(1, 2)
    assert(a == math.random(0))
  end)lua");
  EXPECT_EQ(w.run(tick_of({1})), "unchanged");
}

TEST(Script, NumberedValuesCanBeCollected) {
  World w("function run(batch) for i = 1, 20000 do tostring({i}) end end");
  for (int i = 0; i < 20; ++i) ASSERT_EQ(w.run(tick_of({1})), "unchanged");
}

}  // namespace
}  // namespace monitor::plugin_host
