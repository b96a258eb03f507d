// FileReader: the part of FileSource that may block. It reads files and watches their folders with inotify. Links
// within the folder are followed; a link that leads out of it is a fault of its key.
//
// Thread contract: any thread, one call at a time. The disk must outlive it.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "base/disk.h"
#include "base/event_loop.h"
#include "config/source.h"

namespace monitor::config {

struct FileSourceOptions {
  std::string folder;                        // <data>/monitor
  std::map<std::string, std::string> files;  // key -> path, for keys whose file has another name
  std::string state_file;                    // empty: the revision restarts at 0
  Timers* calm = nullptr;                    // for reads that may come a little later; nullptr: the source's loop
};

// Extension of the file of a key or prefix: ".lua" for a script, ".yaml" for rules, else ".json".
std::string_view ending_of_key(const std::string& key);
// The file of a valid key or prefix: relative to the folder, as "config/a.json", and absolute.
std::string path_of_key(const std::string& key);
std::string file_of_key(const std::string& folder, const std::string& key);

class FileReader {
 public:
  struct Found {
    std::map<std::string, Entry> entries;  // files that exist
    std::optional<Error> fault;            // a folder is writable by others, so nothing was read
  };

  FileReader(Disk& disk, FileSourceOptions options);

  // Becomes readable when a watched folder has changed; negative if inotify is unavailable. Any thread.
  int inotify() const { return inotify_.get(); }
  // Any thread.
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
