#include "outputs/stream/publish_client.h"

#include <fmt/format.h>

#include <utility>

namespace monitor::agent {

namespace {

constexpr std::string_view kMethod = "/monitor.v1.Ingest/Publish";
constexpr int64_t kBackoffBase = 100 * kNanosPerMilli;
constexpr int64_t kBackoffCap = 10 * kNanosPerSecond;
// Limit on data handed to the transport. More would only wait there, where the source cannot reorder or drop it.
constexpr size_t kMaxUnsent = size_t{256} * 1024;

}  // namespace

PublishClient::PublishClient(Timers& timers, Random& random, stream::BatchSource& source, stream::Hello hello,
                             int64_t hello_timeout_ns, PublishListener& listener)
    : timers_(timers),
      hello_(std::move(hello)),
      source_(source, hello_.agent_id),
      hello_timeout_ns_(hello_timeout_ns),
      listener_(listener),
      backoff_(random, kBackoffBase, kBackoffCap) {}

PublishClient::~PublishClient() { end_stream(); }

void PublishClient::connect() {
  timer_ = 0;
  connection_ = listener_.on_connect();
  sender_.emplace(hello_, source_);
  call_ = connection_->start(kMethod, {}, *this);
  timer_ = timers_.call_after(hello_timeout_ns_, [this] {
    timer_ = 0;
    fail(Error(Code::kDeadlineExceeded,
               fmt::format("no answer to Hello within {} s", hello_timeout_ns_ / kNanosPerSecond)));
  });
  pump();
}

void PublishClient::end_stream() {
  timers_.cancel_timer(std::exchange(timer_, 0));
  if (sender_) sender_->close();
  sender_.reset();
  call_.reset();
  connection_.reset();
  established_ = false;
}

void PublishClient::fail(const Error& why) {
  end_stream();
  const int64_t wait_ns = backoff_.next_ns();
  timer_ = timers_.call_after(wait_ns, [this] { connect(); });
  listener_.on_failed(why, wait_ns);
}

void PublishClient::pump() {
  if (!call_ || !sender_) return;
  while (call_->unsent_bytes() < kMaxUnsent) {
    const auto message = sender_->next();
    if (!message) break;
    call_->write(*message);
  }
}

void PublishClient::on_message(std::string_view message) {
  if (const Status status = sender_->receive(message); !status) return fail(status.error());
  if (sender_->established() && !std::exchange(established_, true)) {
    timers_.cancel_timer(std::exchange(timer_, 0));
    source_.set_takes_v2(sender_->takes_payload(2));
    listener_.on_established(*sender_);
  }
  if (const auto notice = sender_->take_notice()) listener_.on_notice(*notice);
  if (sender_->acknowledged_any()) backoff_.reset();
  if (sender_->finished()) {
    listener_.on_server_drained();
    call_->half_close();
  }
  pump();
  listener_.on_progress();
}

void PublishClient::on_done(const grpc::CallStatus& status, const grpc::Metadata& /*trailers*/) {
  // A batch that crossed the server's Drain was not received, and is sent again on the next stream.
  if (status.code == Code::kOk && sender_->draining() && !sender_->finished()) listener_.on_server_drained();
  fail(status.code == Code::kOk ? Error(Code::kUnavailable, "the server ended the stream")
                                : Error(status.code, fmt::format("{}: {}", code_name(status.code), status.message)));
}

}  // namespace monitor::agent
