// The printers: the table, JSON and CSV.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <limits>

#include "metrics/resource.h"
#include "ui/print/printer.h"
#include "ui/print/sample_test.h"

namespace monitor::analysis {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

TEST(Table, PrintsOneRowPerTickInCommonUnits) {
  const auto printer = make_printer({});
  EXPECT_EQ(
      printer->tick(sample(), 0, false),
      "TIME (UTC)               AGENT          CPU %   MEM %  MEM USED / TOTAL MB  DISK R MB/s  DISK W MB/s  NET "
      "IN MB/s  NET OUT MB/s\n"
      "2026-11-22 12:00:00.123  agent-001       12.3    41.0       9,830 / 23,950         1.50            -       "
      "     -             -\n");
  EXPECT_THAT(printer->tick(sample(), 0, true), ::testing::EndsWith("-  late\n"));
}

TEST(Table, RepeatsTheHeaderIfConfiguredOrIfAColumnGrows) {
  const auto printer = make_printer({.header_every = 2});
  const auto has_header = [](const std::string& text) { return text.starts_with("TIME"); };
  EXPECT_TRUE(has_header(printer->tick(sample(), 0, false)));
  EXPECT_FALSE(has_header(printer->tick(sample(), 0, false)));
  EXPECT_TRUE(has_header(printer->tick(sample(), 0, false)));
  EXPECT_TRUE(has_header(printer->tick(sample("a-rather-long-agent-id"), 0, false)));
}

// Without colours and newlines.
std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines(1);
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\x1b') {
      i = text.find('m', i);
    } else if (text[i] == '\n') {
      lines.emplace_back();
    } else {
      lines.back() += text[i];
    }
  }
  lines.pop_back();
  return lines;
}

TEST(Table, FitsIntoTheTerminalAndAlignsItsColumns) {
  metrics::Batch batch = sample();
  batch.resource = {{"rack", "r12"}, {"site", "somewhere-far-away"}};
  for (const std::string& agent : {std::string("a"), std::string("agent-001"), std::string(40, 'x')}) {
    batch.agent_id = agent;
    for (size_t columns = 30; columns <= 250; ++columns) {
      for (const bool late : {false, true}) {
        const auto lines =
            lines_of(make_printer({.colour = true, .columns = [columns] { return columns; }})->tick(batch, 0, late));
        ASSERT_EQ(lines.size(), 2U);
        EXPECT_LE(lines[0].size(), columns);
        EXPECT_LE(lines[1].size(), columns) << lines[1];
        // The last digit of a value is below the last letter of its heading.
        const size_t cpu = lines[0].find("CPU %") + 4;
        EXPECT_EQ(lines[1].substr(cpu - 3, 4), "12.3") << columns << "\n" << lines[0] << "\n" << lines[1];
        if (late && columns >= 78 && agent.size() <= 12) {
          EXPECT_THAT(lines[1], HasSubstr(" late"));
        }
      }
    }
  }
}

TEST(Table, KeepsWhatMattersMostInANarrowTerminal) {
  const auto header = [](size_t columns) {
    return lines_of(make_printer({.columns = [columns] { return columns; }})->tick(sample(), 0, false)).front();
  };
  EXPECT_THAT(header(140), StartsWith("TIME (UTC)               AGENT          CPU %   MEM %  MEM USED / TOTAL MB"));
  EXPECT_THAT(header(120), HasSubstr("MEM USED / TOTAL MB  DISK R MB/s"));
  EXPECT_EQ(header(80), "TIME (UTC)     AGENT         CPU %  MEM %  RD MB/s  WR MB/s  IN MB/s  OUT MB/s");
  EXPECT_EQ(header(40), "UTC       AGENT         CPU %  MEM %");
}

TEST(Table, FollowsTheTerminalsWidth) {
  size_t columns = 140;
  const auto printer = make_printer({.columns = [&columns] { return columns; }});
  EXPECT_EQ(lines_of(printer->tick(sample(), 0, false)).size(), 2U);
  EXPECT_EQ(lines_of(printer->tick(sample(), 0, false)).size(), 1U);
  columns = 80;
  EXPECT_THAT(printer->tick(sample(), 0, false), StartsWith("TIME (UTC)     AGENT")) << "the header again";
}

TEST(Table, ContinuesSelectedSeriesBelowTheFirst) {
  for (const size_t columns : {size_t{20}, size_t{40}, size_t{80}, size_t{120}}) {
    const auto printer = make_printer({.metric = "system", .columns = [columns] { return columns; }});
    const auto lines = lines_of(printer->tick(sample(), 0, false));
    ASSERT_GT(lines.size(), 3U);
    std::string all;
    for (const std::string& line : lines) {
      EXPECT_LE(line.size(), std::max<size_t>(columns, 33)) << line;
      all += line.substr(std::min(line.find_first_not_of(' '), line.size()));
    }
    EXPECT_THAT(all, HasSubstr("system.network.io.rate{network.io.direction=receive}=-")) << "nothing is cut off";
  }
}

TEST(Table, PaintsSharesByThreshold) {
  metrics::Batch batch = sample();
  batch.frames[0].points[2].real = 0.75;
  const auto row = make_printer({.colour = true, .columns = [] { return size_t{80}; }})->tick(batch, 0, false);
  EXPECT_THAT(row, HasSubstr(" 12.3  \x1b[33m 75.0\x1b[0m")) << row;
}

