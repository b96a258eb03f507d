"""The container images that tools/package builds: their layout by the OCI specification, sizes, owners, equal files from two
builds, and their programs at work in the images' own root folders, without a container engine.

The programs run as the images' user in a root folder that has nothing else. As root, chroot changes to it; other users need user
namespaces. skopeo and umoci read the images too."""
import glob
import gzip
import hashlib
import io
import json
import os
import pty
import re
import shutil
import signal
import subprocess
import sys
import tarfile
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
from programs import BIN, ROOT, Program, ProgramTest, free_port, run  # noqa: E402

TOOL = os.path.join(ROOT, "tools", "package")
BUILD = os.environ.get("MONITOR_PACKAGE_BUILD") or os.path.dirname(BIN)
# Compressed layers.
LIMITS = {"monitor-agent": 25_000_000, "monitor": 60_000_000}
STATE = "var/lib/monitor"
VERSION = "1.2.3~rc1+4"
TIME = 1_700_000_000
# Enters a root folder as the image's user. $1: the folder, the rest: the command.
ENTER = r"""
set -e
root=$1; shift
mount --rbind /proc "$root/proc"
mount --rbind /sys "$root/sys"
mount --rbind /dev "$root/dev"
if [ "$outside" = 0 ]; then exec chroot --userspec=65532:65532 "$root" "$@"; fi
exec unshare --user --map-user=65532 --map-group=65532 --root="$root" --wd=/ "$@"
"""


def call(*command, **options):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace", **options)
    if done.returncode != 0:
        raise AssertionError(f"{' '.join(command)}: status {done.returncode}\n{done.stdout[-4000:]}")
    return done.stdout


class Image:
    """An image as its archive describes it. Reading verifies all digests and sizes."""

    def __init__(self, path):
        self.path = path
        with tarfile.open(path) as archive:
            self.files = {entry.name: archive.extractfile(entry).read() for entry in archive if entry.isfile()}
        self.index = json.loads(self.files["index.json"])
        (self.descriptor,) = self.index["manifests"]
        self.manifest = json.loads(self.blob(self.descriptor, "application/vnd.oci.image.manifest.v1+json"))
        self.config = json.loads(self.blob(self.manifest["config"], "application/vnd.oci.image.config.v1+json"))
        self.layers = [gzip.decompress(self.blob(one, "application/vnd.oci.image.layer.v1.tar+gzip"))
                       for one in self.manifest["layers"]]

    def blob(self, descriptor, media_type):
        algorithm, digest = descriptor["digest"].split(":")
        content = self.files[f"blobs/{algorithm}/{digest}"]
        assert hashlib.new(algorithm, content).hexdigest() == digest, descriptor
        assert len(content) == descriptor["size"], descriptor
        assert descriptor["mediaType"] == media_type, descriptor
        return content

    def entries(self):
        for layer in self.layers:
            with tarfile.open(fileobj=io.BytesIO(layer)) as archive:
                yield from archive

    def unpack(self, to):
        for layer in self.layers:
            with tarfile.open(fileobj=io.BytesIO(layer)) as archive:
                archive.extractall(to, numeric_owner=True)


