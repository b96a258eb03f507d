// Opens what lies below a folder, by a relative path, and never what lies outside of it: not by "..", not by an
// absolute path, not by a symbolic link on the way. Links that stay below the folder are followed (a Kubernetes
// ConfigMap is made of such). With openat2(2) the kernel sees to it (Linux 5.6); where that is missing or forbidden,
// the path is walked here, one open descriptor after the other, to the same end. Thread-safe.
#pragma once

#include <sys/types.h>

#include <string>

#include "base/disk.h"
#include "base/result.h"

namespace monitor {

// An open folder, below which files are opened. It may be reached by a link: who names it is trusted.
// kNotFound when it is not there.
Result<Fd> open_folder(const std::string& path);

enum class Resolver { kKernel, kWalk };

// `flags` and `mode` as of open(2); with O_NOFOLLOW the last segment may be no link at all. `root_path` is for errors.
// kPermissionDenied: the path leads outside; kFailedPrecondition: too many links, or a link where there may be none.
Result<Fd> open_beneath(int root, const std::string& root_path, const std::string& path, int flags, mode_t mode = 0,
                        Resolver resolver = Resolver::kKernel);

// The folder of `path` below the root, made with its parents (0700) when it is missing.
Result<Fd> make_folder_beneath(int root, const std::string& root_path, const std::string& path);

}  // namespace monitor
