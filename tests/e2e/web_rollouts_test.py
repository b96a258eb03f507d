"""The page's view of rollouts in a real browser, on a real etcd: what it shows is compared with the stored state, and what operators do
with what monitor-config then finds."""
import json
import os
import sys
import unittest
import urllib.error
import urllib.request

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
from keys import KeysInEtcd  # noqa: E402
from programs import run, wait_until  # noqa: E402
from web import BrowserTest  # noqa: E402

CARD = "document.querySelector('article.rollout')"
STATE = f"{CARD}?.querySelector('.state')?.textContent ?? ''"


class RolloutsTest(KeysInEtcd, BrowserTest):
    def config(self, *arguments, expect=0, stdin=""):
        status, out, err = run("monitor-config", *arguments, *self.agent_where, stdin=stdin)
        self.assertEqual(status, expect, out + err)
        return out

    def stored(self):
        return json.loads(self.etcd.get("/monitor/rollouts/web"))

    def begin(self):
        server = self.start_server()
        for i in range(3):
            self.start("monitor-agent", "--agent-id", f"web-{i}", "--group", "web", "--server", server.address, "--data",
                       f"{self.data}/{i}", "--simulate", *self.agent_where).says("agent started")
        self.start("monitor-agent", "--agent-id", "other", "--server", server.address, "--data", f"{self.data}/other", "--simulate",
                   *self.agent_where).says("agent started")
        self.serve(*self.agent_where)
        with open(f"{self.data}/web-token", encoding="ascii") as file:
            self.token = file.read().strip()
        self.config("rollout", "start", "-", "--group", "web", "--canary", "1", "--wait", "10m", "--no-judge", "--detach", "--author", "alice",
                    "--message", "<b>faster</b>", stdin='{"interval": 2}')
        wait_until(lambda: self.config("rollout", "status", "--group", "web") and self.stored()["counts"]["applied"] == 1, "the canary")

    def operate(self, body, token=True):
        headers = {"Authorization": f"Bearer {self.token}"} if token else {}
        try:
            return 200, self.get("/api/ui/v1/rollouts/operate?group=web", method="POST", data=body.encode(), headers=headers)
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def shown_as_an_event(self, stored):
        """Home and the page of a host of the group show when the rollout began; a host of another group does not."""
        text = "rollout of web began, by alice: <b>faster</b>"
        began = stored["started"][:19].replace("T", " ")
        self.browser.open(self.url("overview"))
        self.browser.wait(f"document.querySelector('.change.is-rollout span')?.textContent === {json.dumps(text)}")
        mark = "document.querySelector('.mark-of.is-rollout .mark-icon')?.getAttribute('aria-label') ?? ''"
        wait_until(lambda: {"web-0", "other"} <= {one["agent"] for one in self.get("/api/v1/fleet")["agents"]}, "both hosts", 60)
        self.browser.open(self.url("agent?agents=web-0"))
        self.assertTrue(self.browser.wait(mark).startswith(f"Rollout at {began}: {text}"), (self.browser.eval(mark), began))
        self.assertEqual(self.browser.do("axe"), [])
        self.browser.open(self.url("agent?agents=other"))
        self.browser.wait("document.querySelector('.panel') !== null && performance.getEntriesByType('resource').filter((one) => one.name.includes('/rollouts')).length > 0")
        self.assertEqual(self.browser.eval(mark), "")
        self.browser.open(self.url("config"))
        self.browser.wait(f"{STATE} === 'running'")

    def test_shows_what_is_stored_and_carries_out_wishes(self):
        self.begin()
        stored = self.stored()
        found = self.get("/api/ui/v1/rollouts")["rollouts"]
        self.assertEqual([(one["group"], one["id"], one["state"], one["steps"], one["author"], one["over"]) for one in found],
                         [("web", stored["id"], "running", ["1", "25%", "100%"], "alice", False)])
        self.assertEqual(found[0]["counts"], {**stored["counts"], "failed": 0})
        self.assertEqual([one["text"] for one in found[0]["events"]], [one["text"] for one in stored["events"]])
        self.assertEqual(self.operate('{"action": "pause"}', token=False)[0], 401)
        for bad in ("", "{}", "[]", '{"action": "stop"}', '{"action": "pause", "message": 7}'):
            self.assertEqual(self.operate(bad)[0], 400, bad)
        self.assertEqual(self.operate('{"action": "resume"}')[0], 409)

        self.browser.open(self.url("config"))
        self.browser.eval(f"sessionStorage.setItem('monitor-token', '{self.token}')")
        self.browser.open(self.url("overview"))
        self.browser.open(self.url("config"))
        self.browser.wait(f"{STATE} === 'running'")
        text = self.browser.eval(f"{CARD}.textContent")
        self.assertIn("alice", text)
        self.assertIn("<b>faster</b>", text)
        self.assertIn("1 of 1 changed agent runs it", text)
        self.assertEqual(self.browser.eval(f"[...{CARD}.querySelectorAll('.step')].map((one) => one.className)"),
                         ["step is-current", "step is-ahead", "step is-ahead"])
        for scheme in ("light", "dark"):
            self.browser.do("scheme", scheme=scheme)
            self.assertEqual(self.browser.do("axe"), [], scheme)
            self.shot(f"rollout-{scheme}")
        self.browser.do("scheme", scheme="light")

        self.shown_as_an_event(stored)

        def press(label, why):
            # What was said before is cleared when it was carried out.
            self.browser.wait(f"{CARD}.querySelector('input[type=text]').value === ''")
            self.browser.eval(f"(() => {{ const why = {CARD}.querySelector('input[type=text]'); why.value = {json.dumps(why)}; "
                              "why.dispatchEvent(new Event('input', { bubbles: true })); })()")
            self.browser.eval(f"[...{CARD}.querySelectorAll('button')].find((one) => one.textContent === {json.dumps(label)}).click()")

        press("Pause", "lunch")
        self.browser.wait(f"{STATE} === 'paused'")
        self.assertEqual(self.stored()["state"], "paused")
        self.assertIn(": lunch", self.stored()["reason"])
        press("Abort and undo", "too slow")
        wait_until(lambda: self.stored()["state"] == "undoing", "the wish to be stored")
        self.config("rollout", "status", "--group", "web")
        self.browser.wait(f"{STATE} === 'aborted'")
        self.assertIn("too slow", self.stored()["reason"])
        self.assertEqual(self.config("override", "list"), "")
        self.no_faults()


if __name__ == "__main__":
    unittest.main()
