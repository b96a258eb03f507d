// FakeEtcd: an etcd in memory with history, watches, leases and tokens, behind a connector. It answers calls as etcd
// does, one turn of the timers later, and misbehaves as its fields say. For unit tests; not thread-safe.
#pragma once

#include <etcd/etcd.pb.h>

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/event_loop.h"
#include "base/testing/fake_clock.h"
#include "config/etcd/connector.h"

namespace monitor::config {

namespace pb = etcdpb;

class FakeEtcd {
 public:
  explicit FakeEtcd(FakeTimers& timers) : timers_(timers) {}

  // Returns a connector to this etcd that behaves as if it had several endpoints.
  std::unique_ptr<EtcdConnector> connector(size_t endpoints = 1);

  // --- The store, for direct access.
  int64_t put(const std::string& key, const std::string& value, int64_t lease = 0);
  int64_t remove(const std::string& key);
  void compact(int64_t at) { compacted = at; }
  const pb::KeyValue* find(const std::string& key) const;
  void expire_lease(int64_t id);
  // Replaces the store and its revision, and drops the history; no watch is notified.
  void restore(int64_t to_revision, const std::map<std::string, std::string>& content);
  // Ends every running call with `status`.
  void break_calls(const grpc::CallStatus& status);
  // Sends `response` unchanged to every watch stream.
  void send_to_watches(const pb::WatchResponse& response);
  pb::ResponseHeader header() const;
  // Delivers the events of `lagging` keys that watches wait for.
  void catch_up();
  size_t watch_streams() const;
  size_t calls_of(std::string_view path) const;

  // --- Behaviour.
  int64_t revision = 1;
  uint64_t cluster_id = 77;
  int64_t compacted = 0;
  std::set<size_t> down;              // endpoints that refuse connections
  bool silent = false;                // accepts calls and never answers
  bool lose_events = false;           // watches receive no events
  std::set<std::string> lost_events;  // keys whose next event no watch receives
  std::string denied_prefix;          // transactions that use keys below it are not permitted
  std::set<std::string> lagging;      // keys whose events only catch_up() delivers, as for an unsynced watcher
  bool overloaded = false;            // answers calls that need a quorum with "request timed out"
  int64_t answer_after_ns = 0;        // delays answers; their content is as of the request
  size_t refuse_txns = 0;             // this many are answered with "too many requests"
  bool drop_answers = false;          // executes calls but loses the answers
  bool without_watches = false;       // watches are not confirmed
  int64_t created_revision = 0;       // revision of `created`, if not 0: that of a member that lags
  size_t fragment_events_bytes = 0;   // splits larger values into answers with `fragment`
  bool refuse_watches = false;        // watches are created and cancelled together, with watch_id -1
  std::string user;                   // if set, calls need a token
  std::string password;
  std::string token = "token-1";  // the valid token
  bool authentication_on = true;
  std::function<void(std::string_view path)> before_call;

  std::vector<std::pair<std::string, grpc::Metadata>> calls;  // all calls so far
  std::vector<size_t> opened;                                 // endpoints, in order
  std::map<int64_t, int64_t> leases;                          // id -> TTL

 private:
  class Call;
  class Connection;
  class Connector;
  struct Watcher {
    std::string key;
    std::string end;
    int64_t next = 0;
    int64_t id = 0;
  };

  grpc::CallStatus execute(const Call& call, const std::string& request, std::string& answer);
  grpc::CallStatus txn(const std::string& request, std::string& answer);
  std::map<std::string, pb::KeyValue> store_at(int64_t at) const;
  pb::RangeResponse range(const pb::RangeRequest& request) const;
  void serve(Call& call, const std::string& request);
  void serve_watch(Call& call, const std::string& request);
  void tell(Call& call, const Watcher& watcher, const std::vector<pb::Event>& events);
  void advance();
  void remove_range(const pb::DeleteRangeRequest& request);
  void record(const pb::Event& event);
  void tell_watchers(const pb::Event& event);

  FakeTimers& timers_;
  std::map<std::string, pb::KeyValue> store_;
  std::vector<pb::Event> history_;
  std::vector<pb::Event> lagged_;
  std::set<Call*> running_;
  int64_t next_lease_ = 1000;
  bool in_txn_ = false;
  bool txn_wrote_ = false;  // this transaction has advanced the revision
};

}  // namespace monitor::config
