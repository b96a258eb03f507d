#include "config/etcd/testing/fake_etcd.h"

#include <algorithm>
#include <functional>
#include <optional>
#include <utility>

namespace monitor::config {

namespace {

constexpr int64_t kNoLease = 0;

template <typename Message>
Message parsed(const std::string& bytes) {
  Message message;
  message.ParseFromString(bytes);
  return message;
}

// True if a member can answer without a quorum.
bool local(std::string_view path, const std::string& bytes) {
  if (path == "/etcdserverpb.KV/Range") return parsed<pb::RangeRequest>(bytes).serializable();
  if (path != "/etcdserverpb.KV/Txn") return false;
  const auto request = parsed<pb::TxnRequest>(bytes);
  return std::all_of(request.success().begin(), request.success().end(), [](const pb::RequestOp& op) {
    return op.has_request_range() && op.request_range().serializable();
  });
}

bool in_range(const std::string& key, const std::string& from, const std::string& end) {
  return end.empty() ? key == from : key >= from && key < end;
}

}  // namespace

// One call; its callbacks come in the next turn of the timers.
class FakeEtcd::Call final : public grpc::ClientCall {
 public:
  Call(FakeEtcd& etcd, std::string_view path, const grpc::CallOptions& options, grpc::ClientCallHandler& handler)
      : path_(path), token_(token_of(options.metadata)), etcd_(etcd), handler_(&handler) {
    etcd_.running_.insert(this);
    if (options.timeout_ns > 0) {
      deadline_ =
          etcd_.timers_.call_after(options.timeout_ns, [this] { end({Code::kDeadlineExceeded, "deadline exceeded"}); });
    }
  }
  ~Call() override {
    etcd_.running_.erase(this);
    etcd_.timers_.cancel_timer(deadline_);
    etcd_.timers_.cancel_timer(late_);
    etcd_.timers_.cancel_timer(turn_);
  }

  void write(std::string_view message) override {
    in_.emplace_back(message);
    schedule();
  }
  void half_close() override {}
  void cancel() override { end({Code::kCancelled, ""}); }
  size_t unsent_bytes() const override { return 0; }
  void consumed(size_t) override {}

  void send(std::string message) {
    out_.push_back(std::move(message));
    schedule();
  }
  void end(grpc::CallStatus status) {
    if (!end_) end_ = std::move(status);
    schedule();
  }
  void answer(std::string message, const grpc::CallStatus& status, int64_t after_ns) {
    late_ = etcd_.timers_.call_after(after_ns, [this, message = std::move(message), status] {
      late_ = 0;
      if (status.ok()) send(message);
      end(status);
    });
  }
  const std::string& path() const { return path_; }
  const std::string& token() const { return token_; }
  std::vector<Watcher> watchers;

 private:
  static std::string token_of(const grpc::Metadata& metadata) {
    const std::string* const token = grpc::find_metadata(metadata, "token");
    return token == nullptr ? "" : *token;
  }
  void schedule() {
    if (turn_ == 0) turn_ = etcd_.timers_.call_after(0, [this] { turn(); });
  }
  // The handler may destroy this call in any callback.
  void turn() {
    turn_ = 0;
    for (const std::string& request : std::exchange(in_, {})) etcd_.serve(*this, request);
    std::vector<std::string> out = std::exchange(out_, {});
    const std::optional<grpc::CallStatus> end = end_;
    const std::weak_ptr<bool> alive = alive_;
    grpc::ClientCallHandler* const handler = handler_;
    if (end) handler_ = nullptr;
    if (handler == nullptr) return;
    for (const std::string& message : out) {
      handler->on_message(message);
      if (alive.expired()) return;
    }
    if (end) handler->on_done(*end, {});
  }

  std::string path_;
  std::string token_;
  FakeEtcd& etcd_;
  grpc::ClientCallHandler* handler_;
  std::vector<std::string> in_;
  std::vector<std::string> out_;
  std::optional<grpc::CallStatus> end_;
  Timers::TimerId deadline_ = 0;
  Timers::TimerId turn_ = 0;
  Timers::TimerId late_ = 0;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

class FakeEtcd::Connection final : public grpc::CallStarter {
 public:
  Connection(FakeEtcd& etcd, size_t endpoint) : etcd_(etcd), endpoint_(endpoint) {}
  std::unique_ptr<grpc::ClientCall> start(std::string_view path, const grpc::CallOptions& options,
                                          grpc::ClientCallHandler& handler) override {
    etcd_.calls.emplace_back(path, options.metadata);
    auto call = std::make_unique<Call>(etcd_, path, options, handler);
    if (etcd_.down.contains(endpoint_)) call->end({Code::kUnavailable, "connection refused"});
    return call;
  }

