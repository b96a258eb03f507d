"""The same queries beside Prometheus on the same samples: the CPU time of each server for a query over HTTP, after a
first one that fills its caches. MONITOR_PROMETHEUS names another Prometheus than the one that is installed."""
import json
import os
import subprocess
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request

from pairs import Line, compare, measure
from processes import Ended, cpu_ns, start
from programs import free_port, wait_until
from spool_row import figures

METRIC = "system_cpu_utilization_ratio"


class Server:
    """A server of Prometheus' API. Ours has the history alone, and no log."""

    def __init__(self, address, program):
        self.address, self.program = address, program

    def ask(self, path, **form):
        url = f"http://{self.address}/api/v1/{path}?{urllib.parse.urlencode(form)}"
        try:
            with urllib.request.urlopen(url, timeout=120) as answer:
                return answer.read()
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{form}: {error.code}: {error.read().decode()[:400]}") from error

    def ready(self):
        try:
            with urllib.request.urlopen(f"http://{self.address}/-/ready", timeout=5) as answer:
                return answer.status == 200
        except OSError:
            return False

    def cost(self, path, form):
        before = cpu_ns(self.program)
        self.ask(path, **form)
        return {"ms": (cpu_ns(self.program) - before) / 1e6}


def start_ours(folder):
    port = free_port()
    program = start("monitor-analysis", "serve", "--log", f"sqlite:{folder}/log.db", "--data", folder, "--http", f"127.0.0.1:{port}",
                    "--query-samples", "50000000")  # Prometheus' limit
    program.says("listening service=web")
    return Server(f"127.0.0.1:{port}", program)


def samples_of(server, end, seconds):
    """All samples of the last seconds, by the series' labels. In two parts: an answer has a limit."""
    half = seconds // 2 + 1
    found = {}
    for part in (1, 0):
        answer = json.loads(server.ask("query", query=f"{METRIC}[{half}s] offset {part * half}s", time=end))
        for series in answer["data"]["result"]:
            found.setdefault(json.dumps(series["metric"], sort_keys=True), []).extend(series["values"])
    return [{"metric": json.loads(labels), "values": values} for labels, values in found.items()]


def start_theirs(folder, found):
    """Prometheus with the samples that our server gave."""
    path = f"{folder}/samples.om"
    with open(path, "w", encoding="ascii") as file:
        file.write(f"# TYPE {METRIC} gauge\n")
        for series in found:
            labels = ",".join(f'{name}="{value}"' for name, value in series["metric"].items() if name != "__name__")
            file.writelines(f"{METRIC}{{{labels}}} {value} {moment:.3f}\n" for moment, value in series["values"])
        file.write("# EOF\n")
    subprocess.run(["promtool", "tsdb", "create-blocks-from", "openmetrics", path, f"{folder}/prometheus"], check=True, capture_output=True)
    os.unlink(path)
    with open(f"{folder}/prometheus.yml", "w", encoding="ascii") as file:
        file.write("{}\n")
    port = free_port()
    program = start(os.path.realpath(os.environ.get("MONITOR_PROMETHEUS", "/usr/bin/prometheus")), f"--config.file={folder}/prometheus.yml",
                    f"--storage.tsdb.path={folder}/prometheus", f"--web.listen-address=127.0.0.1:{port}", "--storage.tsdb.retention.time=100y")
    return Server(f"127.0.0.1:{port}", program)


def same(ours, theirs):
    """Whether two answers have the same series with as many values each."""
    def counts(answer):
        return sorted((sorted(one["metric"].items()), len(one["values"])) for one in json.loads(answer)["data"]["result"])

    return counts(ours) == counts(theirs)


def query(options):
    agents, seconds = (3, 700) if options.quick else (100, 6 * 3600)
    with tempfile.TemporaryDirectory(prefix="monitor-bench-") as folder:
        figures("bench-history", "insert", f"folder={folder}", f"agents={agents}", f"seconds={seconds}", "commit=60")
        ours = start_ours(folder)
        with Ended(ours.program):
            end = round(time.time())
            theirs = start_theirs(folder, samples_of(ours, end, seconds + 600))
            with Ended(theirs.program):
                wait_until(theirs.ready, "Prometheus", 120)
                span = {"start": end - seconds, "end": end, "step": 60}
                half = seconds // 2
                cases = ((f"every sample of {agents} series over {half:,} s", "query", {"query": f"{METRIC}[{half}s]", "time": end - 60}),
                         ("the same series, a value each 60 s of avg_over_time(...[5m])", "query_range",
                          {"query": f"avg_over_time({METRIC}[5m])", **span}),
                         ("one value each 60 s of all series: avg(...)", "query_range", {"query": f"avg({METRIC})", **span}))
                for name, path, form in cases:
                    if not same(ours.ask(path, **form), theirs.ask(path, **form)):
                        raise AssertionError(f"{name}: the answers differ")
                    blocks = measure(lambda: theirs.cost(path, form), lambda: ours.cost(path, form), ["ms"], *options.blocks())
                    yield Line("query", name, "ms", compare(blocks, "ms"))
