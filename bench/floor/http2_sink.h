// The server of a stream, without a server: it takes batches, hands them on, and writes acknowledgements when it is
// told to. Speaks docs/protocol.md with whoever keeps to it, and checks nothing.
//
// One thread and one epoll. A Stream stays where it is until the sink is destroyed, its connection may end before.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "floor/http2_pipe.h"

namespace monitor::bench {

class Http2Sink {
 public:
  struct Connection;
  struct Stream {
    Connection* connection = nullptr;  // null when it has ended
    int32_t id = 0;
    std::string agent;
    bool greeted = false;
    uint64_t acked = 0;
    uint64_t acked_sent = 0;
    Deframer in;
    std::string out;
  };
  // A PublishRequest as it came, and the batch in it. Both live until it returns.
  using OnBatch =
      std::function<void(Http2Sink& sink, Stream& stream, std::string_view message, std::string_view batch)>;

  explicit Http2Sink(OnBatch on_batch);
  ~Http2Sink();
  Http2Sink(const Http2Sink&) = delete;
  Http2Sink& operator=(const Http2Sink&) = delete;

  // On the loopback address; the port that was picked. Ends the program when it cannot.
  uint16_t listen();
  // Something else to attend to.
  void watch(int fd, std::function<void()> ready);
  // One batch more is stored, in the order of their coming; goes out at the end of this turn.
  void acknowledge(Stream& stream);
  [[noreturn]] void run();

 private:
  struct Callbacks;
  void accept_all();
  void attend(Connection& connection, uint32_t events);
  void send(Connection& connection);
  void end(Connection& connection);
  void take(Stream& stream, std::string_view message);
  void write(Stream& stream, std::string_view message);
  void write_acknowledgements();

  OnBatch on_batch_;
  int epoll_ = -1;
  int listener_ = -1;
  std::unordered_map<int, std::function<void()>> watched_;
  std::unordered_map<int, std::unique_ptr<Connection>> connections_;
  std::vector<std::unique_ptr<Stream>> streams_;
  std::vector<Stream*> to_acknowledge_;
  std::vector<Connection*> to_send_;
};

}  // namespace monitor::bench
