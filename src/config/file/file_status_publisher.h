// Status and inventory as files: <dir>/status/<agent-id>.json, <dir>/inventory/<agent-id>.json, each renamed over the
// old one, and not synced: they are hints. A folder that cannot be written is logged once. On the loop's thread, which
// does not wait for the disk; the worker must outlive it.
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
  std::string status_path_;  // below it
  std::string inventory_path_;
  LatestFile status_;
  LatestFile inventory_;
  bool failed_ = false;
};

}  // namespace monitor::config
