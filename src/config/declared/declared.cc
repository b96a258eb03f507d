#include "config/declared/declared.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <filesystem>
#include <optional>

#include "base/text.h"
#include "config/document.h"
#include "config/keys.h"

namespace monitor::config {

namespace {

namespace fs = std::filesystem;
using nlohmann::ordered_json;

constexpr std::string_view kEnding = ".json";
constexpr size_t kShown = 200;
constexpr size_t kMostFaults = 100;
constexpr std::string_view kPlaces = "expected defaults.json, groups/GROUP.json or config/AGENT.json";
// Other parts of a configuration in files.
constexpr std::array<std::string_view, 9> kOtherParts = {"status",  "inventory",     "overrides", "plugins", "rules",
                                                         "history", "notifications", "silences",  "leases"};

// Of "defaults.json", "groups/web.json"; nothing for other paths.
std::optional<std::string> key_of_relative(std::string_view path) {
  if (!path.ends_with(kEnding)) return std::nullopt;
  path.remove_suffix(kEnding.size());
  if (path == "defaults") return defaults_key();
  const size_t slash = path.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  const std::string_view name = path.substr(slash + 1);
  if (!valid_name(name)) return std::nullopt;
  if (path.substr(0, slash) == "groups") return group_key(name);
  if (path.substr(0, slash) == "config") return agent_key(name);
  return std::nullopt;
}

class FolderReader {
 public:
  FolderReader(Disk& disk, std::string folder) : disk_(disk), folder_(std::move(folder)) {}

  Result<Declared> read() {
    auto names = list("");
    if (!names) return names.error();
    for (const std::string& name : *names) read_top(name);
    if (faults_ > kMostFaults) found_.faults.push_back(fmt::format("and {} more", faults_ - kMostFaults));
    return std::move(found_);
  }

 private:
  void fault(const std::string& path, const std::string& what) {
    if (++faults_ <= kMostFaults) found_.faults.push_back(fmt::format("{}/{}: {}", folder_, path, what));
  }

  // Names in a folder, sorted. The folder is opened by its path: a link that leads out is found when a file is read.
  Result<std::vector<std::string>> list(const std::string& path) {
    std::vector<std::string> names;
    const std::string whole = path.empty() ? folder_ : folder_ + "/" + path;
    std::error_code error;
    fs::directory_iterator at(whole, error);
    for (; !error && at != fs::directory_iterator(); at.increment(error)) {
      names.push_back(at->path().filename().string());
      if (names.size() > kMostDeclared) {
        return Error(Code::kResourceExhausted, fmt::format("listing {}: more than {} entries", whole, kMostDeclared));
      }
    }
    if (error) return errno_error(error.value(), "listing " + whole);
    std::ranges::sort(names);
    return names;
  }

  bool is_folder(const std::string& path) const {
    std::error_code ignored;
    return fs::is_directory(folder_ + "/" + path, ignored);
  }

  void read_top(const std::string& name) {
    if (name.starts_with('.')) return;
    if (!is_folder(name)) {
      read_file(name);
      return;
    }
    if (std::ranges::find(kOtherParts, name) != kOtherParts.end()) return;
    const auto names = list(name);
    if (!names) {
      fault(name, names.error().message());
      return;
    }
    const bool known = name == "groups" || name == "config";
    for (const std::string& inner : *names) {
      if (inner.starts_with('.')) continue;
      const std::string path = name + "/" + inner;
      // Folders of other kinds may be anything, such as documentation; one with documents is misspelled.
      if (!is_folder(path)) {
        read_file(path);
      } else if (known) {
        fault(path, fmt::format("it is a folder; {}", kPlaces));
      }
    }
  }

  void read_file(const std::string& path) {
    if (!path.ends_with(kEnding)) return;
    const auto key = key_of_relative(path);
    if (!key) {
      fault(sanitize_utf8(path.substr(0, kShown)), fmt::format("not the place of a document; {}", kPlaces));
      return;
    }
    auto text = disk_.read_beneath(folder_, path, kMaxDocumentBytes);
    if (!text) {
      fault(path, text.error().message());
      return;
    }
    found_.places[*key] = folder_ + "/" + path;
    found_.documents[*key] = std::move(*text);
  }

