// One stream to a server. The calling thread writes and waits, which is the minimal cost of sending a batch.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "floor/http2_pipe.h"

namespace monitor::bench {

class Http2Writer {
 public:
  // Connects to the loopback address. Exits on failure.
  explicit Http2Writer(uint16_t port);
  Http2Writer(const Http2Writer&) = delete;
  Http2Writer& operator=(const Http2Writer&) = delete;

  void write(std::string_view message);
  // Processes received data. Call it when socket() is readable. Exits when the connection has ended.
  void read();
  int socket() const { return pipe_->socket(); }

 private:
  struct Callbacks;
  std::unique_ptr<Http2Pipe> pipe_;
  std::string out_;
  Deframer in_;
  uint64_t answers_ = 0;
  int32_t stream_ = 0;
};

}  // namespace monitor::bench
