#include "config/etcd/etcd_store.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "config/document.h"
#include "config/etcd/etcd_history.h"
#include "config/etcd/messages.h"
#include "config/keys.h"

namespace monitor::config {

namespace {

constexpr int64_t kPageKeys = 200;

using Repeat = BlockingEtcdClient::Repeat;

Stored stored_of(const pb::KeyValue& kv) { return {kv.value(), kv.mod_revision()}; }

pb::TxnRequest write_request(const std::string& key, int64_t expected, const std::optional<std::string>& next) {
  pb::TxnRequest request;
  pb::Compare& compare = *request.add_compare();
  compare.set_result(pb::Compare::EQUAL);
  compare.set_target(pb::Compare::MOD);
  compare.set_key(key);
  compare.set_mod_revision(expected);
  if (next) {
    pb::PutRequest& put = *request.add_success()->mutable_request_put();
    put.set_key(key);
    put.set_value(*next);
  } else {
    request.add_success()->mutable_request_delete_range()->set_key(key);
  }
  request.add_failure()->mutable_request_range()->set_key(key);
  return request;
}

}  // namespace

EtcdStore::EtcdStore(Timers& timers, EtcdClient& client, std::function<void()> turn, BlockingEtcdOptions options)
    : client_(timers, client, std::move(turn), options) {}

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
  const int64_t deadline = client_.deadline();
  auto current = get(key);
  if (!current) return current.error();
  // Set if an earlier attempt without an answer may have succeeded.
  std::optional<std::optional<std::string>> unknown;
  while (true) {
    const bool ours = unknown && (*current ? std::optional((*current)->value) : std::nullopt) == *unknown;
    if (ours) return *current ? (*current)->revision : 0;
    const auto next = change(*current);
    if (!next) return next.error();
    if (*next && (*next)->size() > kMaxDocumentBytes) {
      return Error(Code::kInvalidArgument,
                   fmt::format("document: {} bytes, the limit is {}", (*next)->size(), kMaxDocumentBytes));
    }
    const bool same = *current ? (*next && **next == (*current)->value) : !*next;
    if (same) return *current ? (*current)->revision : 0;
    const int64_t expected = *current ? (*current)->revision : 0;
    const auto done =
        ask_etcd<pb::TxnResponse>(client_, kTxnPath, write_request(key, expected, *next), deadline, Repeat::kNo);
    if (done && done->succeeded()) return done->header().revision();
    if (done) {
      // Another client was faster; the answer contains the current document.
      const auto& kvs = done->responses_size() > 0 ? done->responses(0).response_range().kvs()
                                                   : pb::RangeResponse::default_instance().kvs();
      current = kvs.empty() ? std::optional<Stored>() : std::optional(stored_of(kvs.Get(0)));
      unknown.reset();
      continue;
    }
    if (!client_.may_pass(done.error(), deadline)) return done.error();
    unknown = *next;
    client_.wait_a_moment();
    current = get(key);
    if (!current) return current.error();
  }
}

// A lease that is never renewed. If the put fails, the lease expires on its own.
Result<int64_t> EtcdStore::put_for(const std::string& key, const std::string& value, int64_t ns) {
  if (auto valid = check_key(key); !valid) return valid.error();
  const int64_t deadline = client_.deadline();
  pb::LeaseGrantRequest grant;
  grant.set_ttl((ns + kNanosPerSecond - 1) / kNanosPerSecond);
  const auto lease = ask_etcd<pb::LeaseGrantResponse>(client_, kLeaseGrantPath, grant, deadline, Repeat::kYes);
  if (!lease) return lease.error();
  pb::PutRequest put;
  put.set_key(key);
  put.set_value(value);
  put.set_lease(lease->id());
  // Idempotent.
  const auto done = ask_etcd<pb::PutResponse>(client_, kPutPath, put, deadline, Repeat::kYes);
  if (!done) return done.error();
  return done->header().revision();
}

Result<std::optional<DocumentHistory>> EtcdStore::history(const std::string& key, size_t most) {
  if (auto valid = check_key(key); !valid) return valid.error();
  auto found = read_history(client_, key, most);
  if (!found) return found.error();
  return std::optional(std::move(*found));
}

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
