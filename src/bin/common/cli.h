// Cli: command line parsing shared by all programs: common options, environment variables, man pages and shell
// completion from one declaration, and the data folder.
//
// Every long option --foo-bar of program monitor-baz is also the environment variable MONITOR_BAZ_FOO_BAR.
#pragma once

#include <CLI/CLI.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/exit_codes.h"
#include "base/host_id.h"
#include "base/log.h"
#include "base/result.h"
#include "bin/common/completion.h"
#include "bin/common/help.h"
#include "bin/common/running.h"

namespace monitor {

struct ProgramText {
  std::string name;         // monitor-agent
  std::string description;  // one sentence
  std::string examples;     // command lines; the help of a subcommand shows those that call it
  Completions completions = {};
  UnusedGroups unused = {};
};

class Cli {
 public:
  explicit Cli(ProgramText text);

  CLI::App& app() { return app_; }
  const CLI::App& app() const { return app_; }
  // Adds --data; data_folder() is its resolved value. Unless the program only reads the folder (kReadOnly), the files
  // that it creates are private to the user (umask 077).
  enum class Data { kWritten, kReadOnly };
  void add_data_option(Data data = Data::kWritten);
  // Adds --drain-timeout, for programs with an orderly stop.
  void add_drain_option();
  // --log-level, --log-format, `help [SUBCOMMAND]` and `version` always exist.

  // Parses the command line and configures the logger. Returns the exit status if the program must end: after --help or
  // --version, or after reporting an invalid command line with the nearest known name.
  std::optional<int> parse(int argc, const char* const* argv);

  // nullptr if the option does not exist.
  const CLI::Option* subcommand_option(const std::string& subcommand, const std::string& name) const {
    return app_.get_subcommand(subcommand)->get_option_no_throw(name);
  }
  // Returns the running `monitor up`: with --data, the one on that data folder, otherwise the one of this user. nullptr
  // if none is running. Error: several are running, and none is named.
  Result<const RunningSystem*> running() const;
  bool data_named() const { return !data_option_.empty(); }
  const std::string& data_folder() const { return data_; }
  int64_t drain_timeout_ns() const { return drain_timeout_ns_; }
  // The level from the command line.
  LogLevel log_level() const { return parsed_level_; }

  // Reports an invalid option value that was found after parsing; returns kExitUsage.
  int usage_error(const std::string& message) const;

 private:
  void add_help_and_version();
  std::optional<int> answer_help_and_version(int argc, const char* const* argv) const;
  // Assigns environment variables to an app's options and to those of its subcommands.
  void set_names(CLI::App& app, const std::string& prefix);
  int report(const CLI::ParseError& error);
  std::string describe_fault(const CLI::ParseError& error);
  std::optional<int> generate();

  ProgramText text_;
  CLI::App app_;
  std::string data_option_;
  std::string data_;
  bool has_data_ = false;
  bool keeps_data_ = false;
  mutable std::optional<RunningSystem> running_;
  std::string drain_option_ = "5s";
  int64_t drain_timeout_ns_ = 0;
  LogLevel parsed_level_ = LogLevel::kInfo;
  std::string log_level_ = "info";
  std::string log_format_ = "text";
  std::string generate_;
  std::string help_of_;
  CLI::App* help_ = nullptr;  // nullptr, like version_, if there are no other subcommands
  CLI::App* version_ = nullptr;
};

// Runs a program's main function. Opens descriptors 0 to 2, gives std::cout a buffer that remembers why a write failed,
// and reports an uncaught exception. Returns the exit status of `run`, 70 (kExitSoftware) after an exception, or 74
// (kExitIo), with a reason on standard error, if std::cout could not be written. A reader that closed its pipe is not
// an error.
int guard(int (*run)(int, char**), int argc, char** argv);

// The duration of an option, in nanoseconds. kInvalidArgument: a number other than 0 has no unit. Somebody who writes
// `--for 24` may mean hours, and would get seconds.
Result<int64_t> parse_duration_with_unit(std::string_view text);
// Adds an option with a duration in nanoseconds. An invalid value, or one without a unit, is a usage error.
CLI::Option* add_duration(CLI::App& app, const std::string& names, int64_t& ns, const std::string& description);
// The same for options that take a plain number of seconds as well: --interval and --timeout.
CLI::Option* add_seconds(CLI::App& app, const std::string& names, int64_t& ns, const std::string& description);
// Adds an option with a list of words. With CLI11 alone, an option without values gives [""].
CLI::Option* add_words(CLI::App& app, const std::string& names, std::vector<std::string>& words,
                       const std::string& description);

// An option with an optional value: --simulate, --simulate=7. CLI11 calls no callback for the bare form, so given()
// distinguishes it from an absent option.
struct OptionalValue {
  const CLI::Option* option = nullptr;
  std::string text = {};  // empty in the bare form

  bool given() const { return option != nullptr && option->count() > 0; }
};
CLI::Option* add_optional_value(CLI::App& app, const std::string& names, OptionalValue& value,
                                const std::string& description);

// /var/lib/monitor if writable, else $XDG_STATE_HOME/monitor or ~/.local/state/monitor. Empty if there is none.
std::string default_data_folder();
// The folder of the configuration files in a data folder, if no option names another one.
std::string config_folder_of(const std::string& data);
// The version of this build: 1.2.3
std::string version();
// This host's name, sanitized; "(none)" if it has none.
std::string host_name();
// The default agent id on this host.
HostId host_id();

}  // namespace monitor
