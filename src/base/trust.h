// Whether files and folders may be trusted: nobody else can have put something into them, or can change them. "Else" is
// any user but this process's effective one and root, who can do everything anyway.
//
// A folder is trusted when it belongs to this user or root, nobody else may write to it, and nobody else can put
// another in its place: the folders above it belong to this user or root, too, and one that all may write to is sticky,
// as /tmp is. A sticky folder that all may write to is trusted, too, where a folder above lets nobody else through (a
// tmpfs that is mounted in one's own folder). Groups may write to those above: who makes a group's folder there trusts
// the group. Thread-safe.
#pragma once

#include <unistd.h>

#include <string>

#include "base/disk.h"
#include "base/result.h"

namespace monitor {

// What a person does about it is in the message of every error (kPermissionDenied). `what` names it: "the data folder".
// A folder that is not there is kNotFound.
// `self` is this process's user.
Status check_folder_trusted(const std::string& path, const std::string& what, uid_t self = geteuid());
// Makes the folder (0700) when it is missing, and checks it.
Status make_trusted_folder(Disk& disk, const std::string& path, const std::string& what);

// A file with a secret, or one that grants rights: belongs to this user or root, and nobody else may write to it. Logs
// a warning when all may read it. kNotFound when it is missing.
Result<std::string> read_secret_file(const std::string& path, size_t max_bytes, const std::string& what,
                                     uid_t self = geteuid());
// The warning alone, for files that a library reads: keys of certificates.
void warn_if_world_readable(const std::string& path, const std::string& what);

}  // namespace monitor
