#include "inputs/proc/container_labels.h"

#include <nlohmann/json.hpp>

#include <algorithm>

#include "base/disk.h"
#include "base/text.h"
#include "inputs/proc/kernel_file.h"
#include "inputs/proc/sysfs.h"

namespace monitor::agent {

namespace {

using nlohmann::json;

constexpr size_t kMostBytes = size_t{1} << 20;
constexpr size_t kMostKey = 64;

// Keys are names of labels; the identity's own cannot be replaced.
bool is_key(std::string_view key) {
  if (key.empty() || key.size() > kMostKey || key == "container.id" || key == "k8s.pod.uid") return false;
  return std::ranges::all_of(key, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' ||
           c == '-' || c == '/';
  });
}

std::string text_of(const std::string& path) {
  PosixDisk disk;
  auto text = disk.read_file(path, kMostBytes);
  return text ? std::move(*text) : std::string();
}

json parsed(std::string_view text) { return json::parse(text, nullptr, /*allow_exceptions=*/false); }

// The inverse of Go's strconv.Quote for what labels may contain.
std::string unquoted(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 1 < text.size()) ++i;
    out += text[i];
  }
  return out;
}

void merge(metrics::Labels& into, const metrics::Labels& from) {
  for (const auto& [key, value] : from) {
    const bool known = !metrics::label_value(into, key).empty();
    if (known || into.size() < ContainerLabels::kMostLabels) metrics::set_label(into, key, sanitize_utf8(value));
  }
}

}  // namespace

metrics::Labels parse_pod_log_name(std::string_view name, std::string& id) {
  constexpr size_t kIdDigits = 64;
  constexpr std::string_view kSuffix = ".log";
  metrics::Labels labels;
  if (!name.ends_with(kSuffix) || name.size() < kSuffix.size() + kIdDigits + 1) return labels;
  name.remove_suffix(kSuffix.size());
  const std::string_view digits = name.substr(name.size() - kIdDigits);
  name.remove_suffix(kIdDigits);
  const auto parts = split(name, '_');
  if (parts.size() != 3 || !parts[2].ends_with('-') || parts[2].size() < 2) return labels;
  id = digits;
  metrics::set_label(labels, "container.name", parts[2].substr(0, parts[2].size() - 1));
  metrics::set_label(labels, "k8s.namespace.name", parts[1]);
  metrics::set_label(labels, "k8s.pod.name", parts[0]);
  return labels;
}

metrics::Labels parse_downward_labels(std::string_view text) {
  metrics::Labels labels;
  while (!text.empty() && labels.size() < ContainerLabels::kMostLabels) {
    const std::string_view line = next_line(text);
    const size_t equals = line.find("=\"");
    if (equals == std::string_view::npos || !line.ends_with('"') || line.size() < equals + 3) continue;
    const std::string_view key = line.substr(0, equals);
    const std::string_view value = line.substr(equals + 2, line.size() - equals - 3);
    if (is_key(key)) metrics::set_label(labels, "k8s.pod.label." + std::string(key), unquoted(value));
  }
  return labels;
}

std::map<std::string, metrics::Labels> parse_label_file(std::string_view text) {
  std::map<std::string, metrics::Labels> found;
  const json all = parsed(text);
  if (!all.is_object()) return found;
  for (const auto& [id, labels] : all.items()) {
    if (!labels.is_object()) continue;
    for (const auto& [key, value] : labels.items()) {
      if (!is_key(key) || !value.is_string() || found[id].size() >= ContainerLabels::kMostLabels) continue;
      metrics::set_label(found[id], key, value.get<std::string>());
    }
  }
  return found;
}

std::string parse_docker_name(std::string_view text) {
  const json all = parsed(text);
  if (!all.is_object() || !all.contains("Name") || !all.at("Name").is_string()) return {};
  const auto name = all.at("Name").get<std::string>();
  return name.starts_with('/') ? name.substr(1) : name;
}

ContainerLabels::ContainerLabels(const Roots& roots)
    : label_file_(roots.host_path("/etc/monitor-agent/container-labels.json")),
      pod_logs_(roots.host_path("/var/log/containers")),
      pods_(roots.host_path("/var/lib/kubelet/pods")),
      docker_(roots.host_path("/var/lib/docker/containers")) {}

bool ContainerLabels::refresh(int64_t mono_ns, bool is_new) {
  const bool due = !read_ || mono_ns - read_at_ >= kReadEvery;
  if (!due && !is_new) return false;
  read_ = true;
  if (due) read_at_ = mono_ns;
  written_ = parse_label_file(text_of(label_file_));
  by_id_.clear();
  for (const std::string& name : folder_entries(pod_logs_)) {
    std::string id;
    auto labels = parse_pod_log_name(name, id);
    if (!labels.empty()) by_id_[id] = std::move(labels);
  }
  return due;
}

metrics::Labels ContainerLabels::of(const ContainerIdentity& container) const {
  metrics::Labels labels;
  const auto add_of = [&](const std::map<std::string, metrics::Labels>& from, const std::string& key) {
    if (const auto found = from.find(key); found != from.end()) merge(labels, found->second);
  };
  if (container.runtime == "docker") {
    const std::string name = parse_docker_name(text_of(docker_ + "/" + container.id + "/config.v2.json"));
    if (!name.empty()) metrics::set_label(labels, "container.name", sanitize_utf8(name));
  }
  add_of(by_id_, container.id);
  if (!container.pod_uid.empty()) {
    const std::string volumes = pods_ + "/" + container.pod_uid + "/volumes/kubernetes.io~downward-api";
    auto names = folder_entries(volumes);
    std::ranges::sort(names);
    for (const std::string& volume : names) {
      merge(labels, parse_downward_labels(text_of(volumes + "/" + volume + "/labels")));
    }
    add_of(written_, container.pod_uid);
  }
  add_of(written_, container.id);
  metrics::set_label(labels, "container.id", sanitize_utf8(container.id));
  if (!container.runtime.empty()) metrics::set_label(labels, "container.runtime.name", container.runtime);
  if (!container.pod_uid.empty()) metrics::set_label(labels, "k8s.pod.uid", container.pod_uid);
  return labels;
}

}  // namespace monitor::agent
