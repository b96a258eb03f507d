// Hub: what goes to browsers as it happens. One ring of events for all of them, each with a place in it: a slow browser
// costs nothing, and one that falls out of the ring is told to begin anew.
//
// Thread-safe. An event's id is "RUN.NUMBER": numbers rise by one, and a run of the program has a name of its own, so
// that a browser that comes back after a restart is not sent what it does not expect.
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

class Hub {
 public:
  Hub(std::string run, size_t max_bytes) : run_(std::move(run)), max_bytes_(max_bytes) {}

  // Called after each event, on the thread that published it; must not call back.
  void on_event(std::function<void()> wake) { wake_ = std::move(wake); }

  // `name`: the event's, as EventSource gives it; `topic`: whom it concerns; `data`: JSON in one line.
  void publish(std::string_view topic, std::string_view name, std::string_view data);

  // How many streams there are, as their server says.
  void set_followers(size_t count) { followers_ = count; }
  size_t followers() const { return followers_; }

  std::string id(uint64_t number) const { return run_ + "." + std::to_string(number); }
  uint64_t last() const;
  // The number of an id of this run.
  std::optional<uint64_t> number_of(std::string_view id) const;

  struct Taken {
    bool lost = false;  // the place had fallen out of the ring
    uint64_t place = 0;
  };
  // Appends what follows `place` and concerns one of the topics, about `max_bytes` of it, as a browser reads it.
  Taken take(uint64_t place, const std::vector<std::string>& topics, size_t max_bytes, std::string& out) const;

 private:
  struct Event {
    std::string topic;
    std::string text;
  };

  const std::string run_;
  const size_t max_bytes_;
  std::function<void()> wake_;
  std::atomic<size_t> followers_ = 0;
  mutable std::mutex mutex_;  // guards what follows
  std::deque<Event> events_;
  uint64_t last_ = 0;
  size_t bytes_ = 0;
};

}  // namespace monitor::analysis::web
