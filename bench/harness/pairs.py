"""Statistics of runs: floor and ours interleaved, ratios of pairs, drift of the floor, and targets.

A *block* is four runs in the order floor, ours, ours, floor, so that slow changes of the machine affect both alike. It
contains two pairs of adjacent runs. If the two floor runs of a block differ by more than MAX_DRIFT, the block is
discarded and repeated, at most MAX_REPEATS times per case. Blocks that still drift are kept, and the case is marked as
noisy.
"""
import dataclasses
import statistics

MAX_DRIFT = 0.05
MAX_REPEATS = 3
BLOCKS = 3  # six pairs


@dataclasses.dataclass
class Block:
    """Four runs. Each is a dictionary: quantity -> value."""
    floor: tuple
    ours: tuple

    def pairs(self, quantity):
        return [(self.floor[i][quantity], self.ours[i][quantity]) for i in (0, 1)]

    def drift(self, quantity):
        first, second = (run[quantity] for run in self.floor)
        return abs(first - second) / min(first, second)


@dataclasses.dataclass
class Comparison:
    floor: float  # medians
    ours: float
    ratio: float
    worst: float
    drift: float  # the largest drift of the floor within a block
    noisy: bool
    pairs: int


def measure(run_floor, run_ours, drifting, blocks=BLOCKS, repeats=MAX_REPEATS):
    """Runs until there are enough blocks. `drifting` names the quantities whose floor must not drift."""
    kept = []
    while len(kept) < blocks:
        first = run_floor()
        ours = (run_ours(), run_ours())
        block = Block((first, run_floor()), ours)
        if repeats > 0 and any(block.drift(quantity) > MAX_DRIFT for quantity in drifting):
            repeats -= 1
            continue
        kept.append(block)
    return kept


def compare(blocks, quantity, more_is_better=False):
    pairs = [pair for block in blocks for pair in block.pairs(quantity)]
    ratios = [ours / floor for floor, ours in pairs]
    drift = max(block.drift(quantity) for block in blocks)
    return Comparison(floor=statistics.median(floor for floor, _ in pairs),
                      ours=statistics.median(ours for _, ours in pairs),
                      ratio=statistics.median(ratios),
                      worst=min(ratios) if more_is_better else max(ratios),
                      drift=drift, noisy=drift > MAX_DRIFT, pairs=len(pairs))


@dataclasses.dataclass
class Target:
    """A bound on the median ratio, or on our median."""
    bound: float
    of: str = "ratio"  # or "ours"
    at_least: bool = False
    unit: str = "x"

    def met(self, comparison):
        value = getattr(comparison, self.of)
        return value >= self.bound if self.at_least else value <= self.bound

    def describe(self):
        return f"{'>=' if self.at_least else '<='} {self.bound:g}{'' if self.unit == 'x' else ' '}{self.unit}"


@dataclasses.dataclass
class Line:
    """A line of the table."""
    row: str
    case: str
    unit: str
    comparison: Comparison
    targets: list = dataclasses.field(default_factory=list)

    def verdict(self):
        if not self.targets:
            return ""
        met = "met" if all(target.met(self.comparison) for target in self.targets) else "missed"
        return met + (", noisy" if self.comparison.noisy else "")


HEAD = ("row", "case", "floor", "ours", "median", "worst pair", "drift", "target", "")


def number(value):
    """Formats with three significant digits."""
    if value >= 1000:
        return f"{value:,.0f}"
    if value >= 100:
        return f"{value:.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def cells(line):
    c = line.comparison
    one = c.pairs == 1  # a single measurement has no spread
    return (line.row, line.case, f"{number(c.floor)} {line.unit}", f"{number(c.ours)} {line.unit}",
            f"{c.ratio:.2f}x", "" if one else f"{c.worst:.2f}x", "" if one else f"{c.drift * 100:.1f} %",
            ", ".join(target.describe() for target in line.targets), line.verdict())


def table(lines):
    """Formats a Markdown table with aligned columns."""
    rows = [HEAD] + [cells(line) for line in lines]
    widths = [max(3, *(len(row[i]) for row in rows)) for i in range(len(HEAD))]
    texts = ["| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths)) + " |" for row in rows]
    return "\n".join([texts[0], "|" + "|".join("-" * (width + 2) for width in widths) + "|"] + texts[1:])
