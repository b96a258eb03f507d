#include "plugins/hosted/python_files.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <map>

#include "base/crc32c.h"
#include "base/disk.h"
#include "base/text.h"

namespace monitor::agent {

namespace {

constexpr size_t kMostFiles = 1000;
constexpr size_t kMostBytes = size_t{1} << 20;
constexpr size_t kMostClasses = 100;
constexpr size_t kMostIdentifiers = 1000;
constexpr size_t kLongestName = 100;

bool starts_identifier(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool in_identifier(char c) { return starts_identifier(c) || (c >= '0' && c <= '9'); }

// The identifier at the start of the text; empty: there is none.
std::string_view identifier_of(std::string_view text) {
  if (text.empty() || !starts_identifier(text.front())) return {};
  const auto end = std::find_if_not(text.begin(), text.end(), in_identifier);
  return text.substr(0, static_cast<size_t>(end - text.begin()));
}

// The class that a line of the top level begins; empty: none.
std::string_view class_in(std::string_view line) {
  constexpr std::string_view kClass = "class ";
  if (!line.starts_with(kClass)) return {};
  line = trim(line.substr(kClass.size()));
  const std::string_view name = identifier_of(line);
  const std::string_view rest = trim(line.substr(name.size()));
  return rest.starts_with('(') || rest.starts_with(':') ? name : std::string_view();
}

void add_identifiers(std::string_view line, std::set<std::string>& into) {
  while (!line.empty() && into.size() < kMostIdentifiers) {
    const std::string_view name = identifier_of(line);
    if (!name.empty() && name.size() <= kLongestName) into.emplace(name);
    line.remove_prefix(std::max<size_t>(1, name.size()));
  }
}

struct Found {
  std::string path;
  std::string version;
  PythonText text;
  std::string fault;
};

// Files by the name by which others import them: that of the file, or of the folder for __init__.py.
using ByStem = std::multimap<std::string, Found>;

Found look_at(const std::string& path, const std::function<std::string(const std::string&)>& version_of) {
  Found found{path, version_of(path), {}, ""};
  const auto source = PosixDisk().read_file(path, kMostBytes);
  if (source) {
    found.text = read_python(*source);
  } else {
    found.fault = source.error().message();
  }
  return found;
}

void look_below(const std::filesystem::path& folder, int depth, ByStem& files,
                const std::function<std::string(const std::string&)>& version_of) {
  std::error_code error;
  std::filesystem::directory_iterator at(folder, error);
  for (; !error && at != std::filesystem::directory_iterator() && files.size() < kMostFiles; at.increment(error)) {
    const std::string name = at->path().filename().string();
    std::error_code unknown;
    if (name.starts_with('.')) continue;
    if (at->path().extension() == ".py") {
      const std::string stem = at->path().stem().string();
      files.emplace(stem == "__init__" ? folder.filename().string() : stem, look_at(at->path().string(), version_of));
    } else if (depth > 0 && at->is_directory(unknown)) {
      look_below(at->path(), depth - 1, files, version_of);
    }
  }
}

// The versions of a file and of all that it imports, directly or not.
std::string version_with_imports(const Found& of, const ByStem& files) {
  std::set<std::string> versions = {of.version};
  std::set<std::string> seen;
  std::vector<const Found*> waiting = {&of};
  while (!waiting.empty()) {
    const Found& one = *waiting.back();
    waiting.pop_back();
    for (const std::string& name : one.text.imported) {
      if (!seen.insert(name).second) continue;
      const auto [first, last] = files.equal_range(name);
      for (auto at = first; at != last; ++at) {
        versions.insert(at->second.version);
        waiting.push_back(&at->second);
      }
    }
  }
  std::string all;
  for (const std::string& one : versions) all += one + "\n";
  return fmt::format("{}/{:08x}", of.version, crc32c(all));
}

}  // namespace

PythonText read_python(std::string_view source) {
  PythonText text;
  // An import statement goes on in the next line, in parentheses or after a backslash.
  bool open = false;
  bool continued = false;
  for (const std::string_view line : split(source, '\n')) {
    if (const std::string_view name = class_in(line);
        !name.empty() && name != "BasePlugin" && name.size() <= kLongestName && text.classes.size() < kMostClasses &&
        std::find(text.classes.begin(), text.classes.end(), name) == text.classes.end()) {
      text.classes.emplace_back(name);
    }
    const std::string_view trimmed = trim(line);
    const bool begins = trimmed.starts_with("import ") || trimmed.starts_with("from ");
    if (!begins && !open && !continued) continue;
    add_identifiers(trimmed, text.imported);
    open = (open || trimmed.find('(') != std::string_view::npos) && trimmed.find(')') == std::string_view::npos;
    continued = trimmed.ends_with('\\');
  }
  return text;
}

std::string python_module_of(std::string_view name) {
  if (!name.starts_with(kPythonPrefix)) return "";
  const auto parts = split(name.substr(kPythonPrefix.size()), '.');
  if (parts.size() != 2 || identifier_of(parts[0]) != parts[0] || identifier_of(parts[1]) != parts[1]) return "";
  return parts[0].empty() || parts[1].empty() ? "" : fmt::format("{}{}", kPythonPrefix, parts[0]);
}

std::vector<PythonFile> find_python_files(const std::string& folder,
                                          const std::function<std::string(const std::string& path)>& version_of) {
  const std::string plugins = folder + std::string(kPythonFolder);
  std::vector<PythonFile> result;
  if (std::error_code error; !std::filesystem::is_directory(plugins, error)) return result;
  ByStem files;
  look_below(folder, 0, files, version_of);
  look_below(folder + "/agent", 4, files, version_of);
  look_below(folder + "/shared", 4, files, version_of);
  for (const auto& [stem, found] : files) {
    if (found.path != fmt::format("{}/{}.py", plugins, stem)) continue;
    if (stem == "base" || identifier_of(stem) != stem || stem.size() > kLongestName) continue;
    result.push_back({found.path, fmt::format("{}{}", kPythonPrefix, stem), found.text.classes,
                      version_with_imports(found, files), found.fault});
  }
  return result;
}

}  // namespace monitor::agent
