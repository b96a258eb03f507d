// `monitor init`: sets up this host's agent: asks or takes options, writes them for the service, starts it, and checks
// the result. Idempotent.
#pragma once

#include <CLI/CLI.hpp>

#include <string>

#include "bin/common/cli.h"
#include "bin/init/init_plan.h"

namespace monitor {

struct InitFlags {
  InitAnswers answers;  // without the token, which no option may show
  std::string token_file;
  bool token_stdin = false;
  bool yes = false;
  bool no_start = false;
  std::string root;
};

CLI::App* declare_init(CLI::App& app, InitFlags& flags);
// Returns the exit status: 1 if the user declined or a check failed, 69 if the service does not start, 74 if a file
// cannot be read or written.
int run_init(const Cli& cli, InitFlags& flags, const std::string& program_folder);

}  // namespace monitor
