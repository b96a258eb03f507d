// Opens files below a folder by relative path, and never outside of it: neither through "..", nor through absolute
// paths or symbolic links. Links that stay below the folder are followed (a Kubernetes ConfigMap consists of such
// links). Uses openat2(2) (Linux 5.6); if that is missing or forbidden, it walks the path with one descriptor for each
// folder, with the same result. Thread-safe.
#pragma once

#include <sys/types.h>

#include <string>

#include "base/disk.h"
#include "base/result.h"

namespace monitor {

// Opens the folder itself. `path` may contain links, because it comes from a trusted operator. kNotFound if it does not
// exist.
Result<Fd> open_folder(const std::string& path);

enum class Resolver { kKernel, kWalk };

// `flags` and `mode` as for open(2); with O_NOFOLLOW the last segment must not be a link. `root_path` is for errors.
// kPermissionDenied: the path leads outside. kFailedPrecondition: too many links, or a link where none is allowed.
Result<Fd> open_beneath(int root, const std::string& root_path, const std::string& path, int flags, mode_t mode = 0,
                        Resolver resolver = Resolver::kKernel);

// Opens the parent folder of `path` below the root, creating missing folders (0700).
Result<Fd> make_folder_beneath(int root, const std::string& root_path, const std::string& path);

}  // namespace monitor
