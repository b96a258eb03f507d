// The server's side of one stream, as a state machine without I/O.
//
// The owner hands in every message from the agent with receive(), appends the batch of each kBatch event to the log,
// and reports with stored(), reject() or retry() what became of it, in whatever order that becomes known. What the
// agent must be told comes out of next(): acknowledgements only of the contiguous prefix that is in the log or
// rejected. Not thread-safe. An event's views point into the message that was handed in.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/fifo.h"
#include "base/result.h"
#include "stream/messages.h"

namespace monitor::stream {

struct ReceiverOptions {
  std::string version;
  uint64_t window_bytes = uint64_t{1024} * 1024;
  Limits limits;
  std::string log = {};  // identity of the metric log, if it is known already
};

class Receiver {
 public:
  struct Event {
    enum class Kind {
      kNothing,  // a message to be ignored: of an unknown kind, or sent before the agent knew of a rewind
      kHello,    // hello() is known now: check it, and refuse the stream if it is not welcome
      kBatch,    // append it, and report what became of it under `token`
    };
    Kind kind = Kind::kNothing;
    // Names this batch in stored(), reject() and retry(). Never used twice in a stream, unlike its number.
    uint64_t token = 0;
    uint64_t number = 0;
    std::string_view batch;
  };

  explicit Receiver(ReceiverOptions options) : options_(std::move(options)) {}

  // An error ends the stream with that status: the agent broke the protocol.
  Result<Event> receive(std::string_view message);

  // The log that stored what is reported from now on. The next acknowledgement names it if it is not the one before.
  void set_log(std::string_view log);

  // What became of a batch. Tokens from before a rewind are known, and ignored where they no longer matter.
  void stored(uint64_t token);
  void reject(uint64_t token, std::string reason);
  // It must be sent again: the agent is rewound to it. What came after it is forgotten. False: it does not matter any
  // more, and nothing is forgotten.
  bool retry(uint64_t token);
  // Everything open must be sent again (the log's producer was rebuilt).
  void retry_all();
  // The agent shall send no more and go elsewhere. finished() says when all is answered.
  void drain();

  // Tells the agent; nothing before its Hello.
  void notify(const Notice& notice);

  // The next message to write, if there is one.
  std::optional<std::string> next();

  bool welcomed() const { return hello_.has_value(); }
  const Hello& hello() const { return *hello_; }
  bool draining() const { return draining_; }
  bool finished() const { return draining_ && open_.empty() && outbox_.empty() && acked_ == acked_sent_; }
  size_t open() const { return open_.size(); }
  // Memory taken by messages that next() has not handed out yet.
  size_t outbox_bytes() const { return outbox_bytes_; }

 private:
  enum class State { kOpen, kDone };
  struct Open {
    uint64_t token;
    State state;
  };

  // Its place in open_, or open_.size() when it is not there.
  size_t find(uint64_t token) const;
  void rewind_to_index(size_t index);
  void advance();
  void say(std::string message);
  std::string acknowledge();

  ReceiverOptions options_;
  std::optional<Hello> hello_;
  // Batches from number acked_ + 1 on, contiguous; the last one has number expected_ - 1.
  Fifo<Open> open_;
  uint64_t expected_ = 1;
  uint64_t acked_ = 0;
  uint64_t acked_sent_ = 0;
  uint64_t next_token_ = 1;
  bool rewinding_ = false;  // numbers beyond expected_ are from before the agent knew
  bool draining_ = false;
  bool log_is_news_ = false;  // options_.log was not told yet
  Fifo<std::string> outbox_;
  size_t outbox_bytes_ = 0;
};

}  // namespace monitor::stream
