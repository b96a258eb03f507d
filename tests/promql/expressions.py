"""Random samples and random expressions of the grammar that src/query supports."""
import random

METRICS = ("requests_total", "errors_total", "temperature", "load", "latency_bucket")
LABELS = {"job": ("api", "db", "web"), "instance": ("a:1", "b:2"), "zone": ("x", "y")}
BOUNDS = ("0.1", "0.5", "1", "5", "+Inf")


def samples(rng, start_ms, end_ms):
    """Yields (metric, labels, value, time in ms). No time is a multiple of a second, so that no sample is at the edge of a window."""
    for metric in METRICS:
        for job in LABELS["job"]:
            for instance in LABELS["instance"]:
                labels = {"job": job, "instance": instance}
                if metric in ("temperature", "load") and rng.random() < 0.7:
                    labels["zone"] = rng.choice(LABELS["zone"])
                if metric == "latency_bucket":
                    yield from histogram(rng, labels, start_ms, end_ms)
                    continue
                value = rng.uniform(0, 50)
                moment = start_ms + rng.randrange(1, 999)
                gap_from, gap_for = rng.randrange(start_ms, end_ms), rng.choice((0, 0, 90_000, 700_000))
                while moment < end_ms:
                    if metric.endswith("_total"):
                        value = 0 if rng.random() < 0.02 else value + rng.choice((0, 1, 2.5, 17))
                    elif rng.random() < 0.01:
                        value = rng.choice((float("nan"), float("inf"), float("-inf"), 1e300, -1e-300, 0))
                    else:
                        value = rng.choice((round(rng.gauss(20, 10), 2), round(rng.gauss(0, 1), 4), 5, -5))
                    if not gap_from <= moment < gap_from + gap_for:
                        yield metric, labels, value, moment
                    moment += rng.choice((5000, 10_000, 15_000))
                    moment += rng.randrange(1, 900) if moment % 1000 == 0 else 0


def histogram(rng, labels, start_ms, end_ms):
    counts = [0.0] * len(BOUNDS)
    for moment in range(start_ms + 137, end_ms, 15_000):
        added = 0
        for i, bound in enumerate(BOUNDS):
            added += rng.randrange(4)
            counts[i] += added
            yield "latency_bucket", {**labels, "le": bound}, counts[i], moment


