// EtcdStore: a ConfigStore in etcd. Every write is a transaction that compares the revision that was read, so
// concurrent changes are never lost. Blocks like BlockingEtcdClient, with the same errors.
//
// Thread contract: the loop's thread, outside its callbacks. Timers and client must outlive it.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/event_loop.h"
#include "config/etcd/blocking_etcd_client.h"
#include "config/etcd/etcd_client.h"
#include "config/store.h"

namespace monitor::config {

class EtcdStore final : public ConfigStore {
 public:
  // `turn` runs the loop once; it may block until an event arrives.
  EtcdStore(Timers& timers, EtcdClient& client, std::function<void()> turn, BlockingEtcdOptions options = {});

  Result<std::optional<Stored>> get(const std::string& key) override;
  Result<std::map<std::string, Stored>> list(const std::string& prefix) override;
  // A change that leaves the document unchanged writes nothing, and returns the document's revision.
  Result<int64_t> update(const std::string& key, const Change& change) override;
  Result<int64_t> put_for(const std::string& key, const std::string& value, int64_t ns) override;
  Result<std::optional<DocumentHistory>> history(const std::string& key, size_t most) override;
  // The record and the change are one transaction. If etcd's roles do not permit records, the change is written without
  // one, with a warning.
  Result<int64_t> update_noted(const std::string& key, const ChangeNote& note, const Change& change) override;
  Result<int64_t> put_noted_for(const std::string& key, const ChangeNote& note, const std::string& value,
                                int64_t ns) override;
  Result<std::vector<DocumentChange>> recent_changes(size_t most) override;
  std::string describe(const std::string& key) const override;

 private:
  Result<int64_t> grant(int64_t ns);

  Timers& timers_;
  BlockingEtcdClient client_;
};

// An asynchronous put with a single attempt; the loop calls back.
std::unique_ptr<EtcdCall> put_once(EtcdClient& client, const std::string& key, const std::string& value,
                                   int64_t timeout_ns, std::function<void(const Status& done)> reply);

}  // namespace monitor::config
