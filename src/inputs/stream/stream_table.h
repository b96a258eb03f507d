// StreamTable: the live streams of this server, across all loops.
//
// A new stream of an incarnation ends the older ones, so that a half-open connection does not lock an agent out. The
// table also detects two live incarnations under one agent id (a cloned host). Thread-safe.
#pragma once

#include <atomic>
#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/net/peer_certificate.h"
#include "base/result.h"

namespace monitor::server {

struct LiveStream {
  std::string agent_id;
  std::string incarnation;
  std::string hostname;
  std::string peer;
  CertificateNumber certificate;               // of the client; empty without one
  std::vector<CertificateNumber> authorities;  // of the CAs above it
  // Thread-safe. Ends the stream with the error, on the stream's loop.
  std::function<void(Error)> end;
  // Thread-safe. Notifies the agent of a rival.
  std::function<void(std::string)> tell_conflict;
  // Another incarnation has said Hello. If this stream sends again, both incarnations are alive.
  std::atomic<bool> has_rival{false};
};

class StreamTable {
 public:
  // kResourceExhausted above `max_per_agent`. Ends older streams of the same incarnation.
  Status add(const std::shared_ptr<LiveStream>& stream, size_t max_per_agent);
  void remove(const std::shared_ptr<LiveStream>& stream);

  // The other incarnation's stream, if it still exists. Call for a stream with has_rival that has sent a batch.
  std::shared_ptr<LiveStream> rival_of(const LiveStream& stream) const;

  // Ends every stream with a certificate that satisfies the predicate. Returns their number.
  size_t end_if(const std::function<bool(const LiveStream&)>& ends, const Error& error);

  size_t size() const;

 private:
  mutable std::mutex mutex_;  // guards by_agent_ and size_
  std::unordered_map<std::string, std::vector<std::shared_ptr<LiveStream>>> by_agent_;
  size_t size_ = 0;
};

}  // namespace monitor::server
