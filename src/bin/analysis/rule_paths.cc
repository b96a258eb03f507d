#include "bin/analysis/rule_paths.h"

#include <glob.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <utility>

#include "base/log.h"
#include "rules/rule_folder.h"

namespace monitor {

namespace {

namespace fs = std::filesystem;

constexpr std::streamsize kMostBytes = (std::streamsize{4} << 20) + 1;  // one more than the parser takes

Result<std::vector<std::string>> files_of(const std::string& path) {
  std::error_code fault;
  if (!fs::is_directory(path, fault)) return std::vector<std::string>{path};
  return rules::list_rule_files(path);
}

}  // namespace

Result<std::string> read_rule_text(const std::string& path) {
  std::error_code fault;
  if (fs::is_directory(path, fault)) return Error(Code::kInvalidArgument, path + " is a folder, expected a file");
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  if (!file) return errno_error(errno, "reading " + path);
  std::string text(static_cast<size_t>(kMostBytes), '\0');
  file.read(text.data(), kMostBytes);
  if (file.bad()) return errno_error(errno, "reading " + path);
  text.resize(static_cast<size_t>(file.gcount()));
  return text;
}

Result<std::vector<LoadedRules>> load_rule_paths(const std::vector<std::string>& paths) {
  std::vector<LoadedRules> loaded;
  for (const std::string& path : paths) {
    const auto files = files_of(path);
    if (!files) return files.error();
    if (files->empty()) return Error(Code::kNotFound, "the folder " + path + " has no *.yml or *.yaml files");
    for (const std::string& file : *files) {
      auto text = read_rule_text(file);
      if (!text) return text.error();
      rules::RuleFile parsed = rules::parse_rule_file(*text, file);
      loaded.push_back({file, std::move(*text), std::move(parsed)});
    }
  }
  return loaded;
}

Result<std::vector<LoadedRules>> load_rule_patterns(const std::vector<std::string>& patterns,
                                                    const std::string& beside) {
  std::vector<std::string> paths;
  for (const std::string& pattern : patterns) {
    const std::string full = (fs::path(beside).parent_path() / pattern).string();
    glob_t found{};
    const int rc = glob(full.c_str(), 0, nullptr, &found);
    for (size_t i = 0; rc == 0 && i < found.gl_pathc; ++i) paths.emplace_back(found.gl_pathv[i]);
    globfree(&found);
    if (rc == GLOB_NOMATCH) log_warning("no file of rules matches the pattern", {{"pattern", full}});
    if (rc == GLOB_ABORTED || rc == GLOB_NOSPACE) return Error(Code::kUnavailable, "reading the files of " + full);
  }
  return load_rule_paths(paths);
}

}  // namespace monitor
