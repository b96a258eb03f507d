// The messages between the agent and a plugin host (docs/plugin-abi.md, "The plugin protocol"), over a SOCK_SEQPACKET
// pair. A message consists of one or more packets, each with a fixed header and a part of the payload. Numbers are in
// native byte order, because both ends come from the same build.
//
// Both sides copy a packet before they validate it, because neither trusts the other. Pure functions and
// plain values; not thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "metrics/series.h"

namespace monitor::plugin_wire {

inline constexpr uint16_t kMagic = 0x504d;
inline constexpr uint16_t kVersion = 1;
inline constexpr size_t kMaxPacket = size_t{64} * 1024;
inline constexpr size_t kMaxMessage = size_t{8} * 1024 * 1024;
inline constexpr size_t kMaxPoints = 100'000;
inline constexpr size_t kMaxSeries = 20'000;      // series that a host may define, and numbers that an agent may assign
inline constexpr size_t kMaxText = size_t{1024};  // of a reason, or of a log line
// Numbers of series that the plugin created have this bit set; the others are the agent's.
inline constexpr uint32_t kOwnSeries = 0x8000'0000U;

enum class Type : uint16_t {
  // To the host.
  kLoad = 1,
  kSeries = 2,
  kRun = 3,
  kSave = 4,
  kRestore = 5,
  kUnload = 6,
  // From the host: answers, which carry the number of their request,
  kLoaded = 16,
  kFailed = 17,
  kResult = 18,
  kSaved = 19,
  kRestored = 20,
  // and unsolicited messages.
  kDefine = 32,
  kLog = 33,
  kLastWords = 34,
  // The sandbox is complete. Sent once per plugin, before any of its code can run.
  kConfined = 35,
};

struct Header {
  uint16_t magic = kMagic;
  uint16_t version = kVersion;
  uint16_t type = 0;
  uint16_t reserved = 0;
  uint32_t instance = 0;  // the plugin within the host
  uint32_t number = 0;    // of the request
  uint32_t total = 0;     // bytes of the whole payload
  uint32_t offset = 0;    // of this packet's part
};
static_assert(sizeof(Header) == 24);
inline constexpr size_t kMaxPart = kMaxPacket - sizeof(Header);

struct Message {
  Type type{};
  uint32_t instance = 0;
  uint32_t number = 0;
  std::string payload;
};

// A message; its payload is a view.
struct MessageView {
  Type type{};
  uint32_t instance = 0;
  uint32_t number = 0;
  std::string_view payload;
};

// The packets of a message, in order. The payload must not have more than kMaxMessage bytes.
std::vector<std::string> packets_of(const Message& message);
Header header_of(Type type, uint32_t instance, uint32_t number, size_t total);
std::string_view bytes_of(std::span<const metrics::Point> points);
// True if all points have series below `number` and an empty reserved field. Called four times for every point.
bool all_below(std::span<const metrics::Point> points, size_t number);

// Assembles messages. After an error, the channel is unusable.
class Assembler {
 public:
  // Returns nothing if more packets must follow. The payload points into the packet or the assembler, and is valid
  // until the next call.
  Result<std::optional<MessageView>> take(std::string_view packet);

 private:
  std::optional<Message> whole_;
  std::optional<Message> open_;
  size_t total_ = 0;
};

// Reads fields in order. If a field is missing, its result and all later ones are empty, and ok() is false.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : bytes_(bytes) {}

  template <typename T>
  T number() {
    static_assert(std::is_trivially_copyable_v<T>);
    T value{};
    take(&value, sizeof value);
    return value;
  }
  std::string_view text();  // preceded by a 32-bit length
  std::string_view rest();
  bool take(void* into, size_t size);
  bool ok() const { return ok_; }
  bool at_end() const { return ok_ && bytes_.empty(); }

 private:
  std::string_view bytes_;
  bool ok_ = true;
};

template <typename T>
void put_number(std::string& out, T value) {
  static_assert(std::is_trivially_copyable_v<T>);
  out.append(reinterpret_cast<const char*>(&value), sizeof value);
}
void put_text(std::string& out, std::string_view text);

// --- Payloads

enum class Kind : uint32_t { kNative = 0, kScript = 1, kPython = 2 };

struct Load {
  Kind kind = Kind::kNative;
  std::string name;
  std::string config;    // a JSON object
  std::string source;    // a script's source, or the path of the file of another plugin
  uint32_t threads = 0;  // how many threads the plugin may start, if it has a host of its own
  std::string agent;     // the agent's id
  std::string encode() const;
  static Result<Load> decode(std::string_view payload);
};

struct Confined {
  uint32_t landlock = 0;  // version of the kernel's Landlock; 0: none, and only system calls are restricted
  std::string encode() const;
  static Result<Confined> decode(std::string_view payload);
};

struct Loaded {
  std::string name;  // as the plugin reports it
  std::string version;
  uint32_t has_state = 0;
  uint32_t abi_major = 0;  // version that a native plugin was built for
  uint32_t abi_minor = 0;
  std::string encode() const;
  static Result<Loaded> decode(std::string_view payload);
};

// The payload of kSeries and kDefine.
struct NumberedSeries {
  uint32_t id = 0;
  metrics::Series series;
};
void put_series(std::string& out, uint32_t id, const metrics::Series& series);
// Checks the limits of a batch: lengths, UTF-8, sorted and unique labels. `own`: numbers must have kOwnSeries.
Result<std::vector<NumberedSeries>> decode_series(std::string_view payload, bool own);
// What is wrong with a series; empty: nothing.
std::string fault_of(const metrics::Series& series);

// Encodes everything before the points, which follow as they are in memory.
void put_tick_head(std::string& out, const metrics::Tick& tick);
// Decodes a tick; the returned points are a view into the payload.
Result<std::string_view> decode_tick(std::string_view payload, metrics::Tick& head);

enum class Verdict : uint32_t { kUnchanged = 0, kChanged = 1, kDropped = 2 };
struct ResultHead {
  Verdict verdict{};
  uint32_t count = 0;    // number of points
  uint32_t dropped = 0;  // points that were removed, even if others were added
};
// Encodes everything before the points.
void put_result_head(std::string& out, const ResultHead& head);
Result<ResultHead> decode_result(std::string_view payload, std::vector<metrics::Point>& points);

struct LogLine {
  uint32_t level = 0;  // 0 debug, 1 info, 2 warning, 3 error
  std::string text;
  std::string encode() const;
  static Result<LogLine> decode(std::string_view payload);
};

// Makes a foreign text safe for a log: truncated, valid UTF-8, no control characters.
std::string tame(std::string_view text);

}  // namespace monitor::plugin_wire
