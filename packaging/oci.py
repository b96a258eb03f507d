"""Container images without a container engine: a folder of files becomes an archive in the OCI image layout.

An image has two layers: the libraries and what a minimal system needs, then the programs. A new version of the programs only
changes the second one. Equal inputs give equal bytes: entries are sorted, times are SOURCE_DATE_EPOCH, and owners are numbers.

The archive also has the manifest.json of `docker save`, so that `docker load` of every version reads it.
"""
import glob
import gzip
import hashlib
import io
import json
import os
import re
import shutil
import stat
import subprocess
import tarfile

import sbom

USER = 65532  # The number that distroless images call `nonroot`.
STATE = "/var/lib/monitor"
PASSWD = f"root:x:0:0:root:/root:/sbin/nologin\nmonitor:x:{USER}:{USER}:monitor:{STATE}:/sbin/nologin\n"
GROUP = f"root:x:0:\nmonitor:x:{USER}:\n"
# DNS and /etc/hosts are in the C library itself.
NSSWITCH = "passwd: files\ngroup: files\nhosts: files dns\n"
MEDIA = "application/vnd.oci.image"
SECOND = 1_000_000_000

# Package lists in packaging/deb, the program that starts, its default arguments, ports, and variables. Every image keeps its
# state in /var/lib/monitor.
IMAGES = {
    "monitor-agent": {
        "packages": ["monitor-agent"],
        "title": "monitor-agent",
        "description": "Collects the metrics of a host and streams them to a monitor-server",
        "config": {
            "Entrypoint": ["/usr/bin/monitor-agent"],
            "Env": [f"MONITOR_AGENT_DATA={STATE}"],
            "ExposedPorts": {"9465/tcp": {}},
            # The OCI specification does not have this field; Docker reads it.
            "Healthcheck": {"Test": ["CMD", "/usr/bin/monitor-agent", "health"], "Interval": 30 * SECOND,
                            "Timeout": 10 * SECOND, "StartPeriod": 30 * SECOND, "Retries": 3},
        },
    },
    "monitor": {
        "packages": ["monitor-agent", "monitor-server", "monitor-analysis", "monitor"],
        "title": "monitor",
        "description": "Server, web page, agent and tools of the monitoring system",
        "config": {
            "Entrypoint": ["/usr/bin/monitor"],
            "Cmd": ["help"],
            "Env": [f"MONITOR_{name}DATA={STATE}" for name in ("", "AGENT_", "SERVER_", "ANALYSIS_")],
            "ExposedPorts": {"8080/tcp": {}, "9464/tcp": {}, "9465/tcp": {}, "50051/tcp": {}},
        },
    },
}


def output(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True, env={**os.environ, "LC_ALL": "C"}).stdout


def architecture():
    """The machine in the names of Go, which the OCI specification uses."""
    debian = output("dpkg", "--print-architecture").strip()
    return {"armhf": "arm", "i386": "386", "ppc64el": "ppc64le"}.get(debian, debian)


def write(root, path, text):
    path = os.path.join(root, path)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


def copy(source, to):
    os.makedirs(os.path.dirname(to), exist_ok=True)
    shutil.copyfile(os.path.realpath(source), to)
    shutil.copymode(os.path.realpath(source), to)


def add_programs(package_lists, installed, to):
    """The programs and scripts of these Debian packages; no man pages and completions."""
    for package in package_lists:
        with open(os.path.join(sbom.ROOT, "packaging", "deb", package + ".install"), encoding="utf-8") as file:
            for line in file:
                path = line.strip()
                source = os.path.join(installed, path)
                if re.match(r"usr/(bin|libexec)/", path):
                    copy(source, os.path.join(to, path))
                    subprocess.run(["strip", "--strip-unneeded", os.path.join(to, path)], check=True)
                elif path == "usr/share/monitor/plugins":
                    shutil.copytree(source, os.path.join(to, path), dirs_exist_ok=True)


