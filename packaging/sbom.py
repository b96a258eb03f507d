#!/usr/bin/env python3
"""Writes the software bill of materials of a package: sbom.spdx.json (SPDX 2.3).

  packaging/sbom.py --package NAME --root FOLDER --out FOLDER [--version V] [--licenses FOLDER]

It lists what the programs below --root are linked with, by the Debian packages of this machine, and the header-only libraries
that are compiled into them. Equal inputs give equal files: the time is SOURCE_DATE_EPOCH. With --licenses, the copyright files
of all of them are copied there.
"""
import argparse
import datetime
import functools
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import uuid

ROOT = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))
# Compiled into every program, from these Debian packages.
HEADER_ONLY = ["libcli11-dev", "libfmt-dev", "libspdlog-dev", "nlohmann-json3-dev"]
# Linked statically where the program contains this text (cmake/MonitorDependencies.cmake, proto/CMakeLists.txt).
STATIC = {
    "liblua5.4-dev": b"attempt to yield from outside a coroutine",
    "libprotobuf-dev": b"google/protobuf/message_lite.cc",
    "libre2-dev": b"re2/dfa.cc",
    "libyaml-cpp-dev": b"N4YAML11NodeBuilderE",
}
# Debian source package -> licence, as its copyright file states it for the library (that of e2fsprogs is libcom_err). Others are
# listed without one.
LICENSES = {
    "abseil": "Apache-2.0", "base-files": "GPL-2.0-or-later", "brotli": "MIT", "ca-certificates": "MPL-2.0",
    "cli11": "BSD-3-Clause", "curl": "curl", "cyrus-sasl2": "BSD-3-Clause-Attribution", "e2fsprogs": "MIT", "fmtlib": "MIT",
    "gcc-12": "GPL-3.0-or-later WITH GCC-exception-3.1", "gcc-14": "GPL-3.0-or-later WITH GCC-exception-3.1",
    "glibc": "LGPL-2.1-or-later", "gmp": "LGPL-3.0-or-later OR GPL-2.0-or-later", "gnutls28": "LGPL-2.1-or-later",
    "keyutils": "LGPL-2.0-or-later", "krb5": "MIT", "libffi": "MIT", "libidn2": "LGPL-3.0-or-later OR GPL-2.0-or-later",
    "libmicrohttpd": "LGPL-2.1-or-later", "libpsl": "MIT", "librdkafka": "BSD-2-Clause", "libssh2": "BSD-3-Clause",
    "libtasn1-6": "LGPL-2.1-or-later", "libunistring": "LGPL-3.0-or-later OR GPL-2.0-or-later",
    "libzstd": "BSD-3-Clause OR GPL-2.0-only", "lua5.4": "MIT", "lz4": "BSD-2-Clause",
    "ncurses": "X11-distribute-modifications-variant", "nettle": "LGPL-3.0-or-later OR GPL-2.0-or-later", "nghttp2": "MIT",
    "nghttp3": "MIT", "ngtcp2": "MIT", "nlohmann-json3": "MIT", "openldap": "OLDAP-2.8", "openssl": "Apache-2.0",
    "p11-kit": "BSD-3-Clause", "protobuf": "BSD-3-Clause", "re2": "BSD-3-Clause", "rtmpdump": "LGPL-2.1-or-later",
    "spdlog": "MIT", "sqlite3": "blessing", "yaml-cpp": "MIT", "zlib": "Zlib",
}


def output(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True, env={**os.environ, "LC_ALL": "C"}).stdout


def static_libraries():
    """STATIC, and the C++ library of the compiler, whose package has its version in the name."""
    compiler = shutil.which("gcc") and output("gcc", "-dumpversion").strip().split(".")[0]
    return {**STATIC, **({f"libstdc++-{compiler}-dev": b"locale::facet::_S_create_c_locale name not valid"} if compiler else {})}


def programs(root):
    """The ELF programs below a folder, sorted."""
    found = []
    for folder, _, names in os.walk(root):
        for name in names:
            path = os.path.join(folder, name)
            if os.path.islink(path) or not os.path.isfile(path) or "/debug/" in path:
                continue
            with open(path, "rb") as file:
                head = file.read(18)
            if head[:4] == b"\x7fELF" and head[16] in (2, 3) and ".so" not in name:
                found.append(path)
    return sorted(found)


def contains(path, text):
    with open(path, "rb") as file:
        return text in file.read()


@functools.cache
def needed(path):
    return re.findall(r"\(NEEDED\).*\[(.*)\]", output("readelf", "-d", path))


@functools.cache
def resolve_libraries(path):
    """soname -> path, as the loader of this machine resolves them."""
    return dict(re.findall(r"^\s*(\S+) => (/\S+)", output("ldd", path), re.M))


@functools.cache
def debian_package(path):
    """The package that a file belongs to. dpkg knows a file by the path with or without /usr."""
    real = os.path.realpath(path)
    for candidate in (path, real, path.removeprefix("/usr"), real.removeprefix("/usr")):
        found = subprocess.run(["dpkg", "-S", candidate], capture_output=True, text=True)
        if found.returncode == 0:
            return found.stdout.split(":")[0].split(",")[0]
    raise SystemExit(f"sbom: no package has {path}; build with the libraries of Debian packages")


