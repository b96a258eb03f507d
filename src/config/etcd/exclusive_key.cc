#include "config/etcd/exclusive_key.h"

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "config/etcd/lease.h"
#include "config/etcd/messages.h"

namespace monitor::config {

struct ExclusiveKey::Impl {
  Impl(Timers& t, EtcdClient& c, ExclusiveKeyOptions given)
      : timers(t), client(c), options(std::move(given)), answered_ns(timers.clock().mono_ns()) {}
  ~Impl() {
    timers.cancel_timer(timer);
    timers.cancel_timer(done_timer);
  }

  int64_t ttl_ns() const { return options.ttl_seconds * kNanosPerSecond; }
  void step();
  void grant();
  void keep_alive();
  void take_key_in_turn();
  void take_key();
  void on_taken(const Result<pb::TxnResponse>& response);
  void fail(const Error& reason);
  void rest(int64_t steps = 1);
  void note_answer();
  void revoke();
  void finish();

  Timers& timers;
  EtcdClient& client;
  ExclusiveKeyOptions options;
  int64_t lease = 0;
  int64_t lease_until_ns = 0;  // it exists at least until then
  std::string holder;
  bool stopping = false;
  std::function<void()> done;
  std::unique_ptr<EtcdCall> call;
  Timers::TimerId timer = 0;
  Timers::TimerId done_timer = 0;
  std::atomic<int64_t> held_until_ns = 0;
  std::atomic<bool> ours = false;  // by etcd's last answer
  std::atomic<bool> answered = false;
  std::atomic<bool> failing = false;
  std::atomic<int64_t> answered_ns;
};

// A step renews the lease, and then takes the key or sees who has it.
void ExclusiveKey::Impl::step() {
  if (stopping) return;
  if (lease == 0) {
    grant();
  } else {
    keep_alive();
  }
}

void ExclusiveKey::Impl::grant() {
  const int64_t begun = timers.clock().mono_ns();
  call = grant_lease(client, options.ttl_seconds, options.call_timeout_ns, [this, begun](const Result<int64_t>& id) {
    call.reset();
    if (!id) return fail(id.error());
    lease = *id;
    lease_until_ns = begun + ttl_ns();
    take_key_in_turn();
  });
}

void ExclusiveKey::Impl::keep_alive() {
  const int64_t begun = timers.clock().mono_ns();
  call = renew_lease(client, lease, options.call_timeout_ns, [this, begun](const Result<int64_t>& ttl_seconds) {
    call.reset();
    if (!ttl_seconds) return fail(ttl_seconds.error());
    if (*ttl_seconds <= 0) {
      lease = 0;
      held_until_ns = 0;
      return step();
    }
    lease_until_ns = begun + ttl_ns();
    take_key_in_turn();
  });
}

// Who was cut off from etcd and did not hold the key leaves it to the one that did.
void ExclusiveKey::Impl::take_key_in_turn() {
  constexpr int64_t kSteps = 3;
  const bool back = answered && failing;
  note_answer();
  if (back && !ours) return rest(kSteps);
  take_key();
}

void ExclusiveKey::Impl::note_answer() {
  answered_ns = timers.clock().mono_ns();
  if (failing.exchange(false)) log_info("etcd answers again", {{"key", options.key}});
}

void ExclusiveKey::Impl::take_key() {
  pb::TxnRequest request;
  pb::Compare& absent = *request.add_compare();
  absent.set_result(pb::Compare::EQUAL);
  absent.set_target(pb::Compare::MOD);
  absent.set_key(options.key);
  absent.set_mod_revision(0);
  pb::PutRequest& put = *request.add_success()->mutable_request_put();
  put.set_key(options.key);
  put.set_value(options.owner);
  put.set_lease(lease);
  request.add_failure()->mutable_request_range()->set_key(options.key);
  call = call_etcd<pb::TxnResponse>(client, kTxnPath, request, options.call_timeout_ns,
                                    [this](const Result<pb::TxnResponse>& response) {
                                      call.reset();
                                      on_taken(response);
                                    });
}

void ExclusiveKey::Impl::on_taken(const Result<pb::TxnResponse>& response) {
  if (!response && response.error().code() == Code::kNotFound) {  // the lease has ended
    lease = 0;
    held_until_ns = 0;
    return rest();
  }
  if (!response) return fail(response.error());
  answered = true;
  note_answer();
  bool held = response->succeeded();
  holder = held ? options.owner : "";
  if (!held && response->responses_size() > 0 && response->responses(0).response_range().kvs_size() > 0) {
    const pb::KeyValue& kv = response->responses(0).response_range().kvs(0);
    held = kv.lease() == lease;
    holder = kv.value();
  }
  ours = held;
  held_until_ns = held ? lease_until_ns : 0;
  rest();
}

// A key that is held stays so until its time is over.
void ExclusiveKey::Impl::fail(const Error& reason) {
  const bool known = failing.exchange(true);
  if ((answered || !options.optional) && !known) {
    log_warning("etcd does not say which process holds a key; trying again",
                {{"key", options.key}, {"reason", reason}});
  }
  rest();
}

void ExclusiveKey::Impl::rest(int64_t steps) {
  timer = timers.call_after(steps * options.step_ns, [this] {
    timer = 0;
    step();
  });
}

void ExclusiveKey::Impl::revoke() {
  call = revoke_lease(client, lease, options.call_timeout_ns, [this](const Status&) {
    call.reset();
    finish();
  });
}

void ExclusiveKey::Impl::finish() {
  lease = 0;
  const auto callback = std::exchange(done, nullptr);
  if (callback) callback();
}

ExclusiveKey::ExclusiveKey(Timers& timers, EtcdClient& client, ExclusiveKeyOptions options)
    : impl_(std::make_unique<Impl>(timers, client, std::move(options))) {
  impl_->step();
}
ExclusiveKey::~ExclusiveKey() = default;

bool ExclusiveKey::held() const { return impl_->timers.clock().mono_ns() < impl_->held_until_ns; }
bool ExclusiveKey::last_held() const { return impl_->ours; }
int64_t ExclusiveKey::silent_ns() const {
  return impl_->failing ? std::max<int64_t>(1, impl_->timers.clock().mono_ns() - impl_->answered_ns) : 0;
}
bool ExclusiveKey::answered() const { return impl_->answered; }
const std::string& ExclusiveKey::holder() const { return impl_->holder; }

void ExclusiveKey::stop(std::function<void()> done) {
  Impl& impl = *impl_;
  impl.stopping = true;
  impl.held_until_ns = 0;
  impl.ours = false;
  impl.done = std::move(done);
  impl.timers.cancel_timer(std::exchange(impl.timer, 0));
  impl.call.reset();
  if (impl.lease != 0) {
    impl.revoke();
  } else {
    impl.done_timer = impl.timers.call_after(0, [&impl] {
      impl.done_timer = 0;
      impl.finish();
    });
  }
}

}  // namespace monitor::config
