// FileStore: a ConfigStore in files, <dir>/config/<agent-id>.json and so on. A lock file in the folder serializes
// writers. A link that leads out of the folder is rejected, and skipped in lists.
#pragma once

#include <string>

#include "base/disk.h"
#include "config/store.h"

namespace monitor::config {

class FileStore final : public ConfigStore {
 public:
  FileStore(Disk& disk, std::string folder) : disk_(disk), folder_(std::move(folder)) {}

  Result<std::optional<Stored>> get(const std::string& key) override;
  Result<std::map<std::string, Stored>> list(const std::string& prefix) override;
  Result<int64_t> update(const std::string& key, const Change& change) override;
  Result<int64_t> put_for(const std::string& key, const std::string& value, int64_t ns) override;
  std::string describe(const std::string& key) const override;

 private:
  Disk& disk_;
  std::string folder_;
};

}  // namespace monitor::config
