"""A minimal Debian with systemd as its first process, in namespaces: its own processes, mounts, network, host name and control
groups. Units run there as they do on a host, with every restriction. Needs root and debootstrap.

Systems are unpacked below $MONITOR_MACHINES (default: /var/tmp/monitor-machines), which also keeps the archive of each base
system for the next run."""
import glob
import hashlib
import os
import re
import shutil
import subprocess
import time

FOLDER = os.environ.get("MONITOR_MACHINES", "/var/tmp/monitor-machines")
MIRROR = os.environ.get("DEBIAN_MIRROR", "http://deb.debian.org/debian")
CLEAN = ["env", "-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C.UTF-8", "DEBIAN_FRONTEND=noninteractive"]
# Run as the first process of the namespaces, until systemd takes its place.
BOOT = r"""
set -e
root=$0
mount --make-rprivate /
mount --bind "$root" "$root"
mount -t proc proc "$root/proc"
mount -t sysfs -o ro sysfs "$root/sys"
mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup"
mount -t tmpfs -o mode=755 tmpfs "$root/dev"
for device in null zero full random urandom tty; do
  touch "$root/dev/$device"
  mount --bind "/dev/$device" "$root/dev/$device"
done
mkdir "$root/dev/pts" "$root/dev/shm"
mount -t devpts -o newinstance,ptmxmode=0666 devpts "$root/dev/pts"
mount -t tmpfs tmpfs "$root/dev/shm"
ln -s pts/ptmx "$root/dev/ptmx"
ln -s /proc/self/fd "$root/dev/fd"
for i in 0 1 2; do ln -s "/proc/self/fd/$i" "$root/dev/std$(echo in out err | cut -d' ' -f$((i + 1)))"; done
mount -t tmpfs -o mode=755 tmpfs "$root/run"
hostname machine
ip link set lo up
cd "$root"
mkdir -p .host
pivot_root . .host
umount -l /.host
# As on a host: mounts that systemd prepares for a unit must appear outside of the process that prepares them.
mount --make-rshared /
exec env -i container=test PATH=/usr/sbin:/usr/bin:/sbin:/bin /lib/systemd/systemd --log-target=journal --show-status=no
"""


def call(*command, **options):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace", **options)
    if done.returncode != 0:
        raise AssertionError(f"{' '.join(map(str, command))}: status {done.returncode}\n{done.stdout[-4000:]}")
    return done.stdout


def copy_from_host(root):
    """The settings of apt and the certificates, so that apt works behind a proxy too."""
    for path in ("/etc/resolv.conf", "/etc/apt/apt.conf.d", "/etc/apt/auth.conf.d", "/etc/ssl/certs/ca-certificates.crt"):
        target = root + path
        if os.path.isdir(path):
            shutil.copytree(path, target, dirs_exist_ok=True, ignore=shutil.ignore_patterns("docker-*"))
        elif os.path.exists(path):
            os.makedirs(os.path.dirname(target), exist_ok=True)
            shutil.copyfile(path, target)


def dependencies(packages):
    """The packages of Debian that these depend on."""
    found = set()
    for path in packages:
        for field in ("Depends", "Pre-Depends"):
            text = call("dpkg-deb", "-f", path, field)
            found.update(re.match(r"\s*(\S+)", one).group(1) for one in text.split(",") if one.strip())
    return sorted(name for name in found if not name.startswith("monitor"))


def base(suite, packages, extra=()):
    """The archive of a minimal system with what the packages depend on and what `extra` names, and none of these packages."""
    wanted = dependencies(packages) + ["procps", *extra]
    os.makedirs(FOLDER, exist_ok=True)
    plain = f"{FOLDER}/{suite}.tar"
    ready = f"{FOLDER}/{suite}-{hashlib.sha256(' '.join(wanted).encode()).hexdigest()[:12]}.tar"
    if os.path.exists(ready):
        return ready
    root = f"{FOLDER}/{suite}.new"
    shutil.rmtree(root, ignore_errors=True)
    if os.path.exists(plain):
        os.makedirs(root)
        call("tar", "-C", root, "-xf", plain)
    else:
        call("debootstrap", "--variant=minbase", "--include=ca-certificates,systemd,systemd-sysv,dbus", suite, root, MIRROR)
        call("tar", "-C", root, "-cf", plain + ".new", ".")
        os.rename(plain + ".new", plain)
    copy_from_host(root)
    call("unshare", "--mount", "--pid", "--fork", "sh", "-ec",
         'mount -t proc proc "$0/proc"; chroot "$0" apt-get update -qq; '
         'chroot "$0" apt-get install -y -qq --no-install-recommends "$@"', root, *wanted,
         env={**os.environ, "DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C"})
    call("tar", "-C", root, "-cf", ready + ".new", ".")
    os.rename(ready + ".new", ready)
    shutil.rmtree(root)
    return ready


