"""How long after a fault's end the first fresh sample was stored, or for readers: printed."""
import collections


def median(values):
    ordered = sorted(values)
    return ordered[len(ordered) // 2]


def first_after(samples, since):
    """When the first sample that was made after `since` came; None: none did."""
    return min((came for made, came in samples if made >= since), default=None)


def fresh_at(samples, agents, since):
    """When each of these agents was fresh again; `samples`: {agent: [(made, came)]}."""
    found = [first_after(samples.get(agent, ()), since) for agent in agents]
    return None if not found or None in found else max(found)


def alone(measured, others):
    """What else held up the same agents was over, and they were fresh, before this fault ended; or came later."""
    done, fresh = measured
    return not any(other is not done and other.agents & done.agents and other.began < fresh and done.ended < until
                   for other, until in others)


def times(done, stored, printed, everyone):
    """{(component, kind): [seconds]}, of the faults that came alone."""
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
