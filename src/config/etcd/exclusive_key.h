// ExclusiveKey: an etcd key that at most one of several processes holds, for work that only one of them may do. It is
// attached to the holder's lease: after the holder dies, etcd deletes it when the lease ends, and the next process
// takes it.
//
// held() is true only while etcd has confirmed the key for less than the lease's time, by the clock of this host,
// counted from before the request. So a holder that cannot reach etcd stops being one before another one begins,
// provided that clocks run equally fast; work that takes long must ask again.
//
// When etcd answers again after a failure, a process that did not hold the key waits for three steps, so that the one
// that did keeps it.
//
// Thread contract: the loop's thread; the questions but holder() any thread. Timers and client must outlive it. The
// destructor leaves the key to expire with its lease.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "base/event_loop.h"
#include "config/etcd/etcd_client.h"

namespace monitor::config {

struct ExclusiveKeyOptions {
  std::string key;
  std::string owner;  // the key's value, for people
  int64_t ttl_seconds = 10;
  int64_t step_ns = 2 * kNanosPerSecond;  // between attempts to take the key, or to keep it
  int64_t call_timeout_ns = 2 * kNanosPerSecond;
  bool optional = false;  // etcd may not exist: failures are not reported before it has answered
};

class ExclusiveKey {
 public:
  ExclusiveKey(Timers& timers, EtcdClient& client, ExclusiveKeyOptions options);
  ~ExclusiveKey();
  ExclusiveKey(const ExclusiveKey&) = delete;
  ExclusiveKey& operator=(const ExclusiveKey&) = delete;

  bool held() const;
  // Whether this process had the key by etcd's last answer, however long ago that was.
  bool last_held() const;
  // Whether etcd has ever answered.
  bool answered() const;
  // Since when etcd has not answered, if the newest request failed; before the first answer, since the start. 0: it
  // answers.
  int64_t silent_ns() const;
  // The value of the key when it was last read: who holds it. Empty: unknown.
  const std::string& holder() const;
  // Lets go of the key, and calls `done` from the loop, even after a failure. The caller must set a time limit.
  void stop(std::function<void()> done);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace monitor::config
