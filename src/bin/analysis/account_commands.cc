#include "bin/analysis/account_commands.h"

#include <fmt/format.h>
#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <functional>
#include <iostream>

#include "base/clock.h"
#include "base/disk.h"
#include "base/log.h"
#include "base/random.h"
#include "base/text.h"
#include "base/time_format.h"
#include "base/trust.h"
#include "bin/common/input.h"
#include "ui/access/accounts_file.h"
#include "ui/access/password.h"
#include "ui/access/secret.h"

namespace monitor {

namespace {

using access::Accounts;

constexpr int64_t kDay = int64_t{24} * 3600 * kNanosPerSecond;
constexpr int64_t kLeastTokenLife = kNanosPerSecond;
constexpr int64_t kMaxTokenLife = 3660 * kDay;

// Turns off the terminal's echo during its lifetime. Signals are blocked meanwhile, so that none can leave the terminal
// without echo.
class NoEcho {
 public:
  NoEcho() {
    sigset_t all;
    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, &blocked_);
    if (tcgetattr(STDIN_FILENO, &before_) != 0) return;
    termios silent = before_;
    silent.c_lflag &= ~static_cast<tcflag_t>(ECHO | ISIG | ICANON);
    silent.c_cc[VMIN] = 1;
    silent.c_cc[VTIME] = 0;
    changed_ = tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent) == 0;
  }
  ~NoEcho() {
    if (changed_) tcsetattr(STDIN_FILENO, TCSAFLUSH, &before_);
    sigprocmask(SIG_SETMASK, &blocked_, nullptr);
  }
  NoEcho(const NoEcho&) = delete;
  NoEcho& operator=(const NoEcho&) = delete;
  bool works() const { return changed_; }

 private:
  termios before_{};
  sigset_t blocked_{};
  bool changed_ = false;
};

// Reads a line from the terminal without echo. Ctrl-C and Ctrl-D cancel, Ctrl-U begins again.
Result<std::string> ask_password(const std::string& prompt) {
  constexpr char kCtrlC = 3;
  constexpr char kCtrlD = 4;
  constexpr char kCtrlU = 21;
  constexpr char kDelete = 127;
  const NoEcho silent;
  if (!silent.works()) return Error(Code::kFailedPrecondition, "the terminal's echo cannot be turned off");
  std::cerr << prompt << ": " << std::flush;
  std::string line;
  for (char c = 0; line.size() <= access::kMaxPassword;) {
    if (read(STDIN_FILENO, &c, 1) != 1) c = kCtrlD;
    if (c == '\n' || c == '\r') break;
    if (c == kCtrlC || c == kCtrlD) {
      line.clear();
      break;
    }
    if (c == kCtrlU) {
      line.clear();
    } else if (c != kDelete && c != '\b') {
      line += c;
    } else if (!line.empty()) {
      line.pop_back();
    }
  }
  std::cerr << "\n";
  if (line.empty()) return Error(Code::kCancelled, "no password was given; nothing was changed");
  return line;
}

Result<std::string> new_password(Disk& disk, const std::string& file) {
  if (file.empty() && isatty(STDIN_FILENO) != 0) {
    auto first = ask_password("New password");
    if (!first) return first;
    const auto second = ask_password("New password again");
    if (!second) return second;
    if (*first != *second) return Error(Code::kInvalidArgument, "the passwords differ; nothing was changed");
    return first;
  }
  const bool standard = file.empty() || file == "-";
  auto text = standard ? read_input(disk, "-", access::kMaxPassword + 2)
                       : read_secret_file(file, access::kMaxPassword + 2, "the password file");
  if (!text) return text;
  // The line end is not part of the password; other spaces are.
  while (text->ends_with('\n') || text->ends_with('\r')) text->pop_back();
  return text;
}

class Accountant {
 public:
  Accountant(const AccountFlags& flags, std::string file) : flags_(flags), file_(std::move(file)) {}

  int add_user() {
    const auto role = access::parse_role(flags_.role);
    if (!role) return fail(role.error());
    return with_password([&](Accounts& accounts, const std::string& hash) -> Status {
      if (accounts.user(flags_.name) != nullptr) return exists("the user");
      if (accounts.users.size() >= Accounts::kMaxUsers) return full("users", Accounts::kMaxUsers);
      accounts.users[flags_.name] = {flags_.name, *role, hash, clock_.wall_ns()};
      return {};
    });
  }