  Disk& disk_;
  const std::string folder_;
  Declared found_;
  size_t faults_ = 0;
};

Error no_bundle(const std::string& name, const std::string& what) {
  return {Code::kInvalidArgument,
          fmt::format("{}: {}; expected an object with defaults, groups and config, as `monitor-config export` prints "
                      "it. A single document needs --agent-id, --group or --defaults, or a path such as "
                      "groups/web.json",
                      name, what)};
}

void add_document(Declared& declared, const std::string& key, const ordered_json& document, const std::string& name) {
  declared.documents[key] = document.dump(4, ' ', false, ordered_json::error_handler_t::replace) + "\n";
  declared.places[key] = name;
}

Status add_named(Declared& declared, const std::string& part, const ordered_json& documents, const std::string& name) {
  if (!documents.is_object()) return no_bundle(name, part + " is not an object");
  for (const auto& [one, document] : documents.items()) {
    if (!valid_name(one)) {
      return no_bundle(name, fmt::format("{} names {}, which is not 1 to 128 of [A-Za-z0-9._-]", part,
                                         json_quote(one.substr(0, kShown))));
    }
    add_document(declared, part == "groups" ? group_key(one) : agent_key(one), document, name);
  }
  return {};
}

// Parses with the limits of a document, except for its size: two levels more, and no names twice.
Result<ordered_json> parse_strictly(std::string_view text, const std::string& name) {
  if (text.size() > kMostBundleBytes) {
    return Error(Code::kInvalidArgument,
                 fmt::format("{}: {} bytes, the limit is {}", name, text.size(), kMostBundleBytes));
  }
  bool deep = false;
  std::string twice;
  std::vector<std::vector<std::string>> names;
  const auto watch = [&](int depth, ordered_json::parse_event_t event, ordered_json& value) {
    using Event = ordered_json::parse_event_t;
    deep = deep || depth > static_cast<int>(kMaxDocumentDepth) + 2;
    if (event == Event::object_start) names.emplace_back();
    if (event == Event::object_end && !names.empty()) {
      std::ranges::sort(names.back());
      const auto same = std::ranges::adjacent_find(names.back());
      if (same != names.back().end()) twice = *same;
      names.pop_back();
    }
    if (event == Event::key && !names.empty()) names.back().push_back(value.get<std::string>());
    return !deep;
  };
  auto json = ordered_json::parse(text, watch, false);
  if (deep) return no_bundle(name, "it is nested too deeply");
  if (!twice.empty())
    return no_bundle(name, fmt::format("the name {} is there twice", json_quote(twice.substr(0, kShown))));
  if (!json.is_object()) return no_bundle(name, "it is not a JSON object");
  return json;
}

}  // namespace

std::string key_of_path(const std::string& path) {
  const fs::path whole(path);
  const std::string file = whole.filename().string();
  if (file == "defaults.json") return defaults_key();
  return key_of_relative(whole.parent_path().filename().string() + "/" + file).value_or("");
}

std::string declared_path(const std::string& key) { return key.substr(kKeyRoot.size()).append(kEnding); }

Result<Declared> read_declared_folder(Disk& disk, const std::string& folder) {
  return FolderReader(disk, folder).read();
}

Result<Declared> parse_bundle(std::string_view text, const std::string& name) {
  const auto json = parse_strictly(text, name);
  if (!json) return json.error();
  Declared declared;
  for (const auto& [part, value] : json->items()) {
    if (part == "defaults") {
      add_document(declared, defaults_key(), value, name);
    } else if (part == "groups" || part == "config") {
      if (Status added = add_named(declared, part, value, name); !added) return added.error();
    } else {
      return no_bundle(name, fmt::format("it has {}", json_quote(part.substr(0, kShown))));
    }
  }
  return declared;
}

std::string bundle_of(const std::map<std::string, std::string>& documents, std::vector<std::string>& left_out) {
  ordered_json bundle = ordered_json::object();
  for (const KeyKind kind : {KeyKind::kDefaults, KeyKind::kGroup, KeyKind::kAgent}) {
    for (const auto& [key, text] : documents) {
      if (kind_of_key(key) != kind) continue;
      if (!Document::parse(text)) {
        left_out.push_back(key);
        continue;
      }
      auto document = ordered_json::parse(text);
      const std::string name(name_of_key(key));
      if (kind == KeyKind::kDefaults) {
        bundle["defaults"] = std::move(document);
      } else {
        bundle[kind == KeyKind::kGroup ? "groups" : "config"][name] = std::move(document);
      }
    }
  }
  return bundle.dump(4) + "\n";
}

}  // namespace monitor::config