def add_libraries(programs, to):
    """The loader and all libraries, also those of libraries. Returns the Debian packages that they belong to."""
    found = {}
    for program in programs:
        loader = re.search(r"\[Requesting program interpreter: (\S+)\]", output("readelf", "-lW", program))
        if loader:  # not a part that a program loads
            found["usr" + loader.group(1)] = loader.group(1)
        for soname, path in sbom.resolve_libraries(program).items():
            folder = os.path.dirname(path)
            found[(folder if folder.startswith("/usr/") else "/usr" + folder).strip("/") + "/" + soname] = path
    for target, path in sorted(found.items()):
        copy(path, os.path.join(to, target))
    for folder in sorted({path.split("/")[1] for path in found}):  # usr/lib64/... is also found as /lib64/...
        os.symlink(f"usr/{folder}", os.path.join(to, folder))
    return sorted({sbom.debian_package(path) for path in found.values()})


def add_certificates(to):
    """The CAs of the package ca-certificates, without those that an administrator has added to this machine."""
    paths = sorted(glob.glob("/usr/share/ca-certificates/mozilla/*.crt"))
    if not paths:
        raise SystemExit("oci: the package ca-certificates is not installed")
    bundle = ""
    for path in paths:
        with open(path, encoding="ascii") as file:
            bundle += file.read().rstrip("\n") + "\n"
    write(to, "etc/ssl/certs/ca-certificates.crt", bundle)
    os.makedirs(os.path.join(to, "usr/lib/ssl"), exist_ok=True)
    os.symlink("/etc/ssl/certs/ca-certificates.crt", os.path.join(to, "usr/lib/ssl/cert.pem"))


def add_system(packages, to):
    """What programs expect of a system, and what scanners of vulnerabilities read."""
    write(to, "etc/passwd", PASSWD)
    write(to, "etc/group", GROUP)
    write(to, "etc/nsswitch.conf", NSSWITCH)
    copy("/usr/lib/os-release", os.path.join(to, "usr/lib/os-release"))
    os.symlink("../usr/lib/os-release", os.path.join(to, "etc/os-release"))
    add_certificates(to)
    for path in ("tmp", STATE.strip("/"), "root"):
        os.makedirs(os.path.join(to, path), exist_ok=True)
    for package in packages:
        one = sbom.facts(package)
        write(to, f"var/lib/dpkg/status.d/{package}",
              f"Package: {one['name']}\nStatus: install ok installed\nVersion: {one['version']}\n"
              f"Architecture: {one['architecture']}\nSource: {one['source']}\n"
              f"Maintainer: see https://tracker.debian.org/pkg/{one['source']}\n\n")
    shutil.copytree("/usr/share/common-licenses", os.path.join(to, "usr/share/common-licenses"), symlinks=True)


def owner_and_mode(path, information):
    """All files belong to root and nobody may change them, except the state folder."""
    if path == STATE.strip("/"):
        return USER, 0o700
    if path == "tmp":
        return 0, 0o1777
    if path == "root":
        return 0, 0o700
    if stat.S_ISDIR(information.st_mode) or information.st_mode & 0o111:
        return 0, 0o755
    return 0, 0o644


def layer(root, time):
    """The uncompressed tar of a folder."""
    entries = []
    for folder, folders, names in os.walk(root):
        entries += [os.path.relpath(os.path.join(folder, name), root) for name in folders + names]
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for path in sorted(entries):
            full = os.path.join(root, path)
            information = os.lstat(full)
            entry = tarfile.TarInfo(path)
            entry.mtime = time
            entry.uid, entry.mode = owner_and_mode(path, information)
            entry.gid = entry.uid
            if stat.S_ISLNK(information.st_mode):
                entry.type, entry.linkname, entry.mode = tarfile.SYMTYPE, os.readlink(full), 0o777
                archive.addfile(entry)
            elif stat.S_ISDIR(information.st_mode):
                entry.type = tarfile.DIRTYPE
                archive.addfile(entry)
            else:
                entry.size = information.st_size
                with open(full, "rb") as file:
                    archive.addfile(entry, file)
    return buffer.getvalue()


class Layout:
    """The blobs of an image, and the archive with them."""

    def __init__(self):
        self.files = {"oci-layout": b'{"imageLayoutVersion":"1.0.0"}'}

    def add(self, media_type, content):
        digest = hashlib.sha256(content).hexdigest()
        self.files[f"blobs/sha256/{digest}"] = content
        return {"mediaType": media_type, "digest": f"sha256:{digest}", "size": len(content)}

    def add_json(self, media_type, value):
        return self.add(media_type, json.dumps(value, sort_keys=True, separators=(",", ":")).encode())

    def write(self, path, time):
        folders = {"blobs", "blobs/sha256"}
        with tarfile.open(path, mode="w", format=tarfile.USTAR_FORMAT) as archive:
            for name in sorted(folders | set(self.files)):
                entry = tarfile.TarInfo(name)
                entry.mtime = time
                if name in folders:
                    entry.type, entry.mode = tarfile.DIRTYPE, 0o755
                    archive.addfile(entry)
                else:
                    entry.size, entry.mode = len(self.files[name]), 0o644
                    archive.addfile(entry, io.BytesIO(self.files[name]))