  int change_password() {
    return with_password([&](Accounts& accounts, const std::string& hash) -> Status {
      if (accounts.user(flags_.name) == nullptr) return missing("the user");
      accounts.users[flags_.name].password = hash;
      accounts.users[flags_.name].changed_ns = clock_.wall_ns();
      return {};
    });
  }

  int change_role() {
    const auto role = access::parse_role(flags_.role);
    if (!role) return fail(role.error());
    return edit([&](Accounts& accounts) -> Status {
      if (accounts.user(flags_.name) == nullptr) return missing("the user");
      accounts.users[flags_.name].role = *role;
      return {};
    });
  }

  int remove_user() {
    return edit(
        [&](Accounts& accounts) { return accounts.users.erase(flags_.name) > 0 ? Status() : missing("the user"); });
  }

  int create_token() {
    const auto role = access::parse_role(flags_.role);
    if (!role) return fail(role.error());
    SystemRandom random;
    const std::string token = std::string(access::kTokenPrefix) + access::new_secret(random);
    const int64_t now = clock_.wall_ns();
    const int code = edit([&](Accounts& accounts) -> Status {
      if (accounts.tokens.contains(flags_.name)) return exists("the token");
      if (accounts.tokens.size() >= Accounts::kMaxTokens) return full("tokens", Accounts::kMaxTokens);
      accounts.tokens[flags_.name] = {flags_.name, *role, access::digest_of(token), now, now + flags_.for_ns};
      return {};
    });
    // The token is shown only here; the file contains only its digest.
    if (code == kExitOk) std::cout << token << "\n";
    return code;
  }

  int revoke_token() {
    return edit(
        [&](Accounts& accounts) { return accounts.tokens.erase(flags_.name) > 0 ? Status() : missing("the token"); });
  }

  int list_users() const {
    const auto accounts = access::read_accounts(file_);
    if (!accounts) return fail(accounts.error());
    std::cout << fmt::format("{:<24} {:<8} {}\n", "USER", "ROLE", "PASSWORD CHANGED");
    for (const auto& [name, user] : accounts->users) {
      std::cout << fmt::format("{:<24} {:<8} {}\n", name, access::to_string(user.role),
                               format_rfc3339(user.changed_ns, 0));
    }
    return kExitOk;
  }

  int list_tokens() const {
    const auto accounts = access::read_accounts(file_);
    if (!accounts) return fail(accounts.error());
    std::cout << fmt::format("{:<24} {:<8} {:<21} {}\n", "TOKEN", "ROLE", "CREATED", "EXPIRES");
    for (const auto& [name, token] : accounts->tokens) {
      const bool expired = token.expires_ns <= clock_.wall_ns();
      std::cout << fmt::format("{:<24} {:<8} {:<21} {}{}\n", name, access::to_string(token.role),
                               format_rfc3339(token.created_ns, 0), format_rfc3339(token.expires_ns, 0),
                               expired ? " (expired)" : "");
    }
    return kExitOk;
  }

 private:
  Status exists(const char* what) const {
    return Error(Code::kAlreadyExists, fmt::format("{} {} exists already in {}", what, flags_.name, file_));
  }
  Status missing(const char* what) const {
    return Error(Code::kNotFound, fmt::format("{} {} is not in {}", what, flags_.name, file_));
  }
  static Status full(const char* what, size_t most) {
    return Error(Code::kResourceExhausted, fmt::format("the users file has {} {}, which is the limit", most, what));
  }

  static int fail(const Error& error) {
    std::cerr << "monitor-analysis: " << error.message() << "\n";
    return error.code() == Code::kCancelled ? kExitNegative : exit_code_for(error);
  }

  // A change that does not fit what is in the file is a negative answer; a file that cannot be used is an error.
  int edit(const std::function<Status(Accounts&)>& change) {
    bool declined = false;
    const Status done = access::edit_accounts(disk_, file_, [&](Accounts& accounts) {
      Status changed = change(accounts);
      declined = !changed;
      return changed;
    });
    if (done) return kExitOk;
    const int code = fail(done.error());
    return declined ? kExitNegative : code;
  }

  int with_password(const std::function<Status(Accounts&, const std::string& hash)>& change) {
    auto password = new_password(disk_, flags_.password_file);
    if (!password) return fail(password.error());
    if (Status good = access::check_new_password(*password); !good) return fail(good.error());
    SystemRandom random;
    const auto hash = access::hash_password(*password, random);
    access::wipe(*password);
    if (!hash) return fail(hash.error());
    return edit([&](Accounts& accounts) { return change(accounts, *hash); });
  }

