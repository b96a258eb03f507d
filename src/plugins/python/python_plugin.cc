#include "plugins/python/python_plugin.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/counted.h"

namespace monitor::plugin_python {

using plugin_host::HostTick;
using plugin_wire::tame;
using plugin_wire::Verdict;

namespace {

constexpr size_t kMaxState = size_t{4} * 1024 * 1024;
constexpr size_t kMostPoints = 20'000;

PythonPlugin* the_plugin = nullptr;

}  // namespace

PythonPlugin::PythonPlugin(PyObject* glue, Log log) : glue_(glue), log_(std::move(log)) { the_plugin = this; }

PythonPlugin::~PythonPlugin() {
  const Ref done(PyObject_CallMethod(glue_, "finalize", nullptr));
  if (!done) plugin_host::print_last(name_, take_error(glue_).message());
  the_plugin = nullptr;
}

PythonPlugin* PythonPlugin::current() { return the_plugin; }

// The glue describes the exception. If that fails as well, the plugin has broken the glue.
Error PythonPlugin::take_error(PyObject* glue) {
  PyObject* type = nullptr;
  PyObject* value = nullptr;
  PyObject* trace = nullptr;
  PyErr_Fetch(&type, &value, &trace);
  PyErr_NormalizeException(&type, &value, &trace);
  const Ref of_type(type);
  const Ref of_value(value);
  const Ref of_trace(trace);
  std::string text;
  const Ref said(PyObject_CallMethod(glue, "describe", "OO", value == nullptr ? Py_None : value,
                                     trace == nullptr ? Py_None : trace));
  if (!said || !read_text(said.get(), text) || text.empty()) {
    PyErr_Clear();
    text = "it failed with an exception that cannot be described";
  }
  return Error(Code::kInternal, tame(text));
}

Status PythonPlugin::prepare(const plugin_wire::Load& load) {
  name_ = load.name;
  const Ref done(
      PyObject_CallMethod(glue_, "prepare", "sss", load.name.c_str(), load.source.c_str(), load.config.c_str()));
  return done ? Status() : Status(take_error(glue_));
}

Result<plugin_wire::Loaded> PythonPlugin::load(const plugin_wire::Load& load) {
  const Ref done(PyObject_CallMethod(glue_, "load", "s", load.agent.c_str()));
  if (!done) return take_error(glue_);
  plugin_wire::Loaded loaded;
  loaded.name = load.name;
  if (PyTuple_Check(done.get()) == 0 || PyTuple_Size(done.get()) != 2 ||
      !read_text(PyTuple_GetItem(done.get(), 0), loaded.version)) {
    PyErr_Clear();
    return Error(Code::kInternal, "it has changed the host");
  }
  loaded.version = tame(loaded.version);
  loaded.has_state = PyObject_IsTrue(PyTuple_GetItem(done.get(), 1)) == 1 ? 1 : 0;
  return loaded;
}

Result<Verdict> PythonPlugin::run(HostTick& tick) {
  tick_ = &tick;
  const Ref said(PyObject_CallMethod(glue_, "run", "Ln", static_cast<long long>(tick.head.time_ns),
                                     static_cast<Py_ssize_t>(tick.count)));
  tick_ = nullptr;
  if (!said) return take_error(glue_);
  if (said.get() == Py_None) return Verdict::kDropped;
  if (said.get() == Py_True) return Verdict::kUnchanged;
  if (Status taken = take_points(said.get(), tick); !taken) return taken.error();
  return Verdict::kChanged;
}

// The result is a list. An item is the index of an untouched point, or (series, value, index of the point that it
// replaces, or -1). The value None is that of the replaced point.
Status PythonPlugin::take_points(PyObject* list, HostTick& tick) {
  if (PyList_Check(list) == 0) return Error(Code::kInternal, "it has changed the host");
  const auto count = static_cast<size_t>(PyList_Size(list));
  if (count > kMostPoints + tick.count) {
    return Error(Code::kInternal,
                 fmt::format("it returned {}, the limit is {}", counted(count, "point"), kMostPoints + tick.count));
  }
  made_.clear();
  kept_.assign(tick.count, false);
  for (size_t i = 0; i < count; ++i) {
    PyObject* const item = PyList_GetItem(list, static_cast<Py_ssize_t>(i));
    metrics::Point point;
    if (PyLong_Check(item) != 0) {
      const size_t index = PyLong_AsSize_t(item);
      if (PyErr_Occurred() != nullptr || index >= tick.count) {
        PyErr_Clear();
        return Error(Code::kInternal, "it returned a point that was not in the tick");
      }
      kept_[index] = true;
      point = tick.room[index];
    } else if (!read_point(item, tick, point)) {
      return take_error(glue_);
    }
    made_.push_back(point);
  }
  tick.dropped = static_cast<size_t>(std::count(kept_.begin(), kept_.end(), false));
  if (tick.room.size() < made_.size()) tick.room.resize(made_.size());
  std::copy(made_.begin(), made_.end(), tick.room.begin());
  tick.count = made_.size();
  return {};
}

bool PythonPlugin::read_point(PyObject* item, const HostTick& tick, metrics::Point& into) {
  if (PyTuple_Check(item) == 0 || PyTuple_Size(item) != 3) {
    PyErr_SetString(PyExc_TypeError, "a point must be a tuple of three");
    return false;
  }
  const unsigned long id = PyLong_AsUnsignedLong(PyTuple_GetItem(item, 0));
  const Py_ssize_t replaces = PyLong_AsSsize_t(PyTuple_GetItem(item, 2));
  if (PyErr_Occurred() != nullptr) return false;
  const metrics::Series* const series = id > UINT32_MAX ? nullptr : series_.find(static_cast<uint32_t>(id));
  if (series == nullptr) {
    PyErr_SetString(PyExc_ValueError, "a point of a series that does not exist");
    return false;
  }
  into.series = static_cast<uint32_t>(id);
  const bool known = replaces >= 0 && static_cast<size_t>(replaces) < tick.count;
  if (known) kept_[static_cast<size_t>(replaces)] = true;
  PyObject* const value = PyTuple_GetItem(item, 1);
  if (known && value == Py_None) {
    into.integer = tick.room[static_cast<size_t>(replaces)].integer;
  } else if (series->integer) {
    into.integer = PyLong_AsLongLong(value);
  } else {
    into.real = PyFloat_AsDouble(value);
  }
  return PyErr_Occurred() == nullptr;
}

Result<std::string> PythonPlugin::save() {
  const Ref said(PyObject_CallMethod(glue_, "save", nullptr));
  if (!said) return take_error(glue_);
  std::string state;
  if (!read_text(said.get(), state)) return take_error(glue_);
  if (state.size() > kMaxState) return Error(Code::kResourceExhausted, "its state has more than 4 MiB");
  return state;
}

Status PythonPlugin::restore(std::string_view state) {
  const Ref done(PyObject_CallMethod(glue_, "restore", "y#", state.data() == nullptr ? "" : state.data(),
                                     static_cast<Py_ssize_t>(state.size())));
  return done ? Status() : Status(take_error(glue_));
}

Ref PythonPlugin::describe_series(uint32_t id) const {
  const metrics::Series* const series = series_.find(id);
  if (series != nullptr) return tuple_of(*series);
  PyErr_SetString(PyExc_KeyError, "no such series");
  return {};
}

// An integer series has integers as values; the glue applies its exponent.
Ref PythonPlugin::points() const {
  const size_t count = tick_ == nullptr ? 0 : tick_->count;
  Ref ids(PyList_New(static_cast<Py_ssize_t>(count)));
  Ref values(PyList_New(static_cast<Py_ssize_t>(count)));
  if (!ids || !values) return {};
  for (size_t i = 0; i < count; ++i) {
    const metrics::Point& point = tick_->room[i];
    PyObject* const id = PyLong_FromUnsignedLong(point.series);
    const metrics::Series* const series = series_.find(point.series);
    PyObject* const value =
        series != nullptr && series->integer ? PyLong_FromLongLong(point.integer) : PyFloat_FromDouble(point.real);
    if (id == nullptr || value == nullptr) {
      Py_XDECREF(id);
      Py_XDECREF(value);
      return {};
    }
    PyList_SetItem(ids.get(), static_cast<Py_ssize_t>(i), id);
    PyList_SetItem(values.get(), static_cast<Py_ssize_t>(i), value);
  }
  return Ref(PyTuple_Pack(2, ids.get(), values.get()));
}

Ref PythonPlugin::intern(PyObject* tuple) {
  metrics::Series series;
  if (!read_series(tuple, series)) return {};
  const auto id = series_.intern(std::move(series));
  if (id) return Ref(PyLong_FromUnsignedLong(*id));
  const Ref why = text_of(tame(id.error().message()));
  if (why) PyErr_SetObject(PyExc_ValueError, why.get());
  return {};
}

}  // namespace monitor::plugin_python
