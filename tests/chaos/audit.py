"""Audits the fate of every batch from the topic's records alone, and compares it with what the programs report."""
import collections
import datetime

NS = 10**9


class Run:
    """An incarnation of an agent."""

    def __init__(self):
        self.copies = collections.Counter()  # by sequence
        self.points = {}  # by sequence
        self.counters = {}  # by sequence
        self.dropped = {}  # by sequence: (stage, reason)
        self.last = 0  # the last sequence, as reported by the agent
        self.clean = None

    def missing(self):
        known = max([self.last, *self.copies, *self.dropped])
        return [s for s in range(1, known + 1) if s not in self.copies and s not in self.dropped]

    def drops(self):
        """{(stage, reason): [batches, points]} from its last batch; only points for data without a sequence."""
        if not self.counters:
            return {}
        totals = self.counters[max(self.counters)]["dropped"]
        return {(d["stage"], d["reason"]): [d["batches"], d["points"]] for d in totals if d["batches"] or d["points"]}

    def unexplained_points(self):
        """Points that were collected, but neither stored nor dropped."""
        if not self.counters:
            return 0
        end = max(self.counters)
        stored = sum(points for sequence, points in self.points.items() if sequence <= end)
        return self.counters[end]["points_made"] - stored - sum(d["points"] for d in self.counters[end]["dropped"])


def runs_of(records, last_sequences):
    """Returns {(agent, incarnation): Run}. `last_sequences`: {(agent, incarnation): last sequence}, from the agents' logs."""
    runs = collections.defaultdict(Run)
    for record in records:
        batch = record.batch
        run = runs[batch["agent"], batch["incarnation"]]
        run.copies[batch["sequence"]] += 1
        run.points[batch["sequence"]] = sum(len(frame["points"]) for frame in batch["frames"])
        run.counters[batch["sequence"]] = batch["counters"]
        for drop in batch["drops"]:
            if drop["first_sequence"]:
                other = runs[batch["agent"], drop["incarnation"]]
                for sequence in range(drop["first_sequence"], drop["last_sequence"] + 1):
                    other.dropped[sequence] = (drop["stage"], drop["reason"])
        for end in batch["ended"]:
            other = runs[batch["agent"], end["incarnation"]]
            other.last, other.clean = end["last_sequence"], other.clean or end["clean"]
        if batch.get("final"):  # a clean stop, even if the next run reports another end
            run.last, run.clean = batch["sequence"], True
    for name, last in last_sequences.items():
        if last:
            runs[name].last = max(runs[name].last, last)
    return runs


def row_of(run):
    """Formats a run as the ledger does."""
    counters = run.counters[max(run.counters)]
    return {"first_sequence": min(run.copies), "last_sequence": max(run.copies), "batches_stored": len(run.copies),
            "duplicates": sum(run.copies.values()) - len(run.copies), "missing": [], "expired": [],
            "ticks_due": counters["ticks_due"], "ticks_missed": counters["ticks_missed"],
            "points_made": counters["points_made"], "points_stored": sum(run.points.values()), "clean": run.clean,
            "dropped": run.drops()}


def compare(name, runs, rows):
    """Describes the differences between the ledger's rows and the topic."""
    faults = []
    shown = {(row["agent"], row["incarnation"]): row for row in rows}
    for which, run in runs.items():
        if not run.copies and not run.dropped:
            continue
        if which not in shown:
            faults.append(f"{name} does not show {which}")
        elif run.copies:
            row = dict(shown[which])
            row["dropped"] = {(d["stage"], d["reason"]): [d["batches"], d["points"]] for d in row["dropped"]}
            for field, value in row_of(run).items():
                if row[field] != value:
                    faults.append(f"{name} reports {field}={row[field]} for {which}, the topic has {value}")
    faults += [f"{name} shows {which}, which is not in the topic" for which in shown if which not in runs]
    return faults


def nanoseconds(text):
    """Parses an RFC 3339 time exactly."""
    whole, _, rest = text.rstrip("Z").partition(".")
    seconds = datetime.datetime.fromisoformat(whole + "+00:00").timestamp()
    return int(seconds) * NS + int(rest.ljust(9, "0") or 0)


def ticks_of(records):
    """Returns (agent, sequence, time in ns) of every stored tick."""
    return {(r.batch["agent"], r.batch["sequence"], frame["time"]) for r in records for frame in r.batch["frames"]}
