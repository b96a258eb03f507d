// The server's side of one stream, as a state machine without I/O.
//
// The owner passes in every message from the agent with receive(), and appends the batch of each kBatch event to the
// log. It then reports the outcome with stored(), reject() or retry(), in any order. next() returns the messages for
// the agent: it acknowledges only the contiguous prefix of batches that are stored or rejected. Not thread-safe. An
// event's views point into the message that was passed in.
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
  std::string log = {};                 // identity of the metric log, if it is already known
  std::vector<uint32_t> payloads = {};  // announced to the agent (HelloReply)
};

class Receiver {
 public:
  struct Event {
    enum class Kind {
      kNothing,  // ignore the message: of an unknown kind, or sent before the agent knew of a rewind
      kHello,    // hello() is now known: check it, and refuse the stream if it is not allowed
      kBatch,    // append it, and report its outcome with `token`
    };
    Kind kind = Kind::kNothing;
    // Identifies this batch in stored(), reject() and retry(). Unlike its number, it is never used twice in a stream.
    uint64_t token = 0;
    uint64_t number = 0;
    std::string_view batch;
  };

  explicit Receiver(ReceiverOptions options) : options_(std::move(options)) {}

  // An error means that the agent broke the protocol, and ends the stream with that status.
  Result<Event> receive(std::string_view message);

  // The log that stores the batches reported from now on. The next acknowledgement names it if it has changed.
  void set_log(std::string_view log);

  // Reports the outcome of a batch. Tokens from before a rewind are known, and ignored if they no longer matter.
  void stored(uint64_t token);
  void reject(uint64_t token, std::string reason);
  // The batch must be sent again: the agent is rewound to it, and later batches are forgotten. Returns false, and does
  // nothing, if the batch no longer matters.
  bool retry(uint64_t token);
  // All open batches must be sent again, because the log's producer was replaced.
  void retry_all();
  // Asks the agent to send no more and to connect elsewhere. finished() is true once everything is answered.
  void drain();

  // Sends the agent a notice. Does nothing before its Hello.
  void notify(const Notice& notice);

  // The next message to write, if there is one.
  std::optional<std::string> next();

  bool welcomed() const { return hello_.has_value(); }
  const Hello& hello() const { return *hello_; }
  bool draining() const { return draining_; }
  bool finished() const { return draining_ && open_.empty() && outbox_.empty() && acked_ == acked_sent_; }
  size_t open() const { return open_.size(); }
  // Memory of messages that next() has not returned yet.
  size_t outbox_bytes() const { return outbox_bytes_; }

 private:
  enum class State { kOpen, kDone };
  struct Open {
    uint64_t token;
    State state;
  };

  // Index in open_; open_.size() if the batch is not there.
  size_t find(uint64_t token) const;
  void rewind_to_index(size_t index);
  void advance();
  void say(std::string message);
  std::string acknowledge();

  ReceiverOptions options_;
  std::optional<Hello> hello_;
  // Batches from number acked_ + 1 to expected_ - 1, without gaps.
  Fifo<Open> open_;
  uint64_t expected_ = 1;
  uint64_t acked_ = 0;
  uint64_t acked_sent_ = 0;
  uint64_t next_token_ = 1;
  bool rewinding_ = false;  // messages with numbers beyond expected_ were sent before the agent knew of the rewind
  bool draining_ = false;
  bool log_is_news_ = false;  // options_.log was not sent yet
  Fifo<std::string> outbox_;
  size_t outbox_bytes_ = 0;
};

}  // namespace monitor::stream
