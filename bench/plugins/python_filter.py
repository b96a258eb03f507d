"""Does the same as the built-in `filter` with {"drop": NAME}, in Python."""
from agent.plugins.base import BasePlugin


class PythonFilter(BasePlugin):
    def initialize(self, config=None):
        self.drop = config["drop"]

    def run(self, metrics_request):
        drop = self.drop
        metrics_request.metrics = [metric for metric in metrics_request.metrics if metric.name != drop]
        return metrics_request
