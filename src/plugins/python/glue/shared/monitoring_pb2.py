"""The messages that a plugin sees, without Protocol Buffers: docs/from-python.md describes their fields.

A request's points are made when a plugin first asks for them. A point that it leaves alone keeps its value bit for bit.
"""

MB = 1_000_000


class SeriesInfo:
    """What all points of a series have in common."""

    __slots__ = ("exponent", "integer", "key", "kind", "labels", "name", "number", "unit")

    def __init__(self, number, name, unit, counter, labels, integer, exponent):
        self.number = number
        self.name, self.unit, self.integer, self.exponent = name, unit, integer, exponent
        self.kind = "counter" if counter else "gauge"
        self.labels = dict(labels)
        self.key = (name, unit, counter, labels)

    def shown(self, value):
        """The value of a point as a plugin sees it."""
        if not self.integer or self.exponent == 0:
            return value
        return value / 10 ** -self.exponent if self.exponent < 0 else value * 10 ** self.exponent


class Metric:
    """A value: name, value, unit, kind ("gauge" or "counter") and labels, a dict."""

    __slots__ = ("_batch", "_given", "_index", "_labels", "_series", "kind", "name", "unit", "value")
    _FIELDS = ("name", "value", "unit", "kind", "labels")

    def __init__(self, name="", value=0.0, unit="1", kind="gauge", labels=None):
        self._batch = self._series = self._given = None
        self._index = -1
        self._labels = dict(labels) if labels else {}
        self.name, self.value, self.unit, self.kind = name, value, unit, kind

    @property
    def labels(self):
        if self._labels is None:
            self._labels = dict(self._series.labels)
        return self._labels

    @labels.setter
    def labels(self, labels):
        self._labels = dict(labels)

    def CopyFrom(self, other):
        if not isinstance(other, Metric):
            raise TypeError(f"a Metric can be copied from a Metric, not from a {type(other).__name__}")
        for slot in Metric.__slots__:
            setattr(self, slot, getattr(other, slot))
        self._labels = None if other._labels is None else dict(other._labels)

    MergeFrom = CopyFrom

    def Clear(self):
        self.__init__()

    def HasField(self, name):
        if name not in self._FIELDS:
            raise ValueError(f"a Metric has no field {name!r}")
        return True

    def __copy__(self):
        copy = Metric.__new__(Metric)
        copy.CopyFrom(self)
        return copy

    def __deepcopy__(self, memo):
        return self.__copy__()

    def __eq__(self, other):
        if not isinstance(other, Metric):
            return NotImplemented
        return (self.name, self.value, self.unit, self.kind, self.labels) == (other.name, other.value, other.unit, other.kind, other.labels)

    __hash__ = None

    def __repr__(self):
        return f"Metric(name={self.name!r}, value={self.value!r}, unit={self.unit!r}, kind={self.kind!r}, labels={self.labels!r})"

    def SerializeToString(self):
        out = _text_field(1, self.name) + _double_field(2, self.value) + _text_field(3, self.unit) + _text_field(4, self.kind)
        for name in sorted(self.labels):
            out += _bytes_field(5, _text_field(1, name) + _text_field(2, self.labels[name]))
        return out


class Metrics(list):
    """The list of a request's metrics, with the methods of a repeated field."""

    __slots__ = ()

    def add(self, **fields):
        metric = Metric(**fields)
        self.append(metric)
        return metric

    def MergeFrom(self, others):
        self.extend(one.__copy__() for one in others)

    def find(self, name, **labels):
        """The first metric of this name that has these labels (a.b is written a_b); None: there is none."""
        for metric in self:
            if metric.name == name and all(metric.labels.get(key.replace("_", "."), metric.labels.get(key)) == value
                                           for key, value in labels.items()):
                return metric
        return None


class TickPoints:
    """The points of a tick, as the host has them."""

    __slots__ = ("count", "glue", "time_ns")

    def __init__(self, glue, time_ns, count):
        self.glue, self.time_ns, self.count = glue, time_ns, count

    def metrics(self):
        numbers, values = self.glue.points()
        series_of = self.glue.series
        made = Metrics()
        new = Metric.__new__
        for index, number in enumerate(numbers):
            series = series_of(number)
            metric = new(Metric)
            metric._batch = self
            metric._index = index
            metric._labels = None
            metric._series = series
            metric.name, metric.unit, metric.kind = series.name, series.unit, series.kind
            value = values[index]
            metric.value = metric._given = value if series.exponent == 0 else series.shown(value)
            made.append(metric)
        return made


