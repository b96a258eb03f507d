// LeasedKey: an etcd key attached to its owner's lease. The owner keeps the lease alive; after the owner dies, the
// lease expires and etcd deletes the key. The key is a hint for people and tools, never a lock.
//
// Failed calls are retried with full-jitter backoff: 0 to 1, 2, 4 ... 30 s. A lease that etcd no longer knows (a
// keepalive answered with TTL 0, a put that fails with "lease not found") is replaced, and the value is put again.
//
// Thread contract: the loop's thread. Timers, random and client must outlive it. The destructor leaves the key to
// expire with its lease.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "base/event_loop.h"
#include "base/random.h"
#include "config/etcd/etcd_client.h"

namespace monitor::config {

struct LeasedKeyOptions {
  std::string key;
  int64_t ttl_seconds = 30;  // the lease is renewed after a third of this
  int64_t call_timeout_ns = 4 * kNanosPerSecond;
  int64_t patience_cap_ns = 30 * kNanosPerSecond;  // the call timeout doubles with each failure, up to this
  int64_t backoff_base_ns = kNanosPerSecond;
  int64_t backoff_cap_ns = 30 * kNanosPerSecond;
};

class LeasedKey {
 public:
  struct State {
    bool present = false;  // etcd has the newest value
    uint64_t leases = 0;   // how many leases were granted
    uint64_t puts = 0;
    uint64_t failures = 0;
  };

  LeasedKey(Timers& timers, Random& random, EtcdClient& client, LeasedKeyOptions options);
  ~LeasedKey();
  LeasedKey(const LeasedKey&) = delete;
  LeasedKey& operator=(const LeasedKey&) = delete;

  // Puts the value, at once if there is a lease. The first call requests the lease. Of a burst, the last value wins.
  void set(std::string value);
  // Deletes the key by revoking its lease, and calls `done` from the loop, even after a failure. The caller must set a
  // time limit. set() has no effect afterwards.
  void stop(std::function<void()> done);

  const State& state() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace monitor::config