@functools.cache
def facts(package):
    form = "${Package}\t${Version}\t${source:Package}\t${Architecture}\t${Homepage}\n"
    name, version, source, architecture, homepage = output("dpkg-query", "-W", "-f", form, package).splitlines()[0].split("\t")
    return {"name": name, "version": version, "source": source, "architecture": architecture, "homepage": homepage}


def entry(one):
    listed = {
        "SPDXID": "SPDXRef-" + re.sub(r"[^A-Za-z0-9.-]", "-", one["name"]),
        "name": one["name"],
        "versionInfo": one["version"],
        "supplier": "Organization: Debian",
        "downloadLocation": "NOASSERTION",
        "filesAnalyzed": False,
        "licenseConcluded": "NOASSERTION",
        "licenseDeclared": LICENSES.get(one["source"], "NOASSERTION"),
        "copyrightText": "NOASSERTION",
        "sourceInfo": f"Debian source package {one['source']}",
        "externalRefs": [{
            "referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl",
            "referenceLocator": f"pkg:deb/debian/{one['name']}@{one['version']}?arch={one['architecture']}"}],
    }
    if one["homepage"]:
        listed["homepage"] = one["homepage"]
    return listed


def uplot():
    """The only library in the page."""
    with open(os.path.join(ROOT, "web", "package-lock.json"), encoding="utf-8") as file:
        version = json.load(file)["packages"]["node_modules/uplot"]["version"]
    return {"SPDXID": "SPDXRef-uplot", "name": "uplot", "versionInfo": version, "supplier": "NOASSERTION",
            "downloadLocation": f"https://registry.npmjs.org/uplot/-/uplot-{version}.tgz", "filesAnalyzed": False,
            "licenseConcluded": "NOASSERTION", "licenseDeclared": "MIT", "copyrightText": "NOASSERTION",
            "externalRefs": [{"referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl",
                              "referenceLocator": f"pkg:npm/uplot@{version}"}]}


def bill(name, version, root, also_contained=()):
    """The document, and the Debian packages in it. An image also contains packages that no program is linked with directly."""
    linked = set()
    elves = programs(root)
    for path in elves:
        paths = resolve_libraries(path)
        for soname in needed(path):
            if soname not in paths and soname.startswith("ld-linux"):
                continue
            linked.add(debian_package(paths[soname]))
    contained = list(HEADER_ONLY) if elves else []
    contained += [package for package, text in static_libraries().items() if any(contains(path, text) for path in elves)]
    packages = [{
        "SPDXID": "SPDXRef-this", "name": name, "versionInfo": version, "supplier": "NOASSERTION",
        "downloadLocation": "NOASSERTION", "filesAnalyzed": False, "licenseConcluded": "Apache-2.0",
        "licenseDeclared": "Apache-2.0", "copyrightText": "NOASSERTION"}]
    relations = [("SPDXRef-DOCUMENT", "DESCRIBES", "SPDXRef-this")]
    others = sorted(set(also_contained) - linked)
    for kind, names in (("DYNAMIC_LINK", sorted(linked)), ("STATIC_LINK", contained), ("CONTAINS", others)):
        for one in names:
            packages.append(entry(facts(one)))
            relations.append(("SPDXRef-this", kind, packages[-1]["SPDXID"]))
    if any(os.path.basename(path) == "monitor-analysis" for path in elves):
        packages.append(uplot())
        relations.append(("SPDXRef-this", "CONTAINS", "SPDXRef-uplot"))
    epoch = int(os.environ["SOURCE_DATE_EPOCH"])
    created = datetime.datetime.fromtimestamp(epoch, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    body = {"packages": packages, "relationships": [
        {"spdxElementId": a, "relationshipType": kind, "relatedSpdxElement": b} for a, kind, b in relations]}
    content = hashlib.sha256(json.dumps([name, version, created, body], sort_keys=True).encode()).hexdigest()
    return {
        "spdxVersion": "SPDX-2.3", "dataLicense": "CC0-1.0", "SPDXID": "SPDXRef-DOCUMENT", "name": f"{name}-{version}",
        "documentNamespace": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, content)}",
        "creationInfo": {"created": created, "creators": ["Tool: packaging/sbom.py"]}, **body,
    }, sorted(linked) + contained


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--package", required=True)
    parser.add_argument("--root", required=True, help="the folder with the package's files")
    parser.add_argument("--out", required=True, help="the folder for sbom.spdx.json")
    parser.add_argument("--version", help="default: that of debian/changelog")
    parser.add_argument("--licenses", help="also copy the copyright files into this folder")
    arguments = parser.parse_args()
    if "SOURCE_DATE_EPOCH" not in os.environ:
        sys.exit("sbom: set SOURCE_DATE_EPOCH, as tools/package does")
    version = arguments.version or output("dpkg-parsechangelog", "-S", "Version").strip()
    document, packages = bill(arguments.package, version, arguments.root)
    os.makedirs(arguments.out, exist_ok=True)
    with open(os.path.join(arguments.out, "sbom.spdx.json"), "w", encoding="utf-8") as file:
        json.dump(document, file, indent=1, sort_keys=True)
        file.write("\n")
    if arguments.licenses:
        os.makedirs(arguments.licenses, exist_ok=True)
        for one in packages:
            shutil.copyfile(f"/usr/share/doc/{one}/copyright", os.path.join(arguments.licenses, one + ".copyright"))


if __name__ == "__main__":
    main()
