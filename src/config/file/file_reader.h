// FileReader: the part of FileSource that may hang: reads files, and watches their folders with inotify. Links that
// lead out of the folder are faults of their keys; those that stay below are followed.
//
// On any thread, one call at a time. The disk must outlive it.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "base/disk.h"
#include "config/source.h"

namespace monitor::config {

struct FileSourceOptions {
  std::string folder;                        // <data>/monitor
  std::map<std::string, std::string> files;  // keys that stand in files of other names
  std::string state_file;                    // empty: the revision starts at 0 with every start
};

// ".json", ".lua" of a script; also of a prefix.
std::string_view ending_of_key(const std::string& key);
// The file of a key: below the folder, as "config/a.json", and whole. For keys and prefixes that were checked.
std::string path_of_key(const std::string& key);
std::string file_of_key(const std::string& folder, const std::string& key);

class FileReader {
 public:
  struct Found {
    std::map<std::string, Entry> entries;  // of the files that are there
    std::optional<Error> fault;            // others may write to a folder; nothing was read
  };

  FileReader(Disk& disk, FileSourceOptions options);

  // Readable when one of the watched folders has changed; negative: nothing tells of it. From any thread.
  int inotify() const { return inotify_.get(); }
  // From any thread.
  std::string describe(const std::string& key) const;
  Found read(const WatchSet& what);

 private:
  std::set<std::string> keys_of(const WatchSet& what) const;
  void watch_folders(const std::set<std::string>& keys);
  void watch_folder_of(const std::string& path);
  void add_watch(const std::string& folder);
  Status check_trusted(const std::set<std::string>& keys) const;
  Entry read_one(const std::string& key, bool& exists) const;
  bool is_below(const std::string& resolved) const;

  Disk& disk_;
  const FileSourceOptions options_;
  Fd inotify_;
  std::map<std::string, int> folders_;  // watched folder -> watch descriptor
};

}  // namespace monitor::config
