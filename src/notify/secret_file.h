// Secrets of receivers: passwords, tokens and URLs that grant something, each in a file of its own.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "notify/config.h"

namespace monitor::notify {

// Reads a secret, without its line end. This user or root must own the file; group and others may neither read nor
// write it. Errors name `key` and the file, and never its content.
Result<std::string> read_secret(const std::string& path, const std::string& key);

// The files with secrets that an integration names, as pairs of key and path.
std::vector<std::pair<std::string, std::string>> secret_files_of(const Integration& integration);

}  // namespace monitor::notify
