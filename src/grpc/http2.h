// Http2: the part of an HTTP/2 session that client and server share, on nghttp2: streams with send queues, gathered
// output, keepalive, shutdown. Events are virtual methods; nghttp2's types stay out of this header.
//
// Events arrive from inside feed() or output(). They may submit anything, but the owner must keep the object alive
// until that call returns. No event follows abort().
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/event_loop.h"
#include "base/result.h"
#include "grpc/frame_scanner.h"
#include "grpc/header_encoding.h"
#include "grpc/message_framing.h"
#include "grpc/rate_budget.h"

struct nghttp2_session;

namespace monitor::grpc {

struct HeaderField {
  std::string_view name;
  std::string_view value;
};

// The part of a stream that Http2 uses.
struct Http2Stream {
  int32_t id = 0;
  SendQueue send;
  bool send_ended = false;  // `send` holds the last bytes
  bool send_waits = false;  // nghttp2 has deferred the stream until resume()
  bool headers_sent = false;
  bool local_closed = false;   // END_STREAM was sent
  bool remote_closed = false;  // END_STREAM was received
  bool reset = false;          // RST_STREAM was sent or received

 protected:
  ~Http2Stream() = default;
};

struct Http2Options {
  bool server = false;
  uint32_t max_concurrent_streams = 100;
  uint32_t stream_window_bytes = 0;
  uint32_t connection_window_bytes = 0;
  // Decoded size of one header block, with 32 bytes added for each field (RFC 9113, 6.5.2). A larger block ends the
  // connection.
  uint32_t max_header_list_bytes = 0;
  // Rate limits (burst, refill per second) on the decoded bytes and fields of all header blocks. A block for a refused
  // or closed stream is not delivered, and charged with the most that it can decode to.
  double header_burst_bytes = 1024 * 1024;
  double header_bytes_per_second = 512 * 1024;
  double header_burst_fields = 20'000;
  double header_fields_per_second = 8'000;
  // Time limit for a header block to end; 0: none.
  int64_t header_timeout_ns = 0;
  int64_t keepalive_interval_ns = 0;
  int64_t keepalive_timeout_ns = 0;
};

// kReset: RST_STREAM, or a frame for which we send one.
enum class ControlFrame { kReset, kPing, kWindow, kOther };

class Http2 {
 public:
  Http2(Timers& timers, const Http2Options& options);
  virtual ~Http2();
  Http2(const Http2&) = delete;
  Http2& operator=(const Http2&) = delete;

 protected:
  // --- Bytes. An error means that the connection is unusable.
  Status feed(std::string_view bytes);
  std::string_view output();
  void output_sent(size_t bytes);
  // True if nghttp2 wants neither to read nor to write.
  bool done() const;
  size_t output_bytes() const { return out_.size() - out_head_; }
  // Makes feed() return as soon as possible. No event follows.
  void abort() { aborted_ = true; }
  // Stops reading at once, even within a header block. Pending output is still sent. Calls on_flood() once.
  void stop_reading(std::string_view why);

  // --- Commands. Each calls on_want_output().
  // The stream's id, or an error.
  Result<int32_t> submit_request(std::span<const HeaderField> headers, Http2Stream& stream);
  void submit_headers(Http2Stream& stream, std::span<const HeaderField> headers, bool end_stream);
  // Only from on_end_of_data().
  void submit_trailers(Http2Stream& stream, std::span<const HeaderField> trailers);
  // Call after adding to `stream.send`, or ending it.
  void resume(Http2Stream& stream);
  void reset_stream(Http2Stream& stream, H2Error code);
  // After this call, no event refers to the stream.
  void forget(Http2Stream& stream);
  // Returns bytes to the stream's window. The connection's window is returned on receipt, because the windows of the
  // streams already bound how much is held.
  void give_back(Http2Stream& stream, size_t bytes);
  void submit_shutdown_notice();
  void submit_goaway(H2Error code, std::string_view debug_data);
  // Sends GOAWAY, then ends the session.
  void terminate(H2Error code, std::string_view debug_data);
  // Sends a ping; on_probe_answered() marks the round trip.
  void submit_probe();
  void want_output();

