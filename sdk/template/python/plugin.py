"""template_name: adds a label to every metric: option `label` (default "team") is its name, `value` (default "ops") its
value. If option `keep` is given, drops all metrics whose names are not in it. Replace this with your own code.
"""
from agent.plugins.base import BasePlugin
from shared import monitoring_pb2  # noqa: F401


class TemplateClass(BasePlugin):
    def initialize(self, config=None):
        """Called once. `config` is the entry's "config"; None: it has none."""
        config = config or {}
        self.label = config.get("label", "team")
        self.value = config.get("value", "ops")
        self.keep = config.get("keep", [])
        self.ticks = 0
        if not self.label:
            raise ValueError("label must not be empty")

    def run(self, metrics_request):
        """Called every tick. None drops it."""
        self.ticks += 1
        if self.keep:
            metrics_request.metrics = [one for one in metrics_request.metrics if one.name in self.keep]
        for metric in metrics_request.metrics:
            metric.labels[self.label] = self.value
        return metrics_request if metrics_request.metrics else None

    def finalize(self):
        """Called once, after the last tick."""

    # The state for the next version of the plugin. Remove both methods if there is none.
    def save(self):
        return {"ticks": self.ticks}

    def restore(self, state):
        self.ticks = state["ticks"]
