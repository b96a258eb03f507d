// Configuration from files below a directory, named as the keys: /monitor/config/a is <dir>/config/a.json. Watched with
// inotify: a write, a rename over, a symlink swap or a deletion is told at once. A file that is not (yet) JSON is read
// again for up to a second before it is told, since editors truncate before they write. A link that leads out of the
// directory is a fault of its key; those that stay below are followed. While others may write to a directory
// (base/trust.h), the source is lost.
//
// The revision is a counter of distinct contents that have been told; it is kept in a state file, so that it goes on
// counting over a restart, and the same contents have the same revision. New contents are told when their revision is
// on the disk, for which the loop does not wait but at the first time.
//
// Everything on the loop's thread. Loop, disk and worker must outlive it.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "base/disk.h"
#include "base/event_loop.h"
#include "base/latest_file.h"
#include "base/worker.h"
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

class FileSource final : public ConfigSource {
 public:
  FileSource(EventLoop& loop, Disk& disk, Worker& worker, FileSourceOptions options);
  ~FileSource() override;

  void watch(const WatchSet& what, ConfigListener& listener) override;
  std::string describe(const std::string& key) const override;
  // Reads the files again, as if they had changed (SIGHUP).
  void rescan();

 private:
  void load_state();
  std::set<std::string> keys() const;
  void watch_folders(const std::set<std::string>& keys);
  void watch_folder_of(const std::string& path);
  void add_watch(const std::string& folder);
  void on_inotify();
  void schedule_scan(int64_t delay_ns);
  void scan(bool first);
  Status check_trusted(const std::set<std::string>& keys) const;
  Entry read(const std::string& key, bool& exists) const;
  bool is_below(const std::string& resolved) const;
  void take(std::map<std::string, Entry> entries);
  void tell();
  void on_state_written(const Status& written);

  EventLoop& loop_;
  Disk& disk_;
  FileSourceOptions options_;
  ConfigListener* listener_ = nullptr;
  WatchSet what_;
  Fd inotify_;
  std::map<std::string, int> folders_;               // watched folder -> watch descriptor
  std::map<std::string, Entry> read_;                // as they were found last
  std::map<std::string, int64_t> incomplete_since_;  // by key: when it was first seen not to be JSON
  bool read_any_ = false;
  bool lost_ = false;     // and the listener knows
  bool starting_ = true;  // nobody ticks yet: the disk is waited for
  int64_t revision_ = 0;
  uint32_t checksum_ = 0;
  LatestFile state_;
  std::optional<KeySet> numbered_;  // told when the state is written
  bool again_ = false;              // what was read last waits for that
  Timers::TimerId scan_timer_ = 0;
  int64_t scan_due_ = 0;
  Timers::TimerId reconcile_timer_ = 0;
};

}  // namespace monitor::config
