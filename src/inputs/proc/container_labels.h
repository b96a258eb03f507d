// Names and labels of containers, from files: no runtime is asked, so the agent needs none of their sockets.
//
//   /etc/monitor-agent/container-labels.json   {"ID or pod UID": {"key": "value"}}, for whoever wants to write it
//   /var/log/containers/POD_NAMESPACE_NAME-ID.log   links of the kubelet
//   /var/lib/kubelet/pods/UID/volumes/kubernetes.io~downward-api/VOLUME/labels   downward files: key="value"
//   /var/lib/docker/containers/ID/config.v2.json    "Name", readable by root only
//
// Paths are those of the observed host. Files that are missing or malformed give no labels. Not thread-safe.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "inputs/proc/container_path.h"
#include "inputs/proc/roots.h"
#include "metrics/series.h"

namespace monitor::agent {

// The name and the namespace of a container in a pod, from the name of its log: "web-0_shop_nginx-1f2e....log". Without
// labels if the name has another form. `id`: gets the container's id.
metrics::Labels parse_pod_log_name(std::string_view name, std::string& id);
// The lines key="value" of a downward file, as k8s.pod.label.KEY.
metrics::Labels parse_downward_labels(std::string_view text);
// The labels of a file of labels, by id or pod UID. Empty if it is malformed.
std::map<std::string, metrics::Labels> parse_label_file(std::string_view text);
// The name of a container in Docker's config.v2.json; empty if there is none.
std::string parse_docker_name(std::string_view text);

class ContainerLabels {
 public:
  static constexpr size_t kMostLabels = 16;  // of a container, beyond those of its identity
  static constexpr int64_t kReadEvery = 30'000'000'000;

  explicit ContainerLabels(const Roots& roots);

  // Reads what is shared by all containers again, at most every 30 s or if `is_new`: a container has appeared. Returns
  // whether 30 s have passed, so that labels of known containers should be asked for again.
  bool refresh(int64_t mono_ns, bool is_new);
  // All labels of a container, those of its identity included.
  metrics::Labels of(const ContainerIdentity& container) const;

 private:
  std::string label_file_;
  std::string pod_logs_;
  std::string pods_;
  std::string docker_;
  bool read_ = false;
  int64_t read_at_ = 0;
  std::map<std::string, metrics::Labels> by_id_;    // the kubelet's links
  std::map<std::string, metrics::Labels> written_;  // the file of labels
};

}  // namespace monitor::agent
