#include "bin/init/installed.h"

#include <algorithm>

#include "bin/common/help.h"
#include "doctor/env_file.h"

namespace monitor {

namespace {

constexpr size_t kMaxBytes = size_t{256} * 1024;
constexpr std::string_view kTrue[] = {"true", "1", "yes", "on"};

}  // namespace

std::string credential_of_service(const std::string& service, const std::string& name) {
  return "/run/credentials/" + service + ".service/" + name;
}

std::string stored_credential(const std::string& service, const std::string& name) {
  return std::string(kCredentialStore) + "/" + service + "." + name;
}

Result<Installed> Installed::read(Disk& disk, const std::string& root) {
  Installed installed;
  for (const char* const name : {"agent", "server", "analysis"}) {
    const std::string path = root + kOptionsFolder + "/monitor-" + name;
    const auto text = disk.read_file(path, kMaxBytes);
    if (!text && text.error().code() == Code::kNotFound) continue;
    if (!text) return text.error();
    auto values = doctor::parse_env_file(*text);
    if (!values) return values.error().with_context(path);
    installed.files_.push_back(path);
    installed.values_.merge(*values);
  }
  return installed;
}

std::string Installed::value(const std::string& program, const std::string& option) const {
  const auto found = values_.find(upper_with_underscores("monitor-" + program + "-" + option));
  if (found == values_.end()) return "";
  const std::string service = "monitor-" + program;
  const std::string credentials = credential_of_service(service, "");
  if (!found->second.starts_with(credentials)) return found->second;
  return stored_credential(service, found->second.substr(credentials.size()));
}

bool Installed::flag(const std::string& program, const std::string& option) const {
  const std::string text = value(program, option);
  return std::ranges::find(kTrue, text) != std::end(kTrue);
}

}  // namespace monitor
