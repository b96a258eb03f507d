"""A hasty walk through all views in a real browser: what a view has begun ends with it."""
import os
import random
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
from programs import wait_until  # noqa: E402
from web import BrowserTest  # noqa: E402

SEED = int(os.environ.get("MONITOR_SEED", "1"))
ROUNDS = 9
STEPS = 8  # in each round
RULE = """groups:
  - name: files
    interval: 1s
    rules:
      - alert: Busy
        expr: system_cpu_utilization_ratio{cpu_mode="", cpu_logical_number=""} > 0.0001
        for: 2s
"""
QUERY = "system_cpu_utilization_ratio"
END = "#/plugins"  # a view that attends the stream and follows nothing

# Counts what a page has begun and not ended. Answers come late, so that many belong to a view that was left.
WATCH = """(() => {
  const live = new Map();
  const known = new Map();
  const begin = (what, which) => { if (known.has(what)) return; known.set(what, which); live.set(which, (live.get(which) ?? 0) + 1); };
  const end = (what) => { const which = known.get(what); if (which === undefined) return; known.delete(what); live.set(which, live.get(which) - 1); };
  let seed = SEED;
  const chance = () => (seed = (seed * 48271) % 2147483647) / 2147483647;
  const walk = window.walk = { live, chance, asked: [], wrong: [], pending: 0, sources: new Set() };
  const { setInterval, clearInterval, fetch, EventSource, setTimeout } = window;
  window.setInterval = (call, every) => { const id = setInterval(call, every); begin(`interval ${id}`, `interval ${call}`); return id; };
  window.clearInterval = (id) => { end(`interval ${id}`); clearInterval(id); };
  const ids = new WeakMap();
  const idOf = (one) => { if (!ids.has(one)) ids.set(one, Math.random()); return ids.get(one); };
  const { addEventListener, removeEventListener } = EventTarget.prototype;
  const name = (target, type, listener) => `${target === document ? 'document' : 'window'} ${type} ${idOf(listener)}`;
  EventTarget.prototype.addEventListener = function (type, listener, ...more) {
    const target = this ?? window;
    if (listener && (target === window || target === document)) begin(name(target, type, listener), `listener of ${type}: ${listener}`);
    return addEventListener.call(target, type, listener, ...more);
  };
  EventTarget.prototype.removeEventListener = function (type, listener, ...more) {
    const target = this ?? window;
    if (listener && (target === window || target === document)) end(name(target, type, listener));
    return removeEventListener.call(target, type, listener, ...more);
  };
  for (const kind of ['ResizeObserver', 'IntersectionObserver', 'MutationObserver']) {
    const { observe, disconnect } = window[kind].prototype;
    window[kind].prototype.observe = function (...of) { begin(this, kind); return observe.apply(this, of); };
    window[kind].prototype.disconnect = function () { end(this); return disconnect.call(this); };
  }
  window.EventSource = class extends EventSource {
    constructor(...of) { super(...of); walk.sources.add(this); }
    close() { walk.sources.delete(this); super.close(); }
  };
  window.fetch = async (url, ...more) => {
    walk.asked.push(new URL(url, location.href).pathname);
    ++walk.pending;
    try {
      const answer = await fetch(url, ...more);
      await new Promise((done) => setTimeout(done, chance() * 250));
      return answer;
    } finally {
      --walk.pending;
    }
  };
  const page = (hash) => hash.replace(/^.*#\\/?/, '').split('?')[0];
  for (const how of ['pushState', 'replaceState']) {
    const change = history[how];
    history[how] = function (data, title, url) {
      if (!walk.poking && page(String(url)) !== page(location.hash)) walk.wrong.push(`${location.hash} became ${url}`);
      return change.call(history, data, title, url);
    };
  }
})()"""

# One round: other addresses follow without waiting for what the one before shows; some are used a moment before.
ROUND = """(async () => {
  const { chance } = window.walk;
  const views = VIEWS;
  const pick = (all) => all[Math.floor(chance() * all.length)];
  const poke = () => {
    for (const one of document.querySelectorAll('main, .fleet-body, .message-body')) one.scrollTop = chance() * 400;
    for (const one of document.querySelectorAll('main input[type=search], main .tools input[type=text]')) {
      one.value = pick(['', 'cpu', 'agent-1', 'system.*']);
      one.dispatchEvent(new Event('input', { bubbles: true }));
    }
    for (const one of document.querySelectorAll('main .segments button')) if (chance() < 0.2) one.click();
  };
  for (let step = 0; step < STEPS; ++step) {
    const begun = performance.now();
    window.walk.poking = true;  // a click may come before the browser tells of the address that is there already
    if (chance() < 0.5) poke();
    window.walk.poking = false;
    if (chance() < 0.15) history.back();
    else if (chance() < 0.1) history.forward();
    else location.hash = pick(views);
    const wait = pick([0, 0, 10, 40, 120, 300]);
    await new Promise((done) => (wait === 0 ? queueMicrotask(done) : setTimeout(done, wait)));
    if (performance.now() - begun > 5000) throw new Error(`${location.hash} blocks`);
  }
  return location.hash;
})()"""


