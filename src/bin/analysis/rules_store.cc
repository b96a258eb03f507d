// `rules put`, `rules list` and `rules rm`: the rules that are stored in the configuration.
#include <fmt/format.h>

#include <iostream>
#include <memory>
#include <optional>

#include "base/disk.h"
#include "base/text.h"
#include "bin/analysis/config_stores.h"
#include "bin/analysis/rule_paths.h"
#include "bin/analysis/rules_actions.h"
#include "config/keys.h"
#include "rules/rule_file.h"

namespace monitor {

namespace {

Result<std::unique_ptr<config::ConfigStore>> open_store(const Cli& cli, RulesFlags& flags, Disk& disk) {
  if (const std::string fault = resolve_configuration(cli, flags.etcd, flags.dir); !fault.empty()) {
    return Error(Code::kInvalidArgument, fault);
  }
  return open_config_store(flags.etcd, flags.dir, disk);
}

}  // namespace

int rules_failure(const Cli& cli, const Error& error) {
  if (error.code() == Code::kInvalidArgument) return cli.usage_error(error.message());
  std::cerr << "monitor-analysis: " << error.message() << "\n";
  return exit_code_for(error);
}

int run_rules_put(const Cli& cli, RulesFlags& flags) {
  const std::string& path = flags.files.at(0);
  const auto text = read_rule_text(path);
  if (!text) return rules_failure(cli, text.error());
  if (!valid_name(flags.name)) {
    return cli.usage_error(fmt::format("got the name {}, expected 1 to 128 of [A-Za-z0-9._-]", json_quote(flags.name)));
  }
  const rules::RuleFile file = rules::parse_rule_file(*text, flags.name);
  if (!file.faults.empty()) {
    std::cerr << file.fault_text(path) << "\nmonitor-analysis: nothing is stored\n";
    return kExitNegative;
  }
  PosixDisk disk;
  auto store = open_store(cli, flags, disk);
  if (!store) return rules_failure(cli, store.error());
  const std::string key = config::rules_key(flags.name);
  const auto done = (*store)->update(key, [&](const auto&) -> Result<std::optional<std::string>> { return {*text}; });
  if (!done) return rules_failure(cli, done.error());
  std::cout << fmt::format("{}: {} rules\n", (*store)->describe(key), file.rules());
  return kExitOk;
}

int run_rules_list(const Cli& cli, RulesFlags& flags) {
  PosixDisk disk;
  auto store = open_store(cli, flags, disk);
  if (!store) return rules_failure(cli, store.error());
  const auto stored = (*store)->list(std::string(config::kRulesRoot));
  if (!stored) return rules_failure(cli, stored.error());
  for (const auto& [key, one] : *stored) {
    const rules::RuleFile file = rules::parse_rule_file(one.value, key);
    std::cout << config::name_of_key(key) << "  "
              << (file.faults.empty() ? fmt::format("{} groups, {} rules", file.groups.size(), file.rules())
                                      : "not valid: " + file.faults[0].to_string())
              << "\n";
  }
  return kExitOk;
}

int run_rules_rm(const Cli& cli, RulesFlags& flags) {
  PosixDisk disk;
  auto store = open_store(cli, flags, disk);
  if (!store) return rules_failure(cli, store.error());
  const auto done = (*store)->update(config::rules_key(flags.name),
                                     [&flags](const auto& current) -> Result<std::optional<std::string>> {
                                       if (current) return std::optional<std::string>();
                                       return Error(Code::kNotFound, "there are no rules " + json_quote(flags.name));
                                     });
  if (done) return kExitOk;
  std::cerr << "monitor-analysis: " << done.error().message() << "\n";
  return done.error().code() == Code::kNotFound ? kExitNegative : exit_code_for(done.error());
}

}  // namespace monitor
