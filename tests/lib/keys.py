"""Writes keys below /monitor/ to files or to a real etcd, bypassing all of our checks. Mixins for a ProgramTest;
`agent_where` holds the options that point an agent to the keys."""
import base64
import http.client
import json
import os

from etcd import Etcd

ROOT = "/monitor/"


def as_bytes(value):
    return value.encode() if isinstance(value, str) else value


class KeysInFiles:
    def setUp(self):
        super().setUp()
        self.folder = f"{self.data}/monitor"
        self.agent_where = ["--config-dir", self.folder]

    def path(self, key):
        return f"{self.folder}/{key.removeprefix(ROOT)}.json"

    def put(self, key, value):
        path = self.path(key)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path + ".new", "wb") as file:
            file.write(as_bytes(value))
        os.rename(path + ".new", path)

    def delete(self, key):
        if os.path.exists(self.path(key)):
            os.unlink(self.path(key))

    def status(self, agent_id):
        """Returns the agent's status, or {} if it has not written one."""
        try:
            with open(self.path(ROOT + "status/" + agent_id), encoding="utf-8") as file:
                return json.load(file)
        except FileNotFoundError:
            return {}


class KeysInEtcd:
    """Uses etcd's HTTP gateway, because starting etcdctl for each of thousands of changes would take minutes. The tests
    of a class share one etcd, which is emptied for each test."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.etcd = Etcd()
        cls.addClassCleanup(cls.etcd.close)

    def setUp(self):
        super().setUp()
        self.etcd.clear()
        self.agent_where = ["--etcd", self.etcd.address]
        self.gateway = http.client.HTTPConnection(self.etcd.address, timeout=30)
        self.addCleanup(self.gateway.close)

    def ask(self, path, **request):
        encoded = {name: base64.b64encode(as_bytes(value)).decode() for name, value in request.items()}
        self.gateway.request("POST", "/v3/kv/" + path, json.dumps(encoded))
        answer = json.loads(self.gateway.getresponse().read())
        self.assertIn("header", answer, answer)
        return answer

    def put(self, key, value):
        self.ask("put", key=key, value=value)

    def delete(self, key):
        self.ask("deleterange", key=key)

    def status(self, agent_id):
        found = self.ask("range", key=ROOT + "status/" + agent_id).get("kvs", [])
        return json.loads(base64.b64decode(found[0]["value"])) if found else {}
