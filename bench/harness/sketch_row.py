"""The row of quantiles: inserting a value into the sketch, against counting it in an array."""
from pairs import Line, Target, compare, measure
from spool_row import figures


def sketch(options):
    values, runs = (10_000, 3) if options.quick else (60_000, 101)
    found = {}

    def floor():
        found.update(figures("bench-sketch", f"values={values}", f"runs={runs}"))
        return {"ns": found["floor_ns"]}

    def ours():
        return {"ns": figures("bench-sketch", f"values={values}", f"runs={runs}")["ours_ns"]}

    yield Line("sketch", "insert a value", "ns", compare(measure(floor, ours, ["ns"], *options.blocks()), "ns"),
               [Target(6, of="ours", unit="ns")])
