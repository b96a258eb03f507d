#include "rules/rule_folder.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <system_error>

#include "base/clock.h"
#include "rules/yaml_tree.h"

namespace monitor::rules {

namespace {

// A folder may be that of all configuration.
constexpr size_t kMostFiles = 1'000;

bool is_rule_file(const std::filesystem::path& path) {
  return (path.extension() == ".yml" || path.extension() == ".yaml") && !path.filename().string().starts_with('.');
}

}  // namespace

Result<std::vector<std::string>> list_rule_files(const std::string& folder) {
  std::vector<std::string> files;
  std::error_code code;
  auto at = std::filesystem::directory_iterator(folder, code);
  for (; !code && at != std::filesystem::directory_iterator(); at.increment(code)) {
    if (!is_rule_file(at->path())) continue;
    if (files.size() >= kMostFiles) {
      return Error(Code::kResourceExhausted,
                   fmt::format("rules: {} has more than {} files, which is the limit", folder, kMostFiles));
    }
    files.push_back(at->path().string());
  }
  if (code) return errno_error(code.value(), "rules: listing " + folder);
  std::ranges::sort(files);
  return files;
}

RuleFolder::Mark RuleFolder::mark_of(const std::string& path) {
  struct stat info{};
  if (stat(path.c_str(), &info) != 0) return {};
  return {.device = info.st_dev,
          .inode = info.st_ino,
          .size = info.st_size,
          .changed_ns = info.st_ctim.tv_sec * kNanosPerSecond + info.st_ctim.tv_nsec};
}

Result<RuleFolder::Marks> RuleFolder::marks() {
  Marks found;
  for (const std::string& path : paths_) {
    std::error_code code;
    if (std::filesystem::is_directory(path, code)) {
      folders_.insert(path);
    } else if (!folders_.contains(path)) {
      found.emplace(path, mark_of(path));
      continue;
    }
    const auto files = list_rule_files(path);
    if (!files) return files.error();
    for (const std::string& file : *files) found.emplace(file, mark_of(file));
    if (found.size() > kMostFiles) {
      return Error(Code::kResourceExhausted,
                   fmt::format("rules: there are more than {} files, which is the limit", kMostFiles));
    }
  }
  return found;
}

RuleTexts RuleFolder::read(const Marks& marks) const {
  RuleTexts texts;
  for (const auto& [path, mark] : marks) {
    auto text = disk_.read_file(path, YamlLimits().bytes);
    if (!text) text = text.error().with_context("rules");
    texts.emplace(path, std::move(text));
  }
  return texts;
}

std::optional<RuleTexts> RuleFolder::look() {
  auto now = marks();
  trouble_ = now ? "" : now.error().message();
  if (!now) return std::nullopt;
  const bool stable = !seen_ || *seen_ == *now;
  seen_ = *now;
  if (!stable || (read_ && *read_ == *now)) return std::nullopt;
  read_ = *now;
  return read(*now);
}

}  // namespace monitor::rules
