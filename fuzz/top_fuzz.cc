// `monitor-analysis top`: settings, commands and filters of any bytes; and whether any name of an agent, or any keys,
// draw a line that is too wide, or a control character.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "ui/terminal/text_width.h"
#include "ui/top/filter.h"
#include "ui/top/settings.h"
#include "ui/top/top_view.h"

namespace {

namespace top = monitor::analysis::top;
using monitor::analysis::Fleet;

constexpr int64_t kNow = int64_t{1'700'000'000} * monitor::kNanosPerSecond;

void require(bool condition) {
  if (!condition) std::abort();
}

void check_settings(std::string_view bytes) {
  const auto settings = top::parse_settings(bytes);
  if (!settings) return;
  const auto again = top::parse_settings(top::to_text(*settings));
  require(again.ok() && again->columns == settings->columns);
}

void check_command(std::string_view bytes) {
  if (const auto command = top::parse_command(bytes)) require(command->argument.size() <= bytes.size());
  const top::Completions known{.columns = {"cpu"}, .agents = {std::string(bytes)}, .labels = {"a=b"}};
  require(top::complete(bytes, known).choices.size() <= top::kMostChoices);
}

Fleet fleet_of(std::string_view bytes) {
  const std::string text(bytes.substr(0, 200));
  monitor::metrics::Batch batch;
  batch.agent_id = text;
  batch.hostname = text;
  batch.agent_version = text;
  batch.incarnation = std::string(16, 'i');
  batch.sequence = 1;
  batch.appended_ns = kNow;
  batch.resource = {{text, text}};
  batch.series = {{.name = text, .labels = {{text, text}}, .unit = text},
                  {.name = "process.cpu.utilization", .labels = {{"process.name", text}}, .unit = "1"}};
  batch.frames = {{.time_ns = kNow, .rates_since_ns = 0, .points = {{.series = 0}, {.series = 1}}}};
  Fleet fleet;
  fleet.apply({.partition = 0, .offset = 1, .time_ns = kNow}, batch);
  return fleet;
}

void check_lines(const std::vector<top::Line>& lines, top::Size size) {
  require(lines.size() == size.rows);
  for (const top::Line& line : lines) {
    require(top::width_of(line) <= size.columns);
    for (const top::Span& span : line) {
      for (const char one : span.text) require(static_cast<unsigned char>(one) >= 0x20 && one != 0x7f);
      require(monitor::analysis::to_ascii(span.text).size() <= span.text.size());
    }
  }
}

void check_drawing(std::string_view bytes) {
  const Fleet fleet = fleet_of(bytes);
  const top::SeriesPast past;
  top::TopView view(bytes.size() % 2 == 0);
  const top::Size size{
      .columns = bytes.empty() ? size_t{80} : static_cast<size_t>(static_cast<unsigned char>(bytes[0])), .rows = 24};
  check_lines(view.draw(fleet, past, kNow, size), size);
  view.key(top::kEnter);
  check_lines(view.draw(fleet, past, kNow, size), size);
  for (const char byte : bytes.substr(0, 100)) {
    const int key = static_cast<unsigned char>(byte);
    if (!view.key(key >= 0xf0 ? top::kUp + (key - 0xf0) : key)) break;
  }
  check_lines(view.draw(fleet, past, kNow, size), size);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  check_settings(bytes);
  check_command(bytes);
  const monitor::analysis::LiveAgent agent;
  top::Filter(bytes).matches(agent, monitor::analysis::Health::kAlive);
  check_drawing(bytes);
  return 0;
}
