// The agent's side of one stream, as a state machine without I/O.
//
// The owner passes in every message from the server, and writes what next() returns until it returns nothing. Batches
// come from a BatchSource (the spool), which decides what is sent next. The sender numbers them, respects the server's
// window, and reports their outcomes to the source. Use one object per stream: it starts with a new connection, and
// close() returns all unacknowledged batches to the source. Not thread-safe. Views that next() returns are valid until
// the next call.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/fifo.h"
#include "base/result.h"
#include "stream/batch_source.h"
#include "stream/messages.h"

namespace monitor::stream {

class Sender {
 public:
  Sender(Hello hello, BatchSource& source);

  // An error means that the server broke the protocol, and ends the stream.
  Status receive(std::string_view message);
  // The next message to write; nothing if there is none, or no room in the window. The caller must also stop while the
  // transport's buffer is full.
  std::optional<std::string> next();
  // Call when the stream has ended: returns unacknowledged batches to the source. No call may follow.
  void close();

  bool established() const { return established_; }  // the server has answered Hello
  bool draining() const { return draining_; }        // sends no more; finished() says when to close
  bool finished() const { return draining_ && in_flight_.empty(); }
  bool acknowledged_any() const { return acknowledged_any_; }  // only then is the backoff reset
  size_t in_flight() const { return in_flight_.size(); }
  // The server's last notice since the previous call, if any.
  std::optional<Notice> take_notice() { return std::exchange(notice_, std::nullopt); }
  const std::string& server_version() const { return server_version_; }
  const Limits& limits() const { return limits_; }
  // Whether the server has announced that it takes this version of the payload. Every server takes version 1.
  bool takes_payload(uint32_t version) const;

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
  std::vector<uint32_t> payloads_;
  Fifo<InFlight> in_flight_;  // in the order of their numbers, which are contiguous
};

}  // namespace monitor::stream
