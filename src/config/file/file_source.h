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
// The files are read on a thread of their own (base/aside.h): a folder that hangs counts as lost after 2 s, and is read
// when it answers. The first watch() waits for them that long, so that most sources answer before it returns.
//
// Everything else on the loop's thread. Loop, disk and worker must outlive it.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "base/aside.h"
#include "base/disk.h"
#include "base/event_loop.h"
#include "base/latest_file.h"
#include "base/worker.h"
#include "config/file/file_reader.h"
#include "config/source.h"

namespace monitor::config {

class FileSource final : public ConfigSource {
 public:
  FileSource(EventLoop& loop, Disk& disk, Worker& worker, FileSourceOptions options);
  ~FileSource() override;

  void watch(const WatchSet& what, ConfigListener& listener) override;
  std::string describe(const std::string& key) const override { return reader_.describe(key); }
  // Reads the files again, as if they had changed (SIGHUP).
  void rescan();
  // False until the files of the keys that are watched have been looked at.
  bool answered() const { return answered_; }

 private:
  void load_state();
  void on_inotify();
  void schedule_scan(int64_t delay_ns);
  void scan(bool first);
  void on_late();
  void on_read(FileReader::Found found, uint64_t number);
  std::map<std::string, Entry> complete(std::map<std::string, Entry> found, bool first);
  void take(std::map<std::string, Entry> entries);
  void tell();
  void on_state_written(const Status& written);

  EventLoop& loop_;
  Disk& disk_;
  FileSourceOptions options_;
  ConfigListener* listener_ = nullptr;
  WatchSet what_;
  FileReader reader_;          // on the thread of aside_
  bool watched_ = false;       // its inotify, by the loop
  uint64_t watch_number_ = 0;  // of what_
  bool first_ = false;         // the next read is the first since watch()
  bool scan_again_ = false;    // after the one that is under way
  bool answered_ = false;
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
  Aside aside_;  // ends first: it reads with what is above
};

}  // namespace monitor::config
