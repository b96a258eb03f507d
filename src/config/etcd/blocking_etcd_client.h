// BlockingEtcdClient: etcd calls for callers that can wait, such as command line tools. It runs the caller's event loop
// until the answer arrives. After a connection failure it retries on the next endpoint, at most twice per endpoint,
// until the time limit. Errors: kUnavailable and kDeadlineExceeded (no endpoint answers), kUnauthenticated,
// kPermissionDenied, and errors that etcd reports.
//
// Thread contract: the loop's thread, outside its callbacks. Timers and client must outlive it.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "base/event_loop.h"
#include "base/result.h"
#include "config/etcd/etcd_client.h"

namespace monitor::config {

struct BlockingEtcdOptions {
  int64_t call_timeout_ns = 4 * kNanosPerSecond;
  int64_t total_timeout_ns = 10 * kNanosPerSecond;  // for an operation with all its attempts
};

class BlockingEtcdClient {
 public:
  // `turn` runs the loop once; it may block until an event arrives.
  BlockingEtcdClient(Timers& timers, EtcdClient& client, std::function<void()> turn, BlockingEtcdOptions options);

  enum class Repeat { kYes, kNo };  // kYes: the call is idempotent
  // Request and answer are etcd's messages in wire form; the deadline is monotonic.
  Result<std::string> ask(std::string_view path, const std::string& request, int64_t deadline, Repeat repeat);

  // The deadline of an operation that starts now.
  int64_t deadline() const { return timers_.clock().mono_ns() + options_.total_timeout_ns; }
  // True if the error is transient and the deadline has not passed.
  bool may_pass(const Error& error, int64_t deadline) const;
  void wait_a_moment();

 private:
  Result<std::string> ask_once(std::string_view path, const std::string& request, int64_t deadline);

  Timers& timers_;
  EtcdClient& client_;
  std::function<void()> turn_;
  BlockingEtcdOptions options_;
};

}  // namespace monitor::config
