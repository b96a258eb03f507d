"""The page with users, in a browser: login, roles, expiry, logout, and a hostile page of another origin."""
import http.server
import json
import os
import sys
import threading
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
from programs import run, wait_until  # noqa: E402
from web import BrowserTest  # noqa: E402

PASSWORD = "correct horse battery"
# A browser reports these as errors of the console. The tests provoke them: nobody is logged in, the document does not exist, and
# the server ends the stream of a session that has ended.
PROVOKED = ["401 (Unauthorized)", "404 (Not Found)", "ERR_INCOMPLETE_CHUNKED_ENCODING"]
SHOWN = "document.querySelector('.login')?.open === true"
HIDDEN = "document.querySelector('.login')?.open === false"


class LoginTest(BrowserTest):
    def setUp(self):
        super().setUp()
        self.users = f"{self.data}/users.json"
        self.browser.do("expect", texts=PROVOKED)

    def command(self, *arguments, stdin=PASSWORD):
        status, out, err = run("monitor-analysis", *arguments, "--users", self.users, stdin=stdin)
        self.assertEqual(status, 0, err)
        return out.strip()

    def start_page(self, roles, *arguments):
        for role in roles:
            self.command("user", "add", role, "--role", role)
        self.token = self.command("api-token", "create", "--name", "test", "--role", "admin")
        self.start_server()
        self.serve("--users", self.users, "--dir", f"{self.data}/monitor", *arguments)

    def own(self, name):
        text = self.get("/metrics", headers={"Authorization": f"Bearer {self.token}"})
        return float(next((line.split()[-1] for line in text.splitlines() if line.startswith(name + " ")), "0"))

    def documents(self):
        return run("monitor-config", "list", "--dir", f"{self.data}/monitor")[1]

    def log_in(self, user, password=PASSWORD):
        """Fills in the form with the keyboard only; the first empty field has the focus."""
        self.browser.wait(SHOWN)
        self.browser.do("fill", selector=".login input[name=username]", text=user)
        self.browser.do("key", key="Tab")
        self.assertEqual(self.browser.eval("document.activeElement.name"), "password")
        self.browser.do("fill", selector=".login input[name=password]", text=password)
        self.browser.do("key", key="Enter")

    def accessible(self):
        for scheme in ("light", "dark"):
            self.browser.do("scheme", scheme=scheme)
            self.assertEqual(self.browser.do("axe"), [], scheme)

    def test_an_editor_logs_in_changes_a_document_and_logs_out(self):
        self.start_page(["editor"])
        self.browser.open(self.url("config?key=/monitor/defaults"))
        self.browser.wait(SHOWN)
        self.assertEqual(self.browser.eval("document.activeElement.name"), "username")
        self.accessible()
        self.browser.do("key", key="Escape")
        self.browser.do("key", key="Escape")
        self.browser.wait(SHOWN)
        self.assertEqual(self.browser.eval("document.getElementById('main').innerText"), "", "nothing is shown without a login")
        self.log_in("editor", "a wrong password")
        self.browser.wait("document.querySelector('.login [role=alert]').textContent === 'the user or the password is wrong'")
        self.log_in("editor")
        self.browser.wait(HIDDEN)
        self.assertEqual(self.browser.eval("location.hash"), "#/config?key=/monitor/defaults")
        self.browser.wait("document.querySelector('.user').innerText.includes('editor (editor)')")
        self.accessible()
        self.assertEqual(self.browser.eval("document.cookie"), "", "scripts cannot read the cookie")
        self.browser.wait("document.querySelector('#field-interval') !== null")
        self.assertIsNone(self.browser.eval("document.querySelector('[aria-label=\"Token for changes\"]')"))
        self.browser.do("fill", selector="#field-interval", text="7")
        self.browser.do("click", selector=".editor button.main")
        self.browser.wait("document.querySelector('.saved .good')?.textContent.startsWith('Saved')")
        self.assertIn("/monitor/defaults", self.documents())
        wait_until(lambda: self.own("monitor_web_streams") == 1, "the page's stream")
        self.browser.do("click", selector=".log-out")
        self.browser.wait(SHOWN)
        self.assertIn("You are logged out.", self.browser.eval("document.querySelector('.login').innerText"))
        self.assertEqual(self.browser.eval("document.getElementById('main').innerText"), "")
        wait_until(lambda: self.own("monitor_web_streams") == 0, "the stream to end with the session")
        self.assertEqual(self.own("monitor_web_sessions"), 0)
        self.no_faults()

    def test_a_viewer_sees_why_the_controls_are_disabled(self):
        self.start_page(["viewer"])
        self.browser.open(self.url("config?key=/monitor/defaults"))
        self.log_in("viewer")
        self.browser.wait("document.querySelector('.editor button.main')?.disabled === true")
        self.browser.wait("document.querySelector('.editor').innerText.includes('You are a viewer: changes need the role editor.')")
        self.assertTrue(self.browser.eval("[...document.querySelectorAll('.config .tools button')].every((one) => one.disabled && one.getAttribute('aria-describedby') === 'why-read-only')"))
        self.browser.wait("document.querySelector('#field-interval')?.readOnly === true")
        self.assertTrue(self.browser.eval("[...document.querySelectorAll('.config-form input, .config-form select, .config-form button')].every((one) => one.readOnly || one.disabled)"))
        self.accessible()
        # The server refuses what a script of the page tries all the same.
        self.browser.do("expect", texts=[*PROVOKED, "403 (Forbidden)"])
        status = self.browser.eval("""fetch('/api/v1/session').then((one) => one.json()).then((one) =>
            fetch('/api/v1/config/document?key=/monitor/defaults', {method: 'PUT', body: '{"base": null, "value": "{}"}', headers: {'X-CSRF-Token': one.csrf}}))
            .then((one) => one.status)""")
        self.assertEqual(status, 403)
        self.assertNotIn("/monitor/defaults", self.documents())
        self.no_faults()

    def test_an_expired_session_leads_to_the_login_and_back_to_the_same_place(self):
        self.start_page(["editor"], "--session-max", "8s")
        self.browser.open(self.url("config?key=/monitor/defaults"))
        self.log_in("editor")
        self.browser.wait("document.querySelector('#field-interval') !== null")
        self.assertEqual(self.browser.do("keepCookies"), 1, "the server ends the session, not the browser")
        self.browser.do("fill", selector="#field-interval", text="9")
        self.browser.wait(SHOWN)
        self.assertIn("Your session has ended.", self.browser.eval("document.querySelector('.login').innerText"))
        self.assertEqual(self.browser.eval("document.activeElement.name"), "password", "the user is known")
        self.log_in("editor")
        self.browser.wait(HIDDEN)
        self.assertEqual(self.browser.eval("[location.hash, document.querySelector('#field-interval').value]"),
                         ["#/config?key=/monitor/defaults", "9"], "what was being edited is still there")
        self.browser.do("click", selector=".editor button.main")
        self.browser.wait("document.querySelector('.saved .good')?.textContent.startsWith('Saved')")
        self.no_faults()

    def test_a_page_of_another_origin_can_neither_change_nor_read(self):
        """The user is logged in, and opens a hostile page in the same browser. Ports do not separate cookies, so this is the worst case:
        for cookies, the hostile page belongs to the same site."""
        self.start_page(["admin"])
        self.browser.open(self.url("overview"))
        self.log_in("admin")
        self.browser.wait(HIDDEN)
        csrf = self.browser.eval("fetch('/api/v1/session').then((one) => one.json()).then((one) => one.csrf)")
        target = f"http://{self.page.address}/api/v1"
        hostile = f"""<script>
const change = JSON.stringify({{base: null, value: '{{"interval": 1}}'}});
const told = [];
const attempt = (path, options) => fetch('{target}' + path, {{credentials: 'include', ...options}}).then((one) => told.push([path, one.type, one.status]), () => told.push([path, 'failed', 0]));
Promise.all([
  attempt('/session', {{}}), attempt('/fleet', {{mode: 'no-cors'}}), attempt('/logout', {{method: 'POST', mode: 'no-cors'}}),
  attempt('/config/document?key=/monitor/defaults', {{method: 'PUT', body: change}}),
  attempt('/config/document?key=/monitor/defaults', {{method: 'PUT', body: change, headers: {{'X-CSRF-Token': '{csrf}'}}}}),
]).then(() => {{ document.title = JSON.stringify(told); }});
</script><form id="form" method="post" enctype="text/plain" action="{target}/logout"><input name="a"></form>"""

        class Hostile(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response(200)
                self.send_header("Content-Type", "text/html")
                self.end_headers()
                self.wfile.write(hostile.encode())

            def log_message(self, *_):
                pass

        with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hostile) as server:
            threading.Thread(target=server.serve_forever, daemon=True).start()
            self.browser.open(f"http://127.0.0.1:{server.server_port}/", page=1)
            told = json.loads(self.browser.wait("document.title.startsWith('[') && document.title", page=1))
            self.assertEqual(len(told), 5)
            self.assertTrue(all(kind in ("failed", "opaque") for _, kind, _ in told), told)
            self.browser.eval("document.getElementById('form').submit()", page=1)
            self.browser.wait(f"location.href.startsWith('{target}') && document.body.innerText.includes('pages of other origins')", page=1)
            server.shutdown()
        self.assertNotIn("/monitor/defaults", self.documents())
        self.assertEqual(self.browser.eval("fetch('/api/v1/fleet').then((one) => one.status)"), 200, "the user is still logged in")
        self.browser.do("faults")  # those of the hostile page

    def test_an_open_page_asks_for_no_login(self):
        self.start_server()
        self.serve()
        self.browser.open(self.url("config?key=/monitor/defaults"))
        self.browser.wait("document.querySelector('[aria-label=\"Token for changes\"]') !== null")
        self.assertEqual(self.browser.eval("[document.querySelector('.user').innerText, document.querySelector('.login').open]"), ["", False])
        self.no_faults()


if __name__ == "__main__":
    unittest.main()
