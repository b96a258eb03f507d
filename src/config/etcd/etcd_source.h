// EtcdSource: reads configuration keys from etcd and watches them. It starts with a linearizable read of all keys, and
// watches from the next revision. Any failure of the watch leads to a new read, so a change can be late but is never
// lost.
//
//  - Every new connection starts with a read. This also handles a compacted history and a store that was restored to
//    an older state. Revisions come from reads and events only, never from a cancelled watch.
//  - Events at or below a key's last known revision are dropped. All keys are read again every 30 to 60 s.
//  - If nothing arrives for 10 s, the source probes the endpoint; after 5 s without an answer it moves to the next one.
//    Retries use full-jitter backoff: 0 to 1, 2, 4 ... 30 s.
//  - A document above 256 KiB becomes an Entry with a fault.
//
// The listener only sees consistent snapshots. The watches of a new stream may lag behind one another. So before it
// reports the first events, the source reads the revisions of all keys from the same member in one transaction
// (serializable, without values). If they differ from the cache, it reads the keys. A reader that blocks until etcd's
// queue for it is full may see an inconsistent state until the next event or read (docs/decisions/043).
//
// The reported revision is etcd's revision of the last change: the snapshot includes all changes of watched keys up to
// it. A read that finds no change reports the same keys with the revision of that read, so that a waiter for any
// revision makes progress.
//
// Thread contract: the loop's thread. Timers, client, random and listener must outlive the source.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>

#include "base/event_loop.h"
#include "base/net/backoff.h"
#include "base/random.h"
#include "config/etcd/etcd_client.h"
#include "config/source.h"

namespace monitor::config {

struct EtcdSourceOptions {
  int64_t read_timeout_ns = 5 * kNanosPerSecond;
  // Time limit for etcd to confirm all watches.
  int64_t open_timeout_ns = 5 * kNanosPerSecond;
  // These timeouts and the probe's double with each failure, up to this cap.
  int64_t patience_cap_ns = 30 * kNanosPerSecond;
  // Silence before a probe, and its time limit. An agent that publishes a status hears from etcd twice in 10 s.
  int64_t probe_after_ns = 10 * kNanosPerSecond;
  int64_t probe_timeout_ns = 5 * kNanosPerSecond;
  // Time after which confirmed watches no longer lag: etcd catches up lagging watches every 100 ms.
  int64_t in_step_after_ns = 2 * kNanosPerSecond;
  // The keys are read again after a time drawn uniformly from this range.
  int64_t reconcile_min_ns = 30 * kNanosPerSecond;
  int64_t reconcile_max_ns = 60 * kNanosPerSecond;
  int64_t backoff_base_ns = kNanosPerSecond;
  int64_t backoff_cap_ns = 30 * kNanosPerSecond;
  // A watch that has lasted this long resets the backoff.
  int64_t calm_ns = 20 * kNanosPerSecond;
};

class EtcdSource final : public ConfigSource {
 public:
  struct State {
    bool watching = false;     // etcd has confirmed all watches
    uint64_t established = 0;  // how often it has
    uint64_t lost = 0;
    uint64_t compactions = 0;  // a watch that began in a compacted history
    uint64_t restores = 0;     // another cluster, or an older state
    uint64_t duplicates = 0;   // events dropped because they were known
    uint64_t missed = 0;       // changes that a read found and the watch had not reported
  };

  EtcdSource(Timers& timers, Random& random, EtcdClient& client, EtcdSourceOptions options = {});
  ~EtcdSource() override;

  // At most 100 keys and prefixes.
  void watch(const WatchSet& what, ConfigListener& listener) override;
  std::string describe(const std::string& key) const override { return key; }
  // Reads the keys now, even during a backoff.
  void rescan();

  const State& state() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace monitor::config
