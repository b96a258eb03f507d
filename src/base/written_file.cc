#include "base/written_file.h"

#include <fmt/format.h>

namespace monitor {

Status check_written_file(const struct stat& info, const std::string& path, bool alone, uid_t self) {
  if (!S_ISREG(info.st_mode)) {
    return Error(Code::kFailedPrecondition, path + ": it is not a regular file; remove it");
  }
  if (info.st_uid != 0 && info.st_uid != self) {
    return Error(Code::kPermissionDenied,
                 fmt::format("{}: it belongs to user {}, who may have put it there; move it away, or chown it", path,
                             info.st_uid));
  }
  if (alone && info.st_nlink > 1) {
    return Error(Code::kFailedPrecondition,
                 path + ": it has another name (a hard link), and would be overwritten; remove it");
  }
  return {};
}

}  // namespace monitor
