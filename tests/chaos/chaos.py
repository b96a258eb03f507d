"""Chaos tests: real agents, servers and readers on a real Kafka, with faults drawn from a seed, then an audit of the
log.

  chaos.py --schedules 5 --seed 1           runs the schedules of seeds 1 to 5
  chaos.py --schedules 1 --seed 17 --keep   runs one schedule and keeps its logs

A failed schedule keeps its folder and prints the command that repeats it. The seed determines the faults, but not the
timing of the programs. Exit status 1: a schedule failed.
"""
import argparse
import collections
import multiprocessing
import os
import shutil
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
import plan as plans  # noqa: E402
from proxy import FaultProxy  # noqa: E402
from recovery import median  # noqa: E402
from schedule import Outcome, Schedule  # noqa: E402
from world import Broker  # noqa: E402

FRESH_BROKER_AFTER = 25  # schedules; deleted topics leave traces in the broker


def one(seed, folder, broker, proxy, keep):
    schedule = Schedule(plans.draw(seed), folder, broker, proxy)
    outcome = schedule.run()
    if outcome.faults or keep:
        schedule.write_logs()
        shutil.copy(f"{broker.folder}/kafka.log", f"{folder}/kafka.log")
    else:
        shutil.rmtree(folder, ignore_errors=True)
    return outcome


def work(seeds, results, folder, keep):
    """A worker with its own broker: runs seeds until none is left, or until the parent process has gone."""
    parent = os.getppid()
    proxy = broker = None
    done = 0
    try:
        while (seed := seeds.get()) is not None and os.getppid() == parent:
            here = f"{folder}/{seed}"
            try:
                if broker is None:
                    os.makedirs(here, exist_ok=True)
                    proxy = FaultProxy(seed)
                    broker = Broker(f"{folder}/kafka-{seed}", proxy)
                outcome = one(seed, here, broker, proxy, keep)
            except Exception as error:  # pylint: disable=broad-except
                outcome = Outcome(seed, faults=[f"{type(error).__name__}: {error}"])
            results.put((outcome, here))
            done += 1
            if outcome.faults or done % FRESH_BROKER_AFTER == 0:
                end_broker(broker, proxy)
                proxy = broker = None
    finally:
        end_broker(broker, proxy)


def end_broker(broker, proxy):
    if broker is not None:
        broker.stop()
        shutil.rmtree(broker.folder, ignore_errors=True)
    if proxy is not None:
        proxy.close()


def figures(outcomes, seconds):
    done = collections.Counter(fault for outcome in outcomes for fault in outcome.done)
    recovered = collections.defaultdict(list)
    for outcome in outcomes:
        for name, times in outcome.recovery.items():
            recovered[name] += times
    yield (f"{len(outcomes)} schedules in {seconds:.0f} s: {sum(done.values())} faults, {sum(o.runs for o in outcomes)} runs of agents, "
           f"{sum(o.batches for o in outcomes)} batches, {sum(o.duplicates for o in outcomes)} duplicates in the log")
    yield (f"lost {sum(o.lost for o in outcomes)}, twice {sum(o.twice for o in outcomes)}, "
           f"unexplained {sum(o.unexplained for o in outcomes)}, failed {sum(bool(o.faults) for o in outcomes)}")
    yield f"{'fault':28} {'done':>5} {'measured':>9} {'median s':>9} {'worst s':>8}"
    for component, kinds in plans.KINDS.items():
        every = []
        for kind in filter(lambda k: done[component, k], kinds):
            times = recovered.get((component, kind), [])
            every += times
            yield row(f"{component}: {kind}", done[component, kind], times)
        yield row(f"{component}: all", sum(done[component, kind] for kind in kinds), every)


def row(name, count, times):
    shown = f"{median(times):9.2f} {max(times):8.2f}" if times else f"{'-':>9} {'-':>8}"
    return f"{name:28} {count:5} {len(times):9} {shown}"


def main():
    parser = argparse.ArgumentParser(prog="tools/chaos", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--schedules", type=int, default=3, metavar="N", help="number of schedules (default: 3)")
    parser.add_argument("--seed", type=int, default=1, metavar="S", help="seed of the first schedule (default: 1)")
    parser.add_argument("--jobs", type=int, default=2, metavar="J", help="schedules to run in parallel, each on its own Kafka (default: 2)")
    parser.add_argument("--keep", action="store_true", help="also keep the folders of schedules that passed")
    options = parser.parse_args()
    if options.schedules < 1 or options.jobs < 1 or options.seed < 0:
        parser.error("--schedules and --jobs must be at least 1, --seed at least 0")
    folder = tempfile.mkdtemp(prefix="monitor-chaos-")
    context = multiprocessing.get_context("spawn")
    seeds, results = context.Queue(), context.Queue()
    jobs = min(options.jobs, options.schedules)
    for seed in [*range(options.seed, options.seed + options.schedules), *[None] * jobs]:
        seeds.put(seed)
    begin = time.monotonic()
    workers = [context.Process(target=work, args=(seeds, results, folder, options.keep)) for _ in range(jobs)]
    for worker in workers:
        worker.start()
    outcomes = []
    for _ in range(options.schedules):
        outcome, here = results.get()
        outcomes.append(outcome)
        print(outcome.line(), flush=True)
        if outcome.faults:
            print(f"  logs: {here}\n  repeat: tools/chaos --schedules 1 --seed {outcome.seed} --keep", flush=True)
    for worker in workers:
        worker.join()
    for line in figures(outcomes, time.monotonic() - begin):
        print(line)
    failed = any(outcome.faults for outcome in outcomes)
    if not failed and not options.keep:
        shutil.rmtree(folder, ignore_errors=True)
    elif options.keep:
        print(f"folders: {folder}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
