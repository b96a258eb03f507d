"""The program of monitor-plugin-host-python: runs one plugin, a class written in Python, for monitor-agent.

The agent's requests arrive in _monitor_host, which calls the methods of Glue. prepare() runs while the plugin's files and
the system's modules can still be read; everything after it runs in the complete sandbox. No code of the plugin runs before.
"""
import os
import sys

sys.path.append(os.path.dirname(os.path.abspath(__file__)))
import _monitor_host  # noqa: E402
from _monitor_sources import Refused, Sources, system_folders  # noqa: E402


class Glue:
    def __init__(self):
        self.sources = None
        self.plugin = None
        self.agent_id = ""
        self.config = None
        self.pb2 = None
        self.known = {}     # number of a series -> SeriesInfo
        self.numbers = {}   # a series' tuple -> number

    # --- Loading

    def folders(self, name, path):
        return [Sources.root_of(name, path), os.path.dirname(os.path.abspath(__file__)), path]

    def prepare(self, name, path, config):
        if config not in ("", "{}", "null"):
            import json
            self.config = json.loads(config)
        self.sources = Sources(name, path, os.path.dirname(os.path.abspath(__file__)))
        sys.path.extend(system_folders())
        self.sources.read()
        self.sources.import_system_modules()
        sys.meta_path.insert(0, self.sources)
        sys.meta_path.append(self.sources.last_resort())

    def load(self, agent_id):
        self.agent_id = agent_id
        import importlib
        self.pb2 = importlib.import_module("shared.monitoring_pb2")
        if "logging" in sys.modules:
            self.take_logging(sys.modules["logging"])
        plugin_class = self.sources.plugin_class()
        self.plugin = plugin_class()
        self.call("initialize", *([self.config] if self.config else []))
        state = callable(getattr(self.plugin, "save", None)) and callable(getattr(self.plugin, "restore", None))
        return self.sources.version(), state

    def call(self, name, *arguments):
        method = getattr(self.plugin, name, None)
        if method is not None:
            method(*arguments)

    @staticmethod
    def take_logging(logging):
        """Sends what the plugin logs to the agent's log with its level."""
        class ToAgent(logging.Handler):
            def emit(self, record):
                level = 3 if record.levelno >= 40 else 2 if record.levelno >= 30 else 1 if record.levelno >= 20 else 0
                for line in self.format(record).splitlines():
                    _monitor_host.log(level, line.encode("utf-8", "replace"))

        root = logging.getLogger()
        root.addHandler(ToAgent())
        root.setLevel(logging.INFO)

    # --- Ticks

    def run(self, time_ns, count):
        batch = self.pb2.TickPoints(self, time_ns, count)
        request = self.pb2.MetricsRequest._of_tick(batch, self.agent_id, time_ns)
        said = self.plugin.run(request)
        if said is None:
            return None
        if said is request and request._is_untouched():
            return True
        return self.pb2.result_of(said, batch, self)

    # Called by a request when the plugin first asks for its points.
    def points(self):
        return _monitor_host.points()

    def series(self, number):
        """What a series is."""
        known = self.known.get(number)
        if known is None:
            known = self.known[number] = self.pb2.SeriesInfo(number, *_monitor_host.describe_series(number))
        return known

    def number_of(self, series):
        """The number of a series that the plugin made: (name, unit, is counter, labels, is integer, exponent)."""
        number = self.numbers.get(series)
        if number is None:
            number = self.numbers[series] = _monitor_host.intern(series)
        return number

    # --- State and end

    def save(self):
        state = self.plugin.save()
        if isinstance(state, str):
            return b"s" + state.encode("utf-8", "surrogatepass")
        if isinstance(state, (bytes, bytearray)):
            return b"b" + bytes(state)
        if state is None:
            return b""
        import json
        return b"j" + json.dumps(state).encode()

    def restore(self, state):
        if not state:
            return
        kind, rest = state[:1], state[1:]
        if kind == b"s":
            self.plugin.restore(rest.decode("utf-8", "surrogatepass"))
        elif kind == b"b":
            self.plugin.restore(rest)
        elif kind == b"j":
            import json
            self.plugin.restore(json.loads(rest))
        else:
            raise Refused("the state was saved by another kind of plugin")

    def finalize(self):
        if self.plugin is not None:
            self.call("finalize")

    # --- Failing

    def describe(self, error, trace):
        """An exception in one line, with its place in the plugin."""
        if isinstance(error, Refused):
            return str(error)
        text = str(error)
        said = f"{type(error).__name__}: {text}" if text else type(error).__name__
        if isinstance(error, SyntaxError):
            return said
        place = ""
        while trace is not None:
            file = trace.tb_frame.f_code.co_filename
            if self.sources is not None and self.sources.knows_file(file):
                place = f" ({os.path.basename(file)}, line {trace.tb_lineno})"
            trace = trace.tb_next
        return (said + place).encode("utf-8", "replace").decode()


def main():
    sys.stdout.reconfigure(line_buffering=True, errors="backslashreplace")
    sys.stderr.reconfigure(line_buffering=True, errors="backslashreplace")
    status = 70
    try:
        status = _monitor_host.serve(int(sys.argv[1]), Glue())
    finally:
        try:
            sys.stdout.flush()
        finally:
            os._exit(status)  # without waiting for the plugin's threads


if __name__ == "__main__":
    main()
