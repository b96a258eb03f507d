#include "inputs/proc/container_path.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/text.h"

namespace monitor::agent {

namespace {

constexpr size_t kIdDigits = 64;

bool is_hex(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}
bool is_id(std::string_view text) { return text.size() == kIdDigits && is_hex(text); }

bool take_suffix(std::string_view& text, std::string_view suffix) {
  if (!text.ends_with(suffix)) return false;
  text.remove_suffix(suffix.size());
  return true;
}
bool take_prefix(std::string_view& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return false;
  text.remove_prefix(prefix.size());
  return true;
}

// A UUID, or the 32 digits of a static pod.
bool is_pod_uid(std::string_view text) {
  if (text.size() == 32) return is_hex(text);
  if (text.size() != 36) return false;
  for (size_t i = 0; i < text.size(); ++i) {
    const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
    if (dash ? text[i] != '-' : !is_hex(text.substr(i, 1))) return false;
  }
  return true;
}

// "pod1f2e-..." of the driver cgroupfs, "kubepods-burstable-pod1f2e_....slice" of systemd.
std::string pod_uid_of(std::string_view folder) {
  take_suffix(folder, ".slice");
  if (!take_prefix(folder, "pod")) {
    const size_t at = folder.rfind("-pod");
    if (at == std::string_view::npos) return {};
    folder.remove_prefix(at + 4);
  }
  std::string uid(folder);
  std::ranges::replace(uid, '_', '-');
  return is_pod_uid(uid) ? uid : std::string();
}

// systemd writes other characters than letters, digits and ":_." of a unit's name as \xHH.
std::string unescaped(std::string_view text) {
  const auto digit = [](char c) { return c <= '9' ? c - '0' : c - 'a' + 10; };
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text.substr(i, 2) == "\\x" && i + 3 < text.size() && is_hex(text.substr(i + 2, 2))) {
      out += static_cast<char>(digit(text[i + 2]) * 16 + digit(text[i + 3]));
      i += 3;
    } else {
      out += text[i];
    }
  }
  return out;
}

constexpr std::array<std::pair<std::string_view, std::string_view>, 6> kPrefixes = {{{"docker-", "docker"},
                                                                                     {"cri-containerd-", "containerd"},
                                                                                     {"nerdctl-", "containerd"},
                                                                                     {"crio-", "cri-o"},
                                                                                     {"libpod-payload-", "podman"},
                                                                                     {"libpod-", "podman"}}};

// The runtime whose prefix `leaf` has, which is removed from it.
std::string_view take_runtime(std::string_view& leaf) {
  for (const auto& [prefix, runtime] : kPrefixes) {
    if (take_prefix(leaf, prefix)) return runtime;
  }
  return {};
}

std::string_view runtime_of_parent(std::string_view parent) {
  if (parent == "docker") return "docker";
  if (parent == "libpod_parent") return "podman";
  return parent == "k8s.io" ? "containerd" : "";
}

// Containers with a whole system in them, which have names.
std::optional<ContainerIdentity> system_container(std::string_view parent, std::string_view leaf) {
  const auto named = [](std::string_view name, std::string_view runtime) -> std::optional<ContainerIdentity> {
    if (name.empty()) return std::nullopt;
    return ContainerIdentity{unescaped(name), std::string(runtime), {}};
  };
  if (take_prefix(leaf, "lxc.payload.")) return named(leaf, "lxc");
  if (parent == "lxc" || parent == "lxc.payload") return named(leaf, "lxc");
  if (leaf.starts_with("systemd-nspawn@") && take_suffix(leaf, ".service")) {
    return named(leaf.substr(leaf.find('@') + 1), "systemd-nspawn");
  }
  // systemd-machined registers virtual machines as well.
  if (parent != "machine.slice" || !take_suffix(leaf, ".scope") || !take_prefix(leaf, "machine-")) return std::nullopt;
  if (leaf.starts_with("qemu\\x2d")) return std::nullopt;
  return named(leaf, leaf.starts_with("lxc\\x2d") ? "libvirt-lxc" : "systemd-nspawn");
}

}  // namespace

std::optional<ContainerIdentity> container_of(std::string_view path) {
  const auto folders = split(path, '/');
  std::string_view leaf = folders.back();
  const std::string_view parent = folders.size() > 1 ? folders[folders.size() - 2] : "";
  ContainerIdentity found;
  for (const std::string_view folder : folders) {
    if (std::string uid = pod_uid_of(folder.substr(0, folder.find(':'))); !uid.empty()) found.pod_uid = std::move(uid);
  }
  // containerd, told a path of systemd but without its driver: "kubepods-pod1f2e.slice:cri-containerd:ID".
  if (const size_t colon = leaf.rfind(':'); colon != std::string_view::npos) {
    const std::string_view before = leaf.substr(0, colon);
    const std::string prefix = std::string(before.substr(before.rfind(':') + 1)) + "-";
    std::string_view runtime_text = prefix;
    leaf.remove_prefix(colon + 1);
    if (!is_id(leaf)) return std::nullopt;
    found.runtime = take_runtime(runtime_text);
    found.id = leaf;
    return found;
  }
  std::string_view id = leaf;
  take_suffix(id, ".scope");
  found.runtime = take_runtime(id);
  if (found.runtime.empty()) found.runtime = runtime_of_parent(parent);
  if (!is_id(id)) return system_container(parent, leaf);
  found.id = id;
  return found;
}

}  // namespace monitor::agent
