// Room for the spool and the data.
#include <fmt/format.h>

#include <set>

#include "base/size_format.h"
#include "doctor/checks.h"

namespace monitor::doctor {

namespace {

constexpr uint64_t kFailBelow = uint64_t{64} << 20;
constexpr uint64_t kWarnBelow = uint64_t{1} << 30;  // an agent's spool may take so much by default
constexpr double kWarnShare = 0.05;

Finding judge(const std::string& name, const DiskRoom& room) {
  const std::string text = fmt::format("{}: {} of {} free on {}", name, format_size(room.free_bytes),
                                       format_size(room.total_bytes), room.type.empty() ? "its disk" : room.type);
  if (room.read_only)
    return fail(name + " is on a read-only file system", "mount it read-write, or name another folder");
  if (room.free_bytes < kFailBelow) {
    return fail(text + ", limit 64 MiB", "free some space; until then the agent keeps batches in memory only");
  }
  if (room.total_inodes > 0 && room.free_inodes < 100) {
    return fail(fmt::format("{}: {} free inodes, limit 100", name, room.free_inodes),
                "remove small files; until then no program can create one");
  }
  if (room.type == "tmpfs" || room.type == "ramfs") {
    return warn(text + ": its files do not survive a reboot", "name a folder on a disk (--data, --spool)");
  }
  const bool small = static_cast<double>(room.free_bytes) < kWarnShare * static_cast<double>(room.total_bytes);
  if (room.free_bytes < kWarnBelow && small) {
    return warn(text + ", less than 5 %", "free some space, or lower --spool-max, --history-max and --retention");
  }
  return ok(text);
}

Findings run(const Context& context) {
  Findings findings;
  std::set<std::string> seen;
  for (const Folder& folder :
       {Folder{context.setup.data, "the data folder"}, Folder{context.setup.spool, "the spool"}}) {
    if (folder.path.empty() || !seen.insert(folder.path).second) continue;
    const std::string name = folder.what + " " + folder.path;
    const auto room = context.host.room(folder.path);
    if (room) {
      findings.push_back(judge(name, *room));
    } else if (room.error().code() == Code::kNotFound) {
      findings.push_back(skipped(name + " does not exist yet"));
    } else {
      findings.push_back(fail(room.error().message(), "run this as the user of the programs, or as root"));
    }
  }
  return findings;
}

}  // namespace

const Check kDiskSpaceCheck = {"disk-space", "free space and inodes of the data folder and the spool", run};

}  // namespace monitor::doctor
