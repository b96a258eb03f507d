// ChangeRecord: what the history remembers of one change to a document: who made it, when, why, and the text after it.
// The text before it is that of the record with the previous number. Pure functions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace monitor::config {

enum class AuthorKind {
  kUnknown,     // changed by a program that records nothing (etcdctl, an editor)
  kEtcdUser,    // the user that etcd has authenticated
  kPageUser,    // a user of the web page
  kStated,      // --author: stated, and not verified
  kSystemUser,  // the operating system's user who ran monitor-config, and its host
  kExpiry,      // nobody: an override ended by itself
};
std::string_view to_string(AuthorKind kind);  // "etcd user"

inline constexpr size_t kMostAuthorBytes = 200;
inline constexpr size_t kMostMessageBytes = 2000;

// Who changes a document, when and why.
struct ChangeNote {
  std::string author;  // empty: unknown
  AuthorKind kind = AuthorKind::kUnknown;
  std::string account;  // with kStated: the user that etcd has authenticated, if any
  std::string message;  // why; empty: not said
  std::string command;  // what wrote it: "set", "apply", "page"
  int64_t at_ns = 0;    // Unix time, by the author's clock
};

// For people: `alice (etcd user)`, `bob (stated by etcd user ci)`, `unknown`. Not escaped.
std::string describe_author(const ChangeNote& note);

// Checks an author or a message from a command line. kInvalidArgument: too long, not UTF-8, control characters other
// than newlines and tabs in a message.
Status check_author(std::string_view author);
Status check_message(std::string_view message);

struct ChangeRecord {
  uint64_t number = 0;  // from 1, in the order of the changes to this document
  ChangeNote note;
  // The change was made without a record, and was noticed at note.at_ns.
  bool found = false;
  int64_t revision = 0;  // with `found`: that of the document if it exists; else the record was written with the change
  std::optional<std::string> text;  // nothing: the document was deleted, or `mark` is set
  std::string mark;                 // identifies a text that was too large to keep

  bool deleted() const { return !text && mark.empty(); }
  // True if this is the text after the change (nothing: no document).
  bool matches(const std::optional<std::string>& current) const;
};

// Texts above this are not kept, only their mark. Documents that programs write are smaller.
inline constexpr size_t kMostKeptBytes = size_t{256} * 1024;
// Size of a record as JSON: escaping doubles ordinary text, and hexadecimal digits double the rest.
inline constexpr size_t kMostRecordBytes = size_t{2} * 1024 * 1024;

// Sets the text, or its mark if it is too large.
void set_text(ChangeRecord& record, const std::optional<std::string>& text);

// One line of JSON.
std::string to_json(const ChangeRecord& record);
// From untrusted text. kInvalidArgument names the field; kUnimplemented: written by a newer version of this program.
Result<ChangeRecord> parse_record(std::string_view json);

}  // namespace monitor::config
