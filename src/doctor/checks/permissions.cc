// Checks whether only the right users can change our folders and read our secrets.
#include <fmt/format.h>
#include <sys/stat.h>

#include "doctor/checks.h"

namespace monitor::doctor {

namespace {

constexpr uint32_t kOthersWrite = S_IWGRP | S_IWOTH;

Finding judge_secret(const Context& context, const SecretFile& file) {
  const std::string name = fmt::format("{} {}", file.what, file.path);
  const auto facts = context.host.look(file.path);
  if (!facts) {
    if (facts.error().code() == Code::kNotFound && !file.required) return skipped(name + " does not exist");
    return fail(fmt::format("{}: {}", name, facts.error().message()),
                "create it with mode 0600, or correct the option");
  }
  if (facts->link) return ok(name + " is a link; its target decides who may read it");
  if (!facts->regular) return fail(name + " is not a file", "name a regular file with mode 0600");
  if (facts->owner != 0 && facts->owner != context.host.user() && context.host.user() != 0) {
    return fail(fmt::format("{} belongs to user {}", name, facts->owner),
                "chown it to the user of the programs, or to root");
  }
  if ((facts->mode & kOthersWrite) != 0) {
    return fail(fmt::format("{} may be written by others (mode {:04o})", name, facts->mode), "chmod 0600 " + file.path);
  }
  if ((facts->mode & S_IROTH) != 0) {
    return fail(fmt::format("{} may be read by every user (mode {:04o})", name, facts->mode),
                fmt::format("chmod 0600 {}, and replace the secret: it may be known already", file.path));
  }
  if ((facts->mode & S_IRGRP) != 0) {
    return warn(fmt::format("{} may be read by its group (mode {:04o})", name, facts->mode), "chmod 0600 " + file.path);
  }
  return ok(fmt::format("{}: mode {:04o}", name, facts->mode));
}

Finding judge_folder(const Context& context, const Folder& folder) {
  const std::string name = fmt::format("{} {}", folder.what, folder.path);
  const Status trusted = context.host.folder_trusted(folder.path, folder.what);
  if (!trusted) {
    if (trusted.error().code() == Code::kNotFound) return skipped(name + " does not exist");
    return fail(trusted.error().message(), "follow the advice of the text, or name another folder");
  }
  const auto facts = context.host.look(folder.path);
  if (facts && !facts->link && (facts->mode & (S_IRWXG | S_IRWXO)) != 0) {
    return warn(fmt::format("{} may be read by others (mode {:04o})", name, facts->mode), "chmod 0700 " + folder.path);
  }
  return ok(name + ": only its owner may change it");
}

Findings run(const Context& context) {
  Findings findings;
  for (const Folder& folder : context.setup.folders) findings.push_back(judge_folder(context, folder));
  for (const SecretFile& file : context.setup.secrets) findings.push_back(judge_secret(context, file));
  return findings;
}

}  // namespace

const Check kPermissionsCheck = {"permissions", "who may change our folders, and read files with secrets", run};

}  // namespace monitor::doctor
