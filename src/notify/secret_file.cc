#include "notify/secret_file.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <cerrno>

#include "base/trust.h"

namespace monitor::notify {

namespace {

constexpr size_t kMaxSecretBytes = size_t{64} << 10;

}  // namespace

Result<std::string> read_secret(const std::string& path, const std::string& key) {
  struct stat info{};
  if (stat(path.c_str(), &info) != 0) return errno_error(errno, key + ": " + path);
  if ((info.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
    return Error(Code::kPermissionDenied,
                 fmt::format("{}: {} has the mode {:04o}, expected 0600: others can read the secret; chmod 600 it", key,
                             path, info.st_mode & 07777U));
  }
  auto text = read_secret_file(path, kMaxSecretBytes, key + " " + path);
  if (!text) return text;
  while (text->ends_with('\n') || text->ends_with('\r')) text->pop_back();
  if (text->empty()) return Error(Code::kInvalidArgument, fmt::format("{}: {} is empty", key, path));
  if (text->find_first_of(std::string_view("\r\n\0", 3)) != std::string::npos) {
    return Error(Code::kInvalidArgument, fmt::format("{}: {} has more than one line", key, path));
  }
  return text;
}

std::vector<std::pair<std::string, std::string>> secret_files_of(const Integration& integration) {
  std::vector<std::pair<std::string, std::string>> files;
  const HttpSettings& http = integration.http;
  const char* const password = integration.kind == Kind::kEmail ? "auth_password_file" : "password_file";
  for (const auto& [key, path] : {std::pair{"url_file", http.url_file},
                                  {password, http.password_file},
                                  {"credentials_file", http.bearer_file},
                                  {"key_file", http.tls.key_file}}) {
    if (!path.empty()) files.emplace_back(key, path);
  }
  return files;
}

}  // namespace monitor::notify
