#include "bin/config/author.h"

#include <pwd.h>
#include <unistd.h>

#include "base/text.h"
#include "bin/common/cli.h"

namespace monitor {

namespace {

std::string system_user() {
  const passwd* const entry = getpwuid(geteuid());  // NOLINT(concurrency-mt-unsafe): one thread
  const std::string name = entry == nullptr ? "uid " + std::to_string(geteuid()) : entry->pw_name;
  return name + "@" + host_name();
}

}  // namespace

Result<config::ChangeNote> note_of(const AuthorFlags& flags, const std::string& etcd_user, const std::string& command) {
  config::ChangeNote note;
  note.message = flags.message;
  note.command = command;
  if (!flags.author.empty()) {
    note.author = flags.author;
    note.kind = config::AuthorKind::kStated;
    note.account = etcd_user;
  } else if (!etcd_user.empty()) {
    note.author = etcd_user;
    note.kind = config::AuthorKind::kEtcdUser;
  } else {
    note.author = sanitize_utf8(system_user()).substr(0, config::kMostAuthorBytes);
    note.kind = config::AuthorKind::kSystemUser;
  }
  if (!flags.author.empty()) {
    if (Status good = config::check_author(flags.author); !good) return good.error().with_context("--author");
  }
  if (Status good = config::check_message(flags.message); !good) return good.error().with_context("--message");
  return note;
}

}  // namespace monitor
