// EtcdBatchStore: BatchStore in etcd. Writes are transactions of many keys that compare the revision of each one and of
// the guard. Blocks like BlockingEtcdClient, with the same errors.
//
// Thread contract: the loop's thread, outside its callbacks. Timers, client and store must outlive it.
#pragma once

#include <functional>
#include <span>

#include "base/event_loop.h"
#include "config/batch_store.h"
#include "config/etcd/blocking_etcd_client.h"
#include "config/etcd/etcd_client.h"

namespace monitor::config {

class EtcdBatchStore final : public BatchStore {
 public:
  // etcd refuses transactions with more operations than --max-txn-ops, 128 by default.
  static constexpr size_t kMostInOne = 100;

  // `turn` runs the loop once; it may block until an event arrives. `store`: of the same etcd.
  EtcdBatchStore(Timers& timers, EtcdClient& client, std::function<void()> turn, ConfigStore& store,
                 BlockingEtcdOptions options = {});

  ConfigStore& documents() override { return store_; }
  Result<int64_t> swap(const BatchWrite& write) override;
  Result<size_t> write_all(const std::string& guard, const Stored& guarded, const std::vector<BatchWrite>& writes,
                           int64_t lease) override;
  bool has_leases() const override { return true; }
  Result<int64_t> grant(int64_t ns) override;
  Result<bool> renew(int64_t lease) override;
  Status revoke(int64_t lease) override;

 private:
  struct Guard {
    const std::string& key;
    int64_t revision;
  };
  enum class Written { kYes, kNo, kGuardChanged };
  Result<Written> write(const std::optional<Guard>& guard, std::span<const BatchWrite> writes, int64_t lease,
                        int64_t& revision);

  ConfigStore& store_;
  BlockingEtcdClient client_;
};

}  // namespace monitor::config
