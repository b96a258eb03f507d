// StreamSet: the event streams of the web server. A stream without events is suspended in libmicrohttpd and costs no
// thread; new events resume those that they concern. Bounds the number of streams, in total and per address.
//
// On the loop's thread, except wake(). Everything given to the constructor must outlive it.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>

#include "base/event_loop.h"
#include "telemetry/http/loop_daemon.h"
#include "telemetry/registry.h"
#include "ui/web/event_broadcaster.h"
#include "ui/web/exchange.h"

namespace monitor::analysis::web {

class StreamSet {
 public:
  // `resume` lets libmicrohttpd continue with a suspended exchange.
  StreamSet(EventLoop& loop, const ServerOptions& options, EventBroadcaster& broadcaster, telemetry::LoopDaemon& daemon,
            telemetry::Registry& registry, std::function<void(Exchange&)> resume);
  ~StreamSet() = default;
  StreamSet(const StreamSet&) = delete;
  StreamSet& operator=(const StreamSet&) = delete;

  // Begins to send `alive` events and to look for closed connections.
  void start();
  // Turns the exchange into a stream, or returns the reply that refuses it.
  std::optional<Reply> add(Exchange& exchange, StreamStart start);
  // Sends the response's headers; the events follow as libmicrohttpd asks for them.
  MHD_Result send_headers(Exchange& exchange);
  // The exchange has ended. `timed_out`: nothing moved for too long.
  void remove(Exchange& exchange, bool timed_out);
  // Call when there may be new events. Any thread.
  void wake();
  // Stops the timers, and ends each stream once it is resumed. Call it once, before the daemon ends.
  void close();

 private:
  static ssize_t on_read(void* self, uint64_t position, char* buffer, size_t max);
  // The next bytes of a stream, as an MHD_ContentReaderCallback returns them.
  ssize_t read(Exchange& exchange, char* buffer, size_t max);
  void fill(Exchange& exchange);
  void add_reset(Exchange& exchange);
  bool make_way_for(const Exchange& newcomer);
  void end(Exchange& exchange);
  void publish_count();
  void resume_all();
  void send_alive();
  void find_closed();

  EventLoop& loop_;
  EventBroadcaster& broadcaster_;
  telemetry::LoopDaemon& daemon_;
  const std::function<void(Exchange&)> resume_;
  telemetry::Gauge& streams_gauge_;
  telemetry::Counter& resets_;
  telemetry::Counter& cut_;
  const int64_t ping_ns_;
  const bool tls_;
  const size_t max_streams_;
  const size_t max_streams_per_address_;
  std::map<uint64_t, Exchange*> streams_;  // by token, oldest first
  size_t ending_ = 0;                      // how many of them must end
  bool closing_ = false;
  EventLoop::TimerId ping_timer_ = 0;
  EventLoop::TimerId gather_timer_ = 0;
  EventLoop::TimerId closed_timer_ = 0;
  std::atomic<bool> woken_ = false;
};

}  // namespace monitor::analysis::web