class ImagesTest:
    """What holds for every image. Subclasses name it."""

    image = None

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix="monitor-oci-")
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        os.chmod(cls.folder, 0o755)  # the image's user passes through it
        cls.read = Image(cls.build("first"))
        cls.root = os.path.join(cls.folder, "root")
        cls.read.unpack(cls.root)
        # What a container engine adds.
        for name in ("proc", "sys", "dev"):
            os.makedirs(os.path.join(cls.root, name))
        shutil.copy("/etc/hosts", os.path.join(cls.root, "etc/hosts"))

    @classmethod
    def build(cls, name):
        out = os.path.join(cls.folder, name)
        call(TOOL, "oci", "--image", cls.image, "--build", BUILD, "--out", out, "--version", VERSION,
             env={**os.environ, "SOURCE_DATE_EPOCH": str(TIME)})
        (path,) = glob.glob(f"{out}/*.oci.tar")
        return path

    def command(self, *command):
        """The command that runs a program in the image's root folder, in a mount namespace of its own."""
        user = ["--user", "--map-root-user"] if os.geteuid() else []
        return ["unshare", *user, "--mount", "env", "-i", f"outside={os.geteuid()}", *self.read.config["config"]["Env"],
                "/bin/sh", "-c", ENTER.replace("mount ", "/bin/mount ").replace("chroot ", "/usr/sbin/chroot ")
                .replace("exec unshare", "exec /usr/bin/unshare"), "enter", self.root, *command]

    def inside(self, *command):
        return call(*self.command(*command), timeout=60)

    def start(self, *command):
        program = Program(*self.command(*command))
        self.running.append(program)
        return program

    def test_layout(self):
        read = self.read
        self.assertEqual(json.loads(read.files["oci-layout"]), {"imageLayoutVersion": "1.0.0"})
        self.assertEqual((read.index["schemaVersion"], read.manifest["schemaVersion"]), (2, 2))
        used = {read.descriptor["digest"], read.manifest["config"]["digest"], *(one["digest"] for one in read.manifest["layers"])}
        self.assertEqual({f"blobs/{one.replace(':', '/')}" for one in used},
                         {name for name in read.files if name.startswith("blobs/")}, "no blob is missing or left over")
        self.assertEqual(read.config["rootfs"], {"type": "layers", "diff_ids": [
            "sha256:" + hashlib.sha256(one).hexdigest() for one in read.layers]})
        self.assertEqual(len(read.config["history"]), len(read.layers))
        self.assertEqual(read.descriptor["platform"], {"architecture": read.config["architecture"], "os": "linux"})
        self.assertEqual(read.descriptor["annotations"]["org.opencontainers.image.ref.name"], "1.2.3-rc1-4", "valid as a tag")
        self.assertEqual(read.descriptor["annotations"]["io.containerd.image.name"], f"docker.io/library/{self.image}:latest")
        # The same image for `docker load`.
        (docker,) = json.loads(read.files["manifest.json"])
        parts = [read.manifest["config"], *read.manifest["layers"]]
        self.assertEqual([docker["Config"], *docker["Layers"]], ["blobs/" + one["digest"].replace(":", "/") for one in parts])
        self.assertIn(f"{self.image}:latest", docker["RepoTags"])

    def test_configuration(self):
        config = self.read.config["config"]
        self.assertEqual(config["User"], "65532:65532", "a number, so that Kubernetes can verify that it is not root")
        self.assertEqual(config["Volumes"], {"/" + STATE: {}})
        self.assertEqual(config["Entrypoint"], [f"/usr/bin/{self.image}"])
        labels = {name.removeprefix("org.opencontainers.image."): value for name, value in config["Labels"].items()}
        self.assertEqual(set(labels), {"title", "description", "version", "created", "licenses"})
        self.assertEqual((labels["version"], labels["created"]), (VERSION, "2023-11-14T22:13:20Z"))

    def test_size(self):
        self.assertLess(sum(one["size"] for one in self.read.manifest["layers"]), LIMITS[self.image])

    def test_files(self):
        names = set()
        for entry in self.read.entries():
            if not entry.isdir():
                self.assertNotIn(entry.name, names, "no layer replaces a file of another one")
            names.add(entry.name)
            self.assertEqual(entry.mtime, TIME, entry.name)
            if entry.issym():
                continue
            self.assertTrue(entry.isfile() or entry.isdir(), f"{entry.name} is a device or a hard link")
            self.assertEqual(entry.mode & 0o6000, 0, f"{entry.name} is setuid or setgid")
            if entry.name == "tmp":
                self.assertEqual((entry.uid, entry.mode), (0, 0o1777))
            elif entry.name == STATE:
                self.assertEqual((entry.uid, entry.gid, entry.mode), (65532, 65532, 0o700))
            else:
                self.assertEqual((entry.uid, entry.gid, entry.mode & 0o022), (0, 0, 0), f"{entry.name} can be changed")
        programs = {name for name in names if re.match(r"(usr/)?s?bin/", name)}
        self.assertEqual({name for name in programs if not name.startswith("usr/bin/monitor")}, set(), "no shell, no other program")
        folder = f"usr/share/doc/{self.image}"
        self.assertLessEqual({f"{folder}/copyright", f"{folder}/sbom.spdx.json", "etc/ssl/certs/ca-certificates.crt",
                              "usr/share/common-licenses/LGPL-2.1"}, names)
        # Each package that a file comes from is in the bill of materials, with its licence.
        known = {os.path.basename(name) for name in names if name.startswith("var/lib/dpkg/status.d/")}
        with open(os.path.join(self.root, folder, "sbom.spdx.json"), encoding="utf-8") as file:
            bill = json.load(file)
        declared = {one["name"]: one["licenseDeclared"] for one in bill["packages"]}
        self.assertLessEqual(known, set(declared))
        self.assertNotIn("NOASSERTION", declared.values(), "a library without a licence in packaging/sbom.py")
        self.assertLessEqual({f"{folder}/licenses/{package}.copyright" for package in known}, names)

    def test_contains_no_certificates_of_this_machine(self):
        with open(os.path.join(self.root, "etc/ssl/certs/ca-certificates.crt"), encoding="ascii") as file:
            present = file.read().count("BEGIN CERTIFICATE")
        self.assertEqual(present, len(glob.glob("/usr/share/ca-certificates/mozilla/*.crt")))
        self.assertGreater(present, 50)

    def test_two_builds_are_equal(self):
        with open(self.read.path, "rb") as first, open(self.build("second place"), "rb") as second:
            self.assertEqual(hashlib.sha256(first.read()).digest(), hashlib.sha256(second.read()).digest())

    def test_skopeo_and_umoci_read_it(self):
        path = self.read.path
        for source in (f"oci-archive:{path}", f"docker-archive:{path}"):
            found = json.loads(call("skopeo", "inspect", "--config", source))
            self.assertEqual(found["rootfs"], self.read.config["rootfs"], source)
        layout = os.path.join(self.folder, "layout")
        call("skopeo", "--insecure-policy", "copy", f"oci-archive:{path}", f"oci:{layout}:x")
        rootless = ["--rootless"] if os.geteuid() else []
        call("umoci", "unpack", *rootless, "--image", f"{layout}:x", os.path.join(self.folder, "bundle"))
        for entry in self.read.entries():
            self.assertTrue(os.path.lexists(os.path.join(self.folder, "bundle", "rootfs", entry.name)), entry.name)
        with open(os.path.join(self.folder, "bundle", "config.json"), encoding="utf-8") as file:
            process = json.load(file)["process"]
        self.assertEqual((process["user"]["uid"], process["args"][0]), (65532, self.read.config["config"]["Entrypoint"][0]))


