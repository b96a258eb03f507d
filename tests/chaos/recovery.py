"""Recovery times: from the end of a fault to the first fresh sample that is stored or, for readers, printed."""
import collections


def median(values):
    ordered = sorted(values)
    return ordered[len(ordered) // 2]


def first_after(samples, since):
    """Returns the arrival of the first sample created after `since`, or None."""
    return min((came for made, came in samples if made >= since), default=None)


def fresh_at(samples, agents, since):
    """Returns when each of these agents was fresh again. `samples`: {agent: [(created, arrived)]}."""
    found = [first_after(samples.get(agent, ()), since) for agent in agents]
    return None if not found or None in found else max(found)


def alone(measured, others):
    """True if every other fault of the same agents had ended, with the agents fresh again, before this fault ended, or
    began later."""
    done, fresh = measured
    return not any(other is not done and other.agents & done.agents and other.began < fresh and done.ended < until
                   for other, until in others)


def times(done, stored, printed, everyone):
    """Returns {(component, kind): [seconds]} for the faults that did not overlap."""
    until = []
    for one in done:
        if one.agents:
            until.append((one, fresh_at(stored, one.agents, one.ended) or float("inf")))
    result = collections.defaultdict(list)
    for one, fresh in until:
        if fresh != float("inf") and alone((one, fresh), until):
            result[one.fault.component, one.fault.kind].append(max(0.0, fresh - one.ended))
    for one in done:
        if one.fault.component != "reader":
            continue
        fresh = fresh_at(printed, everyone, one.ended)
        if fresh is None or any(other.began < fresh and one.ended < end for other, end in until):
            continue
        if not any(other.fault.component == "reader" and other is not one and other.began < fresh and one.began < other.ended
                   for other in done):
            result[one.fault.component, one.fault.kind].append(max(0.0, fresh - one.ended))
    return dict(result)