def _field(of, factor, doc, label=None, unit="By"):
    """A field that the README of the Python version names: the value of one metric in another unit."""
    def found(self):
        for metric in self.metrics:
            if metric.name == of and (label is None or metric.labels.get(label[0]) == label[1]):
                return metric
        return None

    def get(self):
        metric = found(self)
        return 0.0 if metric is None else metric.value * factor

    def put(self, value):
        metric = found(self)
        if metric is None:
            metric = self.metrics.add(name=of, unit=unit, labels=dict([label] if label else []))
        exact = value / factor
        metric.value = round(exact) if metric.unit == "By" and float(exact).is_integer() else exact

    get.found = found
    return property(get, put, doc=doc)


class MetricsRequest:
    """All values of one tick of an agent."""

    def __init__(self, agent_id="", timestamp=0.0, metrics=()):
        self._batch = None
        self._metrics = Metrics(metrics)
        self.agent_id, self.timestamp = agent_id, timestamp
        self._stamp = None

    @classmethod
    def _of_tick(cls, batch, agent_id, time_ns):
        request = cls.__new__(cls)
        request._batch, request._metrics = batch, None
        request.agent_id = agent_id
        request.timestamp = time_ns / 1e9
        request._stamp = (request.agent_id, request.timestamp)
        return request

    def _is_untouched(self):
        return self._metrics is None and self._stamp == (self.agent_id, self.timestamp)

    @property
    def metrics(self):
        if self._metrics is None:
            self._metrics = self._batch.metrics()
        return self._metrics

    @metrics.setter
    def metrics(self, metrics):
        self._metrics = Metrics(metrics)

    cpu_usage = _field("system.cpu.utilization", 100, "CPU usage in percent.", unit="1")
    memory_usage = _field("system.memory.utilization", 100, "Memory usage in percent.", unit="1")
    memory_used = _field("system.memory.usage", 1 / MB, "Memory used, in MB.")
    memory_total = _field("system.memory.limit", 1 / MB, "Memory in total, in MB.")
    disk_read = _field("system.disk.io.rate", 1 / MB, "Bytes read from disks, in MB/s.", ("disk.io.direction", "read"), "By/s")
    disk_write = _field("system.disk.io.rate", 1 / MB, "Bytes written to disks, in MB/s.", ("disk.io.direction", "write"), "By/s")
    net_in = _field("system.network.io.rate", 1 / MB, "Bytes received, in MB/s.", ("network.io.direction", "receive"), "By/s")
    net_out = _field("system.network.io.rate", 1 / MB, "Bytes sent, in MB/s.", ("network.io.direction", "transmit"), "By/s")
    network_in, network_out = net_in, net_out

    def HasField(self, name):
        if name in ("agent_id", "timestamp", "metrics"):
            return bool(getattr(self, name))
        field = getattr(type(self), name, None)
        if not isinstance(field, property):
            raise ValueError(f"a MetricsRequest has no field {name!r}")
        return field.fget.found(self) is not None

    def ClearField(self, name):
        if name == "metrics":
            self._metrics = Metrics()
        elif name in ("agent_id", "timestamp"):
            setattr(self, name, "" if name == "agent_id" else 0.0)
        elif self.HasField(name):
            metrics = self.metrics
            gone = getattr(type(self), name).fget.found(self)
            metrics[:] = [one for one in metrics if one is not gone]

    def Clear(self):
        self.agent_id, self.timestamp, self._metrics = "", 0.0, Metrics()

    def CopyFrom(self, other):
        if not isinstance(other, MetricsRequest):
            raise TypeError(f"a MetricsRequest can be copied from a MetricsRequest, not from a {type(other).__name__}")
        self._metrics = Metrics(one.__copy__() for one in other.metrics)
        self.agent_id, self.timestamp = other.agent_id, other.timestamp

    def __copy__(self):
        copy = MetricsRequest()
        copy.CopyFrom(self)
        return copy

    def __deepcopy__(self, memo):
        return self.__copy__()

    def __eq__(self, other):
        if not isinstance(other, MetricsRequest):
            return NotImplemented
        return (self.agent_id, self.timestamp) == (other.agent_id, other.timestamp) and list(self.metrics) == list(other.metrics)

    __hash__ = None

    def __repr__(self):
        return f"MetricsRequest(agent_id={self.agent_id!r}, timestamp={self.timestamp!r}, metrics={list(self.metrics)!r})"

    def SerializeToString(self):
        """The message in the encoding of Protocol Buffers: docs/from-python.md has its definition."""
        out = _text_field(1, self.agent_id) + _double_field(2, self.timestamp)
        for metric in self.metrics:
            out += _bytes_field(3, metric.SerializeToString())
        return out

    def ByteSize(self):
        return len(self.SerializeToString())