def pack(name, version, roots, created, time, path):
    """Writes the image `name` with a layer for each folder of `roots`. `created` is `time` in the form of RFC 3339."""
    image = IMAGES[name]
    layout = Layout()
    layers, ids = [], []
    for root in roots:
        content = layer(root, time)
        ids.append("sha256:" + hashlib.sha256(content).hexdigest())
        layers.append(layout.add(MEDIA + ".layer.v1.tar+gzip", gzip.compress(content, 9, mtime=0)))
    labels = {
        "org.opencontainers.image.title": image["title"],
        "org.opencontainers.image.description": image["description"],
        "org.opencontainers.image.version": version,
        "org.opencontainers.image.created": created,
        "org.opencontainers.image.licenses": "Apache-2.0",
    }
    config = layout.add_json(MEDIA + ".config.v1+json", {
        "created": created, "architecture": architecture(), "os": "linux",
        "config": {"User": f"{USER}:{USER}", "WorkingDir": "/", "StopSignal": "SIGTERM", "Volumes": {STATE: {}},
                   "Labels": labels, **image["config"], "Env": ["PATH=/usr/bin", *image["config"]["Env"]]},
        "rootfs": {"type": "layers", "diff_ids": ids},
        "history": [{"created": created, "created_by": "tools/package oci", "comment": comment}
                    for comment in ("libraries", "programs")],
    })
    manifest = layout.add_json(MEDIA + ".manifest.v1+json", {
        "schemaVersion": 2, "mediaType": MEDIA + ".manifest.v1+json", "config": config, "layers": layers,
        "annotations": labels})
    tag = re.sub(r"[^A-Za-z0-9_.-]", "-", version)
    manifest["platform"] = {"architecture": architecture(), "os": "linux"}
    # Podman, and Docker with containerd's image store, name the image by the second annotation; deploy/compose.yaml and the
    # documented commands use this name. Docker's older store reads manifest.json.
    manifest["annotations"] = {"org.opencontainers.image.ref.name": tag, "io.containerd.image.name": f"docker.io/library/{name}:latest"}
    index = {"schemaVersion": 2, "mediaType": MEDIA + ".index.v1+json", "manifests": [manifest]}
    layout.files["index.json"] = json.dumps(index, sort_keys=True).encode()

    def blob(descriptor):
        return "blobs/" + descriptor["digest"].replace(":", "/")

    layout.files["manifest.json"] = json.dumps([{"Config": blob(config), "RepoTags": [f"{name}:{tag}", f"{name}:latest"],
                                                 "Layers": [blob(one) for one in layers]}], sort_keys=True).encode()
    layout.write(path, time)


def build(name, version, installed, work, time, path):
    """Builds one image from the files below `installed`. `work` is an empty folder."""
    system, programs = os.path.join(work, "system"), os.path.join(work, "programs")
    add_programs(IMAGES[name]["packages"], installed, programs)
    packages = add_libraries(sbom.programs(programs), system)
    packages = {*packages, "ca-certificates", "base-files"}
    if any(package.startswith("libtinfo") for package in packages):  # descriptions of terminals, for `top`
        shutil.copytree("/lib/terminfo", os.path.join(system, "usr/lib/terminfo"), symlinks=True)
        packages.add("ncurses-base")
    packages = sorted(packages)
    add_system(packages, system)
    documents = os.path.join(programs, "usr/share/doc", name)
    document, documented = sbom.bill(name, version, programs, packages)
    write(documents, "sbom.spdx.json", json.dumps(document, indent=1, sort_keys=True) + "\n")
    copy(os.path.join(sbom.ROOT, "packaging", "deb", "copyright"), os.path.join(documents, "copyright"))
    for package in sorted({*documented, *packages}):
        copy(f"/usr/share/doc/{package}/copyright", os.path.join(documents, "licenses", package + ".copyright"))
    pack(name, version, [system, programs], document["creationInfo"]["created"], time, path)
