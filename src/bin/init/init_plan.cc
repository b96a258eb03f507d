#include "bin/init/init_plan.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <cerrno>
#include <tuple>
#include <utility>

#include "base/escape.h"
#include "base/text.h"
#include "base/trust.h"
#include "bin/common/help.h"
#include "bin/init/installed.h"
#include "doctor/env_file.h"
#include "doctor/options_file.h"

namespace monitor {

namespace {

constexpr const char* kService = "monitor-agent";
constexpr size_t kMaxBytes = size_t{256} * 1024;

std::string options_path(const std::string& root) { return root + kOptionsFolder + "/" + kService; }

std::string variable(const std::string& option) { return upper_with_underscores(std::string(kService) + "-" + option); }

Result<std::optional<std::string>> read_if_there(Disk& disk, const std::string& path) {
  auto text = disk.read_file(path, kMaxBytes);
  if (text) return std::optional(std::move(*text));
  if (text.error().code() == Code::kNotFound) return std::optional<std::string>();
  return text.error();
}

// Options and credentials as they are collected.
struct Draft {
  doctor::OptionChanges options;
  struct Credential {
    std::string name;
    std::string content;
    std::string what;  // for people
  };
  std::vector<Credential> credentials;
};

constexpr const char* kSecret = "a secret, mode 0600, not shown";
constexpr const char* kCertificate = "certificates, mode 0600";

void add_option(Draft& draft, const std::string& option, const std::string& value) {
  if (!value.empty()) draft.options[variable(option)] = value;
}

void add_credential(Draft& draft, bool unit, const std::string& option, const std::string& name, std::string content,
                    const char* what) {
  add_option(draft, option, unit ? credential_of_service(kService, name) : stored_credential(kService, name));
  draft.credentials.push_back({name, std::move(content), what});
}

Status copy_credential(Disk& disk, Draft& draft, bool unit, const std::string& option, const std::string& name,
                       const std::string& file) {
  if (file.empty()) return {};
  // Everybody may read a certificate.
  const bool is_public = option.ends_with("-ca") || option.ends_with("-cert");
  auto content =
      is_public ? disk.read_file(file, kMaxBytes) : read_secret_file(file, kMaxBytes, "the file of --" + option);
  if (!content) return content.error().with_context("--" + option);
  add_credential(draft, unit, option, name, std::move(*content), is_public ? kCertificate : kSecret);
  return {};
}

Result<Draft> draft_of(Disk& disk, const InitAnswers& answers, bool unit) {
  Draft draft;
  add_option(draft, "server", answers.server);
  add_option(draft, "agent-id", answers.agent_id);
  add_option(draft, "tls-server-name", answers.server_name);
  for (const auto& [option, name, file] :
       {std::tuple{"tls-ca", "tls-ca", &answers.ca_file}, std::tuple{"tls-cert", "tls-cert", &answers.certificate_file},
        std::tuple{"tls-key", "tls-key", &answers.key_file},
        std::tuple{"etcd-password-file", "etcd-password", &answers.etcd.password_file},
        std::tuple{"etcd-ca", "etcd-ca", &answers.etcd.ca_file},
        std::tuple{"etcd-cert", "etcd-cert", &answers.etcd.certificate_file},
        std::tuple{"etcd-key", "etcd-key", &answers.etcd.key_file}}) {
    if (Status copied = copy_credential(disk, draft, unit, option, name, *file); !copied) return copied.error();
  }
  // The two ways to prove who the agent is exclude each other: what an earlier run has set for the other one goes.
  if (!answers.token.empty()) {
    for (const char* const option : {"tls-ca", "tls-cert", "tls-key"}) draft.options[variable(option)] = std::nullopt;
  } else if (!answers.ca_file.empty()) {
    draft.options[variable("join-token-file")] = std::nullopt;
  }
  if (!answers.token.empty()) {
    add_credential(draft, unit, "join-token-file", "join-token", answers.token + "\n", kSecret);
  }
  if (answers.etcd.named()) {
    add_option(draft, "etcd", answers.etcd.endpoints);
    add_option(draft, "etcd-host", answers.etcd.host);
    add_option(draft, "etcd-port", answers.etcd.port == 0 ? "" : std::to_string(answers.etcd.port));
    add_option(draft, "etcd-user", answers.etcd.user);
    add_option(draft, "etcd-insecure", answers.etcd.insecure ? "true" : "");
    // The unit's own variable names a folder, which excludes etcd.
    draft.options[variable("config-dir")] = "";
  }
  return draft;
}

Status make_parent(Disk& disk, const PlannedFile& file) {
  const std::string folder = file.path.substr(0, file.path.rfind('/'));
  struct stat info{};
  if (stat(folder.c_str(), &info) == 0) return {};
  if (Status made = disk.make_folder(folder); !made) return made;  // 0700
  constexpr mode_t kForAll = 0755;
  if (!file.hidden() && chmod(folder.c_str(), kForAll) != 0) return errno_error(errno, "chmod " + folder);
  return {};
}

}  // namespace

std::string current_option(Disk& disk, const std::string& root, const std::string& option) {
  const auto text = disk.read_file(options_path(root), kMaxBytes);
  const auto values = text ? doctor::parse_env_file(*text) : Result<std::map<std::string, std::string>>(text.error());
  if (!values) return "";
  const auto found = values->find(variable(option));
  return found == values->end() ? "" : found->second;
}

Result<InitPlan> InitPlan::make(Disk& disk, const std::string& root, bool unit, const InitAnswers& answers) {
  auto draft = draft_of(disk, answers, unit);
  if (!draft) return draft.error();
  InitPlan plan;
  for (auto& [name, content, what] : draft->credentials) {
    PlannedFile file{root + stored_credential(kService, name), std::nullopt, std::move(content), what};
    auto before = read_if_there(disk, file.path);
    if (!before) return before.error();
    file.before = std::move(*before);
    if (file.before != file.after) plan.files_.push_back(std::move(file));
  }
  PlannedFile options{options_path(root), std::nullopt, "", ""};
  auto before = read_if_there(disk, options.path);
  if (!before) return before.error();
  options.before = std::move(*before);
  auto after = doctor::edit_options(options.before.value_or(""), draft->options);
  if (!after) return after.error().with_context(options.path);
  options.after = std::move(*after);
  if (options.before.value_or("") != options.after) plan.files_.push_back(std::move(options));
  return plan;
}

std::string InitPlan::describe() const {
  std::string text;
  for (const PlannedFile& file : files_) {
    text += fmt::format("{} ({})\n", printable(file.path), file.before ? "changed" : "new");
    text += file.hidden() ? "  " + file.what + "\n"
                          : printable_lines(doctor::line_diff(file.before.value_or(""), file.after));
  }
  return text;
}

Status InitPlan::apply(Disk& disk) const {
  for (const PlannedFile& file : files_) {
    if (Status made = make_parent(disk, file); !made) return made;
    if (Status written = disk.write_file(file.path, file.after); !written) return written;
    constexpr mode_t kReadByAll = 0644;
    if (!file.hidden() && chmod(file.path.c_str(), kReadByAll) != 0) return errno_error(errno, "chmod " + file.path);
  }
  return {};
}

}  // namespace monitor
