// Recognizes containers by the paths of their control groups, as the runtimes name them. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace monitor::agent {

struct ContainerIdentity {
  std::string id;  // 64 hexadecimal digits; a name for LXC and systemd-nspawn
  std::string
      runtime;  // "docker", "containerd", "cri-o", "podman", "lxc", "systemd-nspawn"; empty: the path does not say
  std::string pod_uid;  // of Kubernetes; empty: in no pod

  bool operator==(const ContainerIdentity&) const = default;
};

// `path`: the folder of a control group below the hierarchy's mount point, such as
// "/system.slice/docker-1f2e....scope". Nothing if it is not itself the group of a container: a group above or inside
// one, or a runtime's helper (conmon).
std::optional<ContainerIdentity> container_of(std::string_view path);

}  // namespace monitor::agent
