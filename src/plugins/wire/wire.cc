#include "plugins/wire/wire.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstring>
#include <utility>

#include "base/text.h"

namespace monitor::plugin_wire {

namespace {

// The same as in metrics::BatchLimits: readers would reject a batch beyond them.
constexpr size_t kMaxLabels = 32;
constexpr size_t kMaxName = 256;
constexpr size_t kMaxValue = 1024;

Error invalid(std::string what) { return Error(Code::kInvalidArgument, std::move(what)); }

bool known(uint16_t type) {
  return (type >= 1 && type <= 6) || (type >= 16 && type <= 20) || (type >= 32 && type <= 35);
}

void append_packet(const Header& header, std::string_view part, std::string& out) {
  out.clear();
  out.reserve(sizeof header + part.size());
  out.append(reinterpret_cast<const char*>(&header), sizeof header);
  out.append(part);
}

}  // namespace

std::vector<std::string> packets_of(const Message& message) {
  Header header = header_of(message.type, message.instance, message.number, message.payload.size());
  std::vector<std::string> packets;
  size_t at = 0;
  do {
    const std::string_view part = std::string_view(message.payload).substr(at, kMaxPart);
    header.offset = static_cast<uint32_t>(at);
    append_packet(header, part, packets.emplace_back());
    at += part.size();
  } while (at < message.payload.size());
  return packets;
}

Header header_of(Type type, uint32_t instance, uint32_t number, size_t total) {
  Header header;
  header.type = static_cast<uint16_t>(type);
  header.instance = instance;
  header.number = number;
  header.total = static_cast<uint32_t>(total);
  return header;
}

std::string_view bytes_of(std::span<const metrics::Point> points) {
  return {reinterpret_cast<const char*>(points.data()), points.size() * sizeof(metrics::Point)};
}

bool all_below(std::span<const metrics::Point> points, size_t number) {
  static_assert(offsetof(metrics::Point, series) == 0 && offsetof(metrics::Point, reserved) == sizeof(uint32_t));
  static_assert(std::endian::native == std::endian::little);
  if (points.empty() || number == 0) return points.empty();
  // Series number and reserved field are compared as one 64-bit number: a number that is too large leaves the highest
  // bit set after the subtraction. Four comparisons are made at a time, because each would otherwise wait for the
  // previous one.
  const uint64_t most = std::min<uint64_t>(number, uint64_t{1} << 32) - 1;
  const auto over = [most](const metrics::Point& point) {
    uint64_t head = 0;
    std::memcpy(&head, &point, sizeof head);
    return (most - head) | head;
  };
  uint64_t a = 0;
  uint64_t b = 0;
  uint64_t c = 0;
  uint64_t d = 0;
  const metrics::Point* at = points.data();
  const metrics::Point* const end = at + points.size();
  for (; end - at >= 4; at += 4) {
    a |= over(at[0]);
    b |= over(at[1]);
    c |= over(at[2]);
    d |= over(at[3]);
  }
  for (; at != end; ++at) a |= over(*at);
  return ((a | b | c | d) >> 63) == 0;
}

Result<std::optional<MessageView>> Assembler::take(std::string_view packet) {
  Header header;
  if (packet.size() < sizeof header) {
    return invalid(fmt::format("a packet of {} bytes, a header has {}", packet.size(), sizeof header));
  }
  std::memcpy(&header, packet.data(), sizeof header);
  const std::string_view part = packet.substr(sizeof header);
  if (header.magic != kMagic || header.version != kVersion || header.reserved != 0) {
    return invalid("a packet of another protocol");
  }
  if (!known(header.type)) return invalid(fmt::format("a message of unknown type {}", header.type));
  if (header.total > kMaxMessage) {
    return invalid(fmt::format("a message of {} bytes, the limit is {}", header.total, kMaxMessage));
  }
  const bool first = !open_;
  const size_t have = first ? 0 : open_->payload.size();
  const size_t expected = first ? header.total : total_;
  if (header.offset != have || header.total != expected || part.size() > header.total - have) {
    return invalid(fmt::format("a part of {} bytes at {} of {}, after {} of {}", part.size(), header.offset,
                               header.total, have, expected));
  }
  if (part.empty() && have < header.total) return invalid("an empty part of a message");
  if (first && part.size() == header.total) {
    return std::optional(MessageView{static_cast<Type>(header.type), header.instance, header.number, part});
  }
  if (first) {
    open_ = Message{static_cast<Type>(header.type), header.instance, header.number, {}};
    total_ = header.total;
  } else if (open_->type != static_cast<Type>(header.type) || open_->instance != header.instance ||
             open_->number != header.number) {
    return invalid("parts of two messages mixed");
  }
  open_->payload.append(part);
  if (open_->payload.size() < total_) return std::optional<MessageView>();
  whole_ = std::exchange(open_, std::nullopt);
  return std::optional(MessageView{whole_->type, whole_->instance, whole_->number, whole_->payload});
}

bool Reader::take(void* into, size_t size) {
  if (!ok_ || bytes_.size() < size) {
    ok_ = false;
    bytes_ = {};
    return false;
  }
  std::memcpy(into, bytes_.data(), size);
  bytes_.remove_prefix(size);
  return true;
}

std::string_view Reader::text() {
  const auto size = number<uint32_t>();
  if (!ok_ || bytes_.size() < size) {
    ok_ = false;
    bytes_ = {};
    return {};
  }
  const std::string_view text = bytes_.substr(0, size);
  bytes_.remove_prefix(size);
  return text;
}

std::string_view Reader::rest() { return std::exchange(bytes_, {}); }

void put_text(std::string& out, std::string_view text) {
  put_number(out, static_cast<uint32_t>(text.size()));
  out.append(text);
}

std::string Load::encode() const {
  std::string out;
  put_number(out, static_cast<uint32_t>(kind));
  put_text(out, name);
  put_text(out, config);
  put_text(out, source);
  put_number(out, threads);
  put_text(out, agent);
  return out;
}

Result<Load> Load::decode(std::string_view payload) {
  Reader in(payload);
  Load load;
  const auto kind = in.number<uint32_t>();
  load.name = in.text();
  load.config = in.text();
  load.source = in.text();
  load.threads = in.number<uint32_t>();
  if (in.ok() && !in.at_end()) load.agent = in.text();
  if (!in.at_end() || kind > static_cast<uint32_t>(Kind::kPython)) return invalid("damaged: load");
  load.kind = static_cast<Kind>(kind);
  return load;
}

std::string Confined::encode() const {
  std::string out;
  put_number(out, landlock);
  return out;
}

Result<Confined> Confined::decode(std::string_view payload) {
  Reader in(payload);
  Confined confined;
  confined.landlock = in.number<uint32_t>();
  if (!in.at_end()) return invalid("damaged: confined");
  return confined;
}

std::string Loaded::encode() const {
  std::string out;
  put_text(out, name);
  put_text(out, version);
  put_number(out, has_state);
  put_number(out, abi_major);
  put_number(out, abi_minor);
  return out;
}

Result<Loaded> Loaded::decode(std::string_view payload) {
  Reader in(payload);
  Loaded loaded;
  loaded.name = tame(in.text());
  loaded.version = tame(in.text());
  loaded.has_state = in.number<uint32_t>();
  loaded.abi_major = in.number<uint32_t>();
  loaded.abi_minor = in.number<uint32_t>();
  if (!in.at_end()) return invalid("damaged: loaded");
  return loaded;
}

void put_series(std::string& out, uint32_t id, const metrics::Series& series) {
  put_number(out, id);
  put_number(out, static_cast<uint8_t>(series.kind));
  put_number(out, static_cast<uint8_t>(series.integer ? 1 : 0));
  put_number(out, static_cast<int8_t>(series.exponent));
  put_number(out, static_cast<uint8_t>(series.labels.size()));
  put_text(out, series.name);
  put_text(out, series.unit);
  for (const auto& [key, value] : series.labels) {
    put_text(out, key);
    put_text(out, value);
  }
}

std::string fault_of(const metrics::Series& series) {
  const auto named = [](std::string_view text, size_t most) { return text.size() <= most && valid_utf8(text); };
  if (series.name.empty() || !named(series.name, kMaxName)) {
    return fmt::format("a name must be 1 to {} bytes of UTF-8", kMaxName);
  }
  if (!named(series.unit, kMaxName)) return fmt::format("a unit must be at most {} bytes of UTF-8", kMaxName);
  if (series.labels.size() > kMaxLabels) {
    return fmt::format("{} labels, the limit is {}", series.labels.size(), kMaxLabels);
  }
  for (size_t i = 0; i < series.labels.size(); ++i) {
    const auto& [key, value] = series.labels[i];
    if (key.empty() || !named(key, kMaxName)) {
      return fmt::format("a label's name must be 1 to {} bytes of UTF-8", kMaxName);
    }
    if (!named(value, kMaxValue)) return fmt::format("a label's value must be at most {} bytes of UTF-8", kMaxValue);
    if (i > 0 && series.labels[i - 1].first >= key) return "labels must be sorted by name, each once";
  }
  if (series.exponent < -18 || series.exponent > 18 || (!series.integer && series.exponent != 0)) {
    return "an exponent must be -18 to 18, and of a series of integers";
  }
  return "";
}

Result<std::vector<NumberedSeries>> decode_series(std::string_view payload, bool own) {
  Reader in(payload);
  std::vector<NumberedSeries> all;
  while (in.ok() && !in.at_end()) {
    NumberedSeries one;
    one.id = in.number<uint32_t>();
    const auto kind = in.number<uint8_t>();
    const auto integer = in.number<uint8_t>();
    constexpr int kSignBit = 0x80;
    one.series.exponent = (in.number<uint8_t>() ^ kSignBit) - kSignBit;  // sign extension from 8 bits
    const auto labels = in.number<uint8_t>();
    one.series.name = in.text();
    one.series.unit = in.text();
    for (size_t i = 0; in.ok() && i < labels; ++i) {
      const std::string_view key = in.text();
      one.series.labels.emplace_back(key, in.text());
    }
    if (!in.ok() || kind > 1 || integer > 1) return invalid("damaged: series");
    one.series.kind = static_cast<metrics::Kind>(kind);
    one.series.integer = integer == 1;
    const bool is_own = (one.id & kOwnSeries) != 0;
    if (is_own != own || (one.id & ~kOwnSeries) >= kMaxSeries) {
      return invalid(fmt::format("a series with the invalid number {}", one.id));
    }
    if (std::string fault = fault_of(one.series); !fault.empty()) return invalid("invalid series: " + fault);
    all.push_back(std::move(one));
  }
  if (!in.ok()) return invalid("damaged: series");
  return all;
}

void put_tick_head(std::string& out, const metrics::Tick& tick) {
  put_number(out, tick.time_ns);
  put_number(out, tick.rates_since_ns);
  put_number(out, tick.due_mono_ns);
  put_number(out, static_cast<uint64_t>(tick.points.size()));
}

Result<std::string_view> decode_tick(std::string_view payload, metrics::Tick& head) {
  Reader in(payload);
  head.time_ns = in.number<int64_t>();
  head.rates_since_ns = in.number<int64_t>();
  head.due_mono_ns = in.number<int64_t>();
  const auto count = in.number<uint64_t>();
  const std::string_view points = in.rest();
  if (in.ok() && count > kMaxPoints) {
    return invalid(fmt::format("a tick of {} points, the limit is {}", count, kMaxPoints));
  }
  if (!in.ok() || points.size() != count * sizeof(metrics::Point)) {
    return invalid(fmt::format("a tick of {} points in {} bytes", count, points.size()));
  }
  return points;
}

void put_result_head(std::string& out, const ResultHead& head) {
  put_number(out, static_cast<uint32_t>(head.verdict));
  put_number(out, head.count);
  put_number(out, head.dropped);
  put_number(out, uint32_t{0});
}

Result<ResultHead> decode_result(std::string_view payload, std::vector<metrics::Point>& points) {
  Reader in(payload);
  const auto verdict = in.number<uint32_t>();
  ResultHead head;
  head.count = in.number<uint32_t>();
  head.dropped = in.number<uint32_t>();
  const auto reserved = in.number<uint32_t>();
  const std::string_view bytes = in.rest();
  if (!in.ok() || verdict > 2 || reserved != 0) return invalid("a malformed result");
  head.verdict = static_cast<Verdict>(verdict);
  if (head.count > kMaxPoints || bytes.size() != size_t{head.count} * sizeof(metrics::Point)) {
    return invalid(fmt::format("a result of {} points in {} bytes", head.count, bytes.size()));
  }
  if (head.verdict != Verdict::kChanged && (head.count != 0 || head.dropped != 0)) {
    return invalid("points in a result that must have none");
  }
  if (head.dropped > 2 * kMaxPoints) return invalid(fmt::format("{} points dropped of a tick", head.dropped));
  points.resize(head.count);
  if (head.count > 0) std::memcpy(static_cast<void*>(points.data()), bytes.data(), bytes.size());
  return head;
}

std::string LogLine::encode() const {
  std::string out;
  put_number(out, level);
  put_text(out, std::string_view(text).substr(0, kMaxText));
  return out;
}

Result<LogLine> LogLine::decode(std::string_view payload) {
  Reader in(payload);
  LogLine line;
  line.level = std::min(in.number<uint32_t>(), 3U);
  line.text = tame(in.text());
  if (!in.at_end()) return invalid("damaged: log");
  return line;
}

std::string tame(std::string_view text) {
  std::string whole = sanitize_utf8(text.substr(0, kMaxText));
  return text.size() > kMaxText ? whole + "..." : whole;
}

}  // namespace monitor::plugin_wire
