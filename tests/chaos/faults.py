"""Injects the faults of a plan into a world. Each fault runs on its own thread; each target has one fault at a time."""
import contextlib
import dataclasses
import threading
import time


@dataclasses.dataclass
class Done:
    """A completed fault. Times are wall-clock seconds."""
    fault: object
    agents: frozenset  # ids of the agents whose samples it may delay
    began: float = 0.0
    ended: float = 0.0


class Storm:
    def __init__(self, world):
        self.world = world
        self.links = {name: threading.Lock() for name in [*(f"server {n}" for n in range(world.plan.servers)), "kafka"]}
        self.done, self.errors = [], []

    def run(self):
        """Injects all faults, and returns when all have ended."""
        begin = time.monotonic()
        threads = [threading.Thread(target=self._one, args=(fault, begin), daemon=True) for fault in self.world.plan.faults]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(150)
            if thread.is_alive():
                raise AssertionError("a fault did not end")
        if self.errors:
            raise self.errors[0]
        return self.done

    def _one(self, fault, begin):
        try:
            # The plan determines the time, so there is no condition to wait for.
            time.sleep(max(0.0, begin + fault.at - time.monotonic()))
            done = Done(fault, self._held_up(fault))
            if fault.component in ("agent link", "kafka link"):
                self._link(fault, done)
            else:
                self._process(fault, done)
            self.done.append(done)
        except Exception as error:  # pylint: disable=broad-except
            self.errors.append(error)

    def _held_up(self, fault):
        if fault.component == "reader":
            return frozenset()
        agents = self.world.agents
        return frozenset([agents[fault.target].id] if fault.component == "agent" else [agent.id for agent in agents])

    def _target(self, fault):
        world = self.world
        return {"agent": world.agents, "server": world.servers, "reader": world.readers, "kafka": [world.broker]}[
            fault.component][fault.target]

    def _process(self, fault, done):
        target = self._target(fault)
        with target.lock:
            done.began = time.time()
            if fault.kind == "freeze":
                target.freeze()
                with contextlib.ExitStack() as after:
                    after.callback(target.thaw)
                    time.sleep(fault.lasts)
            else:
                (target.kill if fault.kind == "kill" else target.stop)()
                time.sleep(fault.lasts)
                target.start()
            done.ended = time.time()

    def _link(self, fault, done):
        name = "kafka" if fault.component == "kafka link" else f"server {fault.target}"
        with self.links[name]:
            done.began = time.time()
            self.world.proxy.set(name, fault.kind, fault.latency)
            time.sleep(fault.lasts)
            self.world.proxy.mend(name)
            done.ended = time.time()
