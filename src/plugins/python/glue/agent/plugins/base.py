"""The base class of plugins, as in the Python version of the agent."""


class BasePlugin:
    """A plugin changes or drops the requests that an agent is about to send.

    A plugin may also have save(), which returns its state as str, bytes or a value that JSON can hold, and restore(state):
    the state passes to the plugin that replaces it.
    """

    def initialize(self, config=None):
        """Called once. `config` is the entry's "config"; None: it has none."""

    def run(self, metrics_request):
        """Called for every request. Returns it, changed or not, another one, or None to drop it."""
        raise NotImplementedError(f"{type(self).__name__} has no method run(metrics_request)")

    def finalize(self):
        """Called once, after the last request."""
