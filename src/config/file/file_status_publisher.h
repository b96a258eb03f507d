// FileStatusPublisher: publishes to <dir>/status/<agent-id>.json and <dir>/inventory/<agent-id>.json. Each write
// replaces the file atomically but without fsync, because both files are hints. A folder that cannot be written is
// logged once.
//
// Thread contract: the loop's thread, which never waits for the disk. The worker must outlive it.
#pragma once

#include <string>

#include "base/latest_file.h"
#include "base/worker.h"
#include "config/status.h"

namespace monitor::config {

class FileStatusPublisher final : public StatusPublisher {
 public:
  FileStatusPublisher(Worker& worker, const std::string& folder, const std::string& agent_id);

  void put_status(std::string json) override;
  void put_inventory(std::string json) override;
  void stop(std::string inventory, std::function<void()> done) override;

 private:
  LatestFile file(const std::string& path);

  Worker& worker_;
  std::string folder_;
  std::string status_path_;  // relative to the folder
  std::string inventory_path_;
  LatestFile status_;
  LatestFile inventory_;
  bool failed_ = false;
};

}  // namespace monitor::config
