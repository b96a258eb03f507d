#include "config/etcd/etcd_batch_store.h"

#include <algorithm>
#include <utility>

#include "config/etcd/messages.h"
#include "config/keys.h"

namespace monitor::config {

namespace {

using Repeat = BlockingEtcdClient::Repeat;

void compare(pb::TxnRequest& request, const std::string& key, int64_t revision) {
  pb::Compare& one = *request.add_compare();
  one.set_result(pb::Compare::EQUAL);
  one.set_target(pb::Compare::MOD);
  one.set_key(key);
  one.set_mod_revision(revision);
}

int64_t revision_of(const std::optional<Stored>& stored) { return stored ? stored->revision : 0; }

}  // namespace

EtcdBatchStore::EtcdBatchStore(Timers& timers, EtcdClient& client, std::function<void()> turn, ConfigStore& store,
                               BlockingEtcdOptions options)
    : store_(store), client_(timers, client, std::move(turn), options) {}

// All of the writes or none.
Result<EtcdBatchStore::Written> EtcdBatchStore::write(const std::optional<Guard>& guard,
                                                      std::span<const BatchWrite> writes, int64_t lease,
                                                      int64_t& revision) {
  pb::TxnRequest request;
  if (guard) {
    compare(request, guard->key, guard->revision);
    request.add_failure()->mutable_request_range()->set_key(guard->key);
  }
  for (const BatchWrite& one : writes) {
    if (auto valid = check_key(one.key); !valid) return valid.error();
    compare(request, one.key, revision_of(one.expected));
    if (one.next) {
      pb::PutRequest& put = *request.add_success()->mutable_request_put();
      put.set_key(one.key);
      put.set_value(*one.next);
      put.set_lease(lease);
    } else {
      request.add_success()->mutable_request_delete_range()->set_key(one.key);
    }
  }
  // Not repeated: after an answer that was lost, the keys say what happened.
  const auto done = ask_etcd<pb::TxnResponse>(client_, kTxnPath, request, client_.deadline(), Repeat::kNo);
  if (!done) return done.error();
  revision = done->header().revision();
  if (done->succeeded()) return Written::kYes;
  if (!guard) return Written::kNo;
  const auto& kvs = done->responses_size() > 0 ? done->responses(0).response_range().kvs()
                                               : pb::RangeResponse::default_instance().kvs();
  return !kvs.empty() && kvs.Get(0).mod_revision() == guard->revision ? Written::kNo : Written::kGuardChanged;
}

Result<int64_t> EtcdBatchStore::swap(const BatchWrite& one) {
  int64_t revision = 0;
  const auto written = write(std::nullopt, {&one, 1}, 0, revision);
  if (!written) return written.error();
  if (*written == Written::kYes) return revision;
  return Error(Code::kAborted, one.key + " was changed meanwhile");
}

Result<size_t> EtcdBatchStore::write_all(const std::string& guard, const Stored& guarded,
                                         const std::vector<BatchWrite>& writes, int64_t lease) {
  const Guard held{guard, guarded.revision};
  size_t count = 0;
  int64_t revision = 0;
  const auto changed = [&] { return Error(Code::kAborted, guard + " was changed meanwhile"); };
  for (size_t i = 0; i < writes.size(); i += kMostInOne) {
    const auto part = std::span(writes).subspan(i, std::min(kMostInOne, writes.size() - i));
    const auto written = write(held, part, lease, revision);
    if (!written) return written.error();
    if (*written == Written::kGuardChanged) return changed();
    if (*written == Written::kYes) {
      count += part.size();
      continue;
    }
    // One of the keys has changed; the others are written one by one.
    for (const BatchWrite& one : part) {
      const auto alone = write(held, {&one, 1}, lease, revision);
      if (!alone) return alone.error();
      if (*alone == Written::kGuardChanged) return changed();
      if (*alone == Written::kYes) ++count;
    }
  }
  return count;
}

Result<int64_t> EtcdBatchStore::grant(int64_t ns) {
  pb::LeaseGrantRequest request;
  request.set_ttl((ns + kNanosPerSecond - 1) / kNanosPerSecond);
  const auto lease =
      ask_etcd<pb::LeaseGrantResponse>(client_, kLeaseGrantPath, request, client_.deadline(), Repeat::kYes);
  if (!lease) return lease.error();
  return lease->id();
}

Result<bool> EtcdBatchStore::renew(int64_t lease) {
  pb::LeaseKeepAliveRequest request;
  request.set_id(lease);
  const auto renewed =
      ask_etcd<pb::LeaseKeepAliveResponse>(client_, kLeaseKeepAlivePath, request, client_.deadline(), Repeat::kYes);
  if (!renewed) return renewed.error();
  return renewed->ttl() > 0;
}

Status EtcdBatchStore::revoke(int64_t lease) {
  pb::LeaseRevokeRequest request;
  request.set_id(lease);
  const auto revoked =
      ask_etcd<pb::LeaseRevokeResponse>(client_, kLeaseRevokePath, request, client_.deadline(), Repeat::kYes);
  if (!revoked && revoked.error().code() != Code::kNotFound) return revoked.error();
  return {};
}

}  // namespace monitor::config
