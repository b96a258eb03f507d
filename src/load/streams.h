// Streams: many simulated agents, each with its own connection, that publish to a server and count acknowledgements.
// Batches are generated in advance and sent repeatedly, so that a benchmark measures the server.
//
// Thread contract: the loop's thread; the loop must outlive it. A stream that ends is counted but not reopened.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/event_loop.h"
#include "grpc/resolver.h"
#include "load/batches.h"

namespace monitor::load {

struct StreamsOptions {
  HostPort server;
  size_t streams = 100;
  size_t window = 64;     // unacknowledged batches per stream
  double per_second = 0;  // batches per stream; 0: as many as the window allows
  BatchShape shape;
  size_t batches = 64;  // distinct batches per stream
  uint64_t seed = 1;
};

struct StreamsStats {
  size_t established = 0;
  size_t ended = 0;
  uint64_t sent = 0;
  uint64_t acknowledged = 0;
  uint64_t rejected = 0;
  uint64_t skipped = 0;      // became due while the window was full
  std::string first_reason;  // why the first stream ended or a batch was rejected
};

class Streams {
 public:
  Streams(EventLoop& loop, StreamsOptions options);
  ~Streams();
  Streams(const Streams&) = delete;
  Streams& operator=(const Streams&) = delete;

  // Connects all streams, some at a time. `established` is called once, when every stream has its HelloReply or has
  // ended; then publishing starts.
  void start(std::function<void()> established);
  const StreamsStats& stats() const { return stats_; }

 private:
  class Stream;
  void connect_more();
  void settled();
  void pace();

  EventLoop& loop_;
  StreamsOptions options_;
  grpc::ThreadResolver resolver_;
  StreamsStats stats_;
  std::vector<std::unique_ptr<Stream>> streams_;
  std::function<void()> established_;
  size_t settled_ = 0;
  bool publishing_ = false;
  // For a steady rate, spreads the streams evenly over the second.
  int64_t paced_since_ns_ = 0;
  uint64_t paced_ = 0;
  Timers::TimerId pace_timer_ = 0;
};

}  // namespace monitor::load
