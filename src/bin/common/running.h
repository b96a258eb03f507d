// Address files of `monitor up`, which let other programs find its metric log and its configuration.
//
// There are two copies, both mode 0600: <data>/running.json, and up-<pid>.json in a folder of the user
// ($XDG_RUNTIME_DIR/monitor, /run/user/<uid>/monitor, else `running` in the default data folder). A copy is valid only
// while the process that wrote it runs: process id, start time and boot id must match. Not thread-safe; for the start
// of a program.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/disk.h"
#include "base/result.h"

namespace monitor {

struct RunningSystem {
  pid_t pid = 0;
  uint64_t started = 0;  // clock ticks after boot, as in /proc/<pid>/stat
  std::string boot;      // the kernel's boot id
  std::string data;
  std::string log;                // sqlite:PATH; empty: Kafka
  std::string kafka;              // HOST:PORT,...
  std::string config_dir;         // empty: etcd
  std::vector<std::string> etcd;  // command line arguments: --etcd, HOST:PORT, ...
  std::string server;             // HOST:PORT; empty until it listens
  std::string web;                // http://HOST:PORT/; empty until it is served
};

std::string to_json(const RunningSystem& system);
Result<RunningSystem> parse_running(const std::string& json);

// The address files of this process, removed when it ends.
class RunningFiles {
 public:
  explicit RunningFiles(Disk& disk) : disk_(disk) {}
  ~RunningFiles() { withdraw(); }
  RunningFiles(const RunningFiles&) = delete;
  RunningFiles& operator=(const RunningFiles&) = delete;

  // Writes the files; call again after every change. Fills in the process fields. Error: neither file could be written.
  Status publish(RunningSystem system);
  // Removes the files. Call before releasing the lock of the data folder, after which they belong to another process.
  void withdraw();

 private:
  Disk& disk_;
  std::vector<std::string> written_;
};

// The system on this data folder; nothing if none is running, or if the folder or the file is not trusted.
std::optional<RunningSystem> running_on(const std::string& data);
// The system of this user on any data folder. kFailedPrecondition if several are running: the user must name one.
Result<std::optional<RunningSystem>> find_running();

}  // namespace monitor
