// RotatingFile: appends blocks of lines to PATH, durably, and rotates it: PATH becomes PATH.1, PATH.1 becomes PATH.2,
// and the oldest file is removed.
//
// It opens PATH for every block. So a logrotate that moves, removes or truncates the file needs no signal, and an error
// leaves no state to repair: the next append starts from what is on disk. A crash can leave an incomplete line; the
// next append removes it.
//
// Blocks the caller. Not thread-safe; the disk must outlive it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/disk.h"

namespace monitor::agent {

struct RotatingFileOptions {
  static constexpr uint64_t kDefaultMaxBytes = uint64_t{100} << 20;
  static constexpr uint64_t kLeastMaxBytes = uint64_t{1} << 20;
  static constexpr uint64_t kDefaultFiles = 5;
  static constexpr uint64_t kMostFiles = 1000;

  std::string path;
  uint64_t max_bytes = kDefaultMaxBytes;  // of one file; a larger block gets a file of its own
  uint64_t files = kDefaultFiles;         // including PATH
};

class RotatingFile {
 public:
  RotatingFile(FileDisk& disk, RotatingFileOptions options) : disk_(disk), options_(std::move(options)) {}

  // Call once, before the first append. Locks PATH.lock for the lifetime of the object, and creates PATH (0600) if it
  // is missing. Errors: kAborted if another process writes there; any other error means that PATH cannot be written.
  Status open();

  // Appends whole lines and syncs them. After an error, none of them is in the file, as far as the disk allows: if the
  // disk also refuses to truncate, the first lines may remain.
  Status append(std::string_view lines);

  const std::string& path() const { return options_.path; }
  uint64_t rotations() const { return rotations_; }

 private:
  struct Opened {
    std::unique_ptr<DiskFile> file;
    uint64_t size = 0;
  };
  Result<Opened> open_file();
  Status remove_torn_line(Opened& opened) const;
  Status rotate();
  Status write(Opened& opened, std::string_view lines) const;
  std::string rotated(uint64_t number) const { return options_.path + "." + std::to_string(number); }
  bool exists(const std::string& path);

  FileDisk& disk_;
  RotatingFileOptions options_;
  std::unique_ptr<DiskLock> lock_;
  bool folder_unsynced_ = false;  // PATH was created or renamed since the folder was last synced
  uint64_t rotations_ = 0;
};

}  // namespace monitor::agent
