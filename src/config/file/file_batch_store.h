// FileBatchStore: BatchStore over files. Each write is done under the folder's lock, which also covers the guard. Files
// have no leases.
#pragma once

#include "config/batch_store.h"

namespace monitor::config {

// Also for other stores whose update() excludes other writers while it calls back. `store` must outlive it.
class FileBatchStore final : public BatchStore {
 public:
  explicit FileBatchStore(ConfigStore& store) : store_(store) {}

  ConfigStore& documents() override { return store_; }
  Result<int64_t> swap(const BatchWrite& write) override;
  Result<size_t> write_all(const std::string& guard, const Stored& guarded, const std::vector<BatchWrite>& writes,
                           int64_t lease) override;
  bool has_leases() const override { return false; }
  Result<int64_t> grant(int64_t ns) override;
  Result<bool> renew(int64_t lease) override;
  Status revoke(int64_t lease) override;

 private:
  ConfigStore& store_;
};

}  // namespace monitor::config
