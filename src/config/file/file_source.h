// FileSource: configuration from files in a directory. Paths follow the keys: config/a.json is the document of agent a.
// inotify reports a write, a rename over a file, a symlink swap or a deletion at once. A file that is not valid JSON is
// read again for up to a second before it is reported, because editors truncate files before they write. Links within
// the directory are followed; a link that leads out of it is a fault of its key. While others can write to a directory
// (base/trust.h), the source is lost.
//
// The revision counts distinct contents that were reported. A state file keeps the revision across restarts; unchanged
// contents keep their revision. New contents are reported once their revision is on disk. The loop waits for that only
// at the start.
//
// A separate thread reads the files (base/aside.h). A folder that blocks counts as lost after 2 s, and is read when it
// responds. The first watch() waits up to that long, so most sources answer before it returns.
//
// Thread contract: everything else on the loop's thread. Loop, disk and worker must outlive it.
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
  bool is_shared(const std::string& key) const override { return !options_.files.contains(key); }
  std::string describe(const std::string& key) const override { return reader_.describe(key); }
  // Reads the files as if they had changed (SIGHUP).
  void rescan();
  // True once the files of the watched keys have been read.
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
  FileReader reader_;          // used on the thread of aside_
  bool watched_ = false;       // the loop watches its inotify descriptor
  uint64_t watch_number_ = 0;  // version of what_
  bool first_ = false;         // the next read is the first since watch()
  bool scan_again_ = false;    // another scan must follow the pending one
  bool answered_ = false;
  std::map<std::string, Entry> read_;                // as of the last read
  std::map<std::string, int64_t> incomplete_since_;  // key -> when its file was first found not to be JSON
  bool read_any_ = false;
  bool lost_ = false;     // reported to the listener
  bool starting_ = true;  // before the first tick; waiting for the disk is allowed
  int64_t revision_ = 0;
  uint32_t checksum_ = 0;
  LatestFile state_;
  std::optional<KeySet> numbered_;  // to be reported when the state file is written
  bool again_ = false;              // a newer read waits for that
  Timers::TimerId scan_timer_ = 0;
  int64_t scan_due_ = 0;
  Timers::TimerId reconcile_timer_ = 0;
  Aside aside_;  // destroyed first, because its thread uses the members above
};

}  // namespace monitor::config
