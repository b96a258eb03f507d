"""Tests of template_name: python3 template_module_test.py"""
import os
import sys
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
# The plugin, and the modules of the agent.
sys.path[:0] = [HERE, os.environ.get("MONITOR_PYTHON", "template_python")]
from agent.plugins.template_module import TemplateClass  # noqa: E402
from shared.monitoring_pb2 import Metric, MetricsRequest  # noqa: E402


def request():
    return MetricsRequest(agent_id="agent-001", timestamp=1.0, metrics=[Metric("system.cpu.utilization", 0.25)])


class TemplateClassTest(unittest.TestCase):
    def test_adds_the_label_and_keeps_the_value(self):
        plugin = TemplateClass()
        plugin.initialize({"value": "db"})
        metric, = plugin.run(request()).metrics
        self.assertEqual((metric.labels["team"], metric.value), ("db", 0.25))

    def test_drops_what_is_not_kept(self):
        plugin = TemplateClass()
        plugin.initialize({"keep": ["system.memory.usage"]})
        self.assertIsNone(plugin.run(request()))

    def test_refuses_an_empty_label(self):
        with self.assertRaises(ValueError):
            TemplateClass().initialize({"label": ""})


if __name__ == "__main__":
    unittest.main()
