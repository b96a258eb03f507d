#include "load/streams.h"

#include <fmt/format.h>

#include <utility>
#include <variant>

#include "grpc/channel.h"
#include "payload/decode.h"
#include "stream/messages.h"

namespace monitor::load {

namespace {

constexpr std::string_view kMethod = "/monitor.v1.Ingest/Publish";
constexpr size_t kConnectingAtOnce = 64;  // a server's backlog is finite
constexpr int64_t kPaceEvery = 1 * kNanosPerMilli;

// From here on, the varint of a sequence has five bytes, so one sequence can be overwritten by another.
constexpr uint64_t kFirstSequence = uint64_t{1} << 28;
constexpr size_t kSequenceBytes = 5;

// The offset of the sequence in a batch: after its incarnation; in payload v1, after the tag of field 4 as well.
size_t sequence_offset(std::string_view batch, std::string_view incarnation) {
  if (payload::is_payload(batch)) return 1 + incarnation.size();
  return batch.find(incarnation) + incarnation.size() + 1;
}

void write_sequence(std::string& batch, size_t offset, uint64_t sequence) {
  for (size_t i = 0; i < kSequenceBytes; ++i, sequence >>= 7) {
    batch[offset + i] = static_cast<char>((sequence & 0x7F) | (i + 1 < kSequenceBytes ? 0x80 : 0));
  }
}

}  // namespace

class Streams::Stream final : public grpc::ClientCallHandler {
 public:
  Stream(Streams& owner, size_t number) : owner_(owner) {
    const StreamsOptions& options = owner_.options_;
    BatchMaker maker(fmt::format("load-{}-{}", options.seed, number), options.seed << 32 | number, options.shape);
    maker.repeat_from(kFirstSequence);
    for (size_t i = 0; i < options.batches; ++i) batches_.push_back(maker.next());
    offset_ = sequence_offset(batches_.front(), maker.incarnation());
    grpc::ChannelOptions to;
    to.host = options.server.host;
    to.port = options.server.port;
    channel_ = std::make_unique<grpc::Channel>(owner_.loop_, owner_.resolver_, to);
    call_ = channel_->start(kMethod, {}, *this);
    call_->write(stream::encode(stream::Hello{maker.agent_id(), maker.incarnation(), "0", maker.agent_id()}));
  }

  // Sends as much as the window allows.
  void fill() {
    while (send()) {
    }
  }
  bool send() {
    if (!greeted_ || !call_ || next_ - acknowledged_ > owner_.options_.window) return false;
    // The bytes are generated in advance, but each batch needs its own sequence, or the server would treat it as a
    // copy.
    std::string& batch = batches_[next_ % batches_.size()];
    write_sequence(batch, offset_, kFirstSequence + batches_.size() + next_);
    call_->write(stream::encode(stream::Publish{next_, batch}));
    ++next_;
    ++owner_.stats_.sent;
    return true;
  }

 private:
  void on_message(std::string_view bytes) override {
    const auto message = stream::parse_server_message(bytes);
    if (!message) return;
    if (std::holds_alternative<stream::HelloReply>(*message)) {
      greeted_ = true;
      ++owner_.stats_.established;
      owner_.settled();
    } else if (const auto* ack = std::get_if<stream::Ack>(&*message)) {
      owner_.stats_.acknowledged += ack->through - acknowledged_;
      acknowledged_ = ack->through;
      if (owner_.publishing_ && owner_.options_.per_second == 0) fill();
    } else if (const auto* reject = std::get_if<stream::Reject>(&*message)) {
      ++owner_.stats_.rejected;
      if (owner_.stats_.first_reason.empty()) owner_.stats_.first_reason = reject->reason;
    } else if (const auto* rewind = std::get_if<stream::Rewind>(&*message)) {
      next_ = rewind->to;
      if (owner_.publishing_ && owner_.options_.per_second == 0) fill();
    }
  }

  void on_done(const grpc::CallStatus& status, const grpc::Metadata& /*trailers*/) override {
    ++owner_.stats_.ended;
    if (owner_.stats_.first_reason.empty()) owner_.stats_.first_reason = status.message;
    call_.reset();
    if (!greeted_) owner_.settled();
  }

  Streams& owner_;
  std::vector<std::string> batches_;
  size_t offset_ = 0;  // offset of the sequence in each batch
  std::unique_ptr<grpc::Channel> channel_;
  std::unique_ptr<grpc::ClientCall> call_;
  bool greeted_ = false;
  uint64_t next_ = 1;
  uint64_t acknowledged_ = 0;
};

Streams::Streams(EventLoop& loop, StreamsOptions options)
    : loop_(loop), options_(std::move(options)), resolver_(loop) {}

Streams::~Streams() { loop_.cancel_timer(pace_timer_); }

void Streams::start(std::function<void()> established) {
  established_ = std::move(established);
  connect_more();
}

void Streams::connect_more() {
  while (streams_.size() < options_.streams && streams_.size() - settled_ < kConnectingAtOnce) {
    streams_.push_back(std::make_unique<Stream>(*this, streams_.size()));
  }
}

void Streams::settled() {
  ++settled_;
  if (settled_ < options_.streams) return connect_more();
  publishing_ = true;
  established_();
  if (options_.per_second == 0) {
    for (auto& stream : streams_) stream->fill();
  } else {
    paced_since_ns_ = loop_.clock().mono_ns();
    pace();
  }
}

void Streams::pace() {
  const double seconds = static_cast<double>(loop_.clock().mono_ns() - paced_since_ns_) / kNanosPerSecond;
  const auto due = static_cast<uint64_t>(seconds * options_.per_second * static_cast<double>(streams_.size()));
  for (; paced_ < due; ++paced_) {
    if (!streams_[paced_ % streams_.size()]->send()) ++stats_.skipped;
  }
  pace_timer_ = loop_.call_after(kPaceEvery, [this] { pace(); });
}

}  // namespace monitor::load
