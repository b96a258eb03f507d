#!/usr/bin/env python3
"""The include graph: checks that folders only include what docs/architecture.md allows, and that third-party headers
are only included in their folders."""
import os
import re
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

# Folder below src/ -> the folders that its files may include. A subfolder ("views/ledger") has its own row if it may
# include more or less than the rest of the folder.
CONSUMER = {"base", "metrics", "metriclog", "telemetry", "consume", "query", "sketch", "unusual"}
ALLOWED = {
    "base": set(),
    "metrics": {"base"},
    "payload": {"base", "metrics"},
    "sketch": {"base"},
    "unusual": {"base"},
    "sqlite": {"base"},
    "stream": {"base"},
    "grpc": {"base"},
    "identity": {"base"},
    "identity/enrollment": {"base", "grpc", "telemetry"},
    "telemetry": {"base"},
    "metriclog": {"base", "sqlite"},
    "supervisor": {"base"},
    "config": {"base", "metrics"},
    "config/etcd": {"base", "metrics", "grpc"},
    "config/rollout": {"base", "metrics", "config", "query"},
    "inputs": {"base", "metrics", "config"},
    "inputs/stream": {"base", "metrics", "payload", "stream", "grpc", "identity", "telemetry", "metriclog"},
    "plugins": {"base", "metrics", "config"},
    "spool": {"base", "metrics", "stream"},
    "outputs": {"base", "stream"},
    "outputs/file": {"base", "metrics", "payload", "stream"},
    "outputs/stream": {"base", "metrics", "payload", "stream", "grpc"},
    "agent": {"base", "metrics", "payload", "config", "stream", "grpc", "telemetry", "inputs", "plugins", "spool", "outputs"},
    "server": {"base", "grpc", "identity", "telemetry", "metriclog", "inputs"},
    "consume": {"base", "metrics", "payload", "metriclog", "telemetry"},
    "query": {"base"},
    "rules": {"base", "sqlite", "query", "unusual", "telemetry"},
    "notify": {"base", "sqlite", "query", "rules", "telemetry", "metriclog"},
    "views": CONSUMER | {"sqlite"},
    "ui": CONSUMER | {"views"},
    "ui/access": {"base"},
    "ui/web": CONSUMER | {"views", "config", "rules", "notify"},
    "doctor": {"base"},
    "doctor/real": {"base", "grpc"},
    "load": {"base", "metrics", "payload", "stream", "grpc", "outputs"},
    "load/config": {"base", "config", "grpc"},
    "bin": {"base", "metrics", "config", "stream", "grpc", "identity", "telemetry", "metriclog", "inputs", "plugins", "spool", "outputs", "agent",
            "server", "consume", "sketch", "unusual", "query", "rules", "notify", "views", "ui", "load", "supervisor", "doctor"},
}
# Third-party headers, and the only folders that may include them.
THIRD_PARTIES = {
    r"nghttp2/": ["src/grpc/", "bench/"],
    r"openssl/": ["src/grpc/", "src/identity/", "src/ui/access/", "src/doctor/"],
    r"zlib\.h": ["src/doctor/bundle/"],
    r"gnutls/": ["src/ui/web/"],
    r"sqlite3\.h": ["src/sqlite/", "src/metriclog/sqlite/disk_fault_test.cc", "src/metriclog/sqlite/sqlite_log_test.cc", "bench/"],
    r"librdkafka/": ["src/metriclog/kafka/", "bench/", "tests/"],
    r"grpc": ["tests/", "bench/"],
    r"microhttpd\.h": ["src/telemetry/http/", "src/ui/web/"],
    r"ncurses\.h": ["src/ui/top/"],
    r"spdlog/": ["src/base/log.cc"],
    r"CLI/": ["src/bin/", "tests/simulation/"],
    r"etcd/": ["src/config/etcd/"],
    r"lua": ["src/plugins/host/"],
    r"Python\.h": ["src/plugins/python/"],
    r"re2/": ["src/query/", "src/rules/", "tests/promql/"],
    r"yaml-cpp/": ["src/rules/", "src/notify/"],
    r"curl/": ["src/notify/", "src/bin/config/query_api.cc"],
}
# Keys of the configuration are spelled here only; elsewhere, functions of config/keys.h build them.
KEY_SPELLERS = {"src/config/keys.h", "src/config/keys.cc"}
COMMENT_OR_STRING = re.compile(r'//[^\n]*|/\*.*?\*/|R"(\w*)\(.*?\)\1"|"(?:[^"\\\n]|\\.)*"|\'(?:[^\'\\\n]|\\.)+\'', re.S)
SPELLED_KEY = re.compile(r"(?<![\w/])/monitor/(?!v1/)")
SPELLED_SUFFIX = re.compile(r'Root\)?\s*\+\s*"[a-z]+/')
# Tests may include more: the generated messages, and the helpers that they use.
TEST = re.compile(r"(_test\.cc|_test\.h|/testing/.*)$")


def sources():
    for top in ("src", "fuzz", "bench", "tests", "sdk"):
        for folder, _, names in os.walk(os.path.join(ROOT, top)):
            for name in names:
                if name.endswith((".cc", ".h", ".hpp")):
                    yield os.path.relpath(os.path.join(folder, name), ROOT)


def owner_of(path):
    """Returns the row of ALLOWED for a file in src/, or None for other files."""
    if not path.startswith("src/"):
        return None
    folders = path.split("/")[1:-1]
    part = "/".join(folders[:2])
    return part if part in ALLOWED else folders[0]


def faults_of(path):
    with open(os.path.join(ROOT, path), encoding="utf-8") as source:
        text = source.read()
    own = owner_of(path)
    for form, included in re.findall(r'^\s*#\s*include\s+([<"])([^>"]+)[>"]', text, re.M):
        if form == '"' and own is not None and not TEST.search(path):
            folder = included.split("/")[0]
            allowed = ALLOWED[own] | {own.split("/")[0]}
            if folder in ALLOWED and folder not in allowed:
                yield f"{path} includes {included}: {own} may include only {sorted(allowed)}"
        for pattern, places in THIRD_PARTIES.items():
            third = form == "<" or pattern == r"etcd/"
            if third and re.match(pattern, included) and not any(path.startswith(p) for p in places):
                yield f"{path} includes {included}: only {', '.join(places)} may"


def spelled_keys(path):
    """The string literals of production code that spell a key of the configuration."""
    if not path.startswith("src/") or path in KEY_SPELLERS or TEST.search(path):
        return
    with open(os.path.join(ROOT, path), encoding="utf-8") as source:
        text = source.read()
    literals = [m.group() for m in COMMENT_OR_STRING.finditer(text) if not m.group().startswith(("/", "'"))]
    for found in [text for text in literals if SPELLED_KEY.search(text)] + SPELLED_SUFFIX.findall(text):
        yield f"{path} spells a key, {found}: only config/keys.h may"


def main():
    seen = 0
    faults = []
    for path in sources():
        seen += 1
        faults += faults_of(path)
        faults += spelled_keys(path)
    # Without this check, the test would pass if it found no files.
    assert seen > 100, f"only {seen} files were found"
    missing = [f for f in os.listdir(os.path.join(ROOT, "src")) if os.path.isdir(os.path.join(ROOT, "src", f)) and f not in ALLOWED]
    faults += [f"src/{folder} is not in the table of this test" for folder in missing]
    print("\n".join(faults) or f"{seen} files keep to the include graph")
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
