#include "config/etcd/etcd_store.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "config/document.h"
#include "config/etcd/messages.h"

namespace monitor::config {

namespace {

constexpr int64_t kPageKeys = 200;
constexpr int64_t kBetweenAttempts = 100 * kNanosPerMilli;

bool may_pass(const Error& error) {
  return error.code() == Code::kUnavailable || error.code() == Code::kDeadlineExceeded;
}

Stored stored_of(const pb::KeyValue& kv) { return {kv.value(), kv.mod_revision()}; }

// The end of the range of all keys with the prefix.
std::string prefix_end(std::string prefix) {
  while (!prefix.empty() && prefix.back() == '\xff') prefix.pop_back();
  if (prefix.empty()) return {"\0", 1};
  ++prefix.back();
  return prefix;
}

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

EtcdStore::EtcdStore(Timers& timers, EtcdClient& client, std::function<void()> turn, EtcdStoreOptions options)
    : timers_(timers), client_(client), turn_(std::move(turn)), options_(options) {}

std::string EtcdStore::describe(const std::string& key) const { return key; }

void EtcdStore::wait(int64_t ns) {
  bool over = false;
  timers_.call_after(ns, [&over] { over = true; });
  while (!over) turn_();
}

template <typename Response, typename Request>
Result<Response> EtcdStore::ask_once(std::string_view path, const Request& request, int64_t deadline) {
  const int64_t left = deadline - timers_.clock().mono_ns();
  if (left <= 0) return Error(Code::kDeadlineExceeded, "no answer within the time limit");
  std::optional<Result<Response>> answer;
  const auto call = call_etcd<Response>(client_, path, request, std::min(left, options_.call_timeout_ns),
                                        [&answer](Result<Response> got) { answer = std::move(got); });
  while (!answer) turn_();
  return std::move(*answer);
}

template <typename Response, typename Request>
Result<Response> EtcdStore::ask(std::string_view path, const Request& request, int64_t deadline, bool repeat) {
  const size_t attempts = repeat ? 2 * client_.endpoints() : 1;
  for (size_t i = 1;; ++i) {
    const std::string endpoint = client_.endpoint();
    auto answer = ask_once<Response>(path, request, deadline);
    if (answer) return answer;
    const Error error = answer.error().with_context("etcd at " + endpoint);
    if (i >= attempts || !may_pass(error) || timers_.clock().mono_ns() >= deadline) return error;
    wait(kBetweenAttempts);
  }
}

Result<std::optional<Stored>> EtcdStore::get(const std::string& key) {
  pb::RangeRequest request;
  request.set_key(key);
  const int64_t deadline = timers_.clock().mono_ns() + options_.total_timeout_ns;
  const auto response = ask<pb::RangeResponse>(kRangePath, request, deadline, true);
  if (!response) return response.error();
  if (response->kvs().empty()) return std::optional<Stored>();
  return std::optional(stored_of(response->kvs(0)));
}

Result<std::map<std::string, Stored>> EtcdStore::list(const std::string& prefix) {
  std::map<std::string, Stored> result;
  pb::RangeRequest request;
  request.set_key(prefix.empty() ? std::string(1, '\0') : prefix);
  request.set_range_end(prefix_end(prefix));
  request.set_limit(kPageKeys);
  while (true) {
    const int64_t deadline = timers_.clock().mono_ns() + options_.total_timeout_ns;
    const auto page = ask<pb::RangeResponse>(kRangePath, request, deadline, true);
    if (!page) return page.error();
    for (const pb::KeyValue& kv : page->kvs()) result[kv.key()] = stored_of(kv);
    if (!page->more() || page->kvs().empty()) return result;
    if (request.revision() == 0) request.set_revision(page->header().revision());  // all pages of one moment
    request.set_key(page->kvs(page->kvs_size() - 1).key() + '\0');
  }
}

Result<int64_t> EtcdStore::update(const std::string& key, const Change& change) {
  const int64_t deadline = timers_.clock().mono_ns() + options_.total_timeout_ns;
  auto current = get(key);
  if (!current) return current.error();
  // Whether an attempt may have been executed without our learning of it.
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
    const auto done = ask<pb::TxnResponse>(kTxnPath, write_request(key, expected, *next), deadline, false);
    if (done && done->succeeded()) return done->header().revision();
    if (done) {
      // Another was faster: what is there now comes with the answer.
      const auto& kvs = done->responses_size() > 0 ? done->responses(0).response_range().kvs()
                                                   : pb::RangeResponse::default_instance().kvs();
      current = kvs.empty() ? std::optional<Stored>() : std::optional(stored_of(kvs.Get(0)));
      unknown.reset();
      continue;
    }
    if (!may_pass(done.error()) || timers_.clock().mono_ns() >= deadline) return done.error();
    unknown = *next;
    wait(kBetweenAttempts);
    current = get(key);
    if (!current) return current.error();
  }
}

// A lease that nobody keeps alive. A put that fails leaves it to its time.
Result<int64_t> EtcdStore::put_for(const std::string& key, const std::string& value, int64_t ns) {
  const int64_t deadline = timers_.clock().mono_ns() + options_.total_timeout_ns;
  pb::LeaseGrantRequest grant;
  grant.set_ttl((ns + kNanosPerSecond - 1) / kNanosPerSecond);
  const auto lease = ask<pb::LeaseGrantResponse>(kLeaseGrantPath, grant, deadline, true);
  if (!lease) return lease.error();
  pb::PutRequest put;
  put.set_key(key);
  put.set_value(value);
  put.set_lease(lease->id());
  // The same put twice is one put.
  const auto done = ask<pb::PutResponse>(kPutPath, put, deadline, true);
  if (!done) return done.error();
  return done->header().revision();
}

}  // namespace monitor::config
