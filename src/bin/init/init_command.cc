#include "bin/init/init_command.h"

#include <fmt/format.h>
#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <iostream>
#include <optional>

#include "base/clock.h"
#include "base/escape.h"
#include "base/log.h"
#include "base/text.h"
#include "base/trust.h"
#include "doctor/real/run_program.h"
#include "identity/ca/join_token.h"

namespace monitor {

namespace {

constexpr size_t kMaxToken = 4096;
constexpr const char* kUnit = "monitor-agent.service";
constexpr int64_t kJoinTimeout = 30 * kNanosPerSecond;
constexpr int64_t kSystemctlTimeout = 60 * kNanosPerSecond;

void say(const std::string& text) { std::cout << printable_lines(text) << std::flush; }

// A line from the terminal; nothing at its end. Without echo, Ctrl-C ends the line as well, so that the terminal is
// never left without echo.
std::optional<std::string> ask(const std::string& question, bool echo = true) {
  termios before{};
  const bool changed = !echo && tcgetattr(STDIN_FILENO, &before) == 0;
  constexpr char kInterrupt = '\x03';
  if (changed) {
    termios silent = before;
    silent.c_lflag &= ~static_cast<tcflag_t>(ECHO | ISIG);
    silent.c_cc[VEOL] = kInterrupt;
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent);
  }
  say(question);  // after TCSAFLUSH, which drops what was typed before
  std::string line;
  char c = 0;
  ssize_t got = 0;
  while ((got = read(STDIN_FILENO, &c, 1)) == 1 && c != '\n' && c != kInterrupt && line.size() < kMaxToken) line += c;
  if (changed) {
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
    say("\n");
  }
  if (got != 1 || c == kInterrupt) return std::nullopt;
  return std::string(trim(line));
}

bool wants(const std::string& question) {
  const auto answer = ask(question + " [y/N] ");
  return answer && (*answer == "y" || *answer == "Y" || *answer == "yes");
}

// The form only; the server knows whether it is valid. The text is not repeated: it may be another secret.
Error not_a_token(const Error& why) {
  return Error(Code::kInvalidArgument,
               why.message() + "; expected what `monitor-server token create` prints, mjt1_ID_SECRET_PIN");
}

Result<std::string> read_token(const InitFlags& flags) {
  Result<std::string> text = std::string();
  if (!flags.token_file.empty()) text = read_secret_file(flags.token_file, kMaxToken, "the file of the join token");
  if (flags.token_stdin) text = read_to_end(STDIN_FILENO, "standard input", kMaxToken);
  if (!text) return text.error();
  if (!flags.token_stdin && flags.token_file.empty()) return std::string();
  const auto token = identity::parse_join_token(*text);
  return token ? Result<std::string>(token->text()) : Result<std::string>(not_a_token(token.error()));
}

// Completes the answers from the terminal. False: the user ended it.
bool ask_for_rest(InitFlags& flags, Disk& disk) {
  InitAnswers& answers = flags.answers;
  const std::string server = current_option(disk, flags.root, "server");
  if (answers.server.empty()) {
    const auto said = ask(fmt::format("Server, HOST:PORT{}: ", server.empty() ? "" : " [" + server + "]"));
    if (!said) return false;
    answers.server = said->empty() ? server : *said;
  }
  if (answers.agent_id.empty() && current_option(disk, flags.root, "agent-id").empty()) {
    const auto said = ask(fmt::format("Id of this agent [{}]: ", host_id().id));
    if (!said) return false;
    answers.agent_id = *said;
  }
  const bool joined = !current_option(disk, flags.root, "join-token-file").empty();
  if (answers.token.empty() && answers.ca_file.empty() && answers.certificate_file.empty() && !joined) {
    const auto said = ask("Join token (not shown; empty: none): ", false);
    if (!said) return false;
    answers.token = *said;
  }
  return true;
}

std::string check_answers(const InitAnswers& answers) {
  if (answers.server.empty()) return "--server: name the server, HOST:PORT";
  if (const auto token = identity::parse_join_token(answers.token); !answers.token.empty() && !token) {
    return not_a_token(token.error()).message();
  }
  if (!answers.token.empty() && !answers.ca_file.empty()) return "--tls-ca: a join token brings the CA; leave it out";
  for (const std::string_view part : split(answers.server, ',')) {
    const auto address = parse_host_port(std::string(trim(part)), 50051);
    if (!address) return "--server: " + address.error().message();
  }
  if (!answers.agent_id.empty() && !valid_name(answers.agent_id)) {
    return fmt::format("--agent-id: got {}, expected 1 to 128 of [A-Za-z0-9._-]",
                       json_quote(answers.agent_id.substr(0, 160)));
  }
  return "";
}

bool has_unit(const std::string& root) {
  constexpr std::array<const char*, 3> kFolders = {"/etc/systemd/system/", "/usr/lib/systemd/system/",
                                                   "/lib/systemd/system/"};
  return std::ranges::any_of(kFolders,
                             [&](const char* folder) { return access((root + folder + kUnit).c_str(), F_OK) == 0; });
}

// Starts the service, or restarts it to read new options.
Status start_service(bool changed) {
  for (const std::vector<std::string>& arguments :
       {std::vector<std::string>{"enable", kUnit}, std::vector<std::string>{changed ? "restart" : "start", kUnit}}) {
    const auto ended = doctor::run_program("/usr/bin/systemctl", arguments, kSystemctlTimeout);
    if (!ended) return ended.error();
    if (ended->status != 0) {
      return Error(Code::kUnavailable, fmt::format("systemctl {} {} failed with status {}: {}", arguments[0], kUnit,
                                                   ended->status, json_quote(trim(ended->errors.substr(0, 300)))));
    }
  }
  return {};
}

// What the paths in the options mean in a folder in which no service is installed.
std::string without_unit(const std::string& root) {
  if (root.empty()) return "";
  return fmt::format(
      "There is no {} in {}. The options name files in /etc, as a system that starts from {} sees them, and only root "
      "can read those. If systemd is to run the agent there, install its package first.\n",
      kUnit, root, root);
}

// How to go on where no systemd runs the agent.
std::string by_hand() {
  return "systemd does not run the agent here. Start it with these options:\n"
         "  set -a; . /etc/default/monitor-agent; set +a; monitor-agent\n";
}

int fail(const char* what, const Error& error) {
  log_error(what, {{"reason", error}});
  return exit_code_for(error);
}

}  // namespace

