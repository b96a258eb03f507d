// Evaluates PromQL over given samples, for comparisons with Prometheus.
//
//   promqleval SAMPLES < QUERIES
//
// A line of SAMPLES is a series, a value and a time in milliseconds: up{job="a"} 1.5 1700000000000
// A line of QUERIES is start, end and step in milliseconds and an expression; equal start and end: an instant query.
// For each it prints one line: "data", "warnings" and "infos" of Prometheus' API, or {"error":...}.
#include <fstream>
#include <iostream>
#include <sstream>
#include <string>

#include "base/text.h"
#include "query/evaluator.h"
#include "query/json.h"
#include "query/parser.h"
#include "query/series_notation.h"
#include "query/testing/memory_source.h"

namespace monitor::query {
namespace {

bool load(const char* path, MemorySource& source) {
  std::ifstream file(path);
  size_t count = 0;
  for (std::string line; std::getline(file, line); ++count) {
    const auto noted = parse_noted_series(line);
    if (!noted) return false;
    std::istringstream rest{std::string(noted->rest)};
    std::string value;
    int64_t time_ms = 0;
    rest >> value >> time_ms;
    const auto number = parse_value(value);
    if (!number || rest.fail()) return false;
    source.add(noted->labels, {time_ms, *number});
  }
  return count > 0;
}

std::string answer(const std::string& line, MemorySource& source) {
  std::istringstream fields(line);
  QueryTimes times;
  fields >> times.start_ms >> times.end_ms >> times.step_ms;
  std::string text;
  std::getline(fields, text);
  const auto failed = [](const Error& error) {
    const bool refused = error.code() == Code::kUnimplemented;
    return std::string(R"({"error":)") + json_quote(error.message()) + R"(,"refused":)" +
           (refused ? "true}" : "false}");
  };
  const auto expression = parse(text);
  if (!expression) return failed(expression.error());
  QueryOptions options;
  options.text = text;
  const auto result = evaluate(**expression, source, times, options);
  if (!result) return failed(result.error());
  const auto list = [](const std::vector<std::string>& notes) {
    std::string out;
    for (const std::string& note : notes) out += (out.empty() ? "" : ",") + json_quote(note);
    return "[" + out + "]";
  };
  return R"({"data":)" + to_json(*result, times, times.start_ms != times.end_ms) + R"(,"warnings":)" +
         list(result->warnings) + R"(,"infos":)" + list(result->infos) + "}";
}

}  // namespace
}  // namespace monitor::query

int main(int argc, char** argv) {
  using namespace monitor::query;
  MemorySource source;
  if (argc != 2 || !load(argv[1], source)) {
    std::cerr << "usage: promqleval SAMPLES < QUERIES\n";
    return 64;
  }
  for (std::string line; std::getline(std::cin, line);) std::cout << answer(line, source) << "\n";
  return 0;
}
