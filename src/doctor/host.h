// Host: what checks ask of this host. Thread-safe. Calls that touch a disk may block.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"

namespace monitor::doctor {

struct FileFacts {
  uid_t owner = 0;
  uint32_t mode = 0;  // permission bits
  bool link = false;
  bool folder = false;
  bool regular = false;
};

// What the kernel offers to the sandbox of plugins.
struct KernelFacts {
  std::string release;
  uint32_t landlock = 0;       // version; 0: none
  bool seccomp = false;        // filters that end the process
  bool sealed_memory = false;  // memfd_create with seals
  bool no_new_privs = false;
  bool beneath = false;  // openat2 with RESOLVE_BENEATH
};

struct DiskRoom {
  uint64_t free_bytes = 0;  // for this user
  uint64_t total_bytes = 0;
  uint64_t free_inodes = 0;
  uint64_t total_inodes = 0;  // 0: the file system does not count them
  std::string type;           // ext4, tmpfs
  bool read_only = false;
};

// Latencies of small synced writes, as the spool does them.
struct DiskSpeed {
  int writes = 0;
  size_t write_bytes = 0;
  int64_t median_ns = 0;
  int64_t worst_ns = 0;
};

struct ProgramSight {
  std::string name;  // monitor-agent
  std::string path;
  std::string version;    // empty: unknown
  pid_t pid = 0;          // 0: a file that does not run
  bool replaced = false;  // the running program's file has been replaced since
};

class Host {
 public:
  virtual ~Host() = default;
  virtual int64_t wall_ns() const = 0;
  // Whether the kernel considers its clock synchronized; nothing if it does not say.
  virtual std::optional<bool> clock_synchronized() = 0;
  virtual uid_t user() const = 0;
  virtual Result<std::string> read_file(const std::string& path, size_t max_bytes) = 0;
  // Of the file itself; a link is not followed.
  virtual Result<FileFacts> look(const std::string& path) = 0;
  // base/trust.h
  virtual Status folder_trusted(const std::string& path, const std::string& what) = 0;
  virtual KernelFacts kernel() = 0;
  virtual Result<DiskRoom> room(const std::string& folder) = 0;
  // Writes and syncs small blocks in the folder for at most two seconds. Leaves no file behind, even if killed.
  virtual Result<DiskSpeed> speed(const std::string& folder) = 0;
  // Our programs beside this one, and our running processes that this user may look at.
  virtual std::vector<ProgramSight> programs(const std::string& folder, int64_t timeout_ns) = 0;
};

}  // namespace monitor::doctor
