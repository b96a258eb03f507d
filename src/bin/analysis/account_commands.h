// `monitor-analysis user ...` and `monitor-analysis api-token ...`: edit the users file of `serve --users`. A running
// server reads the file again within a second.
#pragma once

#include <cstdint>
#include <string>

#include "base/clock.h"
#include "bin/common/cli.h"

namespace monitor {

struct AccountFlags {
  std::string file;  // empty: <data>/users.json
  std::string name;
  std::string role;
  std::string password_file;
  std::string format = "table";
  int64_t for_ns = int64_t{90} * 24 * 3600 * kNanosPerSecond;
};

class AccountCommands {
 public:
  explicit AccountCommands(CLI::App& app);
  bool parsed() const;
  // Returns the exit status: 1 if the user or token does not exist, or exists already.
  int run(const Cli& cli);

 private:
  CLI::App* command(CLI::App& parent, const char* name, const char* description);
  void add_file(CLI::App& sub);

  AccountFlags flags_;
  CLI::App* user_ = nullptr;
  CLI::App* token_ = nullptr;
};

}  // namespace monitor
