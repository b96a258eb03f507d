#include "stream/messages.h"

#include <fmt/format.h>

#include "base/protowire.h"
#include "base/text.h"

namespace monitor::stream {

namespace {

using namespace protowire;

Error malformed(std::string_view what) {
  return Error(Code::kInvalidArgument, fmt::format("stream: malformed {}", what));
}

Result<Hello> parse_hello(std::string_view bytes) {
  Hello hello;
  Reader reader(bytes);
  while (const auto field = reader.next()) {
    if (field->type != WireType::kBytes) continue;
    if (field->number == 1) hello.agent_id = field->bytes;
    if (field->number == 2) hello.incarnation = field->bytes;
    if (field->number == 3) hello.version = field->bytes;
    if (field->number == 4) hello.hostname = field->bytes;
  }
  if (reader.failed()) return malformed("Hello");
  if (!valid_utf8(hello.agent_id) || !valid_utf8(hello.version) || !valid_utf8(hello.hostname)) {
    return Error(Code::kInvalidArgument, "stream: a text of Hello is not valid UTF-8");
  }
  return hello;
}

Result<Publish> parse_publish(std::string_view bytes) {
  Publish publish;
  Reader reader(bytes);
  while (const auto field = reader.next()) {
    if (field->number == 1) publish.number = field->value;
    if (field->number == 2) publish.batch = field->bytes;
  }
  if (reader.failed()) return malformed("PublishRequest");
  return publish;
}

Result<Limits> parse_limits(std::string_view bytes) {
  Limits limits;
  Reader reader(bytes);
  while (const auto field = reader.next()) {
    if (field->number == 1) limits.batch_bytes = field->value;
    if (field->number == 2) limits.points = field->value;
    if (field->number == 3) limits.series = field->value;
    if (field->number == 4) limits.labels = field->value;
    if (field->number == 5) limits.name_bytes = field->value;
    if (field->number == 6) limits.value_bytes = field->value;
  }
  if (reader.failed()) return malformed("Limits");
  return limits;
}

// An unusable name counts as missing; the stream works without it.
std::string log_name(std::string_view bytes) {
  return bytes.size() <= Ack::kMaxLogBytes && valid_utf8(bytes) ? std::string(bytes) : std::string();
}

// A packed list, or one number of an unpacked one. More than any server knows are ignored.
bool take_versions(const Field& field, std::vector<uint32_t>& versions) {
  constexpr size_t kMost = 32;
  const auto take = [&](uint64_t version) {
    if (versions.size() < kMost && version <= UINT32_MAX) versions.push_back(static_cast<uint32_t>(version));
  };
  if (field.type == WireType::kVarint) {
    take(field.value);
    return true;
  }
  if (field.type != WireType::kBytes) return false;
  Reader packed(field.bytes);
  while (const auto version = packed.varint()) take(*version);
  return !packed.failed() && packed.at_end();
}

Result<HelloReply> parse_hello_reply(std::string_view bytes) {
  HelloReply reply;
  Reader reader(bytes);
  while (const auto field = reader.next()) {
    if (field->number == 1) reply.version = field->bytes;
    if (field->number == 2) reply.window_bytes = field->value;
    if (field->number == 3) {
      const auto limits = parse_limits(field->bytes);
      if (!limits) return limits.error();
      reply.limits = *limits;
    }
    if (field->number == 4) reply.log = log_name(field->bytes);
    if (field->number == 5 && !take_versions(*field, reply.payloads)) return malformed("HelloReply");
  }
  if (reader.failed() || !valid_utf8(reply.version)) return malformed("HelloReply");
  return reply;
}

// Ack, Reject and Rewind have a number in field 1; Ack and Reject also have a text in field 2.
struct Numbered {
  uint64_t number = 0;
  std::string text;
};

Result<Numbered> parse_numbered(std::string_view bytes, std::string_view what) {
  Numbered result;
  Reader reader(bytes);
  while (const auto field = reader.next()) {
    if (field->number == 1) result.number = field->value;
    if (field->number == 2) result.text = sanitize_utf8(field->bytes);
  }
  if (reader.failed()) return malformed(what);
  return result;
}

Result<Notice> parse_notice(std::string_view bytes) {
  Notice notice;
  Reader reader(bytes);
  while (const auto field = reader.next()) {
    if (field->type != WireType::kBytes) continue;
    const std::string text = sanitize_utf8(field->bytes.substr(0, Notice::kMaxBytes));
    if (field->number == 1) notice.code = text;
    if (field->number == 2) notice.text = text;
  }
  if (reader.failed()) return malformed("Notice");
  return notice;
}

}  // namespace

Result<ClientMessage> parse_client_message(std::string_view bytes) {
  ClientMessage message;
  Reader reader(bytes);
  while (const auto field = reader.next()) {
    if (field->type != WireType::kBytes) continue;
    if (field->number == 1) {
      auto hello = parse_hello(field->bytes);
      if (!hello) return hello.error();
      message = std::move(*hello);
    } else if (field->number == 2) {
      const auto publish = parse_publish(field->bytes);
      if (!publish) return publish.error();
      message = *publish;
    }
  }
  if (reader.failed()) return malformed("ClientMessage");
  return message;
}

Result<ServerMessage> parse_server_message(std::string_view bytes) {
  ServerMessage message;
  Reader reader(bytes);
  while (const auto field = reader.next()) {
    if (field->type != WireType::kBytes) continue;
    if (field->number == 1) {
      auto reply = parse_hello_reply(field->bytes);
      if (!reply) return reply.error();
      message = std::move(*reply);
      continue;
    }
    if (field->number == 6) {
      auto notice = parse_notice(field->bytes);
      if (!notice) return notice.error();
      message = std::move(*notice);
      continue;
    }
    if (field->number > 6) continue;
    auto numbered = parse_numbered(field->bytes, "ServerMessage");
    if (!numbered) return numbered.error();
    if (field->number == 2) message = Ack{numbered->number, log_name(numbered->text)};
    if (field->number == 3) message = Reject{numbered->number, std::move(numbered->text)};
    if (field->number == 4) message = Rewind{numbered->number};
    if (field->number == 5) message = Drain{};
  }
  if (reader.failed()) return malformed("ServerMessage");
  return message;
}

std::string encode(const Hello& message) {
  std::string body;
  put_bytes(body, 1, message.agent_id);
  put_bytes(body, 2, message.incarnation);
  put_bytes(body, 3, message.version);
  put_bytes(body, 4, message.hostname);
  std::string out;
  put_message(out, 1, body);
  return out;
}

std::string encode(const Publish& message) {
  std::string head;
  put_uint64(head, 1, message.number);
  put_tag(head, 2, WireType::kBytes);
  put_varint(head, message.batch.size());
  std::string out;
  out.reserve(head.size() + message.batch.size() + 12);
  put_tag(out, 2, WireType::kBytes);
  put_varint(out, head.size() + message.batch.size());
  out += head;
  out += message.batch;
  return out;
}

std::string encode(const HelloReply& message) {
  std::string limits;
  put_uint64(limits, 1, message.limits.batch_bytes);
  put_uint64(limits, 2, message.limits.points);
  put_uint64(limits, 3, message.limits.series);
  put_uint64(limits, 4, message.limits.labels);
  put_uint64(limits, 5, message.limits.name_bytes);
  put_uint64(limits, 6, message.limits.value_bytes);
  std::string body;
  put_bytes(body, 1, message.version);
  put_uint64(body, 2, message.window_bytes);
  put_bytes(body, 3, limits);
  put_bytes(body, 4, message.log);
  std::string payloads;
  for (const uint32_t version : message.payloads) put_varint(payloads, version);
  put_bytes(body, 5, payloads);
  std::string out;
  put_message(out, 1, body);
  return out;
}

std::string encode(const Ack& message) {
  std::string body;
  put_uint64(body, 1, message.through);
  put_bytes(body, 2, message.log);
  std::string out;
  put_message(out, 2, body);
  return out;
}

std::string encode(const Reject& message) {
  std::string body;
  put_uint64(body, 1, message.number);
  put_bytes(body, 2, message.reason);
  std::string out;
  put_message(out, 3, body);
  return out;
}

std::string_view reject_word(std::string_view reason) {
  constexpr std::string_view kTooLarge = "too_large";
  return reason.substr(0, reason.find(':')) == kTooLarge ? kTooLarge : "invalid";
}

std::string encode(const Rewind& message) {
  std::string body;
  put_uint64(body, 1, message.to);
  std::string out;
  put_message(out, 4, body);
  return out;
}

std::string encode(const Notice& message) {
  std::string body;
  put_bytes(body, 1, message.code);
  put_bytes(body, 2, message.text);
  std::string out;
  put_message(out, 6, body);
  return out;
}

std::string encode(const Drain&) {
  std::string out;
  put_message(out, 5, "");
  return out;
}

}  // namespace monitor::stream
