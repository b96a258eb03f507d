// What `monitor init` writes: the options of the agent's service, and its credentials. Reads files below a root; writes
// nothing before apply(). Not thread-safe.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/disk.h"
#include "base/result.h"
#include "bin/common/etcd_flags.h"

namespace monitor {

struct InitAnswers {
  std::string server;  // HOST:PORT,...
  std::string agent_id;
  std::string token;  // empty: none. A secret
  // PEM files to copy; empty: none.
  std::string ca_file;
  std::string certificate_file;
  std::string key_file;
  std::string server_name;
  EtcdFlags etcd;
};

struct PlannedFile {
  std::string path;  // with the root
  std::optional<std::string> before;
  std::string after;
  std::string what;  // what it is, with its mode; empty: options that everybody may read, which are shown
  // Mode 0600, and its content is not shown; else 0644.
  bool hidden() const { return !what.empty(); }
};

class InitPlan {
 public:
  // `root` is put before all paths; empty for this host. `unit`: a systemd unit reads the credentials from the
  // credential store; without one, the options name the store's files themselves. Errors: unreadable files, an options
  // file that cannot be parsed.
  static Result<InitPlan> make(Disk& disk, const std::string& root, bool unit, const InitAnswers& answers);

  // Files whose content changes.
  const std::vector<PlannedFile>& files() const { return files_; }
  bool empty() const { return files_.empty(); }
  // For people: each file with its changed lines, or that a secret is written.
  std::string describe() const;
  // Writes the files, secrets first, so that options never name a file that does not exist. May be repeated after an
  // error.
  Status apply(Disk& disk) const;

 private:
  std::vector<PlannedFile> files_;
};

// The value that the agent's options file has now; empty if none.
std::string current_option(Disk& disk, const std::string& root, const std::string& option);

}  // namespace monitor
