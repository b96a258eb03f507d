// `monitor init` and `monitor-agent init`: set up this host's agent: ask or take options, write them for the service,
// start it, and check the result, each in its own way. Idempotent.
#pragma once

#include <CLI/CLI.hpp>

#include <functional>
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

// Checks the agent that was set up; returns the exit status. `started`: its service runs.
using InitCheck = std::function<int(const InitAnswers& answers, bool started)>;

// Returns the exit status: 1 if the user declined or a check failed, 69 if the service does not start, 74 if a file
// cannot be read or written.
int run_init(const Cli& cli, InitFlags& flags, const InitCheck& check);

// A join takes a moment; until then the server does not know this host. Waits for at most 30 s, and says how it went.
void wait_until_joined(const InitAnswers& answers);

}  // namespace monitor
