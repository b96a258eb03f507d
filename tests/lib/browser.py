"""A headless Chromium for tests (tests/lib/browser.mjs)."""
import json
import os
import subprocess

from programs import ROOT


class Browser:
    def __init__(self):
        done = subprocess.run([os.path.join(ROOT, "tools", "web"), "modules"], capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise AssertionError(f"tools/web modules: {done.stderr}")
        self.process = subprocess.Popen(["node", os.path.join(ROOT, "tests", "lib", "browser.mjs")], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True)

    def do(self, what, **more):
        self.process.stdin.write(json.dumps({"do": what, **more}) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise AssertionError("the browser ended")
        answer = json.loads(line)
        if "error" in answer:
            raise AssertionError(f"{what} {more}: {answer['error']}")
        return answer["value"]

    def open(self, url, **more):
        return self.do("open", url=url, **more)

    def wait(self, code, **more):
        return self.do("wait", code=code, **more)

    def eval(self, code, **more):
        return self.do("eval", code=code, **more)

    def close(self):
        self.process.stdin.close()
        self.process.wait(30)
        self.process.stdout.close()
