"""Path traversal with configuration keys: through the page's API, monitor-config and symbolic links in the folder."""
import json
import os
import sys
import unittest
import urllib.error
import urllib.parse
import urllib.request

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
from programs import ProgramTest, free_port, run  # noqa: E402

SECRET = "this is not for you"


class HostileKeysTest(ProgramTest):
    def setUp(self):
        super().setUp()
        self.data = os.path.join(self.data, "data")  # so that the test has files outside of the data folder
        self.beside = os.path.join(os.path.dirname(self.data), "beside")
        os.makedirs(self.beside)
        with open(self.beside + "/secret.json", "w") as file:
            json.dump({"secret": SECRET}, file)
        self.configure("a", "--interval", "1")

    def tearDown(self):
        self.data = os.path.dirname(self.data)
        super().tearDown()

    def serve(self):
        page = self.start("monitor-analysis", "serve", "--http", "127.0.0.1:0", "--log", f"sqlite:{self.data}/log.db",
                          "--data", self.data)
        self.address = page.says(r"listening service=web address=(\S+)").group(1)
        with open(self.data + "/web-token") as file:
            self.token = file.read().strip()

    def ask(self, key, method="GET", path="/config/document", body=None):
        """Sends a request with an encoded key. Returns the status and the body."""
        request = urllib.request.Request(f"http://{self.address}/api/v1{path}?key={key}", method=method,
                                         data=None if body is None else body.encode())
        request.add_header("Authorization", f"Bearer {self.token}")
        request.add_header("Content-Type", "application/json")
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()

    def test_api_rejects_path_traversal(self):
        self.serve()
        self.assertEqual(self.ask("/monitor/config/a")[0], 200)
        self.assertEqual(self.ask("%2Fmonitor%2Fconfig%2Fa")[0], 200)
        up = "/monitor/config/../../.."
        for key in (f"{up}/beside/secret", f"{up}%2Fbeside%2Fsecret", "/monitor/config/%2e%2e/%2e%2e/%2e%2e/beside/secret",
                    "/monitor/config/%252e%252e/x", f"{up}{self.beside}/secret", "/monitor/../../beside/secret",
                    "/monitor/overrides/../../../beside/secret", "/monitor/overrides/agents/a/../../../../../beside/secret",
                    "/monitor/groups/../config/a", "/monitor/config/a%00", "/monitor/config/a%00.json", "%00/monitor/config/a",
                    "/monitor/config//a", "//monitor/config/a", "/monitor/config/a/", "/monitor/config/./a", "/monitor/config/.",
                    "/monitor/config/", "/monitor/config", "", "/", "a", "../a", "/monitor/config/a%0a", "/monitor/config/a%20",
                    "/monitor/config/a%1b[31m", "/monitor/config/" + "a" * 129, "/monitor/config/" + "a" * 255,
                    "/monitor/config/" + "a" * 4000, "/monitor/config/..%5c..%5cx", "/monitor/config/%C0%AE%C0%AE/x",
                    "/monitor/defaults/../config/a", "/monitor/config/~root", "/monitor/config/a/b", "/monitor/status/a",
                    "/monitor/plugins/a", "/monitor/nothing", "/monitor/config/" + "b/" * 50 + "c"):
            for method, path, body in (("GET", "/config/document", None), ("POST", "/config/validate", "{}"),
                                       ("PUT", "/config/document", '{"base":null,"value":"{}"}'),
                                       ("PUT", "/config/document", '{"base":null}')):
                status, text = self.ask(key, method, path, body)
                self.assertEqual(status, 400, (key, method, text))
                self.assertNotIn(SECRET, text)
                self.assertTrue(json.loads(text)["error"], key)
        with open(self.beside + "/secret.json") as file:
            self.assertIn(SECRET, file.read())
        status, text = self.ask(f"{up}/beside/secret")
        self.assertIn('segment 3 is "..", expected 1 to 128 of [A-Za-z0-9._-]', json.loads(text)["error"])

    def test_does_not_follow_links_out_of_the_folder(self):
        self.serve()
        folder = f"{self.data}/monitor"
        os.symlink(self.beside + "/secret.json", f"{folder}/config/b.json")
        os.symlink("../../beside", f"{folder}/groups")
        os.symlink("a.json", f"{folder}/config/c.json")
        for key in ("/monitor/config/b", "/monitor/groups/secret"):
            for method, body in (("GET", None), ("PUT", '{"base":null,"value":"{}"}')):
                status, text = self.ask(key, method, body=body)
                self.assertEqual(status, 403, text)
                self.assertNotIn(SECRET, text)
                self.assertIn("leads outside of", text)
        self.assertEqual(self.ask("/monitor/config/c")[0], 200, "a link that stays within the folder is followed")
        with urllib.request.urlopen(f"http://{self.address}/api/v1/config", timeout=30) as answer:
            keys = [one["key"] for one in json.load(answer)["documents"]]
        self.assertEqual(keys, ["/monitor/config/a", "/monitor/config/c"], "the other keys are still listed")
        status, out, err = run("monitor-config", "get", "--agent-id", "b", "--dir", folder)
        self.assertEqual((status, out), (74, ""), err)
        self.assertNotEqual(run("monitor-config", "delete", "--group", "secret", "--dir", folder)[0], 0)
        self.assertTrue(os.path.exists(self.beside + "/secret.json"))
        agent = self.start_agent("b", f"127.0.0.1:{free_port()}")
        agent.says("leads outside of")

    def test_command_line_rejects_path_traversal(self):
        for command in (["monitor-config", "get", "--agent-id", "../../beside/secret", "--dir", self.data + "/monitor"],
                        ["monitor-config", "get", "--group", "../../beside/secret", "--dir", self.data + "/monitor"],
                        ["monitor-config", "override", "set", "--agent-id", "a", "--name", "../x", "--for", "1m", "interval=1",
                         "--dir", self.data + "/monitor"],
                        ["monitor-config", "watch", "--agent-id", "..", "--dir", self.data + "/monitor"],
                        ["monitor-agent", "--once", "--agent-id", "../a"],
                        ["monitor-agent", "--once", "--agent-id", "a", "--group", "../g"],
                        ["monitor-agent", "--once", "--agent-id", "a", "--config-dir", self.data + "/monitor", "--config-key",
                         "/monitor/../../beside/secret"],
                        ["monitor-agent", "--once", "--agent-id", "a", "--config-key", "monitor/config/a"]):
            status, out, err = run(*command)
            self.assertEqual(status, 64, (command, err))
            self.assertNotIn(SECRET, out + err)


if __name__ == "__main__":
    unittest.main()
