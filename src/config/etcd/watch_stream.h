// WatchStream: one stream with an etcd watch for each range of keys. It assembles fragmented responses and passes
// events on. It never retries: the listener decides what a failure means.
// Internal to this folder.
//
// Thread contract: the loop's thread. All constructor arguments must outlive it. The listener may open() or close() the
// stream from within a callback.
#pragma once

#include <etcd/etcd.pb.h>

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/event_loop.h"
#include "config/etcd/etcd_client.h"
#include "config/etcd/key_cache.h"

namespace monitor::config {

class WatchListener {
 public:
  virtual ~WatchListener() = default;
  // etcd has confirmed all watches.
  virtual void on_watch_established() = 0;
  virtual void on_watch_event(const pb::Event& event) = 0;
  // The history after the cache's revision was compacted, up to `revision`. The stream has ended.
  virtual void on_watch_compacted(int64_t revision) = 0;
  // The stream has ended, or is unusable.
  virtual void on_watch_failed(const Error& reason) = 0;
};

class WatchStream {
 public:
  WatchStream(Timers& timers, EtcdClient& client, const KeyCache& keys, WatchListener& listener)
      : timers_(timers), client_(client), keys_(keys), listener_(listener) {}
  ~WatchStream() { close(); }
  WatchStream(const WatchStream&) = delete;
  WatchStream& operator=(const WatchStream&) = delete;

  // Watches `ranges` from the revision after the cache's. Fails if etcd has not confirmed all watches within the
  // timeout.
  void open(const std::vector<KeyRange>& ranges, int64_t timeout_ns);
  void close();
  // The endpoint of the last open(): host:port.
  const std::string& endpoint() const { return endpoint_; }

 private:
  void on_timeout();
  void on_message(std::string_view bytes);
  void on_cancelled(const pb::WatchResponse& response);
  void on_created(const pb::WatchResponse& response);
  void on_events(pb::WatchResponse& response);

  Timers& timers_;
  EtcdClient& client_;
  const KeyCache& keys_;
  WatchListener& listener_;
  std::string endpoint_;
  int64_t opened_at_revision_ = 0;
  size_t watches_ = 0;
  size_t created_ = 0;
  std::map<int64_t, pb::WatchResponse> fragments_;  // by watch id
  size_t fragment_bytes_ = 0;
  std::unique_ptr<EtcdCall> call_;
  Timers::TimerId timer_ = 0;
};

}  // namespace monitor::config
