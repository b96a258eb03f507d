#include "config/history/change_record.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <utility>

#include "base/crc32c.h"
#include "base/hex.h"
#include "base/text.h"
#include "base/time_format.h"
#include "config/keys.h"

namespace monitor::config {

namespace {

using nlohmann::ordered_json;

constexpr int kVersion = 1;
constexpr int kMostDepth = 4;

constexpr std::array kKinds = std::to_array<std::pair<AuthorKind, std::string_view>>({
    {AuthorKind::kUnknown, "unknown"},
    {AuthorKind::kEtcdUser, "etcd user"},
    {AuthorKind::kPageUser, "page user"},
    {AuthorKind::kStated, "stated"},
    {AuthorKind::kSystemUser, "system user"},
    {AuthorKind::kExpiry, "expiry"},
});

std::string mark_of(std::string_view text) { return fmt::format("{:08x}-{}", crc32c(text), text.size()); }

Status check_text(std::string_view what, std::string_view text, size_t most, std::string_view allowed) {
  if (text.size() > most) {
    return Error(Code::kInvalidArgument, fmt::format("{}: {} bytes, the limit is {}", what, text.size(), most));
  }
  const bool control = std::any_of(text.begin(), text.end(), [&](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return (byte < 0x20 || byte == 0x7f) && allowed.find(c) == std::string_view::npos;
  });
  if (!valid_utf8(text) || control) {
    return Error(Code::kInvalidArgument,
                 fmt::format("{}: got {}, expected UTF-8 without control characters", what, json_quote(text)));
  }
  return {};
}

Error wrong(std::string_view field, std::string_view expected) {
  return {Code::kInvalidArgument, fmt::format("history record: {}: expected {}", field, expected)};
}

// A text field; empty if it is absent.
Result<std::string> text_of(const ordered_json& json, const char* field, size_t most) {
  const auto found = json.find(field);
  if (found == json.end()) return std::string();
  if (!found->is_string()) return wrong(field, "a string");
  auto text = found->get<std::string>();
  if (text.size() > most) return wrong(field, fmt::format("at most {} bytes, got {}", most, text.size()));
  return text;
}

Status read_note(const ordered_json& json, ChangeNote& note) {
  for (const auto& [field, into, most] :
       {std::tuple("author", &note.author, kMostAuthorBytes), std::tuple("account", &note.account, kMostAuthorBytes),
        std::tuple("why", &note.message, kMostMessageBytes), std::tuple("by", &note.command, kMostAuthorBytes)}) {
    auto text = text_of(json, field, most);
    if (!text) return text.error();
    *into = std::move(*text);
  }
  const auto kind = text_of(json, "kind", kMostAuthorBytes);
  if (!kind) return kind.error();
  const auto* const known = std::ranges::find(kKinds, *kind, &std::pair<AuthorKind, std::string_view>::second);
  note.kind = known == kKinds.end() ? AuthorKind::kUnknown : known->first;
  const auto at = text_of(json, "at", 64);
  if (!at) return at.error();
  const auto time = parse_rfc3339(*at);
  if (!time) return wrong("at", "a time as in RFC 3339");
  note.at_ns = *time;
  return {};
}

Status read_text(const ordered_json& json, ChangeRecord& record) {
  const auto text = text_of(json, "text", kMostKeptBytes);
  if (!text) return text.error();
  const auto digits = text_of(json, "hex", 2 * kMostKeptBytes);
  if (!digits) return digits.error();
  const auto mark = text_of(json, "mark", 64);
  if (!mark) return mark.error();
  const bool deleted = json.contains("deleted") && json["deleted"].is_boolean() && json["deleted"].get<bool>();
  const int forms = (json.contains("text") ? 1 : 0) + (json.contains("hex") ? 1 : 0) + (mark->empty() ? 0 : 1);
  if (forms != (deleted ? 0 : 1)) return wrong("text", "exactly one of text, hex, mark and deleted");
  if (json.contains("text")) record.text = *text;
  if (json.contains("hex")) {
    record.text = unhex(*digits);
    if (!record.text) return wrong("hex", "hexadecimal digits");
  }
  record.mark = *mark;
  return {};
}

Status read_numbers(const ordered_json& json, ChangeRecord& record) {
  if (!json.contains("number") || !json["number"].is_number_unsigned() || json["number"].get<uint64_t>() == 0 ||
      json["number"].get<uint64_t>() > kMostRecordNumber) {
    return wrong("number", fmt::format("a whole number from 1 to {}", kMostRecordNumber));
  }
  record.number = json["number"];
  if (!json.contains("found")) return {};
  if (!json["found"].is_number_unsigned() || json["found"].get<uint64_t>() > INT64_MAX) {
    return wrong("found", "a revision");
  }
  record.found = true;
  record.revision = json["found"];
  return {};
}

}  // namespace

std::string_view to_string(AuthorKind kind) {
  return std::ranges::find(kKinds, kind, &std::pair<AuthorKind, std::string_view>::first)->second;
}

std::string describe_author(const ChangeNote& note) {
  if (note.kind == AuthorKind::kExpiry) return "nobody (it expired)";
  if (note.author.empty()) return "unknown";
  if (note.kind == AuthorKind::kUnknown) return note.author;
  if (note.kind == AuthorKind::kStated && !note.account.empty()) {
    return fmt::format("{} (stated by etcd user {})", note.author, note.account);
  }
  return fmt::format("{} ({})", note.author, to_string(note.kind));
}

Status check_author(std::string_view author) {
  if (trim(author).empty()) return Error(Code::kInvalidArgument, "author: it is empty, expected a name");
  return check_text("author", author, kMostAuthorBytes, "");
}

Status check_message(std::string_view message) { return check_text("message", message, kMostMessageBytes, "\n\t"); }

bool ChangeRecord::matches(const std::optional<std::string>& current) const {
  if (!current) return deleted();
  return text ? *text == *current : !mark.empty() && mark == mark_of(*current);
}

void set_text(ChangeRecord& record, const std::optional<std::string>& text) {
  record.mark.clear();
  record.text = text;
  if (!text || text->size() <= kMostKeptBytes) return;
  record.mark = mark_of(*text);
  record.text.reset();
}

std::string to_json(const ChangeRecord& record) {
  const ChangeNote& note = record.note;
  ordered_json json = {{"v", kVersion}, {"number", record.number}, {"at", format_rfc3339(note.at_ns, 3)}};
  if (!note.author.empty()) json["author"] = note.author;
  json["kind"] = to_string(note.kind);
  if (!note.account.empty()) json["account"] = note.account;
  if (!note.message.empty()) json["why"] = note.message;
  if (!note.command.empty()) json["by"] = note.command;
  if (record.found) json["found"] = record.revision;
  if (record.deleted()) {
    json["deleted"] = true;
  } else if (!record.text) {
    json["mark"] = record.mark;
  } else if (valid_utf8(*record.text)) {
    json["text"] = *record.text;
  } else {
    json["hex"] = hex(*record.text);
  }
  return json.dump(-1, ' ', false, ordered_json::error_handler_t::replace);
}

Result<ChangeRecord> parse_record(std::string_view text) {
  if (text.size() > kMostRecordBytes) {
    return Error(Code::kInvalidArgument,
                 fmt::format("history record: {} bytes, the limit is {}", text.size(), kMostRecordBytes));
  }
  bool deep = false;
  const auto shallow = [&deep](int depth, ordered_json::parse_event_t, ordered_json&) {
    deep = deep || depth > kMostDepth;
    return depth <= kMostDepth;
  };
  const auto json = ordered_json::parse(text, shallow, false);
  if (deep || !json.is_object()) return wrong("the whole", "a flat JSON object");
  if (!json.contains("v") || !json["v"].is_number_unsigned() || json["v"].get<uint64_t>() == 0) {
    return wrong("v", fmt::format("the version, {}", kVersion));
  }
  if (json["v"].get<uint64_t>() > kVersion) {
    return Error(Code::kUnimplemented, "history record: written by a newer version of this program");
  }
  ChangeRecord record;
  if (Status read = read_numbers(json, record); !read) return read.error();
  if (Status read = read_note(json, record.note); !read) return read.error();
  if (Status read = read_text(json, record); !read) return read.error();
  return record;
}

}  // namespace monitor::config
