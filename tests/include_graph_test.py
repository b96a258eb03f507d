#!/usr/bin/env python3
"""Who may include whom: docs/architecture.md's table, held against the sources; third parties stay in their folder."""
import os
import re
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

# Folder below src/ -> the folders that its files may include.
BASE = {"base"}
ALLOWED = {
    "base": set(),
    "metrics": BASE,
    "config": BASE | {"metrics"},
    "protocol": BASE,
    "rpc": BASE,
    "telemetry": BASE,
    "metriclog": BASE,
    "supervisor": BASE,
    "load": BASE | {"metrics", "protocol", "rpc"},
    "plugin_wire": BASE | {"metrics"},
    "plugin_host": BASE | {"metrics", "plugin_wire"},
    "agent": BASE | {"metrics", "config", "protocol", "rpc", "telemetry", "plugin_wire"},
    "server": BASE | {"metrics", "protocol", "rpc", "telemetry", "metriclog"},
    "analysis": BASE | {"metrics", "telemetry", "metriclog"},
    "bin": {"base", "metrics", "config", "protocol", "rpc", "telemetry", "metriclog", "supervisor", "agent", "server", "analysis", "load", "plugin_host", "plugin_wire"},
}
# Parts of a folder that may use more.
ALSO = {"config/etcd": {"rpc"}, "load/config": {"config"}, "analysis/web": {"config"}}
# Third parties' headers, and the only places that may include them.
THIRD_PARTIES = {
    r"nghttp2/": ["src/rpc/", "bench/"],
    r"openssl/": ["src/rpc/"],
    r"sqlite3\.h": ["src/metriclog/sqlite/", "src/analysis/history/", "bench/"],
    r"librdkafka/": ["src/metriclog/kafka/", "bench/", "tests/"],
    r"grpc": ["tests/", "bench/"],
    r"microhttpd\.h": ["src/telemetry/http/", "src/analysis/web/"],
    r"ncurses\.h": ["src/analysis/top/"],
    r"spdlog/": ["src/base/log.cc"],
    r"CLI/": ["src/bin/", "tests/simulation/"],
    r"etcd/": ["src/config/etcd/"],
    r"lua": ["src/plugin_host/"],
}
# Tests may look at more: at the generated messages, and at what they set up.
TEST = re.compile(r"(_test\.cc|_test\.h|/testing/.*)$")


def sources():
    for top in ("src", "fuzz", "bench", "tests", "sdk"):
        for folder, _, names in os.walk(os.path.join(ROOT, top)):
            for name in names:
                if name.endswith((".cc", ".h", ".hpp")):
                    yield os.path.relpath(os.path.join(folder, name), ROOT)


def faults_of(path):
    with open(os.path.join(ROOT, path), encoding="utf-8") as source:
        text = source.read()
    own = path.split("/")[1] if path.startswith("src/") else None
    for form, included in re.findall(r'^\s*#\s*include\s+([<"])([^>"]+)[>"]', text, re.M):
        if form == '"' and own is not None and not TEST.search(path):
            folder = included.split("/")[0]
            allowed = ALLOWED[own] | {own}
            for part, more in ALSO.items():
                if path.startswith(f"src/{part}/"):
                    allowed = allowed | more
            if folder in ALLOWED and folder not in allowed:
                yield f"{path} includes {included}: {own} may include only {sorted(allowed)}"
        for pattern, places in THIRD_PARTIES.items():
            third = form == "<" or pattern == r"etcd/"
            if third and re.match(pattern, included) and not any(path.startswith(p) for p in places):
                yield f"{path} includes {included}: only {', '.join(places)} may"


def main():
    seen = 0
    faults = []
    for path in sources():
        seen += 1
        faults += faults_of(path)
    # A test that reads nothing would always pass.
    assert seen > 100, f"only {seen} files were found"
    missing = [f for f in os.listdir(os.path.join(ROOT, "src")) if os.path.isdir(os.path.join(ROOT, "src", f)) and f not in ALLOWED]
    faults += [f"src/{folder} is not in the table of this test" for folder in missing]
    print("\n".join(faults) or f"{seen} files keep to the include graph")
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
