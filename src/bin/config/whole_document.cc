#include "bin/config/whole_document.h"

#include <nlohmann/json.hpp>

#include "base/text.h"
#include "bin/common/input.h"
#include "config/document.h"
#include "config/validate.h"

namespace monitor {

namespace {

constexpr size_t kMaxInput =
    size_t{64} * 1024 * 1024;  // the parser rejects input beyond its own, lower limit with a better message

}  // namespace

Result<WholeDocument> read_whole_document(Disk& disk, const std::string& file, config::Edited what,
                                          const config::PluginCatalog& plugins) {
  auto text = read_input(disk, file, kMaxInput);
  if (!text) return text.error();
  auto document = config::Document::parse(*text);
  if (!document) return Error(Code::kInvalidArgument, file + ": " + document.error().message());
  WholeDocument whole;
  for (const auto& [name, value] : document->value().items()) whole.fields.push_back({name, value.dump()});
  const auto validated = config::validate({{file, 0, std::move(*document), what == config::Edited::kOwn}}, plugins);
  std::vector<std::string> problems;
  for (const config::Problem& problem : validated.problems) {
    if (!problem.warning) problems.push_back(problem.to_string());
  }
  if (!validated.ok()) return Error(Code::kInvalidArgument, join(problems, "\n"));
  whole.text = std::move(*text);
  return whole;
}

}  // namespace monitor
