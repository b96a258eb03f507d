// The streams that are live in this server, over all loops: the one thing, besides the log, that loops share.
//
// It tells a newer stream of an incarnation which older ones to end (a half-open connection must not keep an agent
// out), and notices two incarnations under one agent id that are both alive (a cloned host). Thread-safe.
#pragma once

#include <atomic>
#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/result.h"

namespace monitor::server {

struct LiveStream {
  std::string agent_id;
  std::string incarnation;
  std::string hostname;
  std::string peer;
  // Ends the stream with that error, from any thread: hands it to the stream's loop.
  std::function<void(Error)> end;
  // Tells the agent of a rival, from any thread.
  std::function<void(std::string)> tell_conflict;
  // Set when another incarnation said Hello: if this stream speaks again, both are alive.
  std::atomic<bool> has_rival{false};
};

class StreamTable {
 public:
  // kResourceExhausted above `max_per_agent`. Ends older streams of the same incarnation.
  Status add(const std::shared_ptr<LiveStream>& stream, size_t max_per_agent);
  void remove(const std::shared_ptr<LiveStream>& stream);

  // `stream` had has_rival set and spoke: the other one, if it is still there.
  std::shared_ptr<LiveStream> rival_of(const LiveStream& stream) const;

  size_t size() const;
  size_t fenced() const { return fenced_.load(std::memory_order_relaxed); }

 private:
  mutable std::mutex mutex_;  // guards by_agent_ and size_
  std::unordered_map<std::string, std::vector<std::shared_ptr<LiveStream>>> by_agent_;
  size_t size_ = 0;
  std::atomic<size_t> fenced_{0};
};

}  // namespace monitor::server
