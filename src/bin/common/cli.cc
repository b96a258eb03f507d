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
#include "bin/common/manual.h"

namespace monitor {

namespace {

std::string upper_with_underscores(std::string text) {
  for (char& c : text) c = c == '-' || c == ' ' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return text;
}

// All long names of an app's options and of its parents', with dashes.
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

// What stands for an option's value in help, the same for all programs.
constexpr std::array kValueNames = std::to_array<std::pair<std::string_view, std::string_view>>({
    {"agent", "PATTERN"},
    {"agent-id", "ID"},
    {"config", "FILE"},
    {"config-dir", "DIR"},
    {"config-key", "KEY"},
    {"count", "N"},
    {"data", "DIR"},
    {"dead-letter", "TOPIC"},
    {"dir", "DIR"},
    {"drain-timeout", "DURATION"},
    {"duration", "DURATION"},
    {"etcd", "HOST:PORT,..."},
    {"etcd-ca", "FILE"},
    {"etcd-cert", "FILE"},
    {"etcd-host", "HOST"},
    {"etcd-key", "FILE"},
    {"etcd-password-file", "FILE"},
    {"etcd-port", "PORT"},
    {"etcd-user", "USER"},
    {"from", "POSITION"},
    {"group", "GROUP"},
    {"group-id", "GROUP"},
    {"history", "FILE"},
    {"history-max", "SIZE"},
    {"http", "ADDR:PORT|off"},
    {"if-revision", "N"},
    {"input", "FILE"},
    {"interval", "DURATION"},
    {"kafka", "HOST:PORT,..."},
    {"kafka-properties-file", "FILE"},
    {"kafka-property", "NAME=VALUE"},
    {"listen", "ADDR:PORT"},
    {"log", "sqlite:PATH"},
    {"log-format", "FORMAT"},
    {"log-level", "LEVEL"},
    {"max-connections-per-address", "N"},
    {"memory-limit", "SIZE"},
    {"metric", "PATTERN"},
    {"partitions", "N"},
    {"plugin-dir", "DIR"},
    {"port", "PORT"},
    {"prefix", "PREFIX"},
    {"procfs", "DIR"},
    {"replication", "N"},
    {"rootfs", "DIR"},
    {"send-every", "DURATION"},
    {"server", "HOST:PORT,..."},
    {"spool", "DIR|memory"},
    {"spool-max", "SIZE"},
    {"sysfs", "DIR"},
    {"threads", "N"},
    {"tls-ca", "FILE"},
    {"tls-cert", "FILE"},
    {"tls-key", "FILE"},
    {"tls-server-name", "NAME"},
    {"to", "POSITION"},
    {"topic", "TOPIC"},
    {"web", "ADDR:PORT|off"},
    {"web-host", "NAME"},
    {"web-token-file", "FILE"},
});

std::string value_name(std::string_view option) {
  const auto* const found =
      std::ranges::find(kValueNames, option, &std::pair<std::string_view, std::string_view>::first);
  return found == kValueNames.end() ? "" : std::string(found->second);
}

// Help that says what a value is and what it is by default, and nothing of types.
class HelpFormatter final : public CLI::Formatter {
 public:
  std::string make_option_opts(const CLI::Option* option) const override {
    if (option->get_type_size() == 0) return "";
    // CLI11 adds what its checks say of themselves: PORT:INT in [1 - 65535], TEXT:{table,json}.
    std::string name = option->get_type_name();
    name.resize(std::min(name.size(), name.find(":INT in ")));
    if (!name.starts_with("TEXT:{")) return " " + name;
    name = name.substr(6, name.size() - 7);
    std::replace(name.begin(), name.end(), ',', '|');
    return " " + name;
  }
  std::string make_option_desc(const CLI::Option* option) const override {
    const std::string& text = option->get_description();
    const std::string value = option->get_default_str();
    const bool said = value.empty() || value == "[]" || value == "0" || text.find("(default") != std::string::npos;
    return said ? text : fmt::format("{} (default: {})", text, value);
  }
};

const CLI::App& deepest_parsed(const CLI::App& app) {
  const CLI::App* at = &app;
  while (!at->get_subcommands().empty()) at = at->get_subcommands().back();
  return *at;
}

}  // namespace

Cli::Cli(ProgramText text) : text_(std::move(text)), app_(text_.description, text_.name) {
  app_.set_help_flag("-h,--help", "Print this help and exit");
  app_.set_version_flag("--version", text_.name + " " + version(), "Print the version and exit");
  app_.formatter(std::make_shared<HelpFormatter>());
  app_.footer(fmt::format("{}Every option is also an environment variable: --log-level is {}_LOG_LEVEL.",
                          text_.examples.empty() ? "" : "Examples:\n" + text_.examples + "\n",
                          upper_with_underscores(text_.name)));
  app_.add_option("--log-level", log_level_, "What is logged: debug, info, warning, error, off")->capture_default_str();
  app_.add_option("--log-format", log_format_, "How log lines look: text or json")->capture_default_str();
  app_.add_option("--generate", generate_, "Print a man page (man) or shell completion (bash, zsh, fish) and exit")
      ->group("");
  app_.option_defaults()->always_capture_default();
  app_.fallthrough();
}

void Cli::add_data_option(Data data) {
  has_data_ = true;
  keeps_data_ = data == Data::kKept;
  app_.add_option("--data", data_option_,
                  "Folder for what is kept (default: /var/lib/monitor if it can be written, "
                  "else $XDG_STATE_HOME/monitor or ~/.local/state/monitor)");
}

void Cli::add_drain_option() {
  app_.add_option("--drain-timeout", drain_option_, "How long a stop may wait for what is under way");
}

void Cli::set_names(CLI::App& app, const std::string& prefix) {
  for (CLI::Option* option : app.get_options()) {
    if (option->get_lnames().empty() || !option->get_envname().empty()) continue;
    const std::string& name = option->get_lnames().front();
    if (name == "help" || name == "version" || name == "generate") continue;
    option->envname(prefix + upper_with_underscores(name));
    if (const std::string value = value_name(name); !value.empty()) option->type_name(value);
  }
  for (CLI::App* sub : app.get_subcommands([](CLI::App*) { return true; })) set_names(*sub, prefix);
}

std::optional<int> Cli::parse(int argc, const char* const* argv) {
  set_names(app_, upper_with_underscores(text_.name) + "_");
  try {
    app_.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (!generate_.empty()) return generate();
    return report(error);
  }
  if (!generate_.empty()) return generate();
  const auto level = parse_log_level(log_level_);
  if (!level) return usage_error("--log-level: " + level.error().message());
  const auto format = parse_log_format(log_format_);
  if (!format) return usage_error("--log-format: " + format.error().message());
  parsed_level_ = *level;
  log_configure(*level, *format);
  const auto drain = parse_duration(drain_option_);
  if (!drain) return usage_error("--drain-timeout: " + drain.error().message());
  drain_timeout_ns_ = *drain;
  constexpr mode_t kNobodyElse = 077;
  if (keeps_data_) umask(kNobodyElse);
  if (has_data_) data_ = data_option_.empty() ? default_data_folder() : data_option_;
  if (has_data_ && data_.empty()) {
    return usage_error(
        "no folder to keep data in: /var/lib/monitor cannot be written and HOME is not set; name one with --data");
  }
  while (data_.size() > 1 && data_.back() == '/') data_.pop_back();
  return std::nullopt;
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
  const std::string command = &at == &app_ ? text_.name : text_.name + " " + at.get_name();
  std::cerr << fmt::format("{}: {}\nUsage: {} [OPTIONS]{}\nTry '{} --help'.\n", text_.name,
                           printable_lines(describe_fault(error)), command,
                           known_subcommands(at).empty() ? "" : " [SUBCOMMAND]", command);
  return kExitUsage;
}

std::optional<int> Cli::generate() {
  set_names(app_, upper_with_underscores(text_.name) + "_");
  const auto text =
      generate_manual(generate_, app_, text_.name, text_.description, text_.examples, version(), text_.completions);
  if (!text) return usage_error("--generate: " + text.error().message());
  std::cout << *text;
  return kExitOk;
}

namespace {

int run_guarded(int (*run)(int, char**), int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (const std::exception& fault) {
    std::cerr << fmt::format("{}: a fault of this program, please report it: {}\n", argc > 0 ? argv[0] : "monitor",
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
  // Whoever read a pipe may go when it has seen enough; that is no failure of ours.
  if (output.error_number() == 0 || output.error_number() == EPIPE) return status;
  std::cerr << fmt::format("{}: {}\n", program_invocation_short_name, output_error(output.error_number()).message());
  return kExitIo;
}

CLI::Option* add_duration(CLI::App& app, const std::string& names, int64_t& ns, const std::string& description) {
  return app
      .add_option_function<std::string>(
          names,
          [&ns](const std::string& text) {
            const auto parsed = parse_duration(text);
            if (!parsed) throw CLI::ValidationError(parsed.error().message());
            ns = *parsed;
          },
          description)
      ->type_name("DURATION");
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

// $HOME, else what the password database says of this user; empty when neither names a folder.
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