TEST(Table, ColoursOnlyIfConfigured) {
  metrics::Batch batch = sample();
  batch.frames[0].points[0].real = 0.95;
  EXPECT_THAT(make_printer({.colour = true})->tick(batch, 0, false), HasSubstr("\x1b[31m  95.0\x1b[0m"));
  EXPECT_EQ(make_printer({})->tick(batch, 0, false).find('\x1b'), std::string::npos);
}

TEST(Table, PrintsTheSeriesThatAPatternSelects) {
  const auto printer = make_printer({.metric = "system.cpu.*"});
  EXPECT_THAT(printer->tick(sample(), 0, false),
              HasSubstr("system.cpu.utilization=0.1234  system.cpu.utilization{cpu.logical_number=0}=0.99\n"));
  EXPECT_EQ(make_printer({.metric = "none"})->tick(sample(), 0, false), "");
}

TEST(Json, PrintsOneObjectPerLine) {
  const std::string text = make_printer({.format = Format::kJson})->tick(sample(), 0, true);
  EXPECT_THAT(text, StartsWith(R"({"time":"2026-11-22T12:00:00.123456789Z","agent":"agent-001","host":"h",)"
                               R"("incarnation":"11111111111111111111111111111111","sequence":7,"frame":0,)"
                               R"("config_revision":42,"late":true,"metrics":[)"));
  EXPECT_THAT(text, HasSubstr("\"value\":null"));
  EXPECT_EQ(text.back(), '\n');
  const auto one = make_printer({.format = Format::kJson, .metric = "*{cpu.logical_number=0}"});
  EXPECT_THAT(one->tick(sample(), 0, false), HasSubstr(R"("metrics":[{"name":"system.cpu.utilization","unit":"1",)"
                                                       R"("labels":{"cpu.logical_number":"0"},"value":0.99}]})"));
  EXPECT_EQ(make_printer({.format = Format::kJson, .metric = "none"})->tick(sample(), 0, false), "");
}

TEST(Csv, PrintsOneRowPerValueAndQuotes) {
  metrics::Batch batch = sample();
  batch.series[0].labels = {{"a", "x,y"}, {"b", "q\"q"}};
  batch.frames[0].points.resize(1);
  const auto printer = make_printer({.format = Format::kCsv});
  EXPECT_EQ(printer->tick(batch, 0, false),
            "time,agent,metric,labels,unit,value\n"
            "2026-11-22T12:00:00.123456789Z,agent-001,system.cpu.utilization,\"a=x,y;b=q\"\"q\",1,0.1234\n");
  EXPECT_THAT(printer->tick(batch, 0, false), StartsWith("2026"));
  batch.frames[0].points[0].real = std::numeric_limits<double>::infinity();
  EXPECT_THAT(printer->tick(batch, 0, false), ::testing::EndsWith(",1,\n"));
}

metrics::Batch hostile() {
  metrics::Batch batch = sample(
      "a\x1b[2Jb\xc2\x9b"
      "1m\nforged\r");
  batch.resource = {{"rack\x1b]0;x\x07",
                     "r\xe2\x80\xae"
                     "12"}};
  batch.series[0].labels = {{"dev\x1b", "=cmd|'/C calc'!A0\n\x7f"}};
  batch.series[0].name = "m\x1b[31m";
  batch.series[0].unit = "+1\x1b";
  metrics::carry_resource(batch);
  return batch;
}

// True if the text contains control characters other than newlines.
bool acts_on_terminals(const std::string& text) {
  return text.find_first_of(std::string("\0\x1b\x07\r\t\x7f", 6)) != std::string::npos ||
         text.find("\xc2\x9b") != std::string::npos || text.find("\xe2\x80\xae") != std::string::npos;
}

TEST(Printers, EscapeEverythingThatControlsATerminal) {
  for (const Format format : {Format::kTable, Format::kCsv, Format::kJson}) {
    for (const char* const metric : {"", "m*"}) {
      const std::string text = make_printer({.format = format, .metric = metric})->tick(hostile(), 0, false);
      EXPECT_FALSE(text.empty());
      EXPECT_FALSE(acts_on_terminals(text)) << text;
      EXPECT_TRUE(format != Format::kTable || std::ranges::count(text, '\n') == 2) << text;
    }
  }
}

TEST(Csv, DisarmsFormulasAndSeparatesLabels) {
  metrics::Batch batch = sample("-a");
  batch.series[0].name = "=1+1";
  batch.series[0].labels = {{"a", "x;b=y"}, {"c", "d\\e"}};
  batch.frames[0].points.resize(1);
  EXPECT_THAT(make_printer({.format = Format::kCsv})->tick(batch, 0, false),
              HasSubstr(",'-a,'=1+1,a=x\\;b=y;c=d\\\\e,1,0.1234\n"));
}

TEST(Table, AddsAColumnOnceAnAgentHasConfiguredLabels) {
  const auto printer = make_printer({});
  EXPECT_EQ(printer->tick(sample(), 0, false).find("LABELS"), std::string::npos);
  metrics::Batch labelled = sample();
  labelled.resource = {{"rack", "r12"}, {"site", "eu-1"}};
  metrics::carry_resource(labelled);
  EXPECT_THAT(printer->tick(labelled, 0, false), HasSubstr("NET OUT MB/s  LABELS\n2026"));
  EXPECT_THAT(printer->tick(labelled, 0, true), ::testing::EndsWith("-  rack=r12,site=eu-1  late\n"));
  EXPECT_THAT(printer->tick(sample(), 0, false), ::testing::EndsWith("-  -\n"));
}

}  // namespace
}  // namespace monitor::analysis
