// Presence: a key of etcd that is there as long as its owner is. The value is put under a lease, which is kept alive;
// when the owner is gone, the key goes within the lease's time. It is a hint for people and tools, never a fence.
//
// Everything that fails is tried again, after a wait drawn from 0 to 1, 2, 4 ... 30 s. A lease that etcd no longer
// knows (a keepalive answered with TTL 0, a put that does not find it) is replaced by a new one, and the value is put
// again.
//
// Thread contract: everything on the loop's thread. Timers, random and client must outlive it. Destroying it leaves
// the key to its lease.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "base/event_loop.h"
#include "base/random.h"
#include "config/etcd/etcd_client.h"

namespace monitor::config {

struct PresenceOptions {
  std::string key;
  int64_t ttl_seconds = 30;  // kept alive every third of it
  int64_t call_timeout_ns = 4 * kNanosPerSecond;
  int64_t patience_cap_ns = 30 * kNanosPerSecond;  // up to which it grows while calls fail one after the other
  int64_t backoff_base_ns = kNanosPerSecond;
  int64_t backoff_cap_ns = 30 * kNanosPerSecond;
};

class Presence {
 public:
  struct State {
    bool present = false;  // the newest value stands in etcd
    uint64_t leases = 0;   // how many were taken
    uint64_t puts = 0;
    uint64_t failures = 0;
  };

  Presence(Timers& timers, Random& random, EtcdClient& client, PresenceOptions options);
  ~Presence();
  Presence(const Presence&) = delete;
  Presence& operator=(const Presence&) = delete;

  // Puts it, at once if there is a lease; the first one takes the lease. A burst ends on the last one.
  void set(std::string value);
  // Takes the key away, with its lease, and calls back, from the loop; also when that fails. The owner sets the limit
  // of time. Nothing is put afterwards.
  void stop(std::function<void()> done);

  const State& state() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace monitor::config
