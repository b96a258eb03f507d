"""The plan of a schedule, drawn from its seed: the participants, and the faults with their times. Uses no clock and
starts no program."""
import dataclasses
import random

PROCESS_FAULTS = ("kill", "freeze", "restart")
KINDS = {
    "agent": PROCESS_FAULTS,
    "server": PROCESS_FAULTS,
    "kafka": PROCESS_FAULTS,
    "reader": PROCESS_FAULTS,
    "agent link": ("latency", "blackhole", "reset", "half-open", "byte by byte"),
    "kafka link": ("latency", "blackhole", "reset", "half-open", "byte by byte"),
}
COMPONENTS = tuple(KINDS)
# Kafka needs seconds of CPU to start, and a half-open connection is detected only after seconds of silence.
RARE = {("kafka", "kill"): 0.5, ("kafka", "restart"): 0.25, ("agent link", "half-open"): 0.3, ("kafka link", "half-open"): 0.3}
SPAN = 8.0  # seconds; all faults begin within them
SHORTEST, LONGEST = 0.2, 2.5  # duration of a fault, in seconds


@dataclasses.dataclass(frozen=True)
class Fault:
    at: float  # seconds after all programs are running
    component: str
    kind: str
    target: int  # number of the agent, server, reader or link
    lasts: float  # seconds that it is frozen, down or faulty; 0: instantaneous
    latency: float = 0.0

    def describe(self):
        more = f" of {self.latency * 1000:.0f} ms" if self.kind == "latency" else ""
        return f"{self.component} {self.target} {self.kind}{more} at {self.at:.2f} s for {self.lasts:.2f} s"


@dataclasses.dataclass(frozen=True)
class Agent:
    interval: float
    send_every: float
    spool_sync: str
    points_dropped: bool  # a plugin drops some points
    encodings: tuple = ("v1",)  # of its runs, in turn


@dataclasses.dataclass(frozen=True)
class Plan:
    seed: int
    agents: tuple
    servers: int
    partitions: int
    printers: int  # members of the get-metrics group
    counters: int  # members of the ledger group
    faults: tuple
    encodings: tuple  # for each server, those of its runs in turn

    @property
    def readers(self):
        return self.printers + self.counters


def draw_agent(rng):
    interval = rng.choice((0.1, 0.2, 0.5, 1.0))
    return Agent(interval, rng.choice((0, interval, 1.0)), rng.choice(("100ms", "100ms", "batch", "never")), rng.random() < 0.3)


def draw_encodings(rng):
    """Of the runs of a program, in turn: it stays, is upgraded with a restart, or downgraded."""
    return rng.choice((("v2",), ("v1",), ("v1", "v2"), ("v2", "v1")))


def draw_fault(rng, counts, component, at):
    kind = rng.choices(KINDS[component], [RARE.get((component, kind), 1) for kind in KINDS[component]])[0]
    lasts = rng.uniform(SHORTEST, LONGEST)
    if kind == "half-open":
        lasts = 0.0
    return Fault(round(at, 2), component, kind, rng.randrange(counts[component]), round(lasts, 2),
                 round(rng.uniform(0.05, 0.8), 2) if kind == "latency" else 0.0)


def draw(seed):
    rng = random.Random(seed)
    versions = random.Random(-1 - seed)  # of their own, so that they do not change what else a seed decides
    agents = tuple(dataclasses.replace(draw_agent(rng), encodings=draw_encodings(versions)) for _ in range(rng.randint(2, 4)))
    servers = rng.randint(1, 2)
    printers = rng.randint(1, 2)
    counters = rng.randint(1, 3 - printers)
    counts = {"agent": len(agents), "server": servers, "kafka": 1, "reader": printers + counters,
              "agent link": servers, "kafka link": 1}
    # In some schedules the faults do not overlap, so that the recovery from each can be measured.
    apart = rng.random() < 0.4
    times = [0.5] * 5 if apart else sorted(rng.uniform(0, SPAN) for _ in range(rng.randint(5, 10)))
    faults, starts_of_kafka = [], 0
    for at in times:
        if apart and faults:
            at = faults[-1].at + faults[-1].lasts + rng.uniform(0.8, 1.6)
        fault = draw_fault(rng, counts, rng.choice(COMPONENTS), at)
        if fault.component == "kafka" and fault.kind != "freeze":
            starts_of_kafka += 1
            if starts_of_kafka > 1:  # a schedule has time for only one restart of Kafka
                fault = dataclasses.replace(fault, kind="freeze")
        faults.append(fault)
    return Plan(seed, agents, servers, rng.randint(1, 3), printers, counters, tuple(faults),
                tuple(draw_encodings(versions) for _ in range(servers)))
