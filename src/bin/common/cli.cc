#include "bin/common/cli.h"

#include <fmt/format.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <cstdlib>
#include <iostream>
#include <memory>

#include "base/escape.h"
#include "base/standard_streams.h"
#include "base/text.h"
#include "base/time_format.h"
#include "bin/common/help.h"
#include "bin/common/manual.h"

namespace monitor {

namespace {

// All long option names of an app and its parents, with dashes.
std::vector<std::string> known_options(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::App* at = &app; at != nullptr; at = at->get_parent()) {
    for (const CLI::Option* option : at->get_options()) {
      for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
    }
  }
  return names;
}

std::vector<std::string> known_subcommands(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::App* sub : app.get_subcommands([](const CLI::App*) { return true; }))
    names.push_back(sub->get_name());
  return names;
}

const CLI::App& deepest_parsed(const CLI::App& app) {
  const CLI::App* at = &app;
  while (!at->get_subcommands().empty()) at = at->get_subcommands().back();
  return *at;
}

}  // namespace

Cli::Cli(ProgramText text) : text_(std::move(text)), app_(text_.description, text_.name) {
  const std::string environment = upper_with_underscores(text_.name) + "_";
  app_.set_help_flag("-h,--help", "Print this help and exit");
  app_.set_version_flag("--version", text_.name + " " + version(), "Print the version and exit");
  app_.formatter(make_help_formatter({text_.examples, environment, text_.unused}));
  app_.add_option("--log-level", log_level_, "Minimum level of log lines")
      ->type_name("debug|info|warning|error|off")
      ->capture_default_str();
  app_.add_option("--log-format", log_format_, "Format of log lines")->type_name("text|json")->capture_default_str();
  app_.add_option("--generate", generate_, "Print a man page or shell completion and exit")
      ->type_name("man|bash|zsh|fish");
  app_.option_defaults()->always_capture_default();
  app_.fallthrough();
}

void Cli::add_data_option(Data data) {
  has_data_ = true;
  keeps_data_ = data == Data::kWritten;
  app_.add_option("--data", data_option_,
                  "Data folder (default: /var/lib/monitor if writable, "
                  "else $XDG_STATE_HOME/monitor or ~/.local/state/monitor)")
      ->type_name("DIR");
}

void Cli::add_drain_option() {
  app_.add_option("--drain-timeout", drain_option_, "Time limit for an orderly stop")->type_name("DURATION");
}

void Cli::set_names(CLI::App& app, const std::string& prefix) {
  for (CLI::Option* option : app.get_options()) {
    if (option->get_lnames().empty() || !option->get_envname().empty()) continue;
    const std::string& name = option->get_lnames().front();
    if (name == "help" || name == "version" || name == "generate") continue;
    option->envname(prefix + upper_with_underscores(name));
  }
  for (CLI::App* sub : app.get_subcommands([](CLI::App*) { return true; })) set_names(*sub, prefix);
}

void Cli::add_help_and_version() {
  if (known_subcommands(app_).empty()) return;
  help_ = app_.add_subcommand("help", "Print the help of this program or of a subcommand");
  help_->add_option("SUBCOMMAND", help_of_, "The subcommand, as: override set")->type_name("SUBCOMMAND");
  version_ = app_.add_subcommand("version", "Print the version");
}

// Handles `help [SUBCOMMAND...]` and `version`, which need no required option.
std::optional<int> Cli::answer_help_and_version(int argc, const char* const* argv) const {
  if (argc < 2) return std::nullopt;
  const std::string_view command = argv[1];
  if (command == "version" && argc == 2) {
    std::cout << fmt::format("{} {}\n", text_.name, version());
    return kExitOk;
  }
  if (command != "help") return std::nullopt;
  const CLI::App* app = &app_;
  for (int i = 2; i < argc; ++i) {
    const std::string_view word = argv[i];
    if (word.starts_with("-")) return std::nullopt;
    const auto names = known_subcommands(*app);
    if (std::ranges::find(names, word) == names.end()) {
      const auto near = nearest(word, names);
      return usage_error(fmt::format("unknown subcommand {}{}", word,
                                     near ? fmt::format("; did you mean {}?", *near) : std::string()));
    }
    app = app->get_subcommand(std::string(word));
  }
  std::cout << app->get_formatter()->make_help(app, command_of(*app), CLI::AppFormatMode::Normal);
  return kExitOk;
}

