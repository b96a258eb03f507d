#include "payload/envelope.h"

#include <fmt/format.h>

#include <array>

#include "base/text.h"

namespace monitor::payload {

namespace {

using metrics::Drop;
using metrics::Envelope;
using protowire::put_varint;
using protowire::unzigzag;
using protowire::zigzag;

constexpr size_t kMostWord = 256;       // bytes of a stage, a reason, a plugin's name
constexpr size_t kMostVersion = 64;     // bytes
constexpr uint64_t kVersionField = 64;  // a minor version and a patch have six bits
constexpr uint64_t kMostMajor = 1'000'000;
constexpr uint64_t kTenthNs = 100'000'000;

struct Counts {
  uint64_t due = 0;
  uint64_t made = 0;
};

Counts expected(uint64_t sequence, uint64_t due, const Amount& amount) {
  return {sequence * amount.ticks, due * (amount.ticks == 0 ? 0 : amount.points / amount.ticks)};
}

// "1.2.3" as one number; nothing for another text, or one that would not come back as it was.
std::optional<uint64_t> packed_version(std::string_view text) {
  std::array<uint64_t, 3> parts{};
  const auto fields = split(text, '.');
  if (fields.size() != parts.size()) return std::nullopt;
  for (size_t i = 0; i < parts.size(); ++i) {
    const auto value = parse_u64(fields[i]);
    if (!value || fmt::to_string(*value) != fields[i]) return std::nullopt;
    if (*value >= (i == 0 ? kMostMajor : kVersionField)) return std::nullopt;
    parts[i] = *value;
  }
  return (parts[0] * kVersionField + parts[1]) * kVersionField + parts[2];
}

void put_version(std::string& out, const std::string& version) {
  if (const auto packed = packed_version(version)) return put_varint(out, *packed * 2);
  put_varint(out, version.size() * 2 + 1);
  out += version;
}

std::string get_version(Cursor& in) {
  const uint64_t head = in.varint("the agent's version");
  if (head % 2 == 0) {
    const uint64_t packed = head / 2;
    return fmt::format("{}.{}.{}", packed / kVersionField / kVersionField, packed / kVersionField % kVersionField,
                       packed % kVersionField);
  }
  if (head / 2 > kMostVersion) {
    in.fail(Code::kResourceExhausted, "the agent's version",
            fmt::format("has {} bytes, the limit is {}", head / 2, kMostVersion));
    return {};
  }
  const std::string_view text = in.take(head / 2, "the agent's version");
  if (!valid_utf8(text)) in.fail(Code::kInvalidArgument, "the agent's version", "is not valid UTF-8");
  return std::string(text);
}

// In tenths of a second if it is a whole number of them, otherwise in nanoseconds.
void put_send_every(std::string& out, uint64_t ns) {
  put_varint(out, ns % kTenthNs == 0 ? ns / kTenthNs * 2 : ns << 1 | 1);
}

uint64_t get_send_every(Cursor& in) {
  const uint64_t value = in.varint("send_every");
  if (value % 2 == 1) return value / 2;
  if (value / 2 > INT64_MAX / kTenthNs) {
    in.fail(Code::kInvalidArgument, "send_every", fmt::format("is {} tenths of a second", value / 2));
    return 0;
  }
  return value / 2 * kTenthNs;
}

void put_drop(std::string& out, const Drop& drop, bool ranged) {
  put_text(out, drop.stage);
  put_text(out, drop.reason);
  put_text(out, drop.plugin);
  for (const uint64_t number : {drop.batches, drop.ticks, drop.points}) put_varint(out, number);
  if (!ranged) return;
  out += drop.incarnation;
  put_varint(out, drop.first_sequence);
  put_varint(out, drop.last_sequence);
  put_fixed(out, static_cast<uint64_t>(drop.first_time_ns), 8);
  put_fixed(out, static_cast<uint64_t>(drop.last_time_ns), 8);
}

std::string get_incarnation(Cursor& in) { return std::string(in.take(metrics::kIncarnationBytes, "an incarnation")); }

int64_t get_time(Cursor& in) { return static_cast<int64_t>(in.fixed(8, "a time")); }

Drop get_drop(Cursor& in, bool ranged) {
  Drop drop;
  drop.stage = in.text(kMostWord, "a drop's stage");
  drop.reason = in.text(kMostWord, "a drop's reason");
  drop.plugin = in.text(kMostWord, "a drop's plugin");
  drop.batches = in.varint("a drop's batches");
  drop.ticks = in.varint("a drop's ticks");
  drop.points = in.varint("a drop's points");
  if (!ranged) return drop;
  drop.incarnation = get_incarnation(in);
  drop.first_sequence = in.varint("a drop's first sequence");
  drop.last_sequence = in.varint("a drop's last sequence");
  drop.first_time_ns = get_time(in);
  drop.last_time_ns = get_time(in);
  return drop;
}

bool has_accounts(const Envelope& e) {
  return !e.counters.dropped.empty() || !e.drops.empty() || !e.ended.empty() || !e.older.empty() ||
         !e.elsewhere.empty();
}

void put_accounts(std::string& out, const Envelope& e) {
  put_varint(out, e.counters.dropped.size());
  for (const Drop& total : e.counters.dropped) put_drop(out, total, false);
  put_varint(out, e.drops.size());
  for (const Drop& drop : e.drops) put_drop(out, drop, true);
  put_varint(out, e.ended.size());
  for (const auto& end : e.ended) {
    out += end.incarnation;
    put_varint(out, end.last_sequence);
    put_fixed(out, static_cast<uint64_t>(end.last_time_ns), 8);
    put_varint(out, end.clean ? 1 : 0);
  }
  put_varint(out, e.older.size());
  for (const auto& older : e.older) {
    out += older.incarnation;
    put_varint(out, older.first_unacked);
  }
  put_varint(out, e.elsewhere.size());
  for (const auto& one : e.elsewhere) {
    out += one.incarnation;
    put_text(out, one.log);
    put_varint(out, one.first_sequence);
    put_varint(out, one.last_sequence);
  }
}

// Calls `read` for each entry of a list. Entries have bytes of their own, so the record's size bounds their number.
template <typename Read>
void get_list(Cursor& in, std::string_view what, Read&& read) {
  const uint64_t count = in.varint(what);
  for (uint64_t i = 0; in.ok() && i < count; ++i) read();
}

void get_accounts(Cursor& in, Envelope& e) {
  get_list(in, "the number of drop totals", [&] { e.counters.dropped.push_back(get_drop(in, false)); });
  get_list(in, "the number of drops", [&] { e.drops.push_back(get_drop(in, true)); });
  get_list(in, "the number of ended incarnations", [&] {
    metrics::IncarnationEnd end{.incarnation = get_incarnation(in)};
    end.last_sequence = in.varint("an ended incarnation's last sequence");
    end.last_time_ns = get_time(in);
    end.clean = in.count(1, "whether an incarnation ended in order") != 0;
    e.ended.push_back(std::move(end));
  });
  get_list(in, "the number of older incarnations", [&] {
    metrics::OlderIncarnation older{.incarnation = get_incarnation(in)};
    older.first_unacked = in.varint("an older incarnation's first sequence");
    e.older.push_back(std::move(older));
  });
  get_list(in, "the number of ranges in other logs", [&] {
    metrics::Elsewhere one{.incarnation = get_incarnation(in), .log = {}};
    one.log = in.text(metrics::Elsewhere::kMaxLogBytes, "the name of another log");
    one.first_sequence = in.varint("a range's first sequence");
    one.last_sequence = in.varint("a range's last sequence");
    e.elsewhere.push_back(std::move(one));
  });
}

void get_resource(Cursor& in, Envelope& e, const metrics::BatchLimits& limits) {
  const uint64_t count = in.count(limits.labels, "the number of resource labels");
  for (uint64_t i = 0; in.ok() && i < count; ++i) {
    const std::string_view key = in.text(limits.name_bytes, "a resource label's key");
    const std::string_view value = in.text(limits.value_bytes, "a resource label's value");
    if (in.ok() && (key.empty() || (!e.resource.empty() && key <= e.resource.back().first))) {
      in.fail(Code::kInvalidArgument, "the resource labels", "are without a key, not sorted, or not unique");
    }
    e.resource.emplace_back(key, value);
  }
}

Status check_words(const Drop& drop) {
  for (const std::string& word : {drop.stage, drop.reason, drop.plugin}) {
    if (word.size() > kMostWord || !valid_utf8(word)) {
      return Error(Code::kInvalidArgument,
                   fmt::format("payload: a drop has the word {}; words are UTF-8 of at most {} bytes",
                               json_quote(word.substr(0, kMostWord)), kMostWord));
    }
  }
  return {};
}

Status check_size(std::string_view what, const std::string& incarnation) {
  if (incarnation.size() == metrics::kIncarnationBytes) return {};
  return Error(Code::kInvalidArgument, fmt::format("payload: {} has {} bytes, expected {}", what, incarnation.size(),
                                                   metrics::kIncarnationBytes));
}

}  // namespace

Status check_envelope(const Envelope& e) {
  if (auto s = check_size("the incarnation", e.incarnation); !s) return s;
  if (e.sequence == 0) return Error(Code::kInvalidArgument, "payload: the sequence is 0, the first one is 1");
  if (e.send_every_ns > INT64_MAX) {
    return Error(Code::kInvalidArgument,
                 fmt::format("payload: send_every is {} ns, the limit is {}", e.send_every_ns, INT64_MAX));
  }
  if (e.agent_version.size() > kMostVersion) {
    return Error(Code::kResourceExhausted, fmt::format("payload: the agent's version has {} bytes, the limit is {}",
                                                       e.agent_version.size(), kMostVersion));
  }
  for (const Drop& total : e.counters.dropped) {
    if (auto s = check_words(total); !s) return s;
  }
  for (const Drop& drop : e.drops) {
    if (auto s = check_words(drop); !s) return s;
    if (auto s = check_size("a drop's incarnation", drop.incarnation); !s) return s;
  }
  for (const auto& end : e.ended) {
    if (auto s = check_size("an ended incarnation", end.incarnation); !s) return s;
  }
  for (const auto& older : e.older) {
    if (auto s = check_size("an older incarnation", older.incarnation); !s) return s;
  }
  for (const auto& one : e.elsewhere) {
    if (auto s = check_size("an incarnation with batches in another log", one.incarnation); !s) return s;
  }
  return {};
}

void put_envelope(std::string& out, const Envelope& e, const Amount& amount, uint64_t flags) {
  const Counts rule = expected(e.sequence, e.counters.ticks_due, amount);
  const uint64_t due = e.counters.ticks_due - rule.due;
  const uint64_t made = e.counters.points_made - rule.made;
  if (due != 0 || made != 0 || e.counters.ticks_missed != 0) flags |= kCounted;
  if (e.first_unacked != e.sequence) flags |= kUnacked;
  if (e.hostname != e.agent_id) flags |= kHostname;
  if (e.final_batch) flags |= kFinal;
  if (!e.resource.empty()) flags |= kResource;
  if (has_accounts(e)) flags |= kAccounts;

  constexpr size_t kShort = metrics::kIncarnationBytes / 2;
  const bool is_long = e.incarnation.find_first_not_of('\0', kShort) != std::string::npos;
  out += static_cast<char>(kVersion << 3 | kMark | (is_long ? kLongIncarnation : 0));
  out.append(e.incarnation, 0, is_long ? metrics::kIncarnationBytes : kShort);
  put_varint(out, e.sequence);
  put_varint(out, flags);
  put_varint(out, e.config_revision);
  put_version(out, e.agent_version);
  put_send_every(out, e.send_every_ns);
  if ((flags & kUnacked) != 0) put_varint(out, zigzag(static_cast<int64_t>(e.sequence - e.first_unacked)));
  if ((flags & kCounted) != 0) {
    put_varint(out, zigzag(static_cast<int64_t>(due)));
    put_varint(out, e.counters.ticks_missed);
    put_varint(out, zigzag(static_cast<int64_t>(made)));
  }
  if ((flags & kHostname) != 0) put_text(out, e.hostname);
  if ((flags & kResource) != 0) {
    put_varint(out, e.resource.size());
    for (const auto& [key, value] : e.resource) {
      put_text(out, key);
      put_text(out, value);
    }
  }
  if ((flags & kAccounts) != 0) put_accounts(out, e);
}

uint64_t get_envelope(Cursor& in, Envelope& e, const metrics::BatchLimits& limits) {
  const uint64_t head = in.fixed(1, "the first byte");
  if (in.ok() && ((head & kMark) != kMark || head >> 3 != kVersion)) {
    in.fail(Code::kUnimplemented, "the first byte",
            fmt::format("0x{:02x} is no payload of version {}", head, kVersion));
  }
  e.incarnation = in.take((head & kLongIncarnation) != 0 ? metrics::kIncarnationBytes : metrics::kIncarnationBytes / 2,
                          "the incarnation");
  e.incarnation.resize(metrics::kIncarnationBytes);
  e.sequence = in.varint("the sequence");
  if (in.ok() && e.sequence == 0) in.fail(Code::kInvalidArgument, "the sequence", "is 0, the first one is 1");
  const uint64_t flags = in.varint("the flags");
  if ((flags & ~kKnownFlags) != 0) {
    in.fail(Code::kUnimplemented, "the flags", fmt::format("{:#x} has bits that this version does not know", flags));
  }
  e.config_revision = in.varint("the revision of the configuration");
  e.agent_version = get_version(in);
  e.send_every_ns = get_send_every(in);
  e.first_unacked = e.sequence;
  if ((flags & kUnacked) != 0) e.first_unacked -= static_cast<uint64_t>(in.zigzag("the first unacknowledged sequence"));
  if ((flags & kCounted) != 0) {
    e.counters.ticks_due = static_cast<uint64_t>(in.zigzag("the ticks due"));
    e.counters.ticks_missed = in.varint("the ticks missed");
    e.counters.points_made = static_cast<uint64_t>(in.zigzag("the points made"));
  }
  e.hostname = (flags & kHostname) != 0 ? std::string(in.text(limits.value_bytes, "the host name")) : e.agent_id;
  e.final_batch = (flags & kFinal) != 0;
  if ((flags & kResource) != 0) get_resource(in, e, limits);
  if ((flags & kAccounts) != 0) get_accounts(in, e);
  return in.ok() ? flags : 0;
}

void settle_counters(Envelope& e, const Amount& amount) {
  e.counters.ticks_due += expected(e.sequence, 0, amount).due;
  e.counters.points_made += expected(e.sequence, e.counters.ticks_due, amount).made;
}

}  // namespace monitor::payload
