// EventBroadcaster: events for browsers. All streams share one ring of events, and each has a position in it. A slow
// browser costs no memory: if its position drops out of the ring, it gets an event that makes it load everything again.
//
// Thread-safe. The id of an event is "RUN.NUMBER". Numbers rise by one. RUN differs in each run of the program, so that
// a browser that reconnects after a restart is reset instead of continuing at an unrelated event.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace monitor::analysis::web {

class EventBroadcaster {
 public:
  EventBroadcaster(std::string run, size_t max_bytes) : run_(std::move(run)), max_bytes_(max_bytes) {}

  // `wake` is called after each event, on the publishing thread. It must not call this object.
  void on_event(std::function<void()> wake) { wake_ = std::move(wake); }

  // `topic` selects the streams; `name` is the event's type in EventSource; `data` is one line of JSON.
  void publish(std::string_view topic, std::string_view name, std::string_view data);

  // The number of open streams, as set by their server.
  void set_streams(size_t count) { streams_ = count; }
  size_t streams() const { return streams_; }

  std::string id(uint64_t number) const { return run_ + "." + std::to_string(number); }
  uint64_t last() const;
  // The number in `id`; nullopt if the id is from another run.
  std::optional<uint64_t> number_of(std::string_view id) const;

  struct Taken {
    bool lost = false;  // the position is no longer in the ring
    uint64_t place = 0;
  };
  // Appends the events after `place` that have one of the topics, in EventSource's format, up to about `max_bytes`.
  Taken take(uint64_t place, const std::vector<std::string>& topics, size_t max_bytes, std::string& out) const;

 private:
  struct Event {
    std::string topic;
    std::string text;
  };

  const std::string run_;
  const size_t max_bytes_;
  std::function<void()> wake_;
  std::atomic<size_t> streams_ = 0;
  mutable std::mutex mutex_;  // guards the members below
  std::deque<Event> events_;
  uint64_t last_ = 0;
  size_t bytes_ = 0;
};

}  // namespace monitor::analysis::web