std::optional<int> Cli::parse(int argc, const char* const* argv) {
  add_help_and_version();
  set_names(app_, upper_with_underscores(text_.name) + "_");
  if (const auto code = answer_help_and_version(argc, argv)) return code;
  try {
    app_.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (!generate_.empty()) return generate();
    return report(error);
  }
  if (!generate_.empty()) return generate();
  for (const CLI::App* const first : {help_, version_}) {
    if (first != nullptr && first->parsed()) return usage_error(first->get_name() + ": it takes no options");
  }
  const auto level = parse_log_level(log_level_);
  if (!level) return usage_error("--log-level: " + level.error().message());
  const auto format = parse_log_format(log_format_);
  if (!format) return usage_error("--log-format: " + format.error().message());
  parsed_level_ = *level;
  log_configure(*level, *format);
  const auto drain = parse_duration_with_unit(drain_option_);
  if (!drain) return usage_error("--drain-timeout: " + drain.error().message());
  drain_timeout_ns_ = *drain;
  constexpr mode_t kNobodyElse = 077;
  if (keeps_data_) umask(kNobodyElse);
  if (has_data_) data_ = data_option_.empty() ? default_data_folder() : data_option_;
  if (has_data_ && data_.empty()) {
    return usage_error("no data folder: /var/lib/monitor cannot be written and HOME is not set; set one with --data");
  }
  while (data_.size() > 1 && data_.back() == '/') data_.pop_back();
  return std::nullopt;
}

Result<const RunningSystem*> Cli::running() const {
  if (!running_ && data_named()) running_ = running_on(data_);
  if (!running_ && !data_named()) {
    auto found = find_running();
    if (!found) return found.error();
    running_ = std::move(*found);
  }
  return running_ ? &*running_ : nullptr;
}

int Cli::usage_error(const std::string& message) const {
  std::cerr << fmt::format("{}: {}\nTry '{} --help'.\n", text_.name, printable(message), text_.name);
  return kExitUsage;
}

std::string Cli::describe_fault(const CLI::ParseError& error) {
  std::string message = error.what();
  const CLI::App& at = deepest_parsed(app_);
  const std::vector<std::string> extras = app_.remaining(true);
  if (extras.empty()) return message;
  const std::string name = extras.front().substr(0, extras.front().find('='));
  const bool option = name.starts_with("-");
  message = fmt::format("unknown {} {}", option ? "option" : "argument", name);
  const auto near = nearest(name, option ? known_options(at) : known_subcommands(at));
  if (near) message += fmt::format("; did you mean {}?", *near);
  return message;
}

int Cli::report(const CLI::ParseError& error) {
  if (error.get_exit_code() == static_cast<int>(CLI::ExitCodes::Success)) {
    app_.exit(error, std::cout, std::cerr);
    return kExitOk;
  }
  const CLI::App& at = deepest_parsed(app_);
  const std::string command = command_of(at);
  std::cerr << fmt::format("{}: {}\nUsage: {} [OPTIONS]{}\nTry '{} --help'.\n", text_.name,
                           printable_lines(describe_fault(error)), command,
                           known_subcommands(at).empty() ? "" : " [SUBCOMMAND]", command);
  return kExitUsage;
}

std::optional<int> Cli::generate() {
  const auto text =
      generate_manual(generate_, app_, {text_.description, text_.examples, version()}, text_.completions, text_.unused);
  if (!text) return usage_error("--generate: " + text.error().message());
  std::cout << *text;
  return kExitOk;
}

namespace {

int run_guarded(int (*run)(int, char**), int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (const std::exception& fault) {
    std::cerr << fmt::format("{}: internal error, please report it: {}\n", argc > 0 ? argv[0] : "monitor",
                             fault.what());
    return kExitSoftware;
  }
}

}  // namespace

