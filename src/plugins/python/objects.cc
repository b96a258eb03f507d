#include "plugins/python/objects.h"

namespace monitor::plugin_python {

namespace {

bool refuse(const char* what) {
  PyErr_SetString(PyExc_TypeError, what);
  return false;
}

bool read_labels(PyObject* labels, metrics::Series& into) {
  if (PyTuple_Check(labels) == 0) return refuse("labels must be a tuple");
  const Py_ssize_t count = PyTuple_Size(labels);
  for (Py_ssize_t i = 0; i < count; ++i) {
    PyObject* const pair = PyTuple_GetItem(labels, i);
    if (PyTuple_Check(pair) == 0 || PyTuple_Size(pair) != 2) return refuse("a label must be a pair");
    std::string name;
    std::string value;
    if (!read_text(PyTuple_GetItem(pair, 0), name) || !read_text(PyTuple_GetItem(pair, 1), value)) return false;
    metrics::set_label(into.labels, name, value);
  }
  return true;
}

}  // namespace

Ref text_of(std::string_view text) {
  return Ref(PyUnicode_DecodeUTF8(text.data(), static_cast<Py_ssize_t>(text.size()), "replace"));
}

bool read_text(PyObject* object, std::string& into) {
  Ref encoded;
  PyObject* bytes = object;
  if (PyUnicode_Check(object) != 0) {
    encoded = Ref(PyUnicode_AsUTF8String(object));
    if (!encoded) return false;
    bytes = encoded.get();
  }
  char* data = nullptr;
  Py_ssize_t size = 0;
  if (PyBytes_AsStringAndSize(bytes, &data, &size) != 0) return false;
  into.assign(data, static_cast<size_t>(size));
  return true;
}

Ref tuple_of(const metrics::Series& series) {
  Ref labels(PyTuple_New(static_cast<Py_ssize_t>(series.labels.size())));
  if (!labels) return {};
  for (size_t i = 0; i < series.labels.size(); ++i) {
    const Ref name = text_of(series.labels[i].first);
    const Ref value = text_of(series.labels[i].second);
    if (!name || !value) return {};
    PyObject* const pair = PyTuple_Pack(2, name.get(), value.get());
    if (pair == nullptr) return {};
    PyTuple_SetItem(labels.get(), static_cast<Py_ssize_t>(i), pair);
  }
  const Ref name = text_of(series.name);
  const Ref unit = text_of(series.unit);
  if (!name || !unit) return {};
  return Ref(Py_BuildValue("(OOOOOi)", name.get(), unit.get(),
                           series.kind == metrics::Kind::kCounter ? Py_True : Py_False, labels.get(),
                           series.integer ? Py_True : Py_False, series.exponent));
}

bool read_series(PyObject* tuple, metrics::Series& into) {
  if (PyTuple_Check(tuple) == 0 || PyTuple_Size(tuple) != 6) return refuse("a series must be a tuple of six");
  if (!read_text(PyTuple_GetItem(tuple, 0), into.name) || !read_text(PyTuple_GetItem(tuple, 1), into.unit)) {
    return false;
  }
  const int counter = PyObject_IsTrue(PyTuple_GetItem(tuple, 2));
  const int integer = PyObject_IsTrue(PyTuple_GetItem(tuple, 4));
  const long exponent = PyLong_AsLong(PyTuple_GetItem(tuple, 5));
  if (counter < 0 || integer < 0 || PyErr_Occurred() != nullptr) return false;
  into.kind = counter != 0 ? metrics::Kind::kCounter : metrics::Kind::kGauge;
  into.integer = integer != 0;
  into.exponent = exponent < -18 || exponent > 18 ? 0 : static_cast<int>(exponent);
  return read_labels(PyTuple_GetItem(tuple, 3), into);
}

}  // namespace monitor::plugin_python