def _varint(number):
    out = bytearray()
    while number > 0x7f:
        out.append(number & 0x7f | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def _bytes_field(number, data):
    return _varint(number << 3 | 2) + _varint(len(data)) + data


def _text_field(number, text):
    return _bytes_field(number, text.encode()) if text else b""


def _double_field(number, value):
    import struct
    return _varint(number << 3 | 1) + struct.pack("<d", value) if value else b""


# --- What a plugin returns, for the host

MOST_ADDED = 20_000  # points that a plugin may add to a request


def result_of(said, batch, glue):
    """Returns the points of what run() returned: indices of untouched points, and (series, value, index of the replaced point)."""
    if not isinstance(said, MetricsRequest):
        raise TypeError(f"run() returned a {type(said).__name__}, not a metrics request or None")
    if said.agent_id not in ("", glue.agent_id) or said.timestamp not in (0, batch.time_ns / 1e9):
        raise ValueError("run() returned a request with another agent_id or timestamp, which a plugin cannot change")
    metrics = said.metrics
    if not isinstance(metrics, list):
        raise TypeError(f"metrics is a {type(metrics).__name__}, not a list")
    if len(metrics) > batch.count + MOST_ADDED:
        raise ValueError(f"run() returned {len(metrics)} points, the limit is {batch.count + MOST_ADDED}")
    out = []
    for metric in metrics:
        if not isinstance(metric, Metric):
            raise TypeError(f"metrics contains a {type(metric).__name__}, not a Metric")
        series = metric._series
        same = (series is not None and metric.name is series.name and metric.unit is series.unit and metric.kind is series.kind
                and (metric._labels is None or metric._labels == series.labels))
        index = metric._index if metric._batch is batch else -1
        if same and index >= 0 and metric.value is metric._given:
            out.append(index)
        else:
            out.append(_made(metric, series, same, index, glue))
    return out


def _made(metric, series, same, index, glue):
    """A point that the plugin has changed or made."""
    for field in ("name", "unit", "kind"):
        if not isinstance(getattr(metric, field), str):
            raise TypeError(f"the {field} of a metric must be a str; got a {type(getattr(metric, field)).__name__}")
    if metric.kind not in ("gauge", "counter"):
        raise ValueError(f"the kind of a metric must be gauge or counter; got {metric.kind[:40]!r}")
    key = series.key if same else (metric.name, metric.unit, metric.kind == "counter", _labels_of(metric))
    value = metric.value
    # An integer series keeps integers; any other value makes a series of doubles.
    kept = series is not None and value is metric._given
    integer = series is not None and series.integer and (kept or (series.exponent == 0 and type(value) is int))
    exponent = series.exponent if integer else 0
    if kept and index >= 0:
        value = None  # the value of the point that this one replaces, bit for bit
    elif kept and integer:
        value = round(value * 10 ** -exponent) if exponent < 0 else value // 10 ** exponent
    elif isinstance(value, (str, bytes)) or not hasattr(value, "__float__"):
        raise TypeError(f"the value of {metric.name[:100]!r} must be a number; got a {type(value).__name__}")
    elif not integer:
        value = float(value)
    elif not -2 ** 63 <= value < 2 ** 63:
        raise ValueError(f"the value of {metric.name[:100]!r} does not fit into 64 bits")
    if same and (integer, exponent) == (series.integer, series.exponent):
        return series.number, value, index
    return glue.number_of((*key, integer, exponent)), value, index


def _labels_of(metric):
    labels = metric.labels
    for pair in labels.items():
        for text in pair:
            if not isinstance(text, str):
                raise TypeError(f"labels of {metric.name[:100]!r} must be str; got a {type(text).__name__}")
    return tuple(sorted(labels.items()))
