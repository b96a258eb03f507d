#include "bin/agent_folders.h"

#include <utility>

#include "base/answer_within.h"
#include "base/disk.h"
#include "base/log.h"
#include "base/trust.h"
#include "bin/agent_parts.h"

namespace monitor {

namespace {

constexpr int64_t kFolderAnswers = 2 * kNanosPerSecond;

// Checks that nobody else controls the folder. A folder that is missing, hangs, or is not a folder is not an error
// here: its user reports it (a spool, for example, continues in memory).
Status trust_if_there(const std::string& folder, const std::string& what) {
  const auto trusted =
      answer_within<Status>(kFolderAnswers, [folder, what] { return check_folder_trusted(folder, what); });
  if (!trusted) {
    log_warning("folder does not respond; it will be checked when it is read", {{"folder", folder}});
    return {};
  }
  return !*trusted && trusted->error().code() != Code::kPermissionDenied ? Status() : *trusted;
}

}  // namespace

Status trust_documents(const AgentFlags& flags, const std::string& data) {
  return trust_if_there(agent_config_folder(flags, data), "the configuration's folder");
}

Status trust_folders(const AgentFlags& flags, const std::string& data, const std::string& own_folder) {
  PosixDisk disk;
  for (const std::string& folder : {data, data + "/agent", own_folder}) {
    if (Status made = make_trusted_folder(disk, folder, "the data folder"); !made) return made;
  }
  const std::string spool = flags.spool.where.empty() ? own_folder + "/spool" : flags.spool.where;
  for (const auto& [folder, what] :
       {std::pair{spool, "the spool's folder"}, {data + "/plugins", "the plugins' folder"}}) {
    if (const Status trusted = trust_if_there(folder, what); folder != "memory" && !trusted) return trusted;
  }
  if (const Status trusted = trust_documents(flags, data); !trusted) return trusted;
  if (flags.plugin_dir.empty()) return {};
  if (const Status trusted = trust_if_there(flags.plugin_dir, "the plugins' folder"); !trusted) {
    log_warning("the plugin folder is writable by others", {{"reason", trusted.error()}});
  }
  return {};
}

}  // namespace monitor