void wait_until_joined(const InitAnswers& answers) {
  const std::string id = answers.agent_id.empty() ? host_id().id : answers.agent_id;
  const std::string identity = fmt::format("/var/lib/monitor-agent/agent/{}/identity/identity.pem", id);
  constexpr useconds_t kLook = 200'000;
  const SystemClock clock;
  const int64_t end = clock.mono_ns() + kJoinTimeout;
  while (access(identity.c_str(), F_OK) != 0) {
    if (clock.mono_ns() > end) return say("The agent has not joined yet: see `journalctl -u monitor-agent`.\n");
    usleep(kLook);
  }
  say("The agent has joined.\n");
}

CLI::App* declare_init(CLI::App& app, InitFlags& flags) {
  CLI::App* const command =
      app.add_subcommand("init", "Set up this host's agent: write its options, start its service, check the result");
  InitAnswers& answers = flags.answers;
  command->add_option("--server", answers.server, "Servers of the agent: HOST:PORT, several separated by commas")
      ->type_name("HOST:PORT,...");
  command->add_option("--agent-id", answers.agent_id, "Id of this agent (default: the host's name)")->type_name("ID");
  auto* const file = command
                         ->add_option("--token-file", flags.token_file,
                                      "File with the token that `monitor-server token create` printed")
                         ->type_name("FILE");
  command->add_flag("--token-stdin", flags.token_stdin, "Read the token from standard input")->excludes(file);
  command->add_option("--tls-ca", answers.ca_file, "Copy this CA of the servers' certificates (PEM)")
      ->type_name("FILE");
  auto* const cert =
      command->add_option("--tls-cert", answers.certificate_file, "Copy this certificate (PEM)")->type_name("FILE");
  auto* const key =
      command->add_option("--tls-key", answers.key_file, "Copy the certificate's key (PEM)")->type_name("FILE");
  cert->needs(key);
  key->needs(cert);
  command->add_option("--tls-server-name", answers.server_name, "Name that the servers' certificates must have")
      ->type_name("NAME");
  add_etcd_options(*command, answers.etcd);
  command->add_flag("--yes", flags.yes, "Ask nothing");
  command->add_flag("--no-start", flags.no_start, "Only write the files");
  command->add_option("--root", flags.root, "Write below this folder instead of /, and start nothing")
      ->type_name("DIR");
  return command;
}

int run_init(const Cli& cli, InitFlags& flags, const InitCheck& check) {
  PosixDisk disk;
  auto token = read_token(flags);
  if (!token)
    return token.error().code() == Code::kInvalidArgument ? cli.usage_error(token.error().message())
                                                          : fail("the join token cannot be read", token.error());
  flags.answers.token = std::move(*token);
  const bool interactive = !flags.yes && !flags.token_stdin && isatty(STDIN_FILENO) != 0;
  if (interactive && !ask_for_rest(flags, disk)) return kExitNegative;
  if (flags.answers.server.empty()) flags.answers.server = current_option(disk, flags.root, "server");
  if (const std::string fault = check_answers(flags.answers); !fault.empty()) return cli.usage_error(fault);
  const bool unit = has_unit(flags.root);
  const auto plan = InitPlan::make(disk, flags.root, unit, flags.answers);
  if (!plan) return fail("the setup cannot be prepared", plan.error());
  if (!unit && !plan->empty()) say(without_unit(flags.root));
  say(plan->empty() ? "The configuration is up to date.\n" : plan->describe());
  if (!plan->empty()) {
    if (!flags.yes && !interactive)
      return cli.usage_error("there is no terminal to ask on: --yes accepts these changes");
    if (interactive && !wants("Write these files?")) return kExitNegative;
    if (const Status applied = plan->apply(disk); !applied) return fail("the setup cannot be written", applied.error());
    say("Written.\n");
  }
  if (!flags.root.empty() || flags.no_start) return kExitOk;
  const bool starts = unit && access("/run/systemd/system", F_OK) == 0;
  if (!starts) {
    say(by_hand());
  } else if (const Status started = start_service(!plan->empty()); !started) {
    log_error("the agent does not start", {{"reason", started.error()}, {"next", "journalctl -u monitor-agent"}});
    return kExitUnavailable;
  } else {
    say("The service monitor-agent is enabled and started.\n");
  }
  return check(flags.answers, starts);
}

}  // namespace monitor
