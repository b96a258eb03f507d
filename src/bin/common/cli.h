// What all programs have in common: option parsing with one look, common options, environment variables, man pages and
// shell completion from the same description, and where data is kept.
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
  std::string examples;     // lines, as typed; each subcommand's help shows those that call it
  Completions completions = {};
  UnusedGroups unused = {};
};

class Cli {
 public:
  explicit Cli(ProgramText text);

  CLI::App& app() { return app_; }
  const CLI::App& app() const { return app_; }
  // --data, for programs that keep files. `data_folder()` is what it came to. What such a program makes is its user's
  // alone (umask 077), unless it only looks into the folder.
  enum class Data { kKept, kLookedAt };
  void add_data_option(Data data = Data::kKept);
  // --drain-timeout, for programs that stop in order.
  void add_drain_option();
  // --log-level and --log-format are always there; every program also answers `help [SUBCOMMAND]` and `version`.

  // The exit status when the program must end now: after --help or --version, or on a wrong command line, which has
  // been reported with the nearest known name. Configures the logger.
  std::optional<int> parse(int argc, const char* const* argv);

  // Null when there is none.
  const CLI::Option* subcommand_option(const std::string& subcommand, const std::string& name) const {
    return app_.get_subcommand(subcommand)->get_option_no_throw(name);
  }
  // What `monitor up` runs on the data folder where --data names one, else what it runs for this user. nullptr:
  // nothing. Errors: several run, and none is named.
  Result<const RunningSystem*> running() const;
  bool data_named() const { return !data_option_.empty(); }
  const std::string& data_folder() const { return data_; }
  int64_t drain_timeout_ns() const { return drain_timeout_ns_; }
  // As the command line says.
  LogLevel log_level() const { return parsed_level_; }

  // Reports a wrong value of an option, found after parsing; returns kExitUsage.
  int usage_error(const std::string& message) const;

 private:
  void add_help_and_version();
  std::optional<int> answer_help_and_version(int argc, const char* const* argv) const;
  // Environment variables of an app's options and of its subcommands'.
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
  CLI::App* help_ = nullptr;  // as version_: only where there are other subcommands
  CLI::App* version_ = nullptr;
};

// Runs a program's `run` as every main must: with descriptors 0 to 2 open, with std::cout on a buffer that knows why a
// write failed, and with a report of an exception that no adapter stopped. Returns the exit status: that of `run`, 70
// (kExitSoftware) after such an exception, or 74 (kExitIo) with a reason on standard error when std::cout could not be
// written. A reader that closed its pipe is no failure.
int guard(int (*run)(int, char**), int argc, char** argv);

// An option that takes a duration: checked while parsing, so that a wrong one is a usage error.
CLI::Option* add_duration(CLI::App& app, const std::string& names, int64_t& ns, const std::string& description);
// Exactly the words that were given: CLI11 makes [""] of an option without values.
CLI::Option* add_words(CLI::App& app, const std::string& names, std::vector<std::string>& words,
                       const std::string& description);

// An option that may stand alone or with a value: --simulate, --simulate=7. CLI11 calls no callback for the bare form;
// given() tells it apart from an option that is absent.
struct OptionalValue {
  const CLI::Option* option = nullptr;
  std::string text = {};  // empty in the bare form

  bool given() const { return option != nullptr && option->count() > 0; }
};
CLI::Option* add_optional_value(CLI::App& app, const std::string& names, OptionalValue& value,
                                const std::string& description);

// --data, else /var/lib/monitor if it can be written, else $XDG_STATE_HOME/monitor or ~/.local/state/monitor. Empty
// when this user has none of them.
std::string default_data_folder();
// Where the configuration files are kept below --data, unless --config-dir names another folder.
std::string config_folder_of(const std::string& data);
// The version of this build: 1.2.3
std::string version();
// This host's name, sanitised; "(none)" where it has none.
std::string host_name();
// The id of an agent on this host that was given none.
HostId host_id();

}  // namespace monitor