class Machine:
    """Boots when it is made; close() ends it and removes its files."""

    def __init__(self, suite, packages, extra=()):
        self.root = f"{FOLDER}/{suite}-{os.getpid()}"
        shutil.rmtree(self.root, ignore_errors=True)
        os.makedirs(self.root)
        call("tar", "-C", self.root, "-xf", base(suite, packages, extra))
        # A machine of its own id, without the units that need a console.
        for path, text in (("etc/machine-id", ""), ("etc/hosts", "127.0.0.1 localhost machine\n"), ("etc/hostname", "machine\n")):
            with open(os.path.join(self.root, path), "w", encoding="utf-8") as file:
                file.write(text)
        for unit in ("console-getty", "systemd-firstboot", "getty@tty1", "systemd-networkd", "systemd-resolved"):
            link = f"{self.root}/etc/systemd/system/{unit}.service"
            if os.path.lexists(link):
                os.unlink(link)
            os.symlink("/dev/null", link)
        self.group = f"{self._group_root()}/monitor-test-{suite}-{os.getpid()}"
        os.makedirs(self.group)
        self.outer = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", "sh", "-ec", 'echo $$ >"$1/cgroup.procs"; shift; exec "$@"', "sh", self.group, "unshare", "--mount", "--pid", "--uts",
             "--ipc", "--net", "--cgroup", "--fork", "--kill-child", "bash", "-c", BOOT, self.root],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.first = self._wait_for_boot()

    @staticmethod
    def _group_root():
        for path in ("/sys/fs/cgroup", "/sys/fs/cgroup/unified"):
            if os.path.exists(f"{path}/cgroup.procs") and os.path.exists(f"{path}/cgroup.controllers"):
                return path
        raise AssertionError("no cgroup2 is mounted at /sys/fs/cgroup; systemd cannot run here")

    def _wait_for_boot(self):
        end = time.monotonic() + 60
        while time.monotonic() < end:
            if self.outer.poll() is not None:
                raise AssertionError("the machine did not boot: " + self.outer.stdout.read().decode(errors="replace")[-2000:])
            children = subprocess.run(["pgrep", "-P", str(self.outer.pid)], capture_output=True, text=True).stdout.split()
            if children:
                with open(f"/proc/{children[0]}/comm", encoding="utf-8") as file:
                    booted = file.read().strip() == "systemd"
                state = self._state(children[0]) if booted else ""
                if state in ("running", "degraded"):
                    return children[0]
            time.sleep(0.1)
        raise AssertionError("systemd is not up after 60 s")

    @staticmethod
    def _state(pid):
        done = subprocess.run(["nsenter", "-t", pid, "-a", *CLEAN, "systemctl", "is-system-running"], capture_output=True, text=True)
        return done.stdout.strip()

    def close(self):
        self.outer.kill()  # with --kill-child, the first process of the namespaces ends too, and with it all others
        self.outer.wait()
        end = time.monotonic() + 30
        while True:
            try:
                for path in sorted(glob.glob(self.group + "/**/", recursive=True), key=len, reverse=True):
                    os.rmdir(path)
                break
            except OSError:  # its processes are still ending
                if time.monotonic() > end:
                    raise
                time.sleep(0.05)
        shutil.rmtree(self.root)

    def run(self, *command, check=True):
        """Runs a command inside as root, and returns its output."""
        done = subprocess.run(["nsenter", "-t", self.first, "-a", *CLEAN, *command], stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace", timeout=180)
        if check and done.returncode != 0:
            raise AssertionError(f"{' '.join(command)}: status {done.returncode}\n{done.stdout[-4000:]}")
        return done.stdout

    def sh(self, script, check=True):
        return self.run("sh", "-ec", script, check=check)

    def write(self, path, text, mode=0o644):
        target = self.root + path
        os.makedirs(os.path.dirname(target), exist_ok=True)
        with open(target, "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(target, mode)

    def read(self, path):
        with open(self.root + path, encoding="utf-8") as file:
            return file.read()

    def exists(self, path):
        return os.path.lexists(self.root + path)

    def property(self, unit, name):
        return self.run("systemctl", "show", "-P", name, unit).strip()

    def journal(self, unit):
        return self.run("journalctl", "-u", unit, "--no-pager", "-o", "cat")