int guard(int (*run)(int, char**), int argc, char** argv) {
  open_standard_descriptors();
  OutputBuffer output(STDOUT_FILENO);
  std::streambuf* const usual = std::cout.rdbuf(&output);
  const int status = run_guarded(run, argc, argv);
  std::cout.flush();
  std::cout.rdbuf(usual);
  // A reader may close the pipe once it has seen enough; that is not an error.
  if (output.error_number() == 0 || output.error_number() == EPIPE) return status;
  std::cerr << fmt::format("{}: {}\n", program_invocation_short_name, output_error(output.error_number()).message());
  return kExitIo;
}

Result<int64_t> parse_duration_with_unit(std::string_view text) {
  auto parsed = parse_duration(text);
  const bool plain = text.find_first_not_of("0123456789.") == std::string_view::npos;
  if (!parsed || *parsed == 0 || !plain) return parsed;
  return Error(Code::kInvalidArgument,
               fmt::format("duration: got {} without a unit, expected one of ns, us, ms, s, m, h, d ({}s for seconds)",
                           text, text));
}

namespace {

CLI::Option* add_parsed_duration(CLI::App& app, const std::string& names, int64_t& ns, const std::string& description,
                                 Result<int64_t> (*parse)(std::string_view)) {
  return app
      .add_option_function<std::string>(
          names,
          [&ns, parse, name = names.substr(names.rfind(',') + 1)](const std::string& text) {
            const auto parsed = parse(text);
            if (!parsed) throw CLI::ValidationError(name, parsed.error().message());
            ns = *parsed;
          },
          description)
      ->type_name("DURATION");
}

}  // namespace

CLI::Option* add_duration(CLI::App& app, const std::string& names, int64_t& ns, const std::string& description) {
  return add_parsed_duration(app, names, ns, description, parse_duration_with_unit);
}

CLI::Option* add_seconds(CLI::App& app, const std::string& names, int64_t& ns, const std::string& description) {
  return add_parsed_duration(app, names, ns, description, parse_duration);
}

CLI::Option* add_words(CLI::App& app, const std::string& names, std::vector<std::string>& words,
                       const std::string& description) {
  return app
      .add_option_function<std::vector<std::string>>(
          names,
          [&words](const std::vector<std::string>& given) {
            words.clear();
            for (const std::string& word : given) {
              if (!word.empty()) words.push_back(word);
            }
          },
          description)
      ->expected(0, -1)
      ->type_name("WORD ...");
}

CLI::Option* add_optional_value(CLI::App& app, const std::string& names, OptionalValue& value,
                                const std::string& description) {
  CLI::Option* const option = app.add_option(names, value.text, description)->expected(0, 1);
  value.option = option;
  return option;
}

namespace {

// $HOME, else the home folder in the password database; empty if neither names a folder.
std::string home_folder() {
  const char* const home = std::getenv("HOME");  // NOLINT(concurrency-mt-unsafe): before any thread
  if (home != nullptr && home[0] == '/') return home;
  const passwd* const user = getpwuid(geteuid());  // NOLINT(concurrency-mt-unsafe): before any thread
  const bool named = user != nullptr && user->pw_dir != nullptr && user->pw_dir[0] == '/';
  return named && access(user->pw_dir, W_OK) == 0 ? user->pw_dir : "";
}

}  // namespace

std::string default_data_folder() {
  constexpr const char* kSystem = "/var/lib/monitor";
  if (access(kSystem, W_OK) == 0 || (access(kSystem, F_OK) != 0 && access("/var/lib", W_OK) == 0)) return kSystem;
  const char* const state = std::getenv("XDG_STATE_HOME");  // NOLINT(concurrency-mt-unsafe): before any thread
  if (state != nullptr && state[0] == '/') return std::string(state) + "/monitor";
  const std::string home = home_folder();
  return home.empty() ? "" : home + "/.local/state/monitor";
}

std::string config_folder_of(const std::string& data) { return data + "/monitor"; }

std::string version() { return MONITOR_VERSION; }

namespace {

std::string raw_host_name() {
  std::array<char, HOST_NAME_MAX + 2> name{};
  if (gethostname(name.data(), name.size() - 1) != 0) return "";
  return name.data();
}

}  // namespace

std::string host_name() {
  const std::string name = sanitize_utf8(raw_host_name());
  return name.empty() ? "(none)" : name;
}

HostId host_id() { return id_of_host(raw_host_name()); }

}  // namespace monitor
