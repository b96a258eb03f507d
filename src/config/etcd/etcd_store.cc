#include "config/etcd/etcd_store.h"

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "config/etcd/etcd_history.h"
#include "config/etcd/etcd_update.h"
#include "config/etcd/messages.h"
#include "config/keys.h"

namespace monitor::config {

namespace {

constexpr int64_t kPageKeys = 200;

using Repeat = BlockingEtcdClient::Repeat;

Stored stored_of(const pb::KeyValue& kv) { return {kv.value(), kv.mod_revision()}; }

}  // namespace

EtcdStore::EtcdStore(Timers& timers, EtcdClient& client, std::function<void()> turn, BlockingEtcdOptions options)
    : timers_(timers), client_(timers, client, std::move(turn), options) {}

std::string EtcdStore::describe(const std::string& key) const { return key; }

Result<std::optional<Stored>> EtcdStore::get(const std::string& key) {
  if (auto valid = check_key(key); !valid) return valid.error();
  pb::RangeRequest request;
  request.set_key(key);
  const int64_t deadline = client_.deadline();
  const auto response = ask_etcd<pb::RangeResponse>(client_, kRangePath, request, deadline, Repeat::kYes);
  if (!response) return response.error();
  if (response->kvs().empty()) return std::optional<Stored>();
  return std::optional(stored_of(response->kvs(0)));
}

Result<std::map<std::string, Stored>> EtcdStore::list(const std::string& prefix) {
  if (auto valid = check_prefix(prefix); !valid) return valid.error();
  std::map<std::string, Stored> result;
  pb::RangeRequest request;
  request.set_key(prefix);
  request.set_range_end(prefix_end(prefix));
  request.set_limit(kPageKeys);
  while (true) {
    const int64_t deadline = client_.deadline();
    const auto page = ask_etcd<pb::RangeResponse>(client_, kRangePath, request, deadline, Repeat::kYes);
    if (!page) return page.error();
    for (const pb::KeyValue& kv : page->kvs()) {
      if (auto valid = check_key(kv.key())) {
        result[kv.key()] = stored_of(kv);
      } else {
        log_debug("invalid configuration key ignored", {{"reason", valid.error()}});
      }
    }
    if (!page->more() || page->kvs().empty()) return result;
    if (request.revision() == 0)
      request.set_revision(page->header().revision());  // reads all pages at the same revision
    request.set_key(page->kvs(page->kvs_size() - 1).key() + '\0');
  }
}

Result<int64_t> EtcdStore::update(const std::string& key, const Change& change) {
  if (auto valid = check_key(key); !valid) return valid.error();
  return EtcdUpdate(client_, key, nullptr).run(change);
}

Result<int64_t> EtcdStore::update_noted(const std::string& key, const ChangeNote& note, const Change& change) {
  if (auto valid = check_key(key); !valid) return valid.error();
  return EtcdUpdate(client_, key, has_history(key) ? &note : nullptr).run(change);
}

Result<int64_t> EtcdStore::put_noted_for(const std::string& key, const ChangeNote& note, const std::string& value,
                                         int64_t ns) {
  if (auto valid = check_key(key); !valid) return valid.error();
  if (!has_history(key)) return put_for(key, value, ns);
  const auto lease = grant(ns);
  if (!lease) return lease.error();
  return EtcdUpdate(client_, key, &note, *lease)
      .run([&](const std::optional<Stored>&) -> Result<std::optional<std::string>> { return std::optional(value); });
}

// A lease that is never renewed. If the put fails, the lease expires on its own.
Result<int64_t> EtcdStore::grant(int64_t ns) {
  pb::LeaseGrantRequest grant;
  grant.set_ttl((ns + kNanosPerSecond - 1) / kNanosPerSecond);
  const int64_t deadline = client_.deadline();
  const auto lease = ask_etcd<pb::LeaseGrantResponse>(client_, kLeaseGrantPath, grant, deadline, Repeat::kYes);
  if (!lease) return lease.error();
  return lease->id();
}

Result<int64_t> EtcdStore::put_for(const std::string& key, const std::string& value, int64_t ns) {
  if (auto valid = check_key(key); !valid) return valid.error();
  const int64_t deadline = client_.deadline();
  const auto lease = grant(ns);
  if (!lease) return lease.error();
  pb::PutRequest put;
  put.set_key(key);
  put.set_value(value);
  put.set_lease(*lease);
  // Idempotent.
  const auto done = ask_etcd<pb::PutResponse>(client_, kPutPath, put, deadline, Repeat::kYes);
  if (!done) return done.error();
  return done->header().revision();
}

Result<std::optional<DocumentHistory>> EtcdStore::history(const std::string& key, size_t most) {
  if (auto valid = check_key(key); !valid) return valid.error();
  auto found = read_history(client_, key, most, timers_.clock().wall_ns());
  if (!found) return found.error();
  return std::optional(std::move(*found));
}

Result<std::vector<DocumentChange>> EtcdStore::recent_changes(size_t most) { return read_recent(client_, most); }

std::unique_ptr<EtcdCall> put_once(EtcdClient& client, const std::string& key, const std::string& value,
                                   int64_t timeout_ns, std::function<void(const Status& done)> reply) {
  pb::PutRequest put;
  put.set_key(key);
  put.set_value(value);
  return call_etcd<pb::PutResponse>(client, kPutPath, put, timeout_ns,
                                    [reply = std::move(reply)](const Result<pb::PutResponse>& done) {
                                      reply(done ? Status() : Status(done.error()));
                                    });
}

}  // namespace monitor::config