class WebWalkTest(BrowserTest):
    def begin(self):
        rules = f"{self.data}/rules.yaml"
        with open(rules, "w", encoding="utf-8") as file:
            file.write(RULE)
        server = self.start_server()
        for agent in ("agent-1", "agent-2"):
            self.configure(agent, "--interval", "1")
            self.start_agent(agent, server, "--simulate")
        self.serve("--rules", rules, "--dir", f"{self.data}/monitor")
        wait_until(lambda: len(self.range("agent-1")[0]) >= 3 and len(self.range("agent-2")[0]) >= 3, "values")
        file = wait_until(lambda: self.get("/api/v1/rules")["data"]["groups"], "the rule")[0]["file"]
        views = ["overview", "overview?view=table", "overview?view=map", "overview?view=cards", "agent", "agent?agents=agent-1",
                 "agent?agents=agent-1,agent-2", "agent?agents=agent-1&earlier=3600", "agent?agents=agent-2&metric=system.cpu.*", "agent?agents=nosuch",
                 "alerts", "alerts?state=pending", "explore", f"explore?q={QUERY}", f"explore?q={QUERY}&view=heat", f"explore?q={QUERY}&view=table",
                 "explore?q=sum(", "messages", "messages?partition=0&offset=2", "messages?tail=1", "messages?view=log", "messages?agent=agent-1",
                 "config", "config?key=/monitor/agents/agent-1", "config?key=/monitor/agents/agent-1&view=json", "ledger", "plugins",
                 "rule", f"rule?q={QUERY}%20%3E%201", "rule?view=yaml", f"rule?file={file}&group=files&rule=Busy&test=604800"]
        return [f"#/{one}" for one in views]

    def rest(self, watched=0):
        """Goes to the last view, and returns what is not ended once it is at rest. `watched`: for so many milliseconds."""
        self.browser.eval(f"location.hash = '{END}'")
        self.browser.wait("document.querySelector('.plugins h1, .plugins-page h1, main h1')?.textContent === 'Plugins' && window.walk.pending === 0")
        # What was asked for before may still be told.
        self.browser.eval(f"new Promise((done) => setTimeout(() => {{ window.walk.asked = []; setTimeout(done, {watched}); }}, 300))")
        return self.browser.eval("Object.fromEntries([...window.walk.live].filter(([, many]) => many > 0))")

    def test_nothing_of_a_view_outlives_it(self):
        views = self.begin()
        self.browser.do("expect", texts=["404", "400", "422"])  # the browser logs these for what does not exist, and for a wrong query
        self.browser.open(self.url("plugins"))
        self.browser.wait("document.querySelector('main h1')?.textContent === 'Plugins'")
        self.browser.eval(WATCH.replace("SEED", str(SEED)))
        # Loads all scripts, of which some begin something for all time.
        for view in [one for one in views if "?" not in one or "view=" in one]:
            self.browser.eval(f"location.hash = '{view}'")
            self.browser.wait("document.querySelector('main h1') !== null && window.walk.pending === 0")
        before = self.rest()
        chance = random.Random(SEED)
        for _ in range(ROUNDS):
            self.browser.do("size", width=chance.choice((390, 820, 1280, 1600)), height=chance.choice((500, 800, 1200)))
            self.browser.do("scheme", scheme=chance.choice(("light", "dark")))
            self.browser.eval(ROUND.replace("VIEWS", str(views)).replace("STEPS", str(STEPS)))
        after = self.rest(2500)  # longer than the intervals of views that follow something
        self.assertEqual(after, before, "what was begun is ended")
        self.assertEqual(self.browser.eval("window.walk.wrong"), [], "no view changes the address of another one")
        allowed = {"/api/ui/v1/plugins", "/api/ui/v1/status", "/api/ui/v1/alerts", "/api/v1/query_range"}
        self.assertEqual(set(self.browser.eval("window.walk.asked")) - allowed, set(), "only the view that is shown asks")
        topics = self.browser.eval("[...window.walk.sources].map((one) => new URL(one.url).searchParams.getAll('topic').join())")
        self.assertEqual(topics, ["log,config"], "one stream, and it belongs to the view that is shown")
        self.assertEqual(self.browser.eval("location.hash"), END)
        self.no_faults()


if __name__ == "__main__":
    unittest.main()
