// A minimal server of the delivery protocol (docs/protocol.md): it passes batches to a callback and sends
// acknowledgements on request. It validates nothing.
//
// One thread and one epoll instance. A Stream lives until the sink is destroyed, even if its connection ends earlier.
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
    Connection* connection = nullptr;  // null after it has ended
    int32_t id = 0;
    std::string agent;
    bool greeted = false;
    uint64_t acked = 0;
    uint64_t acked_sent = 0;
    Deframer in;
    std::string out;
  };
  // Gets the bytes of a PublishRequest and of the batch in it. Both are valid until it returns.
  using OnBatch =
      std::function<void(Http2Sink& sink, Stream& stream, std::string_view message, std::string_view batch)>;

  explicit Http2Sink(OnBatch on_batch);
  ~Http2Sink();
  Http2Sink(const Http2Sink&) = delete;
  Http2Sink& operator=(const Http2Sink&) = delete;

  // Listens on a free port of the loopback address and returns the port. Exits on failure.
  uint16_t listen();
  // Adds another descriptor to the event loop.
  void watch(int fd, std::function<void()> ready);
  // The next batch, in order of arrival, is stored. The acknowledgement is sent at the end of this loop iteration.
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
