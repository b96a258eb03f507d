#include "inputs/proc/net_topology.h"

#include <linux/if_arp.h>

#include <algorithm>
#include <array>
#include <functional>
#include <set>

#include "base/text.h"

namespace monitor::agent {

namespace {

using Interfaces = std::map<std::string, NetFacts>;

// Values of /sys/class/net/X/type for interfaces whose packets travel inside those of another interface.
constexpr std::array<int64_t, 8> kTunnelTypes = {ARPHRD_PPP,   ARPHRD_TUNNEL, ARPHRD_TUNNEL6, ARPHRD_SIT,
                                                 ARPHRD_IPGRE, ARPHRD_IP6GRE, ARPHRD_NONE,    ARPHRD_RAWIP};
constexpr std::array<int64_t, 3> kMonitorTypes = {ARPHRD_IEEE80211, ARPHRD_IEEE80211_PRISM, ARPHRD_IEEE80211_RADIOTAP};
// Values of DEVTYPE= in /sys/class/net/X/uevent, for tunnels whose type is that of Ethernet.
constexpr std::array<std::string_view, 7> kTunnelKinds = {"vxlan",     "geneve", "gretap", "bareudp",
                                                          "wireguard", "ppp",    "gtp"};

template <typename Value, typename Values>
bool is_one_of(const Value& value, const Values& values) {
  return std::ranges::find(values, value) != values.end();
}

int64_t number_in(const std::string& path) { return parse_i64(trim(first_line(path))).value_or(-1); }

std::string last_part(const std::string& path) { return path.substr(path.rfind('/') + 1); }

const NetFacts* find(const Interfaces& all, const std::string& name) {
  const auto found = all.find(name);
  return found == all.end() ? nullptr : &found->second;
}

// True for the kernel's name (net/devlink) of a switch port in a card that belongs to a physical, virtual or
// sub-function, such as "c1pf0vf2": controller, then physical function, then virtual or sub-function. The uplink is
// "p0".
bool names_a_function(std::string_view port) {
  const auto take = [&port](std::string_view prefix) {
    if (!port.starts_with(prefix)) return false;
    const size_t end = std::min(port.find_first_not_of("0123456789", prefix.size()), port.size());
    if (end == prefix.size()) return false;
    port.remove_prefix(end);
    return true;
  };
  take("c");
  if (!take("pf")) return false;
  if (!take("vf")) take("sf");
  return port.empty();
}

// Of two interfaces with devices that carry the same bytes, selects the one that counts all of them.
bool counts_among_physical(const std::string& name, const NetFacts& facts, const Interfaces& all) {
  if (!facts.has_device || facts.is_monitor || facts.is_representor) return false;
  const NetFacts* const master = find(all, facts.master);
  if (master != nullptr && master->has_device) return false;
  return std::ranges::none_of(facts.lowers, [&](const std::string& lower) {
    const NetFacts* const below = find(all, lower);
    return below != nullptr && below->has_device && below->master != name;
  });
}

bool is_master_of_any(const std::string& name, const Interfaces& all) {
  return std::ranges::any_of(all, [&](const auto& entry) { return entry.second.master == name; });
}

bool lies_on_another(const std::string& name, const NetFacts& facts, const Interfaces& all) {
  if (facts.is_bridge || facts.is_bridge_port || is_master_of_any(name, all)) return true;
  if (std::ranges::any_of(facts.lowers, [&](const std::string& lower) { return all.contains(lower); })) return true;
  if (!facts.has_master) return false;
  // Members of a bond, a team or a VRF count instead of it. Ports of a bridge do not: others have counted their bytes.
  const NetFacts* const master = find(all, facts.master);
  return master == nullptr || master->is_bridge;
}

// Removes the names for which `leave_out` is true, unless none would remain.
void narrow(std::set<std::string>& names, const std::function<bool(const std::string&)>& leave_out) {
  std::set<std::string> rest;
  for (const std::string& name : names) {
    if (!leave_out(name)) rest.insert(name);
  }
  if (!rest.empty()) names = std::move(rest);
}

// If both ends of a veth are in this namespace, one receives what the other sends, so only the older end counts. (The
// index of a peer in another namespace may equal the index of an interface here. Comparing both directions avoids most
// confusions.)
bool is_younger_end(const NetFacts& facts, const std::set<std::string>& names, const Interfaces& all) {
  return std::ranges::any_of(names, [&](const std::string& name) {
    const NetFacts& other = all.at(name);
    return other.index > 0 && other.index < facts.index && other.index == facts.peer && other.peer == facts.index;
  });
}

std::set<std::string> chosen_without_devices(const Interfaces& all) {
  std::set<std::string> names;
  for (const auto& [name, facts] : all) {
    if (!facts.is_loopback) names.insert(name);
  }
  const std::set<std::string> everything = names;
  std::erase_if(names, [&](const std::string& name) { return lies_on_another(name, all.at(name), all); });
  // All interfaces are ports of bridges, so only the bridges are left to count.
  if (names.empty()) {
    names = everything;
    narrow(names, [&](const std::string& name) { return !all.at(name).is_bridge; });
  }
  narrow(names, [&](const std::string& name) { return all.at(name).is_tunnel; });
  const std::set<std::string> candidates = names;
  narrow(names, [&](const std::string& name) { return is_younger_end(all.at(name), candidates, all); });
  return names;
}

}  // namespace

NetRoles net_roles(const std::map<std::string, NetFacts>& interfaces) {
  NetRoles roles;
  bool any = false;
  for (const auto& [name, facts] : interfaces) {
    const bool counts = !facts.is_loopback && counts_among_physical(name, facts, interfaces);
    any = any || counts;
    roles[name] = {!facts.is_loopback, counts};
  }
  if (any) return roles;
  for (const std::string& name : chosen_without_devices(interfaces)) roles[name].in_sum = true;
  return roles;
}

NetFacts NetTopology::read_facts(const std::string& name) const {
  NetFacts facts;
  const std::string folder = folder_ + name + "/";
  const auto entries = folder_entries(folder);
  facts.has_folder = !entries.empty();
  const auto has = [&](std::string_view entry) { return is_one_of(entry, entries); };
  const int64_t type = has("type") ? number_in(folder + "type") : -1;
  facts.is_loopback = type == ARPHRD_LOOPBACK || (type == -1 && name == "lo");
  facts.is_monitor = is_one_of(type, kMonitorTypes);
  facts.has_device = has("device");
  facts.is_representor = has("phys_port_name") && names_a_function(first_line(folder + "phys_port_name"));
  facts.is_bridge = has("bridge");
  facts.is_bridge_port = has("brport");
  facts.is_tunnel = has("tun_flags") || is_one_of(type, kTunnelTypes);
  facts.has_master = has("master");
  if (facts.has_master) facts.master = last_part(link_target(folder + "master"));
  for (const std::string& entry : entries) {
    if (entry.starts_with("lower_")) facts.lowers.push_back(entry.substr(6));
  }
  if (facts.has_device) return facts;
  facts.index = has("ifindex") ? number_in(folder + "ifindex") : 0;
  facts.peer = has("iflink") ? number_in(folder + "iflink") : 0;
  const std::string kind = has("uevent") ? first_line(folder + "uevent") : "";
  if (kind.starts_with("DEVTYPE="))
    facts.is_tunnel = facts.is_tunnel || is_one_of(std::string_view(kind).substr(8), kTunnelKinds);
  return facts;
}

void NetTopology::refresh(const std::vector<InterfaceLine>& lines, uint64_t shape, int64_t mono_ns) {
  if (!freshness_.stale(shape, lines.size(), mono_ns)) return;
  Interfaces all;
  for (const InterfaceLine& line : lines) {
    std::string name(line.name);
    NetFacts facts = read_facts(name);
    all.emplace(std::move(name), std::move(facts));
  }
  roles_ = net_roles(all);
}

ThroughputCounter::Role NetTopology::role(std::string_view name) {
  key_.assign(name);
  const auto found = roles_.find(key_);
  return found == roles_.end() ? ThroughputCounter::Role{} : found->second;
}

}  // namespace monitor::agent
