// The messages of the stream (proto/monitor/v1/ingest.proto), parsed and encoded without copying a batch. Views point
// into the parsed bytes. docs/protocol.md defines the rules of the stream.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.h"

namespace monitor::stream {

struct Hello {
  std::string agent_id;
  std::string incarnation;
  std::string version;
  std::string hostname;
};

struct Publish {
  uint64_t number = 0;
  std::string_view batch;
};

struct Limits {
  uint64_t batch_bytes = 0;
  uint64_t points = 0;
  uint64_t series = 0;
  uint64_t labels = 0;
  uint64_t name_bytes = 0;
  uint64_t value_bytes = 0;
};

struct HelloReply {
  std::string version;
  uint64_t window_bytes = 0;
  Limits limits;
  std::string log = {};  // see Ack
  // Versions of the payload, besides 1, that the server takes.
  std::vector<uint32_t> payloads = {};
};

struct Ack {
  // Longer names are ignored.
  static constexpr size_t kMaxLogBytes = 512;
  uint64_t through = 0;
  std::string log = {};  // identity of the metric log that has the batches; empty: the log named last on this stream
};

struct Reject {
  uint64_t number = 0;
  std::string reason;
};

// The ledger's word at the start of a Reject's reason: "too_large" or "invalid". "invalid" if there is none.
std::string_view reject_word(std::string_view reason);

struct Rewind {
  uint64_t to = 0;
};

struct Drain {};

// Information for the people who run the agent; it does not affect the stream.
struct Notice {
  static constexpr std::string_view kAgentIdConflict = "agent_id_conflict";
  static constexpr std::string_view kLimited = "limited";
  // Longer texts are truncated.
  static constexpr size_t kMaxBytes = 1024;
  std::string code;
  std::string text;
};

// A message of a kind that this version does not know. It must be ignored, because a newer peer may send it.
struct Unknown {};

using ClientMessage = std::variant<Unknown, Hello, Publish>;
using ServerMessage = std::variant<Unknown, HelloReply, Ack, Reject, Rewind, Drain, Notice>;

Result<ClientMessage> parse_client_message(std::string_view bytes);
Result<ServerMessage> parse_server_message(std::string_view bytes);

std::string encode(const Hello& message);
std::string encode(const Publish& message);
std::string encode(const HelloReply& message);
std::string encode(const Ack& message);
std::string encode(const Reject& message);
std::string encode(const Rewind& message);
std::string encode(const Drain& message);
std::string encode(const Notice& message);

}  // namespace monitor::stream
