// PublishClient: keeps one Publish stream to a server open, and feeds it from a stream::BatchSource. It connects, waits
// for the answer to Hello, writes batches as the stream's window allows, and after a failure starts over with jittered
// backoff. Its listener chooses the next server and writes the log.
//
// Loop's thread only. All constructor arguments must outlive it. Its destructor returns unanswered batches to the
// source, without callbacks.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/event_loop.h"
#include "base/net/backoff.h"
#include "base/random.h"
#include "base/result.h"
#include "grpc/client_call.h"
#include "outputs/stream/versioned_source.h"
#include "stream/sender.h"

namespace monitor::agent {

class PublishListener {
 public:
  virtual ~PublishListener() = default;
  // Opens a new connection, to the next server in turn. Destroying the result closes the connection; this may happen in
  // a callback of one of its calls.
  virtual std::unique_ptr<grpc::CallStarter> on_connect() = 0;
  // The server has answered Hello.
  virtual void on_established(const stream::Sender& sender) = 0;
  virtual void on_notice(const stream::Notice& notice) { (void)notice; }
  // The server is draining, and has answered everything that it had.
  virtual void on_server_drained() {}
  // A message from the server was handled, so batches may have their answers.
  virtual void on_progress() {}
  // The stream has ended or could not be opened; the next attempt is in `wait_ns`.
  virtual void on_failed(const Error& why, int64_t wait_ns) = 0;
};

class PublishClient final : private grpc::ClientCallHandler {
 public:
  // A server that accepts the connection but does not answer Hello within `hello_timeout_ns` counts as failed.
  PublishClient(Timers& timers, Random& random, stream::BatchSource& source, stream::Hello hello,
                int64_t hello_timeout_ns, PublishListener& listener);
  ~PublishClient() override;
  PublishClient(const PublishClient&) = delete;
  PublishClient& operator=(const PublishClient&) = delete;

  // Call once.
  void start() { connect(); }
  // Writes batches from the source, as far as window and transport have room.
  void pump();

  const stream::Hello& hello() const { return hello_; }
  bool established() const { return established_; }
  bool draining() const { return sender_ && sender_->draining(); }
  // Batches that were written as payload v1 for an older server.
  uint64_t converted() const { return source_.converted(); }
  size_t in_flight() const { return sender_ ? sender_->in_flight() : 0; }

 private:
  void connect();
  void end_stream();
  void fail(const Error& why);

  void on_message(std::string_view message) override;
  void on_writable() override { pump(); }
  void on_done(const grpc::CallStatus& status, const grpc::Metadata& trailers) override;

  Timers& timers_;
  const stream::Hello hello_;
  VersionedSource source_;
  const int64_t hello_timeout_ns_;
  PublishListener& listener_;
  Backoff backoff_;
  Timers::TimerId timer_ = 0;  // for the next attempt, or for the answer to Hello
  std::unique_ptr<grpc::CallStarter> connection_;
  std::unique_ptr<grpc::ClientCall> call_;
  std::optional<stream::Sender> sender_;
  bool established_ = false;
};

}  // namespace monitor::agent
