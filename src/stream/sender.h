// The agent's side of one stream, as a state machine without I/O.
//
// The owner hands in every message from the server, and writes what next() gives until it gives nothing. Batches come
// from a BatchSource (the spool), which decides what goes next; the sender numbers them, keeps within the server's
// window, and tells the source what became of them. One object a stream: it starts new with every connection, and
// whatever was not acknowledged when it is destroyed was given back to the source by close().
// Not thread-safe. Views that next() returns live until the next call.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/fifo.h"
#include "base/result.h"
#include "stream/batch_source.h"
#include "stream/messages.h"

namespace monitor::stream {

class Sender {
 public:
  Sender(Hello hello, BatchSource& source);

  // An error ends the stream: the server broke the protocol.
  Status receive(std::string_view message);
  // The next message to write; nothing while there is nothing to send or no room in the window. Whoever calls also
  // stops while the transport's buffer is full.
  std::optional<std::string> next();
  // The stream has ended: gives back what is unacknowledged. Nothing may be called afterwards.
  void close();

  bool established() const { return established_; }  // the server has answered Hello
  bool draining() const { return draining_; }        // send no more; finished() says when to close
  bool finished() const { return draining_ && in_flight_.empty(); }
  bool acknowledged_any() const { return acknowledged_any_; }  // backoff starts anew only then
  size_t in_flight() const { return in_flight_.size(); }
  // What the server had to say to people since the last call.
  std::optional<Notice> take_notice() { return std::exchange(notice_, std::nullopt); }
  const std::string& server_version() const { return server_version_; }
  const Limits& limits() const { return limits_; }

 private:
  struct InFlight {
    uint64_t number;
    uint64_t id;
    uint64_t bytes;
    bool rejected;
  };

  Status on(const HelloReply& message);
  Status on(const Ack& message);
  Status on(const Reject& message);
  Status on(const Rewind& message);
  Status require_established() const;
  void name_log(const std::string& log);

  Hello hello_;
  BatchSource& source_;
  bool hello_sent_ = false;
  bool established_ = false;
  bool draining_ = false;
  bool acknowledged_any_ = false;
  bool log_named_ = false;
  uint64_t next_number_ = 1;
  uint64_t acked_through_ = 0;
  uint64_t window_bytes_ = 0;
  uint64_t in_flight_bytes_ = 0;
  std::optional<Notice> notice_;
  std::string server_version_;
  Limits limits_;
  Fifo<InFlight> in_flight_;  // in the order of their numbers, which are contiguous
};

}  // namespace monitor::stream
