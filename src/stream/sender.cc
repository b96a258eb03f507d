#include "stream/sender.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace monitor::stream {

namespace {

Error violation(std::string text) { return Error(Code::kInternal, "stream: the server " + std::move(text)); }

}  // namespace

Sender::Sender(Hello hello, BatchSource& source) : hello_(std::move(hello)), source_(source) {}

Status Sender::receive(std::string_view message) {
  const auto parsed = parse_server_message(message);
  if (!parsed) return parsed.error();
  if (const auto* reply = std::get_if<HelloReply>(&*parsed)) return on(*reply);
  if (const auto* ack = std::get_if<Ack>(&*parsed)) return on(*ack);
  if (const auto* reject = std::get_if<Reject>(&*parsed)) return on(*reject);
  if (const auto* rewind = std::get_if<Rewind>(&*parsed)) return on(*rewind);
  if (const auto* notice = std::get_if<Notice>(&*parsed)) notice_ = *notice;
  if (std::holds_alternative<Drain>(*parsed)) draining_ = true;
  return {};
}

bool Sender::takes_payload(uint32_t version) const {
  return version == 1 || std::ranges::find(payloads_, version) != payloads_.end();
}

Status Sender::require_established() const {
  if (established_) return {};
  return violation("answered before HelloReply");
}

Status Sender::on(const HelloReply& message) {
  if (established_) return violation("sent HelloReply twice");
  if (message.window_bytes == 0) return violation("gave a window of 0 bytes");
  established_ = true;
  window_bytes_ = message.window_bytes;
  limits_ = message.limits;
  payloads_ = message.payloads;
  server_version_ = message.version;
  if (!message.log.empty()) name_log(message.log);
  return {};
}

void Sender::name_log(const std::string& log) {
  log_named_ = true;
  source_.log_named(log);
}

Status Sender::on(const Ack& message) {
  if (const Status s = require_established(); !s) return s;
  if (message.through >= next_number_) {
    return violation(fmt::format("acknowledged number {}, the last sent is {}", message.through, next_number_ - 1));
  }
  // A server that has not named its log by now is an older one.
  if (!message.log.empty() || !log_named_) name_log(message.log);
  while (!in_flight_.empty() && in_flight_.front().number <= message.through) {
    const InFlight done = in_flight_.front();
    in_flight_.pop_front();
    in_flight_bytes_ -= done.bytes;
    if (!done.rejected) source_.acknowledged(done.id);
    acknowledged_any_ = true;
  }
  if (message.through > acked_through_) acked_through_ = message.through;
  return {};
}

Status Sender::on(const Reject& message) {
  if (const Status s = require_established(); !s) return s;
  if (message.number == 0 || message.number >= next_number_) {
    return violation(fmt::format("rejected number {}, the last sent is {}", message.number, next_number_ - 1));
  }
  for (InFlight& one : in_flight_) {
    if (one.number != message.number || one.rejected) continue;
    one.rejected = true;
    source_.rejected(one.id, RejectedBy::kServer, message.reason);
  }
  return {};
}

Status Sender::on(const Rewind& message) {
  if (const Status s = require_established(); !s) return s;
  if (message.to <= acked_through_ || message.to > next_number_) {
    return violation(fmt::format("rewound to number {}, acknowledged is {}, the last sent is {}", message.to,
                                 acked_through_, next_number_ - 1));
  }
  while (!in_flight_.empty() && in_flight_.back().number >= message.to) {
    const InFlight back = in_flight_.back();
    in_flight_.pop_back();
    in_flight_bytes_ -= back.bytes;
    if (!back.rejected) source_.returned(back.id);
  }
  next_number_ = message.to;
  return {};
}

std::optional<std::string> Sender::next() {
  if (!hello_sent_) {
    hello_sent_ = true;
    return encode(hello_);
  }
  // One batch may always be in flight. Otherwise a window smaller than the batch would stop the stream.
  if (!established_ || draining_ || (in_flight_bytes_ >= window_bytes_ && !in_flight_.empty())) return std::nullopt;
  const auto outgoing = source_.next();
  if (!outgoing) return std::nullopt;
  in_flight_.push_back({next_number_, outgoing->id, outgoing->bytes.size(), false});
  in_flight_bytes_ += outgoing->bytes.size();
  return encode(Publish{next_number_++, outgoing->bytes});
}

void Sender::close() {
  while (!in_flight_.empty()) {
    const InFlight back = in_flight_.back();
    in_flight_.pop_back();
    if (!back.rejected) source_.returned(back.id);
  }
  in_flight_bytes_ = 0;
}

}  // namespace monitor::stream
