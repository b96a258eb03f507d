#include "bin/config/edit_command.h"

#include <fmt/format.h>
#include <unistd.h>

#include <csignal>
#include <iostream>
#include <optional>

#include "base/escape.h"
#include "base/text.h"
#include "bin/config/editor.h"
#include "bin/config/history_commands.h"
#include "config/history/text_diff.h"
#include "config/keys.h"

namespace monitor {

namespace {

using Text = std::optional<std::string>;

constexpr const char* kNewText = "{\n    \n}\n";

class EditSession {
 public:
  EditSession(const ConfigContext& context, std::string key, const EditFlags& flags,
              const config::PluginCatalog& plugins)
      : context_(context), key_(std::move(key)), flags_(flags), plugins_(plugins) {}

  int run() {
    const auto stored = context_.store.get(key_);
    if (!stored) return config_failure(stored.error());
    base_ = *stored ? Text((*stored)->value) : std::nullopt;
    auto file = EditedFile::create(std::string(config::name_of_key(key_)), base_.value_or(kNewText));
    if (!file) return config_failure(file.error());
    file_ = std::move(*file);
    while (true) {
      if (const auto code = edit()) return *code;
      const int answer = ask();
      if (answer == 'y') return write();
      if (answer == 'n') return keep("nothing was written", kExitNegative);
    }
  }

 private:
  bool terminal() const { return isatty(STDIN_FILENO) != 0 && isatty(STDOUT_FILENO) != 0; }

  // Says why nothing was written, and where the text is.
  int keep(const std::string& why, int code) const {
    std::cerr << fmt::format("monitor-config: {}; the edited text is in {}\n", printable(why),
                             printable(file_->path()));
    return code;
  }

  // Runs the editor until the text is valid and differs, or the user gives up. Nothing: go on.
  std::optional<int> edit() {
    while (true) {
      std::cout << std::flush;
      const std::string command = editor_command();
      const Status ran = run_editor(command, file_->path());
      auto text = file_->read();
      if (!text) return keep(text.error().message(), kExitIo);
      const bool touched = *text != base_.value_or(kNewText);
      if (!ran && !touched) {
        file_->remove();
        std::cerr << fmt::format("monitor-config: {}; nothing was written\n", printable(ran.error().message()));
        return ran.error().code() == Code::kCancelled ? 128 + SIGINT : kExitNegative;
      }
      if (!ran) {
        return keep(ran.error().message() + "; nothing was written",
                    ran.error().code() == Code::kCancelled ? 128 + SIGINT : kExitNegative);
      }
      if (!touched) {
        file_->remove();
        std::cout << fmt::format("{} unchanged\n", printable(key_)) << std::flush;
        return kExitOk;
      }
      text_ = std::move(*text);
      const Status good = check_layer(key_, text_, what(), plugins_);
      if (good) return std::nullopt;
      std::cerr << "monitor-config: " << printable_lines(good.error().message()) << "\n";
      if (!terminal() || flags_.yes || !wants("Edit it again? [Y/n] ", true)) {
        return keep("the document is not valid; nothing was written", kExitConfig);
      }
    }
  }

  config::Edited what() const {
    return config::kind_of_key(key_) == config::KeyKind::kAgent ? config::Edited::kOwn : config::Edited::kShared;
  }

  static bool wants(const std::string& question, bool usual) {
    std::cout << question << std::flush;
    std::string line;
    if (!std::getline(std::cin, line)) return false;
    return trim(line).empty() ? usual : trim(line) == "y" || trim(line) == "Y";
  }

  // 'y', 'n', or 'e' to edit again.
  int ask() const {
    const std::string diff = config::document_diff(base_, text_);
    print_diff(diff.empty() ? "only the form of the text changes\n" : diff);
    if (flags_.yes || !terminal()) return 'y';
    while (true) {
      std::cout << fmt::format("Write this to {}? [y]es, [n]o, [e]dit again: ",
                               printable(context_.store.describe(key_)))
                << std::flush;
      std::string line;
      if (!std::getline(std::cin, line)) return 'n';
      const std::string_view word = trim(line);
      if (word == "y" || word == "yes") return 'y';
      if (word == "n" || word == "no") return 'n';
      if (word == "e" || word == "edit") return 'e';
    }
  }

  int write() {
    config::ChangeNote note = context_.note;
    note.at_ns = context_.wall_ns();
    Text theirs;
    bool conflict = false;
    const auto done =
        context_.store.update_noted(key_, note, [&](const std::optional<config::Stored>& current) -> Result<Text> {
          theirs = current ? Text(current->value) : std::nullopt;
          conflict = theirs != base_;
          if (conflict) return Error(Code::kAborted, "somebody else has changed the document meanwhile");
          return Text(text_);
        });
    if (!done && conflict) return tell_conflict(theirs);
    if (!done) return keep(done.error().message() + "; nothing was written", exit_code_for(done.error()));
    file_->remove();
    std::cout << fmt::format("{} written{}\n", printable(key_), *done == 0 ? "" : fmt::format(", revision {}", *done))
              << std::flush;
    print_warnings(context_, text_, what(), plugins_);
    return kExitOk;
  }

  int tell_conflict(const Text& theirs) const {
    std::string who;
    const auto history = context_.store.history(key_, 1);
    if (history && *history && !(*history)->versions.empty()) {
      who = " (" + describe_change((*history)->versions.front()) + ")";
    }
    std::cout << "Their change:\n";
    print_diff(config::document_diff(base_, theirs));
    std::cout << std::flush;
    return keep(fmt::format("conflict: somebody else has changed {} meanwhile{}; nothing was written", key_, who),
                kExitTempFail);
  }

  const ConfigContext& context_;
  const std::string key_;
  const EditFlags& flags_;
  const config::PluginCatalog& plugins_;
  Text base_;  // as it was read
  std::optional<EditedFile> file_;
  std::string text_;  // as edited
};

}  // namespace

int run_edit(const ConfigContext& context, const std::string& key, const EditFlags& flags,
             const config::PluginCatalog& plugins) {
  return EditSession(context, key, flags, plugins).run();
}

}  // namespace monitor
