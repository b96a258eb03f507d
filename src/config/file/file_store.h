// FileStore: a ConfigStore in files, <dir>/config/<agent-id>.json and so on. A lock file in the folder serializes
// writers. A link that leads out of the folder is rejected, and skipped in lists. The history of the documents is below
// <dir>/history/ (file_trail.h); a version's revision is the number of its change.
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
  Result<int64_t> update_noted(const std::string& key, const ChangeNote& note, const Change& change) override;
  Result<int64_t> put_noted_for(const std::string& key, const ChangeNote& note, const std::string& value,
                                int64_t ns) override;
  Result<std::vector<DocumentChange>> recent_changes(size_t most) override;
  Result<std::optional<DocumentHistory>> history(const std::string& key, size_t most) override;
  std::string describe(const std::string& key) const override;

 private:
  Result<int64_t> write(const std::string& key, const ChangeNote* note, const Change& change);
  Status store(const std::string& key, const std::optional<std::string>& value);
  // As store(), with a record if the document changes.
  Status store_noted(const std::string& key, const ChangeNote& note, const std::optional<Stored>& current,
                     const std::optional<std::string>& next);
  Disk& disk_;
  std::string folder_;
};

}  // namespace monitor::config