class AgentImage(ImagesTest, ProgramTest):
    image = "monitor-agent"

    def test_collects_as_its_user(self):
        out = self.inside("/usr/bin/monitor-agent", "--once", "--format", "json", "--config", "/nowhere.json")
        values = [json.loads(line) for line in out.splitlines() if line.startswith("{")]
        self.assertIn("system.cpu.utilization", json.dumps(values))

    def healthy(self, *options, limit=60):
        """Runs the image's HEALTHCHECK, and returns its status and what it prints."""
        test = self.read.config["config"]["Healthcheck"]["Test"]
        self.assertEqual(test[0], "CMD")
        done = subprocess.run(self.command(*test[1:], *options), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              timeout=limit)
        return done.returncode, done.stdout

    def test_health_check_tells_a_working_agent_from_others(self):
        self.assertEqual(self.healthy()[0], 69, "no agent runs")
        folder = os.path.join(self.root, STATE, "monitor")
        os.makedirs(folder)
        if os.geteuid() == 0:
            os.chown(folder, 65532, 65532)
        agent = self.start("/usr/bin/monitor-agent", "--agent-id", "in-a-box", "--server", f"localhost:{free_port()}", "--config-dir",
                           f"/{STATE}/monitor", "--drain-timeout", "1s")
        agent.says("agent started")
        status, said = self.healthy()
        self.assertEqual(status, 0, said)
        self.assertRegex(said, r"^agent in-a-box: not delivering: .*; (1 batch waits|\d+ batches wait) in the spool\n$")
        self.assertEqual(self.healthy("--ready")[0], 1, "alive, but no server takes its batches")
        agent.send(signal.SIGSTOP)
        status, said = self.healthy("--timeout", "300ms")
        self.assertEqual(status, 1, said)
        self.assertIn("does not answer", said)
        agent.send(signal.SIGCONT)
        self.assertEqual(self.healthy()[0], 0, "it answers again")
        self.assertEqual(agent.stop(), 0)
        self.assertEqual(self.healthy()[0], 69)

    def test_measures_the_host_from_its_mounts(self):
        """The mounts of deploy/kubernetes: the host's /proc, /sys and root below /host."""
        os.makedirs(os.path.join(self.root, "host"))
        self.addCleanup(os.rmdir, os.path.join(self.root, "host"))
        configuration = os.path.join(self.root, "tmp", "agent.json")
        with open(configuration, "w", encoding="utf-8") as file:
            json.dump({"metrics": ["cpu", {"name": "filesystem", "per_filesystem": True}]}, file)
        command = self.command("/usr/bin/monitor-agent", "--once", "--format", "json", "--config", "/tmp/agent.json", "--procfs",
                               "/host/proc", "--sysfs", "/host/sys", "--rootfs", "/host")
        script = command.index("-c") + 1
        command[script] = command[script].replace("shift\n", 'shift\n/bin/mount --rbind / "$root/host"\n', 1)
        out = call(*command, timeout=60)
        (tick,) = [json.loads(line) for line in out.splitlines() if line.startswith("{")]
        shares = {one["labels"].get("system.filesystem.mountpoint"): one["value"] for one in tick["metrics"]
                  if one["name"] == "system.filesystem.utilization"}
        root = os.statvfs("/")
        used = root.f_blocks - root.f_bfree
        self.assertIn("/", shares, out)
        self.assertAlmostEqual(shares["/"], used / (used + root.f_bavail), delta=0.02)


