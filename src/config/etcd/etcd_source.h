// EtcdSource: keys of etcd as a source of configuration. A linearizable read of all keys, then a watch from the
// revision after it; whatever goes wrong with the watch ends in a new read, so that a change is late but never lost.
//
//  - Every new connection begins with a read: a compacted history or a store that was restored to an older state needs
//    nothing else. Revisions are taken from reads and events only, never from a cancelled watch.
//  - Events at or below the last revision seen of their key are dropped; every 30 to 60 s the keys are read again.
//  - A server that says nothing for 10 s is asked; no answer within 5 s, and the next endpoint has its turn. Waits
//    between attempts are drawn from 0 to 1, 2, 4 ... 30 s.
//  - A document above 256 KiB becomes an Entry with a fault.
//
// What is told stood in etcd together: new watches of one stream may lag behind one another, so that before their first
// events are told, the revisions of all keys are asked for in one read of the member that told them (no quorum, no
// values). Where they are others, the keys are read.
// A reader that stands still until etcd's queue for it is full may be told out of order until the next event or
// reading (docs/decisions/043).
//
// The revision that is told is etcd's, that of the last change: all changes of watched keys up to it are in what is
// told. A reading that finds nothing new tells the same keys with the revision of that reading, so that who waits for
// any revision does not wait for ever.
//
// Thread contract: everything on the loop's thread. Timers, client, random and listener must outlive the source.
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
  // Until etcd has confirmed all watches.
  int64_t open_timeout_ns = 5 * kNanosPerSecond;
  // Up to which these, and probes', grow while one after the other fails.
  int64_t patience_cap_ns = 30 * kNanosPerSecond;
  // Nothing heard for so long: a probe, which must be answered in time. An agent with a status hears twice in 10 s.
  int64_t probe_after_ns = 10 * kNanosPerSecond;
  int64_t probe_timeout_ns = 5 * kNanosPerSecond;
  // Watches that were confirmed so long ago lag no more: etcd looks after those that do every 100 ms.
  int64_t in_step_after_ns = 2 * kNanosPerSecond;
  // The keys are read again after a time evenly drawn between these.
  int64_t reconcile_min_ns = 30 * kNanosPerSecond;
  int64_t reconcile_max_ns = 60 * kNanosPerSecond;
  int64_t backoff_base_ns = kNanosPerSecond;
  int64_t backoff_cap_ns = 30 * kNanosPerSecond;
  // A watch that has held for so long: what failed before counts no more.
  int64_t calm_ns = 20 * kNanosPerSecond;
};

class EtcdSource final : public ConfigSource {
 public:
  struct State {
    bool watching = false;     // all watches are confirmed
    uint64_t established = 0;  // how often they were
    uint64_t lost = 0;
    uint64_t compactions = 0;  // a watch that began in a compacted history
    uint64_t restores = 0;     // another cluster, or an older state
    uint64_t duplicates = 0;   // events dropped, as seen before
    uint64_t missed = 0;       // changes found by reading, that the watch had not told
  };

  EtcdSource(Timers& timers, Random& random, EtcdClient& client, EtcdSourceOptions options = {});
  ~EtcdSource() override;

  // At most 100 keys and prefixes.
  void watch(const WatchSet& what, ConfigListener& listener) override;
  std::string describe(const std::string& key) const override { return key; }
  // Reads the keys again now; ends a wait.
  void rescan();

  const State& state() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace monitor::config
