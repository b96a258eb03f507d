// What the subcommands of `monitor-analysis rules` do. Each returns the exit status: 1 if a rule or a test is not good.
#pragma once

#include "bin/analysis/rules_command.h"

namespace monitor {

int run_rules_check(const Cli& cli, RulesFlags& flags);
int run_rules_test(const Cli& cli, RulesFlags& flags);
int run_rules_replay(const Cli& cli, RulesFlags& flags);
int run_rules_put(const Cli& cli, RulesFlags& flags);
int run_rules_list(const Cli& cli, RulesFlags& flags);
int run_rules_rm(const Cli& cli, RulesFlags& flags);

// Prints why a command cannot go on; returns the exit status.
int rules_failure(const Cli& cli, const Error& error);

}  // namespace monitor