class Expressions:
    """Random expressions. `modern`: for Prometheus 3, with what older versions lack or compute differently."""

    def __init__(self, rng, modern):
        self.rng, self.modern = rng, modern

    def pick(self, *choices):
        return self.rng.choice(choices)

    def duration(self):
        return self.pick("30s", "1m", "2m30s", "5m", "10m", "37s", "90s")

    def selector(self):
        metric = self.pick(*METRICS[:4])
        matchers = []
        for _ in range(self.rng.choice((0, 0, 1, 1, 2))):
            label = self.pick(*LABELS)
            value = self.pick(*LABELS[label])
            matchers.append(label + self.pick(f'="{value}"', f'!="{value}"', f'=~"{value[0]}.*"', f'!~"{value}|z"', '=~".+"', '!=""', '=""'))
        if self.rng.random() < 0.1:
            return '{__name__=~"' + self.pick("temp.*", "load|temperature", "(?i)LOAD") + '"' + "".join("," + one for one in matchers) + "}"
        return metric + ("{" + ",".join(matchers) + "}" if matchers else "")

    def shift(self):
        text = ""
        if self.rng.random() < 0.15:
            text += " offset " + self.pick("1m", "-1m", "7m", "13s")
        if self.rng.random() < 0.08:
            text += " @ " + self.pick("start()", "end()", f"{self.at:.3f}")
        return text

    def vector(self, depth):
        rng = self.rng
        if depth <= 0:
            return self.selector() + self.shift()
        kind = rng.randrange(12)
        if kind <= 2:
            return self.over_range(depth)
        if kind <= 5:
            return self.aggregation(depth)
        if kind <= 8:
            return self.binary(depth)
        if kind == 9:
            return self.math(depth)
        if kind == 10:
            return self.relabelled(depth)
        return self.selector() + self.shift()

    def matrix(self, depth):
        if depth > 1 and self.modern and self.rng.random() < 0.3:
            return f"{self.operand(self.vector(depth - 2))}[{self.duration()}:{self.pick('10s', '15s', '7s', '')}]"
        return f"{self.selector()}[{self.duration()}]{self.shift()}"

    def over_range(self, depth):
        names = ["avg", "min", "max", "sum", "count", "last", "present", *(("stddev", "stdvar") if self.modern else ())]
        # Older versions extrapolate the beginning of a counter otherwise.
        function = self.pick(*(("rate", "increase") if self.modern else ()), "delta", "irate", "idelta", "deriv", "changes", "resets", *(n + "_over_time" for n in names))
        if self.modern and self.rng.random() < 0.15:
            function = self.pick("mad_over_time", "first_over_time", "ts_of_max_over_time", "ts_of_min_over_time", "ts_of_first_over_time", "ts_of_last_over_time")
        if self.rng.random() < 0.12:
            return self.pick(f"quantile_over_time({self.number()}, {self.matrix(depth)})", f"predict_linear({self.matrix(depth)}, {self.pick('60', '-60', '3600')})",
                             f"absent_over_time({self.matrix(0)})",
                             *([f"double_exponential_smoothing({self.matrix(depth)}, 0.3, 0.6)"] if self.modern else []))
        return f"{function}({self.matrix(depth)})"

    def grouping(self):
        labels = [label for label in (*LABELS, "__name__" if self.modern else "nosuch") if self.rng.random() < 0.4]
        return self.pick("", f" by ({', '.join(labels)})", f" without ({', '.join(label for label in labels if label != '__name__')})")

    def aggregation(self, depth):
        inner, grouping = self.vector(depth - 1), self.grouping()
        if self.rng.random() < 0.2:
            return self.pick(f"topk{grouping} ({self.rng.randrange(4)}, {inner})", f"bottomk{grouping} ({self.rng.randrange(4)}, {inner})",
                             f"quantile{grouping} ({self.number()}, {inner})",
                             # Versions differ in a rate's last digit, which a label shows.
                             *([f'count_values{grouping} ("value", round({inner}, 0.001))'] if self.modern else []))
        return f"{self.pick('sum', 'avg', 'min', 'max', 'count', 'group', *(('stddev', 'stdvar') if self.modern else ()))}{grouping} ({inner})"

    def number(self):
        return self.pick("0", "0.5", "0.9", "1", "-1", "2", "1.5", "0.25")

    def scalar(self, depth):
        # Older versions compute deviations of NaN otherwise.
        return self.pick("2", "0", "-3.5", "1e3", "time()", "scalar(" + self.vector(min(depth - 1, 1)) + ")", "(1 + 2 * 3)",
                         *(("NaN", "Inf") if self.modern else ("7", "0.1")))

    def operand(self, text):
        return text if text[-1] in ")}" and " " not in text or text.isidentifier() else f"({text})"

    def binary(self, depth):
        operator = self.pick("+", "-", "*", "/", "%", "^", "==", "!=", "<", ">", "<=", ">=", *(("atan2",) if self.modern else ()))
        if operator in ("==", "!=", "<", ">", "<=", ">=") and self.rng.random() < 0.4:
            operator += " bool"
        left = self.operand(self.vector(depth - 1))
        kind = self.rng.randrange(8)
        if kind <= 2:
            return f"{left} {operator} {self.scalar(depth)}" if self.rng.random() < 0.6 else f"{self.scalar(depth)} {operator} {left}"
        right = self.operand(self.vector(depth - 1))
        if operator in ("==", "!=", "<", ">", "<=", ">="):
            # A comparison of vectors that filters gives computed series their metric's name back in Prometheus.
            left, right = self.selector(), self.selector()
        if kind == 3:
            return f"{left} {self.pick('and', 'or', 'unless')}{self.pick('', ' on (job)', ' ignoring (zone)', ' on ()')} {right}"
        if kind == 4:
            by = self.pick("job", "job, instance")
            return f"{left} {operator} on ({by}) {self.pick('group_left', 'group_left (zone)')} max by ({by}) ({right})"
        if kind == 5:
            by = self.pick("job", "job, instance")
            return f"min by ({by}) ({left}) {operator} on ({by}) {self.pick('group_right', 'group_right ()')} {right}"
        if kind == 6:
            return f"sum by (job) ({left}) {operator} sum by (job) ({right})"
        return f"{left} {operator} {self.pick('', 'on (job, instance) ', 'ignoring (zone) ')}{right}"

    def math(self, depth):
        inner = self.vector(depth - 1)
        return self.pick(*(f"{name}({inner})" for name in ("abs", "ceil", "floor", "exp", "ln", "log2", "log10", "sqrt", "sgn", "sin", "atan", "deg", "round")),
                         f"clamp({inner}, -1, 10)", f"clamp_min({inner}, {self.scalar(1)})", f"clamp_max({inner}, 3)", f"round({inner}, 5)", f"-{self.operand(inner)}",
                         f"timestamp({inner})", f"absent({inner})", f"vector({self.scalar(depth)})", f"minute({self.date(inner)})", f"day_of_week({self.date(inner)})",
                         # Prometheus does not warn of sort() where all of it has one time.
                         *([f"sort({inner})"] if "@" not in inner else []), f"histogram_quantile({self.number()}, {self.buckets()})")

    def date(self, inner):
        # What the calendar makes of NaN and of times beyond int64 depends on the processor in Prometheus.
        return f"({inner}) > -1e10 < 1e10"

    def buckets(self):
        rate = "rate" if self.modern else "delta"
        return self.pick("latency_bucket", f"{rate}(latency_bucket[{self.duration()}])",
                         f"sum by (le{self.pick('', ', job')}) ({rate}(latency_bucket[5m]))")

    def relabelled(self, depth):
        inner = self.vector(depth - 1)
        return self.pick(f'label_replace({inner}, "copy", "$1-x", "job", "(.*)i")', f'label_replace({inner}, "zone", "", "zone", ".*")',
                         f'label_join({inner}, "both", "/", "job", "instance", "nosuch")', f'label_replace({inner}, "job", "all", "job", ".*")')

    def one(self, at):
        """Returns an expression for evaluations about this time, in seconds."""
        self.at = at
        return self.vector(self.rng.choice((0, 1, 2, 2, 3, 3)))


def seeded(seed, modern):
    rng = random.Random(seed)
    return rng, Expressions(rng, modern)
