// Runs the user's editor on a text.
#pragma once

#include <string>

#include "base/result.h"

namespace monitor {

// A private file in $TMPDIR (or /tmp) that holds a text while it is edited. It stays after the program unless remove()
// is called.
class EditedFile {
 public:
  // `name` becomes a part of the file's name, which ends in .json.
  static Result<EditedFile> create(const std::string& name, const std::string& text);

  const std::string& path() const { return path_; }
  // kResourceExhausted above 64 MiB.
  Result<std::string> read() const;
  void remove() const;

 private:
  explicit EditedFile(std::string path) : path_(std::move(path)) {}
  std::string path_;
};

// $VISUAL, else $EDITOR, else vi.
std::string editor_command();

// Runs the command with the file as its last argument, and waits. A command that is more than words is run by the
// shell. Ctrl-C and Ctrl-\ go to the editor alone. Errors: kCancelled if a signal ended the editor, kUnknown if it
// could not be run or ended with another status than 0.
Status run_editor(const std::string& command, const std::string& path);

}  // namespace monitor
