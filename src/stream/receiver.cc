#include "stream/receiver.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/counted.h"
#include "base/mutant.h"
#include "base/text.h"

namespace monitor::stream {

namespace {

constexpr size_t kIncarnationBytes = 16;
constexpr size_t kPerMessage = 64;  // memory of a queued message besides its bytes

Status check_hello(const Hello& hello) {
  const auto bad = [](std::string text) { return Error(Code::kInvalidArgument, "hello: " + std::move(text)); };
  if (!valid_name(hello.agent_id)) {
    return bad(fmt::format("agent id {} is not 1 to 128 of [A-Za-z0-9._-]", json_quote(hello.agent_id.substr(0, 160))));
  }
  if (hello.incarnation.size() != kIncarnationBytes) {
    return bad(
        fmt::format("incarnation has {}, expected {}", counted(hello.incarnation.size(), "byte"), kIncarnationBytes));
  }
  if (hello.version.size() > 64) return bad(fmt::format("version has {} bytes, the limit is 64", hello.version.size()));
  if (hello.hostname.size() > 1024) {
    return bad(fmt::format("host name has {} bytes, the limit is 1024", hello.hostname.size()));
  }
  return {};
}

}  // namespace

Result<Receiver::Event> Receiver::receive(std::string_view message) {
  const auto parsed = parse_client_message(message);
  if (!parsed) return parsed.error();
  if (const auto* hello = std::get_if<Hello>(&*parsed)) {
    if (hello_) return Error(Code::kInvalidArgument, "stream: Hello was sent twice");
    if (const Status s = check_hello(*hello); !s) return s.error();
    hello_ = *hello;
    say(encode(HelloReply{options_.version, options_.window_bytes, options_.limits, options_.log, options_.payloads}));
    log_is_news_ = false;
    return Event{Event::Kind::kHello, 0, 0, {}};
  }
  const auto* publish = std::get_if<Publish>(&*parsed);
  if (publish == nullptr) return Event{};
  if (!hello_) return Error(Code::kInvalidArgument, "stream: PublishRequest came before Hello");
  if (publish->number != expected_) {
    if (rewinding_ && publish->number > expected_) return Event{};
    return Error(Code::kInvalidArgument,
                 fmt::format("stream: PublishRequest has number {}, expected {}", publish->number, expected_));
  }
  rewinding_ = false;
  open_.push_back({next_token_++, State::kOpen});
  ++expected_;
  return Event{Event::Kind::kBatch, open_.back().token, publish->number, publish->batch};
}

size_t Receiver::find(uint64_t token) const {
  // Tokens ascend along the queue.
  size_t low = 0;
  size_t high = open_.size();
  while (low < high) {
    const size_t middle = (low + high) / 2;
    if (open_[middle].token < token) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low < open_.size() && open_[low].token == token ? low : open_.size();
}

void Receiver::stored(uint64_t token) {
  const size_t place = find(token);
  if (place == open_.size()) return;
  open_[place].state = State::kDone;
  if (is_mutant("ack_past_gap")) std::fill_n(open_.begin(), place, Open{0, State::kDone});
  advance();
}

void Receiver::reject(uint64_t token, std::string reason) {
  const size_t place = find(token);
  if (place == open_.size() || open_[place].state == State::kDone) return;
  open_[place].state = State::kDone;
  say(encode(Reject{acked_ + 1 + place, std::move(reason)}));
  advance();
}

bool Receiver::retry(uint64_t token) {
  const size_t place = find(token);
  if (place == open_.size() || open_[place].state == State::kDone) return false;
  rewind_to_index(place);
  return true;
}

void Receiver::retry_all() {
  for (size_t i = 0; i < open_.size(); ++i) {
    if (open_[i].state == State::kDone) continue;
    rewind_to_index(i);
    return;
  }
}

void Receiver::rewind_to_index(size_t index) {
  open_.truncate(index);
  expected_ = acked_ + 1 + index;
  rewinding_ = true;
  advance();
  // The acknowledgement must come first, because it must not cover batches that will be sent again.
  if (acked_ > acked_sent_) say(acknowledge());
  if (!is_mutant("forget_rewind")) say(encode(Rewind{expected_}));
}

void Receiver::advance() {
  while (!open_.empty() && open_.front().state == State::kDone) {
    open_.pop_front();
    ++acked_;
  }
}

void Receiver::drain() {
  if (draining_) return;
  draining_ = true;
  say(encode(Drain{}));
}

void Receiver::say(std::string message) {
  outbox_bytes_ += message.size() + kPerMessage;
  outbox_.push_back(std::move(message));
}

void Receiver::notify(const Notice& notice) {
  if (hello_) say(encode(notice));
}

std::optional<std::string> Receiver::next() {
  if (!outbox_.empty()) {
    std::string message = std::move(outbox_.front());
    outbox_.pop_front();
    outbox_bytes_ -= message.size() + kPerMessage;
    return message;
  }
  if (acked_ == acked_sent_) return std::nullopt;
  return acknowledge();
}

std::string Receiver::acknowledge() {
  acked_sent_ = acked_;
  return encode(Ack{acked_, std::exchange(log_is_news_, false) ? options_.log : ""});
}

void Receiver::set_log(std::string_view log) {
  if (log == options_.log) return;
  // Acknowledges what the previous log has, before the new log is named.
  if (acked_ > acked_sent_) say(acknowledge());
  options_.log = log;
  log_is_news_ = true;
}

}  // namespace monitor::stream
