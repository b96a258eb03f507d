#include "config/etcd/leased_key.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "base/net/backoff.h"
#include "config/etcd/lease.h"
#include "config/etcd/messages.h"
#include "config/source.h"

namespace monitor::config {

struct LeasedKey::Impl {
  Impl(Timers& t, Random& r, EtcdClient& c, LeasedKeyOptions given)
      : timers(t), client(c), options(std::move(given)), backoff(r, options.backoff_base_ns, options.backoff_cap_ns) {}
  ~Impl() {
    timers.cancel_timer(keepalive_timer);
    timers.cancel_timer(retry_timer);
    timers.cancel_timer(done_timer);
  }

  void advance();
  void grant();
  void put();
  void schedule_keepalive();
  void keep_alive();
  void lease_gone();
  // A timeout would drop the connection, which the watch shares. Detecting a dead connection is not this class's task.
  int64_t keepalive_timeout() const { return options.ttl_seconds * kNanosPerSecond; }
  int64_t patience() const { return backoff.patience_ns(options.call_timeout_ns, options.patience_cap_ns); }
  void fail(const char* what, const Error& reason);
  void revoke();
  void finish();

  Timers& timers;
  EtcdClient& client;
  LeasedKeyOptions options;
  Backoff backoff;
  State state;

  std::string value;
  uint64_t wanted = 0;  // number of set() calls
  uint64_t stands = 0;  // the last set() whose value is in etcd
  int64_t lease = 0;    // 0: none
  bool stopping = false;
  std::function<void()> done;

  std::unique_ptr<EtcdCall> call;            // pending grant, put or revoke
  std::unique_ptr<EtcdCall> keepalive_call;  // runs concurrently with `call`
  Timers::TimerId keepalive_timer = 0;
  Timers::TimerId retry_timer = 0;
  Timers::TimerId done_timer = 0;
};

// Starts the next step, unless a call is pending.
void LeasedKey::Impl::advance() {
  if (stopping || call != nullptr || retry_timer != 0 || wanted == 0) return;
  if (lease == 0) {
    grant();
  } else if (stands < wanted) {
    put();
  }
}

void LeasedKey::Impl::grant() {
  call = grant_lease(client, options.ttl_seconds, patience(), [this](const Result<int64_t>& id) {
    call.reset();
    if (!id) {
      fail("taking a lease", id.error());
      return;
    }
    lease = *id;
    ++state.leases;
    schedule_keepalive();
    advance();
  });
}

void LeasedKey::Impl::put() {
  pb::PutRequest request;
  request.set_key(options.key);
  request.set_value(value);
  request.set_lease(lease);
  call = call_etcd<pb::PutResponse>(client, kPutPath, request, patience(),
                                    [this, number = wanted, under = lease](const Result<pb::PutResponse>& response) {
                                      call.reset();
                                      if (lease != under) {
                                        advance();  // the lease and its key no longer exist
                                      } else if (response) {
                                        ++state.puts;
                                        stands = number;
                                        state.present = stands == wanted;
                                        backoff.reset();
                                        advance();
                                      } else if (response.error().code() == Code::kNotFound) {
                                        lease_gone();
                                      } else {
                                        fail("putting the status", response.error());
                                      }
                                    });
}

void LeasedKey::Impl::schedule_keepalive() {
  timers.cancel_timer(keepalive_timer);
  keepalive_timer = timers.call_after(options.ttl_seconds * kNanosPerSecond / 3, [this] {
    keepalive_timer = 0;
    keep_alive();
  });
}

void LeasedKey::Impl::keep_alive() {
  keepalive_call = renew_lease(client, lease, keepalive_timeout(), [this](const Result<int64_t>& ttl_seconds) {
    keepalive_call.reset();
    if (ttl_seconds && *ttl_seconds <= 0) {
      lease_gone();
      return;
    }
    // The lease survives two failed renewals.
    if (!ttl_seconds) ++state.failures;
    schedule_keepalive();
  });
}

void LeasedKey::Impl::lease_gone() {
  log_info("status lease expired; taking a new one", {{"key", options.key}});
  timers.cancel_timer(std::exchange(keepalive_timer, 0));
  keepalive_call.reset();
  lease = 0;
  stands = 0;
  state.present = false;
  if (call == nullptr) advance();
}

void LeasedKey::Impl::fail(const char* what, const Error& reason) {
  ++state.failures;
  state.present = false;
  const int64_t wait = backoff.next_ns();
  log_debug("status cannot be written to etcd; retrying",
            {{"what", what}, {"reason", reason}, {"wait_ms", wait / kNanosPerMilli}});
  retry_timer = timers.call_after(wait, [this] {
    retry_timer = 0;
    advance();
  });
}

void LeasedKey::Impl::revoke() {
  call = revoke_lease(client, lease, options.call_timeout_ns, [this](const Status&) {
    call.reset();
    finish();
  });
}

void LeasedKey::Impl::finish() {
  lease = 0;
  state.present = false;
  const auto callback = std::exchange(done, nullptr);
  if (callback) callback();
}

LeasedKey::LeasedKey(Timers& timers, Random& random, EtcdClient& client, LeasedKeyOptions options)
    : impl_(std::make_unique<Impl>(timers, random, client, std::move(options))) {}
LeasedKey::~LeasedKey() = default;

void LeasedKey::set(std::string value) {
  if (impl_->wanted > 0 && impl_->value == value) return;
  impl_->value = std::move(value);
  ++impl_->wanted;
  impl_->state.present = false;
  impl_->advance();
}

void LeasedKey::stop(std::function<void()> done) {
  Impl& impl = *impl_;
  impl.stopping = true;
  impl.done = std::move(done);
  for (Timers::TimerId* timer : {&impl.keepalive_timer, &impl.retry_timer}) {
    impl.timers.cancel_timer(std::exchange(*timer, 0));
  }
  impl.keepalive_call.reset();
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

const LeasedKey::State& LeasedKey::state() const { return impl_->state; }

}  // namespace monitor::config
