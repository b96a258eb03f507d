"""The API's responses match /api/ui/v1/openapi.json, and this document is valid OpenAPI."""
import json
import os
import subprocess
import sys
import unittest
import urllib.error
import urllib.parse
import urllib.request

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
from programs import ROOT  # noqa: E402
from web import PageTest  # noqa: E402

# These routes return documents of other formats.
OPAQUE = ("/stream", "/message/value", "/config/schema", "/openapi.json")
RULES = "groups:\n- name: g\n  rules:\n  - {alert: A, expr: 'system_cpu_utilization_ratio >= 0', labels: {a: b}, annotations: {summary: '{{ $value }}'}}\n"
DEFAULTS = "/api/ui/v1/config/document?key=/monitor/defaults"


def pointer(*parts):
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in parts)


class WebApiTest(PageTest):
    def setUp(self):
        super().setUp()
        subprocess.run([os.path.join(ROOT, "tools", "web"), "modules"], check=True, capture_output=True)
        self.system()
        self.document = self.get("/api/ui/v1/openapi.json")
        self.values = []

    def answer(self, method, path, status, target=None, body=None, token=False):
        """Sends a request, and records the response for the check against its declared schema."""
        headers = {"Authorization": f"Bearer {self.token()}"} if token else {}
        request = urllib.request.Request(f"http://{self.page.address}{target or path}", method=method, headers=headers,
                                         data=body.encode() if body is not None else None)
        try:
            with urllib.request.urlopen(request, timeout=20) as response:
                got, kind, text = response.status, response.headers["Content-Type"], response.read().decode()
        except urllib.error.HTTPError as error:
            got, kind, text = error.code, error.headers["Content-Type"], error.read().decode()
        self.assertEqual(got, status, f"{method} {target or path}: {text[:300]}")
        declared = self.document["paths"][path][method.lower()]["responses"][str(status)]["content"]
        self.assertEqual([kind.split(";")[0]], list(declared), path)
        value = json.loads(text) if kind == "application/json" else text
        self.values.append({"name": f"{method} {target or path}", "value": value,
                            "schema": pointer("paths", path, method.lower(), "responses", status, "content", kind.split(";")[0], "schema")})
        return value

    def token(self):
        with open(os.path.join(self.data, "web-token"), encoding="ascii") as file:
            return file.read().strip()

    def check(self):
        done = subprocess.run(["node", os.path.join(ROOT, "web", "check_api.mjs")], capture_output=True, text=True, check=False,
                              input=json.dumps({"document": self.document, "values": self.values}))
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "", ""))

    def gets(self):
        """Returns the path and parameters of every GET route that a page without users answers."""
        return [(path, methods["get"]["parameters"]) for path, methods in self.document["paths"].items()
                if "get" in methods and methods["get"]["x-role"] != "admin"]

    @staticmethod
    def target(path, parameters, **changed):
        """Builds a request with every required parameter and every example; `changed` overrides some."""
        given = {}
        for one in parameters:
            if one["in"] == "query" and (one["required"] or "example" in one):
                given[one["name"]] = one.get("example", "fleet" if one["name"] == "topic" else "agent-001")
        if path.endswith("/document"):
            given["key"] = "/monitor/config/agent-001"
        given.update(changed)
        query = urllib.parse.urlencode({name: value for name, value in given.items() if value is not None})
        return path.replace("{agent}", "agent-001").replace("{name}", "agent") + ("?" + query if query else "")

    def test_every_result_matches_its_declared_schema(self):
        self.answer("PUT", "/api/ui/v1/rules/document", 200, "/api/ui/v1/rules/document?name=some", json.dumps({"base": None, "value": RULES}), token=True)
        named = {"/ledger/run": {"incarnation": self.get("/api/ui/v1/ledger")["incarnations"][0]["incarnation"]},
                 "/rules/file": {"file": self.get("/api/ui/v1/rules/files")["files"][0]["file"]}}
        for path, parameters in self.gets():
            if not path.endswith(OPAQUE):
                self.answer("GET", path, 200, self.target(path, parameters, **named.get(path.removeprefix("/api/ui/v1"), {})))
        for query, status in (("sum({__name__=~'.%2B'})", 200), ("sum(", 400), ("count_values('',vector(1))", 422)):
            self.answer("GET", "/api/v1/query", status, f"/api/v1/query?query={query}")
        self.answer("GET", "/api/ui/v1/range", 200, "/api/ui/v1/range?agent=agent-001&resolution=1m&from=-1h")
        self.assertGreaterEqual(len(self.values), 13)
        for name, data in self.events(("fleet", "tick", "config"), "topic=fleet&topic=agent:agent-001&topic=config"):
            self.values.append({"name": name, "value": data, "schema": pointer("components", "schemas", f"{name.capitalize()}Event")})
        self.check()

    def events(self, wanted, query):
        """Returns one event of each kind from the stream; changes the configuration to get its event."""
        found = {}
        with urllib.request.urlopen(f"http://{self.page.address}/api/ui/v1/stream?{query}", timeout=20) as stream:
            self.configure("agent-001", "set", "--interval", "0.9")
            name = ""
            while set(wanted) - set(found):
                line = stream.readline().decode().rstrip("\n")
                if line.startswith("event: "):
                    name = line[7:]
                elif line.startswith("data: "):
                    found[name] = json.loads(line[6:])
        return [(name, found[name]) for name in wanted]

    def test_the_pages_types_are_generated_from_the_description(self):
        done = subprocess.run(["node", os.path.join(ROOT, "web", "generate_types.mjs")], capture_output=True, text=True, check=True,
                              cwd=os.path.join(ROOT, "web"), input=json.dumps(self.document))
        with open(os.path.join(ROOT, "web", "src", "api", "types.ts"), encoding="utf-8") as file:
            self.assertEqual(file.read(), done.stdout, "run: tools/web types URL")

    def test_changes_and_errors_match_their_declared_schemas(self):
        path = "/api/ui/v1/config/document"
        first = self.answer("PUT", path, 200, DEFAULTS, json.dumps({"base": None, "value": '{"interval": 2}'}), token=True)
        self.answer("PUT", path, 401, DEFAULTS, "{}")
        self.answer("PUT", path, 400, DEFAULTS, "{}", token=True)
        conflict = self.answer("PUT", path, 409, DEFAULTS, json.dumps({"base": None, "value": "{}"}), token=True)
        self.assertEqual(conflict["current"]["tag"], first["tag"])
        self.answer("PUT", path, 422, DEFAULTS, json.dumps({"base": first["tag"], "value": '{"intervall": 2}'}), token=True)
        self.answer("POST", "/api/ui/v1/config/validate", 200, "/api/ui/v1/config/validate?key=/monitor/defaults", '{"intervall": 2}')
        self.answer("PUT", path, 200, DEFAULTS, json.dumps({"base": first["tag"]}), token=True)
        self.answer("PUT", path, 409, DEFAULTS, json.dumps({"base": first["tag"], "value": "{}"}), token=True)
        self.answer("GET", path, 404, DEFAULTS)
        self.answer("GET", "/api/ui/v1/agents/{agent}", 404, "/api/ui/v1/agents/nobody")
        for text, status in ((RULES, 200), ("groups: 1", 422)):
            self.answer("POST", "/api/ui/v1/rules/check", 200, "/api/ui/v1/rules/check?compare=series", text)
            self.answer("POST", "/api/ui/v1/rules/replay", status, "/api/ui/v1/rules/replay?from=-10m", text)
        document = "/api/ui/v1/rules/document"
        self.answer("PUT", document, 422, document + "?name=some", json.dumps({"base": None, "value": "groups: 1"}), token=True)
        self.answer("PUT", document, 409, document + "?name=some", json.dumps({"base": "r1", "value": RULES}), token=True)
        self.answer("GET", "/api/ui/v1/rules/file", 404, "/api/ui/v1/rules/file?file=nobody")
        self.check()

    def test_rejects_parameters_outside_their_declaration(self):
        tried = 0
        for path, parameters in self.gets():
            if path.startswith("/api/v1/"):
                continue  # as Prometheus, it ignores what it does not know
            wrong = [{"nosuch": "1"}]
            for one in parameters:
                if one["in"] != "query":
                    continue
                name, schema = one["name"], one["schema"]
                if one["required"]:
                    wrong.append({name: None})
                if "enum" in schema:
                    wrong.append({name: "nosuch"})
                if schema["type"] == "integer":
                    wrong += [{name: schema[bound] + step} for bound, step in (("minimum", -1), ("maximum", 1)) if bound in schema] + [{name: "x"}]
            for changed in wrong:
                error = self.answer("GET", path, 400, self.target(path, parameters, **changed))["error"]
                self.assertTrue(error.startswith("query: "), error)
                self.assertIn(next(iter(changed)), error)
                tried += 1
        self.assertGreaterEqual(tried, 25)
        self.check()


if __name__ == "__main__":
    unittest.main()
