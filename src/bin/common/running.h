// What `monitor up` runs, and where: it leaves an address file, by which the other programs find its metric log and its
// configuration without being told.
//
// There are two copies: <data>/running.json, and up-<pid>.json in a folder of the user's ($XDG_RUNTIME_DIR/monitor,
// /run/user/<uid>/monitor, else `running` in the default data folder). Both are for their owner alone (0600). A copy
// counts only while the process that wrote it runs: its id, start time and the machine's boot must be those in the
// file. Not thread-safe; for the start of a program.
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
  uint64_t started = 0;  // clock ticks after the boot, as /proc/<pid>/stat has them
  std::string boot;      // the kernel's boot id
  std::string data;
  std::string log;                // sqlite:PATH; empty: Kafka
  std::string kafka;              // HOST:PORT,...
  std::string config_dir;         // empty: etcd
  std::vector<std::string> etcd;  // options as on a command line: --etcd, HOST:PORT, ...
  std::string server;             // HOST:PORT; empty until it listens
  std::string web;                // http://HOST:PORT/; empty until it is served
};

std::string to_json(const RunningSystem& system);
Result<RunningSystem> parse_running(const std::string& json);

// The address files of this process, removed with it.
class RunningFiles {
 public:
  explicit RunningFiles(Disk& disk) : disk_(disk) {}
  ~RunningFiles() { withdraw(); }
  RunningFiles(const RunningFiles&) = delete;
  RunningFiles& operator=(const RunningFiles&) = delete;

  // Writes them, again whenever something has changed. Fills in the process. Errors: none of the two could be written.
  Status publish(RunningSystem system);
  // Removes them: before the lock of the data folder is given up, after which they are another's.
  void withdraw();

 private:
  Disk& disk_;
  std::vector<std::string> written_;
};

// What runs on this data folder; nothing where nothing runs, or where the folder or the file is not to be trusted.
std::optional<RunningSystem> running_on(const std::string& data);
// What this user runs, whatever its data folder. kFailedPrecondition when several run: one must be named.
Result<std::optional<RunningSystem>> find_running();

}  // namespace monitor
