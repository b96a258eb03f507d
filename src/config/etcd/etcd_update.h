// EtcdUpdate: one compare-and-swap of a document, with the records of its history in the same transaction. Internal to
// this folder; blocks like BlockingEtcdClient, with the same errors.
#pragma once

#include <etcd/etcd.pb.h>

#include <cstdint>
#include <optional>
#include <string>

#include "config/etcd/blocking_etcd_client.h"
#include "config/history/trail.h"
#include "config/store.h"

namespace monitor::config {

class EtcdUpdate {
 public:
  // nullptr: no record. With a lease, the document ends with it, and is written even if its text stays the same. The
  // arguments must outlive the update.
  EtcdUpdate(BlockingEtcdClient& client, const std::string& key, const ChangeNote* note, int64_t lease = 0)
      : client_(client), key_(key), note_(note), lease_(lease), deadline_(client.deadline()) {}

  // As ConfigStore::update().
  Result<int64_t> run(const ConfigStore::Change& change);

 private:
  Status look();
  void take_document(const etcdpb::RangeResponse& range);
  void take_record(const etcdpb::RangeResponse& range);
  Result<bool> too_many_records();
  Result<etcdpb::TxnRequest> request_for(const std::optional<std::string>& next);
  Status add_records(etcdpb::TxnRequest& request, const std::optional<std::string>& next);
  Status check_next(const std::optional<std::string>& next) const;
  std::optional<std::string> text() const;
  int64_t revision() const { return current_ ? current_->revision : 0; }

  BlockingEtcdClient& client_;
  const std::string& key_;
  const ChangeNote* note_;
  const int64_t lease_;
  const int64_t deadline_;
  std::optional<Stored> current_;
  std::optional<ChangeRecord> newest_;
  uint64_t newest_number_ = 0;  // by the newest record's key: its text may be damaged
};

}  // namespace monitor::config
