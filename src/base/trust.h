// Checks whether files and folders may be trusted: no other user can have put anything into them, or can change them.
// "Other" excludes this process's effective user, and root, who can do anything.
//
// A folder is trusted if this user or root owns it, nobody else may write to it, and nobody else can replace it: its
// ancestors belong to this user or root, and an ancestor that all may write to is sticky, as /tmp is. A sticky folder
// that all may write to is trusted too if an ancestor lets nobody else through (a tmpfs mounted in a private folder).
// Group-writable ancestors are allowed: whoever creates such a folder trusts the group. Thread-safe.
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

// Reads a file that holds a secret or grants rights: it must belong to this user or root, and nobody else may write to
// it. Logs a warning if everybody may read it. kNotFound if it does not exist.
Result<std::string> read_secret_file(const std::string& path, size_t max_bytes, const std::string& what,
                                     uid_t self = geteuid());
// Only the warning, for files that a library reads, such as private keys.
void warn_if_world_readable(const std::string& path, const std::string& what);

}  // namespace monitor
