#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <map>

#include "metrics/resource.h"
#include "ui/terminal/text_width.h"
#include "ui/top/top_fixture_test.h"

namespace monitor::analysis::top {
namespace {

using ::testing::ContainsRegex;
using ::testing::HasSubstr;

TEST_F(TopViewTest, FitsIntoEightyColumns) {
  heard("agent-001", 0.5);
  heard("an-agent-with-a-very-long-name-indeed", 0.25, kNow - 60 * kNanosPerSecond);
  const auto lines = view_.draw(fleet_, past_, kNow, {80, 24});
  for (const Line& line : lines) {
    size_t width = 0;
    for (const Span& span : line) width += span.text.size();
    EXPECT_LE(width, 80U);
  }
  EXPECT_THAT(text(), HasSubstr("2 agents"));
  EXPECT_THAT(text(), HasSubstr("1 alive"));
  EXPECT_THAT(text(), HasSubstr("1 gone"));
  EXPECT_THAT(text({160, 24}), HasSubstr("host-agent-001"));
  for (const Size size : {Size{10, 3}, Size{1, 1}, Size{300, 100}}) text(size);
}

TEST_F(TopViewTest, ClipsLinesToASmallScreen) {
  heard("agent-001", 0.5);
  for (const int key : {static_cast<int>(kEnd), static_cast<int>(kEnter), static_cast<int>('?')}) {
    view_.key(key);  // the table, an agent, the help
    for (const Line& line : view_.draw(fleet_, past_, kNow, {40, 10})) {
      size_t width = 0;
      for (const Span& span : line) width += span.text.size();
      EXPECT_LE(width, 40U) << (line.empty() ? "" : line.front().text);
    }
  }
}

TEST_F(TopViewTest, EnterOpensTheFirstRowAfterSorting) {
  heard("a", 0.1);
  heard("b", 0.9);
  text();
  view_.key('s');  // by CPU: b comes first
  text();
  view_.key(kEnter);
  EXPECT_THAT(text(), HasSubstr("host-b"));
  view_.key('r');
  EXPECT_THAT(text(), HasSubstr("host-b")) << "an open agent must stay open";
  view_.key(kEscape);
  for (const int key : {int{'r'}, int{'r'}, int{kEnter}}) view_.key(key);  // all before the next drawing
  EXPECT_THAT(text(), HasSubstr("host-a")) << "after three reversals the smallest comes first";
  view_.key(kEscape);
  for (const int key : {int{'r'}, int{kDown}, int{kEnter}}) view_.key(key);
  EXPECT_THAT(text(), HasSubstr("host-a")) << "the second row in reverse order";
}

TEST_F(TopViewTest, SortsFiltersAndOpens) {
  heard("a", 0.1);
  heard("b", 0.9);
  EXPECT_LT(text().find(" a "), text().find(" b "));
  view_.key('s');  // by CPU, the most first
  EXPECT_GT(text().find(" a "), text().find(" b "));
  view_.key('r');
  EXPECT_LT(text().find(" a "), text().find(" b "));
  for (const int key : {int{'/'}, int{'b'}, int{kEnter}}) view_.key(key);
  EXPECT_EQ(text().find("alive    a "), std::string::npos);
  text();
  view_.key(kEnter);
  EXPECT_THAT(text(), HasSubstr("system.cpu.utilization{cpu.logical_number=3}"));
  EXPECT_THAT(text(), HasSubstr("75.0 %"));
  view_.key(kEscape);
  EXPECT_THAT(text(), HasSubstr("filter b"));
  view_.key('?');
  EXPECT_THAT(text(), HasSubstr("sort by another column"));
  EXPECT_FALSE(view_.key('q'));
}

TEST_F(TopViewTest, SortsByEachColumn) {
  heard("low", 0.1);
  heard("middle", 0.5, kNow - 60 * kNanosPerSecond);  // gone
  heard("high", 0.8);
  const Size wide{.columns = 160, .rows = 24};
  const auto order = [&] {
    const std::string shown = text(wide);
    std::map<size_t, std::string> found;
    for (const char* const name : {"low ", "middle ", "high "}) found[shown.find(std::string(" ") + name)] = name;
    std::string all;
    for (const auto& [place, name] : found) all += name;
    return all;
  };
  const auto foot = [&] { return text(wide).substr(text(wide).find("sorted by ")); };
  EXPECT_EQ(order(), "high low middle ") << "by name";
  const std::vector<std::pair<std::string, std::string>> expected = {
      {"host", "high low middle "},   {"cpu", "high middle low "},
      {"memory", "low middle high "}, {"disk", "low high middle "},
      {"net", "middle high low "},    {"load", "low middle high "},
      {"fs", "low middle high "},     {"unusual", ""},
      {"tick", "middle low high "},   {"state", "middle low high "}};
  for (const auto& [name, agents] : expected) {
    view_.key('s');
    EXPECT_THAT(foot(), HasSubstr("sorted by " + name));
    if (name != "load" && name != "fs" && name != "unusual" && name != "tick" && name != "state") {
      EXPECT_EQ(order(), agents) << name;
    }
  }
  EXPECT_EQ(order().substr(0, 7), "middle ") << "the worst state comes first";
  view_.key('s');
  EXPECT_EQ(order(), "high low middle ") << "the columns are cyclic";
  view_.key('<');
  EXPECT_THAT(foot(), HasSubstr("sorted by state"));
}

TEST_F(TopViewTest, SortsNamesAsNumbers) {
  for (const char* const name : {"load-10", "load-2", "load-1", "a"}) heard(name, 0.5);
  const std::string shown = text();
  EXPECT_LT(shown.find("load-1 "), shown.find("load-2 "));
  EXPECT_LT(shown.find("load-2 "), shown.find("load-10"));
  view_.key('s');  // equal values are in the order of names
  EXPECT_LT(text().find("load-2 "), text().find("load-10"));
  view_.key('r');
  EXPECT_LT(text().find("load-2 "), text().find("load-10"));
}

TEST_F(TopViewTest, JoinsTicksOfAnyInterval) {
  for (const int interval : {1, 6, 10, 15}) {
    for (int at = 300; at >= 0; at -= interval)
      heard("every-" + std::to_string(interval), 0.9, kNow - at * kNanosPerSecond);
  }
  const std::string shown = text({200, 24});
  for (const char* const name : {"every-1 ", "every-6 ", "every-10", "every-15"}) {
    const std::string row = shown.substr(shown.find(name), 100);
    EXPECT_THAT(row, ContainsRegex(R"( 90\.0 [|]+\.* [*]{10})")) << shown;
  }
}

TEST_F(TopViewTest, UsesTheWholeWidth) {
  for (int at = 295; at >= 0; at -= 5) {
    for (const char* const name : {"a", "b", "gone"})
      heard(name, *name == 'a' ? 0.2 : 0.6, kNow - (at + (*name == 'g' ? 60 : 0)) * kNanosPerSecond);
  }
  for (const size_t width : {118U, 160U, 200U, 330U}) {
    const auto lines = view_.draw(fleet_, past_, kNow, {width, 24});
    ASSERT_GT(lines.size(), 3U);
    for (size_t i = 1; i < 4; ++i) {
      size_t all = 0;
      for (const Span& span : lines[i]) all += span.text.size();
      EXPECT_EQ(all, width) << lines[i].front().text;
    }
  }
  const std::string wide = text({200, 24});
  const size_t begin = wide.find("ALL ");
  const std::string totals = wide.substr(begin, wide.find('\n', begin) - begin);
  EXPECT_THAT(totals, HasSubstr("2 agents: means, sums")) << "agents that are gone must not count";
  EXPECT_THAT(totals, ContainsRegex(R"( 40\.0 [|]+\.+ -{10})")) << wide;
  EXPECT_THAT(wide, ContainsRegex(R"( 20\.0 [|]+\.+ \.{10})"));
  EXPECT_EQ(text({80, 24}).find("ALL "), std::string::npos);
  EXPECT_EQ(text({200, 7}).find("ALL "), std::string::npos) << "too few rows";
  // With enough width, an agent's values are in several columns.
  view_.key(kEnter);
  EXPECT_THAT(text({200, 24}), ContainsRegex("system.cpu.utilization [^\n]*system.network"));
}

TEST_F(TopViewTest, ScrollsToTheChosenAgent) {
  for (int i = 0; i < 100; ++i) heard("agent-" + std::to_string(100 + i), 0.5);
  text();
  for (int i = 0; i < 60; ++i) {
    view_.key(kDown);
    text();
  }
  EXPECT_THAT(text(), HasSubstr("agent-160"));
  view_.key(kEnd);
  EXPECT_THAT(text(), HasSubstr("agent-199"));
  view_.key(kHome);
  EXPECT_THAT(text(), HasSubstr("agent-100"));
}

TEST(Sparkline, DrawsTheNewestAtTheRight) {
  EXPECT_EQ(sparkline({0, 0.5F, 1}, 5, 1, false), "  .=#");
  EXPECT_EQ(sparkline({0, NAN, 2, 4}, 3, 0, false), " =#");
  EXPECT_EQ(sparkline({1}, 2, 1, true), " █");
  EXPECT_EQ(sparkline({}, 3, 1, true), "   ");
}

TEST_F(TopViewTest, ShowsLabelsFiltersByThemAndEscapesNames) {
  heard("a", 0.25);
  metrics::Batch batch;
  batch.agent_id = "b\x1b[2J\n";
  batch.hostname = "h\xc2\x9b";
  batch.incarnation = std::string(16, 'i');
  batch.sequence = 1;
  batch.resource = {{"rack", "r12"}};
  batch.series = {{.name = "m\x1b", .labels = {{"l", "\xe2\x80\xae"}}}};
  batch.frames = {{.time_ns = kNow, .rates_since_ns = 0, .points = {{.series = 0}}}};
  metrics::carry_resource(batch);
  fleet_.apply({.partition = 0, .offset = 1, .time_ns = kNow}, batch);
  for (const char key : std::string("/rack=r12\n")) view_.key(key == '\n' ? static_cast<int>(kEnter) : key);
  const std::string table = text({.columns = 140, .rows = 24});
  EXPECT_THAT(table, HasSubstr("b\\u001b[2J\\n"));
  EXPECT_THAT(table, ::testing::Not(HasSubstr("host-a")));
  view_.key(kEnter);
  const std::string detail = text({.columns = 140, .rows = 24});
  EXPECT_THAT(detail, HasSubstr("rack=r12"));
  EXPECT_THAT(detail, HasSubstr("m\\u001b{l=\\u202e}"));
  EXPECT_EQ((table + detail).find_first_of("\x1b\x9b\x9d"), std::string::npos);
}

TEST_F(TopViewTest, StoppedAgentsAreCountedAsStoppedAndLeftOutOfTheTotals) {
  heard("runs", 0.5);
  heard("ended", 0.25, kNow - 600 * kNanosPerSecond, true);
  EXPECT_THAT(text(), HasSubstr("1 stopped"));
  EXPECT_THAT(text(), HasSubstr("0 gone"));
  EXPECT_THAT(text(), HasSubstr("stopped  ended"));
  EXPECT_THAT(text({160, 24}), HasSubstr("1 agent: means, sums"));
}

TEST_F(TopViewTest, AgentsAreUnknownWhileTheServerIsAway) {
  heard("a", 0.5, kNow - 60 * kNanosPerSecond);
  EXPECT_THAT(text(), HasSubstr("1 gone"));
  view_.set_servers({.state = Servers::State::kAway, .last_ns = kNow - 58 * kNanosPerSecond});
  EXPECT_THAT(text(), HasSubstr("1 unknown  0 gone"));
}

TEST_F(TopViewTest, ShowsTheShareOfUnusualSeries) {
  heard("calm", 0.5);
  heard("odd", 0.5);
  heard("new", 0.5);
  EXPECT_THAT(text({160, 24}), HasSubstr("UNUSUAL %"));
  view_.set_unusual({{"calm", 0.0}, {"odd", 0.125}, {"not in the log", 1.0}});
  EXPECT_THAT(text({160, 24}), ContainsRegex("odd +host-odd [^\n]* 12.5 "));
  EXPECT_THAT(text({160, 24}), ContainsRegex("calm +host-calm [^\n]* 0.0 "));
  EXPECT_THAT(text({80, 24}), ::testing::Not(HasSubstr("UNUSUAL")));
  for (const char key : std::string(":sort unusual\n")) view_.key(key == '\n' ? static_cast<int>(kEnter) : key);
  EXPECT_THAT(text({160, 24}), ContainsRegex("UNUSUAL %v[^$]*\nalive +odd [^$]*\nalive +calm [^$]*\nalive +new "));
  view_.key(kHome);
  view_.key(kEnter);
  EXPECT_THAT(text({80, 24}), HasSubstr("unusual: 12.5 % of its series"));
}

}  // namespace
}  // namespace monitor::analysis::top
