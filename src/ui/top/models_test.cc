// The models of `top`: columns, filters, commands, settings, sections, the past of series.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "base/testing/temporary_folder.h"
#include "ui/top/chart.h"
#include "ui/top/columns.h"
#include "ui/top/command.h"
#include "ui/top/filter.h"
#include "ui/top/sections.h"
#include "ui/top/series_past.h"
#include "ui/top/settings.h"

namespace monitor::analysis::top {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr int64_t kNow = int64_t{1'700'000'000} * kNanosPerSecond;

bool placed(const std::vector<Placed>& columns, Column id) {
  return std::ranges::find(columns, id, &Placed::id) != columns.end();
}

TEST(PlaceColumns, UsesTheWholeWidthWithoutOverlap) {
  for (const ColumnSet& set : {standard_columns(), ColumnSet{Column::kState, Column::kAgent},
                               *parse_columns("state,agent,cpu,labels,version,uptime,waiting", {})}) {
    for (size_t width = 24; width < 400; ++width) {
      const auto columns = place_columns(set, width);
      size_t at = 0;
      for (const Placed& one : columns) {
        EXPECT_EQ(one.at, at);
        at += one.width + 1;
      }
      EXPECT_EQ(at, width + 1) << width;
    }
  }
}

TEST(PlaceColumns, DropsTheLeastImportantFirst) {
  EXPECT_TRUE(placed(place_columns(standard_columns(), 200), Column::kHost));
  const auto narrow = place_columns(standard_columns(), 80);
  EXPECT_FALSE(placed(narrow, Column::kHost));
  for (const Column id :
       {Column::kState, Column::kAgent, Column::kCpu, Column::kMemory, Column::kDisk, Column::kNetwork}) {
    EXPECT_TRUE(placed(narrow, id)) << spec_of(id).name;
  }
  EXPECT_EQ(place_columns(standard_columns(), 24).size(), 2U);
}

TEST(ParseColumns, SetsChangesAndRefuses) {
  EXPECT_THAT(*parse_columns("net, cpu", {}),
              ElementsAre(Column::kState, Column::kAgent, Column::kCpu, Column::kNetwork));
  const ColumnSet now = {Column::kState, Column::kAgent, Column::kCpu};
  EXPECT_THAT(*parse_columns("+load,-cpu,-state", now), ElementsAre(Column::kState, Column::kAgent, Column::kLoad));
  EXPECT_EQ(*parse_columns("standard", now), standard_columns());
  const auto unknown = parse_columns("cpu,colour", now);
  ASSERT_FALSE(unknown.ok());
  EXPECT_THAT(unknown.error().message(), HasSubstr("\"colour\""));
  EXPECT_THAT(unknown.error().message(), HasSubstr("state,agent,host,cpu"));
}

TEST(Filter, FindsPartsLabelsStatesAndPatterns) {
  LiveAgent agent;
  agent.name = "web-07";
  agent.host = "db7.example.org";
  agent.labels = {{"rack", "a12"}, {"site", "eu"}};
  const auto matches = [&](const char* text) { return Filter(text).matches(agent, Health::kLate); };
  for (const char* const text :
       {"", "web", "b-0", "example", "rack=a1", "rack=*2", "state=late", "rack=a site=eu", "web-??"}) {
    EXPECT_TRUE(matches(text)) << text;
  }
  for (const char* const text : {"rack=b", "web site=us", "state=alive", "we?", "late"})
    EXPECT_FALSE(matches(text)) << text;
}

TEST(Command, ParsesAndRefusesWithAReason) {
  EXPECT_EQ(parse_command("sort cpu")->argument, "cpu");
  EXPECT_EQ(parse_command(" q ")->name, Command::Name::kQuit);
  EXPECT_EQ(parse_command("fil rack=a state=late")->argument, "rack=a state=late");
  EXPECT_EQ(parse_command("filter")->argument, "");
  EXPECT_THAT(parse_command("nonsense").error().message(), HasSubstr("there is no command \"nonsense\""));
  EXPECT_THAT(parse_command("h").error().message(), HasSubstr("several commands begin with \"h\": host and help"));
  EXPECT_THAT(parse_command("host").error().message(), HasSubstr(":host NAME"));
  EXPECT_THAT(parse_command("alerts x").error().message(), HasSubstr("takes no argument"));
  EXPECT_FALSE(parse_command("").ok());
}

TEST(Command, CompletesAsFarAsItIsCertain) {
  const Completions known{
      .columns = {"cpu", "memory"}, .agents = {"web-1", "web-2", "db"}, .labels = {"rack=a", "rack=b", "site=eu"}};
  EXPECT_EQ(complete("so", known).text, "sort ");
  EXPECT_THAT(complete("h", known).choices, ElementsAre("host", "help"));
  EXPECT_EQ(complete("sort c", known).text, "sort cpu");
  EXPECT_EQ(complete("sort -m", known).text, "sort -memory");
  EXPECT_EQ(complete("columns cpu,m", known).text, "columns cpu,memory");
  EXPECT_EQ(complete("host w", known).text, "host web-");
  EXPECT_THAT(complete("host w", known).choices, ElementsAre("web-1", "web-2"));
  EXPECT_EQ(complete("filter web rack=", known).text, "filter web rack=");
  EXPECT_EQ(complete("filter web s", known).text, "filter web site=eu");
  EXPECT_EQ(complete("zzz", known).text, "zzz");
}

TEST(Settings, AreReadBackAndBounded) {
  Settings settings;
  settings.columns = {Column::kState, Column::kAgent, Column::kLoad};
  EXPECT_EQ(parse_settings(to_text(settings))->columns, settings.columns);
  EXPECT_EQ(parse_settings("{}")->columns, standard_columns());
  EXPECT_THAT(parse_settings(R"({"columns": ["cpu", "of a later version", "cpu"]})")->columns,
              ElementsAre(Column::kState, Column::kAgent, Column::kCpu));
  for (const char* const text : {"", "[]", "{", "{\"columns\": 1}", "{\"columns\": [1]}", "\xff"}) {
    EXPECT_THAT(parse_settings(text).error().message(), HasSubstr("damaged")) << text;
  }
  EXPECT_FALSE(parse_settings(std::string(kMaxSettingsBytes + 1, ' ')).ok());
  EXPECT_FALSE(parse_settings(std::string(10'000, '[')).ok());
}

TEST(Settings, AreInTheUsersFolder) {
  EXPECT_EQ(settings_path("/x", "/home/a"), "/x/monitor/top.json");
  EXPECT_EQ(settings_path("", "/home/a"), "/home/a/.config/monitor/top.json");
  EXPECT_EQ(settings_path("relative", "/home/a"), "/home/a/.config/monitor/top.json");
  EXPECT_EQ(settings_path("", ""), "");
  const TemporaryFolder folder;
  PosixDisk disk;
  const std::string path = settings_path(folder.path(), "");
  EXPECT_EQ(load_settings(disk, path)->columns, standard_columns()) << "there is none yet";
  ASSERT_TRUE(save_settings(disk, path, {.columns = {Column::kState, Column::kAgent}}).ok());
  EXPECT_EQ(load_settings(disk, path)->columns.size(), 2U);
  ASSERT_TRUE(disk.write_file(path, "{").ok());
  EXPECT_THAT(load_settings(disk, path).error().message(), HasSubstr(path));
}

LiveAgent agent_with(std::vector<LiveValue> values) {
  LiveAgent agent;
  agent.name = "a";
  agent.first_ns = 1;
  agent.values = std::move(values);
  return agent;
}

TEST(SeriesPast, KeepsFiveMinutesOfEachSeries) {
  LiveAgent agent =
      agent_with({{{.name = "gauge"}, 0, 0}, {{.name = "counter", .kind = metrics::Kind::kCounter}, 0, 0}});
  SeriesPast past;
  for (int i = 0; i < 100; ++i) {
    agent.tick_ns = kNow + i * SeriesPast::kStep;
    for (LiveValue& value : agent.values) value.time_ns = agent.tick_ns;
    agent.values[0].value = i;
    agent.values[1].value = 10.0 * i;
    past.note(agent);
    past.note(agent);  // once a step
  }
  const auto gauge = past.steps(agent, 0);
  ASSERT_EQ(gauge.size(), SeriesPast::kSteps);
  EXPECT_EQ(gauge.front(), 40);
  EXPECT_EQ(gauge.back(), 99);
  EXPECT_EQ(past.steps(agent, 1).back(), 10) << "what a counter grew by";
  EXPECT_EQ(past.series(), 2U);
  agent.tick_ns += 10 * SeriesPast::kStep;
  for (LiveValue& value : agent.values) value.time_ns = agent.tick_ns;
  past.note(agent);
  EXPECT_TRUE(std::isnan(past.steps(agent, 0)[SeriesPast::kSteps - 2])) << "a gap";
  agent.first_ns = 2;  // the fleet had forgotten it
  agent.values.resize(1);
  agent.tick_ns += SeriesPast::kStep;
  past.note(agent);
  EXPECT_EQ(past.steps(agent, 0).size(), 1U);
  EXPECT_THAT(past.steps(agent, 1), IsEmpty());
}

TEST(Sections, GroupSeriesInTheOrderOfAHost) {
  const LiveAgent agent =
      agent_with({{{.name = "plugin.x"}, 1, 0},
                  {{.name = "system.network.io.rate", .labels = {{"network.interface.name", "eth10"}}}, 1, 0},
                  {{.name = "system.network.io.rate", .labels = {{"network.interface.name", "eth2"}}}, 1, 0},
                  {{.name = "system.cpu.utilization", .labels = {}, .unit = "1"}, 0.5, 0}});
  const auto sections = sections_of(agent);
  std::vector<std::string> titles;
  for (const Section& one : sections) titles.emplace_back(title_of(one.kind));
  EXPECT_THAT(titles, ElementsAre("CPU", "Network", "Processes", "Containers", "Other metrics"));
  EXPECT_THAT(sections[1].series[0].name, HasSubstr("eth2"));
  EXPECT_EQ(sections[1].series[0].brief, "network.io.rate{name=eth2}");
  EXPECT_EQ(sections[0].series[0].share, 0.5);
  EXPECT_THAT(sections[2].absent, HasSubstr("monitor-config set --agent-id a --metrics cpu memory processes"));
  EXPECT_THAT(sections[3].absent, HasSubstr("--metrics cpu memory containers"));
}

TEST(Sections, ShowProcessesAndContainersAsTables) {
  std::vector<LiveValue> values;
  for (int pid = 1; pid <= 3; ++pid) {
    const metrics::Labels labels = {{"process.executable.name", "p\x1b" + std::to_string(pid)},
                                    {"process.pid", std::to_string(pid)}};
    values.push_back({{.name = "process.memory.usage", .labels = labels, .unit = "By"}, 1e6 * pid, 0});
    values.push_back({{.name = "process.cpu.utilization", .labels = labels, .unit = "1"}, 0.1 * pid, 0});
  }
  values.push_back({{.name = "container.memory.usage", .labels = {{"container.name", "web"}}, .unit = "By"}, 1, 0});
  values.push_back({{.name = "container.memory.limit", .labels = {}, .unit = "By"}, 1, 0});
  const auto sections = sections_of(agent_with(std::move(values)));
  ASSERT_EQ(sections.size(), 2U);
  const Entities& processes = sections[0].entities;
  EXPECT_THAT(processes.columns, ElementsAre("cpu.utilization", "memory.usage"));
  ASSERT_EQ(processes.rows.size(), 3U);
  EXPECT_EQ(processes.rows[0].name, "3 p\\u001b3") << "the busiest first, escaped";
  EXPECT_EQ(processes.rows[0].cells[0], "30.0 %");
  EXPECT_EQ(sections[1].entities.rows[0].name, "web");
  EXPECT_EQ(sections[1].series.size(), 1U) << "the agent's own control group";
  EXPECT_THAT(sections[1].absent, IsEmpty());
}

TEST(Sections, ProcessesThatEndedHaveNoRow) {
  const auto labels = [](const char* pid) {
    return metrics::Labels{{"process.command", "p"}, {"process.owner", "web"}, {"process.pid", pid}};
  };
  metrics::Labels read = labels("2");
  metrics::set_label(read, "disk.io.direction", "read");
  const auto sections =
      sections_of(agent_with({{{.name = "process.cpu.utilization", .labels = labels("1"), .unit = "1"}, 0.5, kNow},
                              {{.name = "process.cpu.utilization", .labels = labels("2"), .unit = "1"}, 0.1, kNow + 1},
                              {{.name = "process.disk.io.rate", .labels = read, .unit = "By/s"}, 2048, kNow + 1},
                              {{.name = "process.memory.usage", .labels = labels("2"), .unit = "By"}, 4096, kNow + 1},
                              {{.name = "system.uptime", .labels = {}, .unit = "s"}, 1, kNow + 5}}));
  const auto found = std::ranges::find(sections, SectionKind::kProcesses, &Section::kind);
  ASSERT_NE(found, sections.end());
  EXPECT_THAT(found->entities.columns, ElementsAre("cpu.utilization", "memory.usage", "disk read", "user"));
  ASSERT_EQ(found->entities.rows.size(), 1U);
  EXPECT_EQ(found->entities.rows[0].name, "2 p");
  EXPECT_THAT(found->entities.rows[0].cells, ElementsAre("10.0 %", "4.00 KB", "2.00 KB/s", "web"));
}

TEST(Chart, FillsTheAreaBelowTheCurve) {
  const auto braille = area_chart({0, 1}, {.size = {.columns = 1, .rows = 2}, .top = 1});
  EXPECT_EQ(braille[0][0].text, "⢸");
  EXPECT_EQ(braille[1][0].text, "⣸");
  const auto ascii = area_chart({0.5F, 1, NAN}, {.size = {.columns = 3, .rows = 2}, .top = 1, .utf8 = false});
  EXPECT_EQ(ascii[0][0].text, " | ");
  EXPECT_EQ(ascii[1][0].text, "|| ");
  const auto half_full = area_chart({1, 1}, {.size = {.columns = 4, .rows = 1}, .steps = 4, .utf8 = false});
  EXPECT_EQ(half_full[0][0].text, "  ||") << "the newest value is at the right";
  const auto peak = area_chart({0, 1, 0, 0, 0, 0.5F}, {.size = {.columns = 2, .rows = 1}, .top = 1, .utf8 = false});
  EXPECT_EQ(peak[0][0].text, "|.") << "no peak is lost";
}

TEST(Bar, IsFilledUpToTheShareInTheHeatOfEachPlace) {
  const Line full = bar(1, 10, true);
  EXPECT_EQ(width_of(full), 10U);
  EXPECT_EQ(full.front().paint, Paint::kHeat1);
  EXPECT_EQ(full.back().paint, Paint::kHeat5);
  const Line half = bar(0.5, 4, false);
  EXPECT_EQ(half.back().text, "..");
  EXPECT_EQ(width_of(bar(std::nullopt, 7, true)), 7U);
  EXPECT_EQ(width_of(bar(7, 7, true)), 7U);
  EXPECT_EQ(width_of(bar(NAN, 7, true)), 7U);
}

}  // namespace
}  // namespace monitor::analysis::top
