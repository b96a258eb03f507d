// OpenedFiles: which WAL and WAL index SQLite has opened for a database. SQLite tells nobody, and to look at the paths
// afterwards is too late: when an operator moves a log away and back, a file may be replaced between SQLite's open()
// and the look, and the connection would use a file that is no longer the log's.
//
// Notes what SQLite opens on this thread while the object exists. The first object intercepts SQLite's open() for the
// whole process. Objects of one thread must not overlap.
#pragma once

#include <cstdint>
#include <string>

namespace monitor::sqlite {

class OpenedFiles {
 public:
  // `path`: of the database.
  explicit OpenedFiles(const std::string& path);
  ~OpenedFiles();
  OpenedFiles(const OpenedFiles&) = delete;
  OpenedFiles& operator=(const OpenedFiles&) = delete;

  // Inodes; 0 if SQLite did not open the file. All connections of a process to one database share an index, so it may
  // be one that an earlier connection opened.
  uint64_t wal() const { return wal_; }
  uint64_t index() const;

 private:
  static int open_noted(const char* name, int flags, int mode);
  static void intercept();
  void note(const std::string& name, int descriptor);

  const std::string wal_ending_;  // of the names that SQLite opens
  const std::string index_ending_;
  uint64_t wal_ = 0;
  std::string index_name_;  // of the index that belongs to the WAL; empty: no WAL
};

}  // namespace monitor::sqlite