class MonitorImage(ImagesTest, ProgramTest):
    image = "monitor"

    def test_server_agent_and_ledger_work_together(self):
        port = free_port()
        log = f"sqlite:/{STATE}/log.db"
        folder = os.path.join(self.root, STATE, "monitor")
        os.makedirs(folder)
        with open(os.path.join(folder, "defaults.json"), "w", encoding="utf-8") as file:
            json.dump({"interval": 0.1}, file)
        if os.geteuid() == 0:
            os.chown(folder, 65532, 65532)
        server = self.start("/usr/bin/monitor", "server", "--port", str(port), "--http", "off", "--log", log)
        server.says("server started")
        agent = self.start("/usr/bin/monitor", "agent", "--agent-id", "in-a-box", "--server", f"localhost:{port}", "--config-dir",
                           f"/{STATE}/monitor")
        agent.says("stream to the server established")
        agent.says("first values collected")
        self.assertEqual(agent.stop(), 0)
        out = self.inside("/usr/bin/monitor", "analysis", "ledger", "--log", log, "--format", "json")
        self.assertIn("in-a-box", out)
        self.assertEqual(server.stop(), 0)

    def test_fleet_view_finds_its_terminal(self):
        log = f"sqlite:/{STATE}/empty.db"
        server = self.start("/usr/bin/monitor", "server", "--port", "0", "--http", "off", "--log", log)
        server.says("server started")
        command = self.command("/usr/bin/monitor", "analysis", "top", "--log", log)
        command.insert(command.index("-i") + 1, "TERM=xterm")
        terminal, other = pty.openpty()
        self.addCleanup(os.close, terminal)
        top = subprocess.Popen(command, stdin=other, stdout=other, stderr=other)
        os.close(other)
        self.addCleanup(top.wait)
        self.addCleanup(top.kill)
        shown = b""
        while b"\x1b[?1049h" not in shown:  # ncurses has read the description and switches the screen
            shown += os.read(terminal, 65536)  # fails at the program's end

    def test_every_program_starts(self):
        for path in sorted(glob.glob(f"{self.root}/usr/bin/*")):
            self.assertIn("monitor", self.inside("/usr/bin/" + os.path.basename(path), "--version"))


if __name__ == "__main__":
    unittest.main()