  // --- Events.
  virtual void on_want_output() = 0;
  // Server: a request begins. nullptr refuses it.
  virtual Http2Stream* on_begin_stream(int32_t /*id*/) { return nullptr; }
  virtual void on_header(Http2Stream& stream, std::string_view name, std::string_view value) = 0;
  virtual void on_header_block(Http2Stream& stream, bool end_stream) = 0;
  virtual void on_data(Http2Stream& stream, std::string_view bytes) = 0;
  virtual void on_remote_end(Http2Stream& stream) = 0;
  // The last event of a stream.
  virtual void on_stream_closed(Http2Stream& stream, uint32_t h2_error) = 0;
  // All data of `send` was sent, and the stream's data has ended. Returns true after submitting trailers.
  virtual bool on_end_of_data(Http2Stream& /*stream*/) { return false; }
  // Bytes were moved out of `stream.send`.
  virtual void on_data_sent(Http2Stream& stream, size_t bytes) = 0;
  virtual void on_end_sent(Http2Stream& /*stream*/) {}
  virtual void on_settings() {}
  virtual void on_goaway_received(uint32_t /*h2_error*/, std::string_view /*debug_data*/) {}
  virtual void on_probe_answered() {}
  virtual void on_control_frame(ControlFrame /*frame*/) {}
  // HEADERS or DATA was sent, as opposed to an answer to PING or SETTINGS.
  virtual void on_payload_sent() {}
  // The peer has exceeded a limit. Reading has stopped; the owner must end the connection.
  virtual void on_flood(std::string_view why) = 0;
  // GOAWAY with an error was sent, by us or by nghttp2 because the peer broke a rule. done() becomes true.
  virtual void on_goaway_sent(const Error& error) = 0;
  // A keepalive ping was not answered, or nghttp2 can no longer send.
  virtual void on_broken(const Error& error) = 0;
  virtual bool keepalive_needed() const = 0;

 private:
  struct Callbacks;  // http2_callbacks.h
  struct Handlers;

  void configure(const Http2Options& options);
  void arm_keepalive(int64_t at_ns);
  void put_off_keepalive();
  bool ignores_headers(int32_t stream_id) const;
  void begin_header_frame(int32_t stream_id, size_t length, bool continuation);
  void charge_ignored(size_t block_bytes);
  void count_header(size_t name_and_value_bytes);
  void watch_header_block();
  void keepalive_due();

  Timers& timers_;
  nghttp2_session* session_ = nullptr;
  std::string out_;
  size_t out_head_ = 0;
  bool output_announced_ = false;
  bool aborted_ = false;
  bool deaf_ = false;  // stop_reading()
  std::string last_error_;

  const bool server_;
  const uint32_t max_concurrent_streams_;
  const uint32_t max_header_list_bytes_;
  const int64_t header_timeout_ns_;
  FrameScanner scanner_;
  RateBudget header_bytes_;
  RateBudget header_fields_;
  int64_t now_ns_ = 0;          // of the last feed()
  size_t block_bytes_ = 0;      // decoded bytes of the current block
  bool block_ignored_ = false;  // the current block is not delivered
  size_t largest_field_ = 64;   // the largest field that one byte of a block can refer to
  int32_t last_begun_stream_ = 0;
  size_t open_streams_ = 0;       // begun by the peer
  bool refuses_streams_ = false;  // after GOAWAY
  Timers::TimerId header_timer_ = 0;
  uint64_t timed_block_ = 0;

  int64_t keepalive_interval_ns_;
  int64_t keepalive_timeout_ns_;
  int64_t last_receive_ns_ = 0;
  int64_t ping_sent_ns_ = 0;  // 0: no pending keepalive ping
  Timers::TimerId keepalive_timer_ = 0;
  int64_t keepalive_due_ns_ = 0;
};

}  // namespace monitor::grpc
