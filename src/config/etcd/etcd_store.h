// EtcdStore: etcd as a store of documents. Every write is a transaction that compares what was read, so that nobody's
// change in between is lost.
// It waits for answers as BlockingEtcdClient does, with its errors.
//
// Thread contract: the loop's thread, not from within its callbacks. Timers and client must outlive it.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "base/event_loop.h"
#include "config/etcd/blocking_etcd_client.h"
#include "config/etcd/etcd_client.h"
#include "config/store.h"

namespace monitor::config {

class EtcdStore final : public ConfigStore {
 public:
  // `turn` lets the loop handle what is there, waiting for it if need be.
  EtcdStore(Timers& timers, EtcdClient& client, std::function<void()> turn, BlockingEtcdOptions options = {});

  Result<std::optional<Stored>> get(const std::string& key) override;
  Result<std::map<std::string, Stored>> list(const std::string& prefix) override;
  // A change that leaves the document as it is writes nothing, and has the revision of the document.
  Result<int64_t> update(const std::string& key, const Change& change) override;
  Result<int64_t> put_for(const std::string& key, const std::string& value, int64_t ns) override;
  std::string describe(const std::string& key) const override;

 private:
  BlockingEtcdClient client_;
};

// A put for who may not wait: one attempt, answered from the loop.
std::unique_ptr<EtcdCall> put_once(EtcdClient& client, const std::string& key, const std::string& value,
                                   int64_t timeout_ns, std::function<void(const Status& done)> reply);

}  // namespace monitor::config