  const AccountFlags& flags_;
  const std::string file_;
  PosixDisk disk_;
  const SystemClock clock_;
};

void add_name(CLI::App& sub, std::string& name) {
  sub.add_option("name", name, "1 to 128 of [A-Za-z0-9._@+-]")->type_name("NAME")->required();
}

void add_role(CLI::App& sub, std::string& role) {
  sub.add_option("--role", role,
                 "viewer (reads), editor (also changes the configuration) or admin (also reads the audit log)")
      ->check(CLI::IsMember({"viewer", "editor", "admin"}))
      ->required();
}

void add_password(CLI::App& sub, std::string& file) {
  sub.add_option("--password-file", file,
                 "Read the password from this file, or from standard input (-) (default: ask on the terminal)")
      ->type_name("FILE");
}

}  // namespace

void AccountCommands::add_file(CLI::App& sub) {
  sub.add_option("--users", flags_.file, "The users file; created if missing (default: <data>/users.json)")
      ->type_name("FILE");
}

CLI::App* AccountCommands::command(CLI::App& parent, const char* name, const char* description) {
  CLI::App* const sub = parent.add_subcommand(name, description);
  add_file(*sub);
  return sub;
}

AccountCommands::AccountCommands(CLI::App& app) {
  user_ = app.add_subcommand("user", "Manage the users of the web page");
  user_->require_subcommand(1);
  CLI::App* const add = command(*user_, "add", "Add a user");
  add_name(*add, flags_.name);
  add_role(*add, flags_.role);
  add_password(*add, flags_.password_file);
  command(*user_, "list", "List the users");
  add_name(*command(*user_, "remove", "Remove a user, and end the user's sessions"), flags_.name);
  CLI::App* const passwd = command(*user_, "passwd", "Change a user's password, and end the user's sessions");
  add_name(*passwd, flags_.name);
  add_password(*passwd, flags_.password_file);
  CLI::App* const role = command(*user_, "role", "Change a user's role");
  add_name(*role, flags_.name);
  add_role(*role, flags_.role);

  token_ = app.add_subcommand("api-token", "Manage the tokens with which programs use the page's API");
  token_->require_subcommand(1);
  CLI::App* const create = command(*token_, "create", "Create a token and print it; the file has only its digest");
  create->add_option("--name", flags_.name, "1 to 128 of [A-Za-z0-9._@+-]")->type_name("NAME")->required();
  add_role(*create, flags_.role);
  add_duration(*create, "--for", flags_.for_ns, "How long the token is valid")->default_str("90d");
  command(*token_, "list", "List the tokens");
  add_name(*command(*token_, "revoke", "Revoke a token"), flags_.name);
}

bool AccountCommands::parsed() const { return user_->parsed() || token_->parsed(); }

int AccountCommands::run(const Cli& cli) {
  // These commands need no cleanup, so a signal may end them at once.
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  if (!flags_.name.empty() && !access::valid_user_name(flags_.name)) {
    return cli.usage_error(
        fmt::format("got the name {}, expected 1 to 128 of [A-Za-z0-9._@+-]", json_quote(flags_.name.substr(0, 160))));
  }
  if (flags_.for_ns < kLeastTokenLife || flags_.for_ns > kMaxTokenLife) {
    return cli.usage_error(fmt::format("--for: got {}, expected {} to {}", format_duration(flags_.for_ns),
                                       format_duration(kLeastTokenLife), format_duration(kMaxTokenLife)));
  }
  if (flags_.file.empty()) {
    PosixDisk disk;
    if (const Status made = make_trusted_folder(disk, cli.data_folder(), "the data folder"); !made) {
      log_error("the data folder cannot be used", {{"reason", made.error()}});
      return exit_code_for(made.error());
    }
    flags_.file = cli.data_folder() + "/users.json";
  }
  Accountant accountant(flags_, flags_.file);
  const std::string name = (user_->parsed() ? user_ : token_)->get_subcommands().front()->get_name();
  if (name == "list") return user_->parsed() ? accountant.list_users() : accountant.list_tokens();
  if (name == "add") return accountant.add_user();
  if (name == "remove") return accountant.remove_user();
  if (name == "passwd") return accountant.change_password();
  if (name == "role") return accountant.change_role();
  return name == "create" ? accountant.create_token() : accountant.revoke_token();
}

}  // namespace monitor
