#include "bin/config/editor.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <string_view>
#include <vector>

#include "base/disk.h"
#include "base/text.h"

namespace monitor {

namespace {

constexpr size_t kMostBytes = size_t{64} * 1024 * 1024;

std::string variable(const char* name) {
  const char* const value = getenv(name);  // NOLINT(concurrency-mt-unsafe): one thread
  return value == nullptr ? "" : value;
}

Status write_all(int fd, std::string_view text, const std::string& path) {
  while (!text.empty()) {
    const ssize_t written = write(fd, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return errno_error(errno, "writing " + path);
    text.remove_prefix(static_cast<size_t>(written));
  }
  return {};
}

// Ignores the signals that a terminal sends to all programs on it, until destroyed. Ignoring a signal also discards one
// that is pending, so neither destruction nor a later handler sees what was meant for the editor.
class TerminalSignalsIgnored {
 public:
  TerminalSignalsIgnored() { ignore(); }
  ~TerminalSignalsIgnored() {
    ignore();
    for (size_t i = 0; i < kSignals.size(); ++i) sigaction(kSignals.at(i), &before_.at(i), nullptr);
  }
  TerminalSignalsIgnored(const TerminalSignalsIgnored&) = delete;
  TerminalSignalsIgnored& operator=(const TerminalSignalsIgnored&) = delete;

 private:
  static constexpr std::array kSignals = {SIGINT, SIGQUIT};
  void ignore() {
    struct sigaction action{};
    action.sa_handler = SIG_IGN;
    for (size_t i = 0; i < kSignals.size(); ++i) {
      struct sigaction previous{};
      sigaction(kSignals.at(i), &action, &previous);
      if (!saved_) before_.at(i) = previous;
    }
    saved_ = true;
  }
  std::array<struct sigaction, 2> before_{};
  bool saved_ = false;
};

// The words of a command that needs no shell; empty: it does. A shell between this program and the editor would receive
// Ctrl-C as well, and end.
std::vector<std::string> words_of(const std::string& command) {
  if (command.find_first_of("\n*?[#~=%|&;<>()$`\"'\\{}!") != std::string::npos) return {};
  std::vector<std::string> words;
  for (const std::string_view word : split(command, ' ')) {
    if (!word.empty()) words.emplace_back(word);
  }
  return words;
}

[[noreturn]] void become_editor(std::vector<std::string> words, const std::string& command, const std::string& path) {
  for (const int number : {SIGINT, SIGQUIT, SIGTERM, SIGHUP, SIGPIPE}) signal(number, SIG_DFL);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  if (words.empty()) words = {"/bin/sh", "-c", command + " \"$@\"", "sh"};
  words.push_back(path);
  std::vector<char*> arguments;
  arguments.reserve(words.size() + 1);
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  execvp(arguments[0], arguments.data());
  const std::string fault = "monitor-config: " + errno_error(errno, "running " + words[0]).message() + "\n";
  (void)!write(STDERR_FILENO, fault.data(), fault.size());
  _exit(127);
}

}  // namespace

Result<EditedFile> EditedFile::create(const std::string& name, const std::string& text) {
  const std::string folder = variable("TMPDIR");
  std::string path = (folder.empty() ? "/tmp" : folder) + "/monitor-" + name + "-XXXXXX.json";
  const Fd fd(mkostemps(path.data(), 5, O_CLOEXEC));  // mode 0600
  if (!fd.valid()) return errno_error(errno, "creating " + path);
  EditedFile file(path);
  if (Status written = write_all(fd.get(), text, path); !written) {
    file.remove();
    return written.error();
  }
  return file;
}

Result<std::string> EditedFile::read() const {
  PosixDisk disk;
  return disk.read_file(path_, kMostBytes);
}

void EditedFile::remove() const { unlink(path_.c_str()); }

std::string editor_command() {
  for (const char* const name : {"VISUAL", "EDITOR"}) {
    if (const std::string command = variable(name); !command.empty()) return command;
  }
  return "vi";
}

Status run_editor(const std::string& command, const std::string& path) {
  const TerminalSignalsIgnored ignored;
  const auto words = words_of(command);
  const pid_t child = fork();
  if (child < 0) return errno_error(errno, "starting the editor");
  if (child == 0) become_editor(words, command, path);
  int status = 0;
  while (waitpid(child, &status, 0) < 0) {
    if (errno != EINTR) return errno_error(errno, "waiting for the editor");
  }
  // A shell reports the signal of its command as 128 + the signal.
  const int code = WIFEXITED(status) ? WEXITSTATUS(status) : 0;
  const int by_signal = WIFSIGNALED(status) ? WTERMSIG(status) : code > 128 ? code - 128 : 0;
  if (by_signal != 0) {
    return Error(Code::kCancelled, fmt::format("the editor {} was ended by signal {} ({})", command, by_signal,
                                               strsignal(by_signal)));  // NOLINT(concurrency-mt-unsafe): one thread
  }
  if (code != 0) return Error(Code::kUnknown, fmt::format("the editor {} ended with status {}", command, code));
  return {};
}

}  // namespace monitor
