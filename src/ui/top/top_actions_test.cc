// Mouse, commands, alerts and columns of `top`; and what it costs to draw a large fleet.
#include <gmock/gmock.h>

#include <ctime>

#include "ui/terminal/text_width.h"
#include "ui/top/top_fixture_test.h"

namespace monitor::analysis::top {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr Size kWide{.columns = 200, .rows = 50};

class TopActionsTest : public TopViewTest {
 protected:
  void type(const std::string& keys) {
    for (const char key : keys)
      view_.key(key == '\n' ? static_cast<int>(kEnter) : key == '\t' ? static_cast<int>(kTab) : key);
  }
  void click(size_t column, size_t row) { view_.mouse({.column = column, .row = row}); }
  // The line of the screen that begins like this, with its colours.
  size_t row_of(const std::string& text, Size size = {}) {
    const auto lines = view_.draw(fleet_, past_, kNow, size);
    for (size_t i = 0; i < lines.size(); ++i) {
      std::string all;
      for (const Span& span : lines[i]) all += span.text;
      if (all.find(text) != std::string::npos) return i;
    }
    return SIZE_MAX;
  }
  bool is_chosen(const std::string& text) {
    const auto lines = view_.draw(fleet_, past_, kNow, {});
    return lines[row_of(text)].front().chosen;
  }
};

TEST_F(TopActionsTest, AClickSelectsAndASecondOneOpens) {
  for (const char* const name : {"agent-1", "agent-2", "agent-3"}) heard(name, 0.5);
  text();
  click(20, row_of("agent-2"));
  EXPECT_TRUE(is_chosen("agent-2"));
  click(20, row_of("agent-3"));
  EXPECT_TRUE(is_chosen("agent-3"));
  click(20, 20);  // below the table
  EXPECT_TRUE(is_chosen("agent-3"));
  click(20, row_of("agent-3"));
  EXPECT_THAT(text(), HasSubstr("host-agent-3"));
}

TEST_F(TopActionsTest, AClickOnAHeadingSortsAndASecondOneReverses) {
  heard("a", 0.1);
  heard("b", 0.9);
  const std::string shown = text();
  const std::string header = shown.substr(shown.find("STATE"));
  const size_t cpu = header.find("CPU");
  click(cpu + 1, 1);
  EXPECT_THAT(text(), HasSubstr("CPU %v"));
  EXPECT_LT(row_of("host-b") == SIZE_MAX ? row_of(" b ") : 0, row_of(" a "));
  click(cpu + 1, 1);
  EXPECT_THAT(text(), HasSubstr("CPU %^"));
}

TEST_F(TopActionsTest, TheWheelScrolls) {
  for (int i = 0; i < 100; ++i) heard("agent-" + std::to_string(100 + i), 0.5);
  text();
  for (int i = 0; i < 20; ++i) view_.mouse({.kind = Mouse::Kind::kWheelDown});
  EXPECT_THAT(text(), HasSubstr("agent-160"));
  EXPECT_THAT(text(), Not(HasSubstr("agent-100")));
  for (int i = 0; i < 40; ++i) view_.mouse({.kind = Mouse::Kind::kWheelUp});
  EXPECT_THAT(text(), HasSubstr("agent-100"));
}

TEST_F(TopActionsTest, CommandsSortFilterOpenAndQuit) {
  heard("load-2", 0.1);
  heard("load-10", 0.9);
  text();
  type(":sort cpu\n");
  EXPECT_LT(row_of("load-10"), row_of("load-2"));
  type(":sort -cpu\n");
  EXPECT_LT(row_of("load-2"), row_of("load-10"));
  type(":filter load-2\n");
  EXPECT_THAT(text(), Not(HasSubstr("load-10")));
  type(":filter\n");
  type(":ho\tload-1\t\n");
  EXPECT_THAT(text(), HasSubstr("host-load-10"));
  type(":host nobody\n");
  EXPECT_THAT(text(), HasSubstr("there is no agent nobody"));
  type(":sort nonsense\n");
  EXPECT_THAT(text(), HasSubstr("there is no column nonsense"));
  type(":zzz\n");
  EXPECT_THAT(text(), HasSubstr("there is no command \"zzz\""));
  type(":sort \t");
  EXPECT_THAT(text(), HasSubstr("state  agent  host")) << "the choices";
  view_.key(kEscape);
  type(":q");
  EXPECT_FALSE(view_.key(kEnter));
}

TEST_F(TopActionsTest, ColumnsAreChosenAndRemembered) {
  heard("a", 0.5);
  EXPECT_THAT(text(), HasSubstr("CPU %"));
  type(":columns load,tick\n");
  EXPECT_THAT(text(), Not(HasSubstr("CPU %")));
  EXPECT_THAT(text(), HasSubstr("LOAD"));
  const auto changed = view_.take_changed_settings();
  ASSERT_TRUE(changed);
  EXPECT_EQ(to_string(changed->columns), "state,agent,load,tick");
  EXPECT_FALSE(view_.take_changed_settings());
  type("c");
  EXPECT_THAT(text(), HasSubstr("[x] load"));
  EXPECT_THAT(text(), HasSubstr("[ ] cpu"));
  type("jjj ");
  EXPECT_THAT(text(), HasSubstr("[x] cpu"));
  click(2, row_of("[x] load"));
  EXPECT_THAT(text(), HasSubstr("[ ] load"));
  view_.key(kEscape);
  EXPECT_THAT(text(), HasSubstr("CPU %"));
  EXPECT_EQ(to_string(view_.take_changed_settings()->columns), "state,agent,cpu,tick");
}

TEST_F(TopActionsTest, AlertsAreListedCountedAndOpenTheirAgent) {
  heard("a", 0.5);
  heard("b", 0.5);
  type("a");
  EXPECT_THAT(text(), HasSubstr("no alert is firing or pending"));
  view_.set_alerts({.items = {}, .trouble = "no file"});
  EXPECT_THAT(text(), HasSubstr("no file"));
  AlertItem disk{.name = "DiskFull\x1b[2J", .agent = "b", .labels = "severity=page", .summary = "full\x9b"};
  disk.firing = true;
  disk.since_ms = kNow / kNanosPerMilli - 120'000;
  view_.set_alerts({.items = {disk, {.name = "Slow", .quiet = "silence 1"}}, .trouble = ""});
  const std::string shown = text({.columns = 160, .rows = 24});
  EXPECT_THAT(shown, HasSubstr("1 firing 1 pending"));
  EXPECT_THAT(shown, HasSubstr("DiskFull\\u001b[2J"));
  EXPECT_THAT(shown, HasSubstr("2 min"));
  EXPECT_THAT(shown, HasSubstr("[quiet: silence 1]"));
  EXPECT_EQ(shown.find_first_of("\x1b\x9b"), std::string::npos);
  view_.key(kEnter);
  EXPECT_THAT(text(), HasSubstr("host-b"));
  EXPECT_THAT(text(), HasSubstr("Alerts")) << "on the page of its host, too";
  view_.key(kEscape);
  EXPECT_THAT(text(), HasSubstr("SUMMARY, LABELS")) << "Esc leads back to the list";
}

TEST_F(TopActionsTest, AHostIsShownBySectionsWithCharts) {
  for (int at = 295; at >= 0; at -= 5) heard("a", 0.5, kNow - at * kNanosPerSecond);
  text();
  view_.key(kEnter);
  EXPECT_THAT(text(), HasSubstr("CPU 50.0 %"));
  const std::string shown = text(kWide);
  for (const char* const part : {"CPU ---", "Memory ---", "Disks ---", "Network ---", "Processes ---",
                                 "Not collected. To switch on", "--metrics cpu memory containers", "max 50.0 %"}) {
    EXPECT_THAT(shown, HasSubstr(part));
  }
  EXPECT_THAT(shown, ::testing::ContainsRegex(R"(cpu.logical_number=3\} +75\.0 % [+*]{10})"))
      << "a sparkline for a series";
  const Size low{.columns = 80, .rows = 12};
  EXPECT_THAT(text(low), HasSubstr("CPU ---"));
  view_.key(kTab);
  EXPECT_THAT(text(low), Not(HasSubstr("CPU ---"))) << "the next section";
  EXPECT_THAT(text(low), HasSubstr("Memory ---"));
}

TEST_F(TopActionsTest, TallScreensHaveTheFleetsCharts) {
  heard("a", 0.5);
  heard("b", 0.25);
  const std::string shown = text(kWide);
  EXPECT_THAT(shown, HasSubstr("CPU, mean 37.5 %"));
  EXPECT_THAT(shown, HasSubstr("Network, sum"));
  EXPECT_EQ(shown.find("ALL "), std::string::npos) << "the charts show the totals";
}

TEST_F(TopActionsTest, WideNamesKeepTheColumnsAligned) {
  TopView utf8(true);
  for (const char* const name : {"日本1", "plain", "e\u0301-2"}) heard(name, 0.5);
  size_t seen = 0;
  for (const Line& line : utf8.draw(fleet_, past_, kNow, {.columns = 120, .rows = 24})) {
    if (width_of(line) == 0) continue;
    std::string all;
    for (const Span& span : line) all += span.text;
    const size_t number = all.find(" 50.0 ");
    if (number == std::string::npos) continue;
    ++seen;
    EXPECT_EQ(text_width(all), 120U);
    EXPECT_EQ(text_width(all.substr(0, number)), text_width(all.substr(0, all.find(" 50.0 "))));
  }
  EXPECT_EQ(seen, 4U) << "three agents and their totals";
  EXPECT_THAT(text(), HasSubstr("????1")) << "without UTF-8";
  for (const char one : text(kWide)) EXPECT_LT(static_cast<unsigned char>(one), 0x80);
}

TEST_F(TopActionsTest, NoLineIsEverTooWide) {
  heard("agent-with-a-rather-long-name-001", 0.5);
  view_.set_alerts({.items = {{.name = std::string(300, 'x'), .agent = "a"}}, .trouble = ""});
  for (const char* const keys : {"", "a", "c", "?", "\n", ":sort \t", "/zzz"}) {
    TopView view(true);
    for (const char* key = keys; *key != '\0'; ++key) view.key(*key == '\n' ? static_cast<int>(kEnter) : *key);
    for (size_t columns = 1; columns < 230; columns += 7) {
      for (size_t rows = 1; rows < 60; rows += 9) {
        const auto lines = view.draw(fleet_, past_, kNow, {.columns = columns, .rows = rows});
        ASSERT_EQ(lines.size(), rows);
        for (const Line& line : lines) ASSERT_LE(width_of(line), columns) << keys << " " << columns << " " << rows;
      }
    }
  }
}

// Twice a second, so that a redraw of 20 ms takes 4 % of a core. The limit leaves room for slow machines and for builds
// without optimization.
TEST_F(TopActionsTest, DrawsAThousandAgentsInLittleTime) {
  for (int at = 55; at >= 0; at -= 5) {
    for (int i = 0; i < 1'000; ++i) heard("agent-" + std::to_string(i), 0.001 * i, kNow - at * kNanosPerSecond);
  }
  constexpr int kDrawings = 20;
  const std::clock_t begun = std::clock();
  for (int i = 0; i < kDrawings; ++i) view_.draw(fleet_, past_, kNow, kWide);
  const double ms = 1e3 * static_cast<double>(std::clock() - begun) / CLOCKS_PER_SEC / kDrawings;
  RecordProperty("ms_per_drawing", std::to_string(ms));
  std::printf("%.2f ms of CPU for a drawing of 1,000 agents at 200x50\n", ms);
  EXPECT_LT(ms, 100);
}

}  // namespace
}  // namespace monitor::analysis::top
