#include "bin/config/context.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <iostream>

#include "base/escape.h"
#include "base/exit_codes.h"
#include "config/fleet_catalog.h"

namespace monitor {

int config_failure(const Error& error) {
  std::cerr << "monitor-config: " << printable(error.message()) << "\n";
  return error.code() == Code::kInvalidArgument ? kExitConfig : exit_code_for(error);
}

void print_warnings(const ConfigContext& context, const std::string& text, config::Edited what,
                    const config::PluginCatalog& others) {
  const auto problems_of = [&](const config::PluginCatalog& plugins) {
    auto document = config::Document::parse(text);
    if (!document) return std::vector<config::Problem>();
    return config::validate({{"", 0, std::move(*document), what == config::Edited::kOwn}}, plugins).problems;
  };
  auto problems = problems_of(others);
  if (problems.empty()) return;
  if (const auto keys = context.all()) {
    problems = problems_of(config::FleetCatalog(others, *keys, context.wall_ns(), context.fresh_ns()));
  }
  for (config::Problem& problem : problems) {
    problem.line = 0;  // the line refers to a merged text that the user has not seen
    std::cerr << fmt::format("warning: {}\n", printable(problem.to_string()));
  }
}

std::string json_line(const nlohmann::ordered_json& json) {
  return printable(json.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace));
}

void wait_on(EventLoop& loop, int64_t ns) {
  bool over = false;
  loop.call_after(ns, [&over] { over = true; });
  while (!over) loop.run_once(-1);
}

}  // namespace monitor
