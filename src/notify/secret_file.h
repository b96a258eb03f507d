// Secrets of receivers: passwords, tokens and URLs that grant something, each in a file of its own.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "notify/config.h"

namespace monitor::notify {

// Reads a file that this user or root owns, that nobody else may write, and that group and others may not read. Without
// the line end. Errors name `key` and the file, and never its content.
Result<std::string> read_secret(const std::string& path, const std::string& key);

// The files with secrets that an integration names: key and path.
std::vector<std::pair<std::string, std::string>> secret_files_of(const Integration& integration);

}  // namespace monitor::notify
