// `monitor-server token` and `monitor-server agent`: manage who may join, in the folder of the server's CA.
#pragma once

#include <CLI/CLI.hpp>

#include <cstdint>
#include <string>

#include "bin/common/cli.h"
#include "bin/server_ca.h"
#include "identity/ca/enrollment_store.h"

namespace monitor {

struct TokenFlags {
  std::string pattern;
  int64_t life_ns = identity::kDay;
  uint64_t uses = 1;
  std::string format = "table";
  std::string id;     // of `token revoke`
  std::string agent;  // of `agent revoke`
};

// The group of the options that only the server itself uses.
inline constexpr const char* kServerOptions = "Options of the server";
// The help of the commands omits that group.
UnusedGroups token_unused_groups();
void add_token_commands(CLI::App& app, TokenFlags& flags);
// Whether one of the commands was given.
bool is_token_command(const CLI::App& app);
// Runs it; the exit status.
int run_token_command(const Cli& cli, const ServerCaFlags& ca, const TokenFlags& flags);

}  // namespace monitor