 private:
  FakeEtcd& etcd_;
  size_t endpoint_;
};

class FakeEtcd::Connector final : public EtcdConnector {
 public:
  Connector(FakeEtcd& etcd, size_t endpoints) : etcd_(etcd), endpoints_(endpoints) {}
  size_t endpoints() const override { return endpoints_; }
  std::string name(size_t endpoint) const override { return "etcd-" + std::to_string(endpoint); }
  std::unique_ptr<grpc::CallStarter> open(size_t endpoint) override {
    etcd_.opened.push_back(endpoint);
    return std::make_unique<Connection>(etcd_, endpoint);
  }

 private:
  FakeEtcd& etcd_;
  size_t endpoints_;
};

std::unique_ptr<EtcdConnector> FakeEtcd::connector(size_t endpoints) {
  return std::make_unique<Connector>(*this, endpoints);
}

// --- The store.

pb::ResponseHeader FakeEtcd::header() const {
  pb::ResponseHeader header;
  header.set_cluster_id(cluster_id);
  header.set_revision(revision);
  return header;
}

const pb::KeyValue* FakeEtcd::find(const std::string& key) const {
  const auto found = store_.find(key);
  return found == store_.end() ? nullptr : &found->second;
}

int64_t FakeEtcd::put(const std::string& key, const std::string& value, int64_t lease) {
  pb::KeyValue& kv = store_[key];
  advance();
  kv.set_key(key);
  kv.set_value(value);
  kv.set_version(kv.version() + 1);
  if (kv.version() == 1) kv.set_create_revision(revision);
  kv.set_mod_revision(revision);
  kv.set_lease(lease);
  pb::Event event;
  *event.mutable_kv() = kv;
  record(event);
  return revision;
}

int64_t FakeEtcd::remove(const std::string& key) {
  if (store_.erase(key) == 0) return revision;
  advance();
  pb::Event event;
  event.set_type(pb::Event::DELETE);
  event.mutable_kv()->set_key(key);
  event.mutable_kv()->set_mod_revision(revision);
  record(event);
  return revision;
}

// All changes of a transaction have one revision.
void FakeEtcd::advance() {
  if (!in_txn_ || !txn_wrote_) ++revision;
  txn_wrote_ = in_txn_;
}

void FakeEtcd::remove_range(const pb::DeleteRangeRequest& request) {
  std::vector<std::string> gone;
  for (const auto& [key, kv] : store_) {
    if (in_range(key, request.key(), request.range_end())) gone.push_back(key);
  }
  for (const std::string& key : gone) remove(key);
}

void FakeEtcd::record(const pb::Event& event) {
  history_.push_back(event);
  if (lose_events || lost_events.erase(event.kv().key()) > 0) return;
  if (lagging.contains(event.kv().key())) {
    lagged_.push_back(event);
  } else {
    tell_watchers(event);
  }
}

void FakeEtcd::catch_up() {
  lagging.clear();
  for (const pb::Event& event : std::exchange(lagged_, {})) tell_watchers(event);
}

void FakeEtcd::tell_watchers(const pb::Event& event) {
  for (Call* call : running_) {
    for (Watcher& watcher : call->watchers) {
      if (in_range(event.kv().key(), watcher.key, watcher.end) && watcher.next <= event.kv().mod_revision())
        tell(*call, watcher, {event});
    }
  }
}

void FakeEtcd::expire_lease(int64_t id) {
  leases.erase(id);
  std::vector<std::string> gone;
  for (const auto& [key, kv] : store_) {
    if (kv.lease() == id) gone.push_back(key);
  }
  for (const std::string& key : gone) remove(key);
}

void FakeEtcd::restore(int64_t to_revision, const std::map<std::string, std::string>& content) {
  store_.clear();
  history_.clear();
  revision = to_revision;
  for (const auto& [key, value] : content) {
    pb::KeyValue& kv = store_[key];
    kv.set_key(key);
    kv.set_value(value);
    kv.set_version(1);
    kv.set_create_revision(to_revision);
    kv.set_mod_revision(to_revision);
  }
}

// --- Calls.

void FakeEtcd::break_calls(const grpc::CallStatus& status) {
  for (Call* call : running_) call->end(status);
}

void FakeEtcd::send_to_watches(const pb::WatchResponse& response) {
  for (Call* call : running_) {
    if (!call->watchers.empty()) call->send(response.SerializeAsString());
  }
}

size_t FakeEtcd::watch_streams() const {
  return static_cast<size_t>(
      std::count_if(running_.begin(), running_.end(), [](const Call* call) { return !call->watchers.empty(); }));
}

size_t FakeEtcd::calls_of(std::string_view path) const {
  return static_cast<size_t>(std::count_if(calls.begin(), calls.end(), [&](const auto& c) { return c.first == path; }));
}

void FakeEtcd::serve(Call& call, const std::string& request) {
  if (silent) return;
  if (before_call) before_call(call.path());
  if (call.path() == "/etcdserverpb.Watch/Watch") {
    serve_watch(call, request);
    return;
  }
  if (overloaded && !local(call.path(), request)) {
    call.end({Code::kUnavailable, "etcdserver: request timed out"});
    return;
  }
  std::string answer;
  const grpc::CallStatus status = execute(call, request, answer);
  if (drop_answers) {
    call.end({Code::kUnavailable, "connection lost"});
    return;
  }
  call.answer(std::move(answer), status, answer_after_ns);
}

void FakeEtcd::serve_watch(Call& call, const std::string& bytes) {
  const auto request = parsed<pb::WatchRequest>(bytes);
  const bool bad_token = !user.empty() && authentication_on && call.token() != token;
  pb::WatchResponse created;
  *created.mutable_header() = header();
  created.set_created(true);
  if (refuse_watches || bad_token) {
    created.set_watch_id(-1);
    created.set_canceled(true);
    created.set_cancel_reason("rpc error: code = PermissionDenied desc = etcdserver: permission denied");
    call.send(created.SerializeAsString());
    return;
  }
  const pb::WatchCreateRequest& create = request.create_request();
  call.watchers.push_back(
      {create.key(), create.range_end(), create.start_revision(), static_cast<int64_t>(call.watchers.size())});
  const Watcher& watcher = call.watchers.back();
  created.set_watch_id(watcher.id);
  if (created_revision != 0) created.mutable_header()->set_revision(created_revision);
  if (without_watches) return;
  call.send(created.SerializeAsString());
  if (create.start_revision() <= compacted) {
    pb::WatchResponse cancelled;  // as from etcd, without a revision
    cancelled.mutable_header()->set_cluster_id(cluster_id);
    cancelled.set_watch_id(watcher.id);
    cancelled.set_canceled(true);
    cancelled.set_compact_revision(compacted);
    call.send(cancelled.SerializeAsString());
    return;
  }
  std::vector<pb::Event> missed;
  for (const pb::Event& event : history_) {
    if (in_range(event.kv().key(), watcher.key, watcher.end) && event.kv().mod_revision() >= watcher.next)
      missed.push_back(event);
  }
  if (!missed.empty()) tell(call, watcher, missed);
}

void FakeEtcd::tell(Call& call, const Watcher& watcher, const std::vector<pb::Event>& events) {
  for (size_t i = 0; i < events.size(); ++i) {
    pb::WatchResponse response;
    *response.mutable_header() = header();
    response.set_watch_id(watcher.id);
    *response.add_events() = events[i];
    const bool last = i + 1 == events.size();
    response.set_fragment(fragment_events_bytes > 0 && !last);
    call.send(response.SerializeAsString());
  }
}

grpc::CallStatus FakeEtcd::execute(const Call& call, const std::string& request, std::string& answer) {
  const std::string method = call.path().substr(call.path().rfind('/') + 1);
  if (method == "Authenticate") {
    const auto wanted = parsed<pb::AuthenticateRequest>(request);
    if (!authentication_on) return {Code::kFailedPrecondition, "etcdserver: authentication is not enabled"};
    if (wanted.name() != user || wanted.password() != password) {
      return {Code::kInvalidArgument, "etcdserver: authentication failed, invalid user ID or password"};
    }
    pb::AuthenticateResponse response;
    response.set_token(token);
    answer = response.SerializeAsString();
    return {};
  }
  if (!user.empty() && authentication_on) {
    if (call.token().empty()) return {Code::kInvalidArgument, "etcdserver: user name is empty"};
    if (call.token() != token) return {Code::kUnauthenticated, "etcdserver: invalid auth token"};
  }
  if (method == "Range") {
    const int64_t at = parsed<pb::RangeRequest>(request).revision();
    if (at > 0 && at < compacted) {
      return {Code::kOutOfRange, "etcdserver: mvcc: required revision has been compacted"};
    }
    answer = range(parsed<pb::RangeRequest>(request)).SerializeAsString();
  } else if (method == "Txn" && refuse_txns > 0) {
    --refuse_txns;
    return {Code::kResourceExhausted, "etcdserver: too many requests"};
  } else if (method == "Txn") {
    return txn(request, answer);
  } else if (method == "Put") {
    const auto wanted = parsed<pb::PutRequest>(request);
    if (wanted.lease() != kNoLease && !leases.contains(wanted.lease())) {
      return {Code::kNotFound, "etcdserver: requested lease not found"};
    }
    put(wanted.key(), wanted.value(), wanted.lease());
    pb::PutResponse response;
    *response.mutable_header() = header();
    answer = response.SerializeAsString();
  } else if (method == "LeaseGrant") {
    pb::LeaseGrantResponse response;
    *response.mutable_header() = header();
    response.set_id(next_lease_++);
    response.set_ttl(parsed<pb::LeaseGrantRequest>(request).ttl());
    leases[response.id()] = response.ttl();
    answer = response.SerializeAsString();
  } else if (method == "LeaseKeepAlive") {
    const auto id = parsed<pb::LeaseKeepAliveRequest>(request).id();
    pb::LeaseKeepAliveResponse response;
    *response.mutable_header() = header();
    response.set_id(id);
    response.set_ttl(leases.contains(id) ? leases[id] : 0);
    answer = response.SerializeAsString();
  } else if (method == "LeaseRevoke") {
    expire_lease(parsed<pb::LeaseRevokeRequest>(request).id());
    pb::LeaseRevokeResponse response;
    *response.mutable_header() = header();
    answer = response.SerializeAsString();
  } else {
    return {Code::kUnimplemented, "unknown method " + call.path()};
  }
  return {};
}

// The store as it was at a revision.
std::map<std::string, pb::KeyValue> FakeEtcd::store_at(int64_t at) const {
  std::map<std::string, pb::KeyValue> then;
  for (const pb::Event& event : history_) {
    if (event.kv().mod_revision() > at) break;
    if (event.type() == pb::Event::DELETE) {
      then.erase(event.kv().key());
    } else {
      then[event.kv().key()] = event.kv();
    }
  }
  return then;
}

pb::RangeResponse FakeEtcd::range(const pb::RangeRequest& request) const {
  pb::RangeResponse response;
  *response.mutable_header() = header();
  std::vector<pb::KeyValue> found;
  for (const auto& [key, kv] :
       request.revision() > 0 && request.revision() < revision ? store_at(request.revision()) : store_) {
    if (in_range(key, request.key(), request.range_end())) found.push_back(kv);
  }
  if (request.sort_target() == pb::RangeRequest::MOD && request.sort_order() == pb::RangeRequest::DESCEND) {
    std::ranges::sort(found, std::greater(), &pb::KeyValue::mod_revision);
  }
  if (request.sort_target() == pb::RangeRequest::KEY && request.sort_order() == pb::RangeRequest::DESCEND) {
    std::ranges::reverse(found);
  }
  response.set_count(static_cast<int64_t>(found.size()));
  if (request.count_only()) return response;
  for (const pb::KeyValue& kv : found) {
    if (request.limit() > 0 && response.kvs_size() >= request.limit()) {
      response.set_more(true);
      break;
    }
    *response.add_kvs() = kv;
    if (request.keys_only()) response.mutable_kvs()->rbegin()->clear_value();
  }
  return response;
}

grpc::CallStatus FakeEtcd::txn(const std::string& bytes, std::string& answer) {
  const auto request = parsed<pb::TxnRequest>(bytes);
  pb::TxnResponse response;
  response.set_succeeded(true);
  for (const pb::Compare& compare : request.compare()) {
    const pb::KeyValue* const kv = find(compare.key());
    if ((kv == nullptr ? 0 : kv->mod_revision()) != compare.mod_revision()) response.set_succeeded(false);
  }
  const auto& ops = response.succeeded() ? request.success() : request.failure();
  const bool denied = std::ranges::any_of(ops, [this](const pb::RequestOp& op) {
    return !denied_prefix.empty() &&
           (op.request_range().key().starts_with(denied_prefix) || op.request_put().key().starts_with(denied_prefix));
  });
  if (denied) return {Code::kPermissionDenied, "etcdserver: permission denied"};
  in_txn_ = true;
  for (const pb::RequestOp& op : ops) {
    pb::ResponseOp& result = *response.add_responses();
    if (op.has_request_range()) {
      *result.mutable_response_range() = range(op.request_range());
    } else if (op.has_request_put()) {
      put(op.request_put().key(), op.request_put().value(), op.request_put().lease());
      result.mutable_response_put();
    } else {
      remove_range(op.request_delete_range());
      result.mutable_response_delete_range();
    }
  }
  in_txn_ = txn_wrote_ = false;
  *response.mutable_header() = header();
  answer = response.SerializeAsString();
  return {};
}

}  // namespace monitor::config
