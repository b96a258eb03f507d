"""system.network.io, system.network.errors and system.network.packet.dropped, and their rates.

Source: proc_pid_net(5), net/core/net-procfs.c: after the colon, the first number of a line of /proc/net/dev is bytes
received, the third errors, the fourth dropped packets; the ninth is bytes sent, the eleventh and the twelfth as above.
The sum counts every byte once (Documentation/ABI/testing/sysfs-class-net):
  - it counts interfaces with a device (device); if none has one (in a container), it counts all, except as below;
  - not loopback (type 772 of if_arp.h);
  - not a bridge (bridge/), and not an interface on another one (lower_*): VLAN, bond, team, the ports of a DSA switch.
    An interface with a device whose lower interface is its own member (a Hyper-V interface and its virtual function,
    Documentation/networking/device_drivers/ethernet/microsoft/netvsc.rst) counts for both;
  - not the representor of a function of a card with a built-in switch (Documentation/networking/representors.rst,
    switchdev.rst: phys_port_name pfX, pfXvfY, pfXsfY, with prefix cZ for several controllers): its frames go through
    the uplink;
  - if no interface has a device: not a member of a bridge (but the members of a bond or VRF, instead of it), and not a
    tunnel, whose packets leave through another interface (by type, DEVTYPE, or tun_flags of tun.c). Of the two ends of
    a veth pair (each is the other's iflink) it counts the one with the lower ifindex, because one end receives what the
    other sends.
"""

import re

from .flows import Flow

TUNNELS = {
    "65534",
    "512",
    "768",
    "769",
    "776",
    "778",
    "823",
}  # ARPHRD_NONE, _PPP, _TUNNEL, _TUNNEL6, _SIT, _IPGRE, _IP6GRE
TUNNEL_KINDS = {"vxlan", "geneve", "wireguard", "ppp"}


def parse(text):
    """Returns name -> (bytes, errors, drops when receiving, and when sending)."""
    out = {}
    for line in (text or "").splitlines()[2:]:
        name, _, counters = line.rpartition(":")
        f = counters.split()
        if len(f) >= 9:
            numbers = [int(one) for one in f] + [0] * 16
            out[name.strip()] = tuple(numbers[i] for i in (0, 2, 3, 8, 10, 11))
    return out


class Topology:
    def __init__(self, reading, lines):
        self.reading, self.lines = reading, lines
        self.masters = {name: self.master(name) for name in lines}
        self.ends = {self.number(name, "ifindex"): self.number(name, "iflink") for name in lines}
        self.with_device = {name for name in lines if reading.exists(f"sys/class/net/{name}/device")}

    def is_loopback(self, name):
        kind = self.reading.text(f"sys/class/net/{name}/type")
        return kind.strip() == "772" if kind else name == "lo"

    def is_tunnel(self, name):
        kind = self.reading.text(f"sys/class/net/{name}/type")
        devtype = (self.reading.text(f"sys/class/net/{name}/uevent") or "").partition("DEVTYPE=")[2].partition("\n")[0]
        return (
            (kind or "").strip() in TUNNELS
            or devtype in TUNNEL_KINDS
            or self.reading.exists(f"sys/class/net/{name}/tun_flags")
        )

    def number(self, name, file):
        return int(self.reading.text(f"sys/class/net/{name}/{file}") or 0)

    def is_second_end(self, name):
        own, peer = self.number(name, "ifindex"), self.number(name, "iflink")
        return 0 < peer < own and self.ends.get(peer) == own

    def is_bridge(self, name):
        return self.reading.exists(f"sys/class/net/{name}/bridge")

    def lower(self, name):
        return [e[6:] for e in self.reading.names(f"sys/class/net/{name}") if e.startswith("lower_")]

    def master(self, name):
        """Returns the name of the interface that this one is a member of."""
        path = f"sys/class/net/{name}/master"
        return self.reading.resolve(path).rpartition("/")[2] if self.reading.exists(path) else None

    def counts(self, name):
        if self.is_loopback(name):
            return False
        if not self.with_device:
            if self.is_second_end(name):
                return False
            below = [other for other, master in self.masters.items() if master == name]
            return not (
                self.is_tunnel(name)
                or self.is_bridge(name)
                or below
                or self.lower(name)
                or self.is_bridge(self.master(name))
            )
        if name not in self.with_device or self.master(name) in self.with_device:
            return False
        port = (self.reading.text(f"sys/class/net/{name}/phys_port_name") or "").strip()
        if re.fullmatch(r"(c\d+)?pf\d+((vf|sf)\d+)?", port):
            return False
        return all(self.master(below) == name for below in self.lower(name))


class Interfaces:
    def __init__(self, chosen):
        self.flows = [
            (
                column,
                Flow(
                    chosen[s],
                    "per_interface",
                    f"system.network.{metric}.rate",
                    f"system.network.{metric}",
                    ("network__io__direction", d),
                    "network__interface__name",
                ),
            )
            for column, s, metric, d in (
                (0, "net in", "io", "receive"),
                (3, "net out", "io", "transmit"),
                (1, "net errors", "errors", "receive"),
                (4, "net errors", "errors", "transmit"),
                (2, "net errors", "packet.dropped", "receive"),
                (5, "net errors", "packet.dropped", "transmit"),
            )
            if s in chosen
        ]

    def read(self, reading, elapsed):
        lines = parse(reading.text("proc/net/dev"))
        topology = Topology(reading, lines)
        listed = {name for name in lines if not topology.is_loopback(name)}
        counted = {name for name in listed if topology.counts(name)} if self.flows else set()
        out = {}
        for column, flow in self.flows:
            out |= flow.read({name: line[column] for name, line in lines.items()}, elapsed, listed, counted)
        return out
