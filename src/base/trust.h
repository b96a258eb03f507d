// Checks that no other user can have written or can change a file or folder. "Other" excludes this process's effective
// user, and root, who can do anything.
//
// A folder is trusted if this user or root owns it, nobody else can write to it, and nobody else can replace it. For
// the last condition, its ancestors must belong to this user or root, and an ancestor that everybody can write to must
// be sticky, as /tmp is. A sticky folder that everybody can write to is trusted as well if an ancestor lets nobody else
// through (for example a tmpfs mounted in a private folder). Group-writable ancestors are allowed: whoever creates such
// a folder trusts the group. Thread-safe.
#pragma once

#include <unistd.h>

#include <string>

#include "base/disk.h"
#include "base/result.h"

namespace monitor {

// Every error (kPermissionDenied) says what to do about it. `what` names the object: "the data folder". kNotFound if
// the folder does not exist.
Status check_folder_trusted(const std::string& path, const std::string& what, uid_t self = geteuid());
// Creates the folder (0700) if missing, and checks it.
Status make_trusted_folder(Disk& disk, const std::string& path, const std::string& what);

// Reads a file that holds a secret or grants rights. It must belong to this user or root, and nobody else may have
// write permission. Logs a warning if everybody can read it. Denies memory dumps of this process (memory_dumps.h).
// kNotFound if the file does not exist.
Result<std::string> read_secret_file(const std::string& path, size_t max_bytes, const std::string& what,
                                     uid_t self = geteuid());
// The same without reading, for files that a library reads, such as private keys. An empty path and a missing file are
// good.
Status check_secret_file(const std::string& path, const std::string& what, uid_t self = geteuid());

}  // namespace monitor
