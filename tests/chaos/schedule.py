"""One schedule: starts the programs, injects faults, ends all faults, and compares the topic with what the programs
report."""
import dataclasses
import json
import os
import time

import audit
import recovery
import topic
from faults import Storm
from programs import run, wait_until
from world import World

CATCH_UP = 60  # seconds; longer than the detection of a half-open connection


@dataclasses.dataclass
class Outcome:
    """The result of a schedule. `faults` are descriptions; an empty list means success."""
    seed: int
    seconds: float = 0.0
    faults: list = dataclasses.field(default_factory=list)
    done: list = dataclasses.field(default_factory=list)  # (component, kind)
    runs: int = 0  # incarnations
    batches: int = 0
    duplicates: int = 0
    lost: int = 0
    twice: int = 0
    unexplained: int = 0
    recovery: dict = dataclasses.field(default_factory=dict)

    def line(self):
        text = "; ".join(self.faults) if self.faults else "good"
        return (f"seed {self.seed}: {len(self.done)} faults, {self.runs} runs, {self.batches} batches, {self.duplicates} duplicates, "
                f"{self.seconds:.1f} s: {text}")


class Schedule:
    def __init__(self, plan, folder, broker, proxy):
        self.plan, self.folder = plan, folder
        self.broker = broker
        os.makedirs(folder, exist_ok=True)
        self.world = World(plan, folder, broker, proxy)
        self.outcome = Outcome(plan.seed)

    def run(self):
        """Returns the outcome, including every error. Only the broker keeps running."""
        begin = time.monotonic()
        try:
            self._steps()
        except Exception as error:  # pylint: disable=broad-except
            self.outcome.faults.append(f"{type(error).__name__}: {error}")
        finally:
            self.world.close()
        self.outcome.seconds = time.monotonic() - begin
        return self.outcome

    def _steps(self):
        world = self.world
        world.start()
        self._wait_for_positions()
        done = Storm(world).run()
        self.outcome.done = [(one.fault.component, one.fault.kind) for one in done]
        mended = time.time()
        for agent in world.agents:
            wait_until(lambda a=agent: a.has_caught_up(mended), f"{agent.id} to have sent its backlog", CATCH_UP)
        world.drain()
        records = topic.read(self.broker.direct, world.topic)
        self._readers(records)
        self._judge(records)
        self.outcome.recovery = recovery.times(done, self._stored(records), self._printed(), [a.id for a in world.agents])
        topic.delete(self.broker.direct, world.topic, world.topic + "-state")

    def _wait_for_positions(self):
        """Waits until the groups have positions. A reader killed before that correctly starts at the end of the log,
        which is not the case under test."""
        world = self.world

        def known():
            held = topic.partitions(self.broker.direct, world.topic)
            keys = topic.keys(self.broker.direct, world.topic + "-state")
            return held and all(f"{group}/{n}" in keys for group in ("printers", "counters") for n in held)

        for agent in world.agents:
            wait_until(lambda a=agent: a.metric("batches_total") > 0 and a.has_caught_up(0), f"batches of {agent.id}")
        wait_until(known, "the groups to have positions")

    def _lines(self):
        """Returns (arrival time, line) for all output of the printers."""
        for printer in self.world.printers:
            for program in printer.runs:
                for when, line in zip(list(program.times), list(program.out)):
                    if line.endswith("}"):  # a kill may have truncated the last line
                        yield when, json.loads(line)

    def _printed(self):
        found = {}
        for when, line in self._lines():
            found.setdefault(line["agent"], []).append((audit.nanoseconds(line["time"]) / audit.NS, when))
        return found

    @staticmethod
    def _stored(records):
        found = {}
        for record in records:
            for frame in record.batch["frames"]:
                found.setdefault(record.batch["agent"], []).append((frame["time"] / audit.NS, record.time))
        return found

    def _readers(self, records):
        """Checks that every stored tick was printed at least once."""
        stored = audit.ticks_of(records)
        lines = []

        def all_printed():
            lines[:] = [(line["agent"], line["sequence"], audit.nanoseconds(line["time"])) for _, line in self._lines()]
            return stored <= set(lines)

        try:
            wait_until(all_printed, "all ticks to be printed", CATCH_UP)
        except AssertionError:
            left = sorted(stored - set(lines))
            self.outcome.lost += len(left)
            self.outcome.faults.append(f"{len(left)} stored ticks were not printed, e.g. {left[:3]}")
        invented = set(lines) - stored
        if invented:
            self.outcome.faults.append(f"{len(invented)} printed ticks are not stored, e.g. {sorted(invented)[:3]}")
        for reader in self.world.readers:
            reader.stop()

    def _ledger(self, *arguments):
        status, out, err = run("monitor-analysis", "ledger", *self.world.log(), "--format", "json", "--missing-after", "0s",
                               "--timeout", "50s", *arguments)
        if status not in (0, 1):
            raise AssertionError(f"the ledger ended with status {status}: {err}")
        return status, [json.loads(line) for line in out.splitlines()]

    def _judge(self, records):
        last_sequences = {(agent.id, name): last for agent in self.world.agents for name, last in agent.last_sequences.items()}
        runs = audit.runs_of(records, last_sequences)
        outcome = self.outcome
        outcome.runs, outcome.batches = len(runs), sum(len(r.copies) for r in runs.values())
        outcome.duplicates = sum(sum(r.copies.values()) for r in runs.values()) - outcome.batches
        for which, one in runs.items():
            if one.missing():
                outcome.lost += len(one.missing())
                outcome.faults.append(f"{which} has lost {one.missing()[:5]} of its sequences")
            if one.unexplained_points():
                outcome.unexplained += abs(one.unexplained_points())
                outcome.faults.append(f"{one.unexplained_points()} points of {which} are neither stored nor dropped")
        status, rows = self._ledger()
        outcome.faults += audit.compare("the ledger", runs, rows)
        if status != 0:
            outcome.faults.append("the ledger reports missing batches")
        # A dead member holds its partitions until its session times out; until then the ledger shows only the rest.
        end = time.monotonic() + 20
        while True:
            status, rows = self._ledger("--group-id", "counters")
            faults = audit.compare("the group's ledger", runs, rows)
            if not any("does not show" in fault for fault in faults) or time.monotonic() > end:
                break
        counted = sum(row["batches_stored"] for row in rows)
        outcome.twice += max(0, counted - outcome.batches)
        outcome.faults += faults
        if status != 0:
            outcome.faults.append("the group's ledger reports missing batches")

    def write_logs(self):
        for member in self.world.members:
            member.write_log(self.folder)
        with open(f"{self.folder}/plan.txt", "w", encoding="utf-8") as out:
            out.writelines(f"{agent}\n" for agent in self.plan.agents)
            out.writelines(fault.describe() + "\n" for fault in self.plan.faults)
