// Ref: owns a reference to a Python object; and conversions between Python's values and ours. The caller holds the
// interpreter's lock. Only the stable interface of Python 3.9 is used, so that one module runs in every later version.
#pragma once

#define PY_SSIZE_T_CLEAN
#define Py_LIMITED_API 0x03090000
#include <Python.h>

#include <string>
#include <string_view>
#include <utility>

#include "base/result.h"
#include "metrics/series.h"

namespace monitor::plugin_python {

class Ref {
 public:
  Ref() = default;
  // Takes over a new reference; nullptr: the call that made it has raised an exception.
  explicit Ref(PyObject* owned) : object_(owned) {}
  ~Ref() { Py_XDECREF(object_); }
  Ref(Ref&& other) noexcept : object_(std::exchange(other.object_, nullptr)) {}
  Ref& operator=(Ref&& other) noexcept {
    std::swap(object_, other.object_);
    return *this;
  }
  Ref(const Ref&) = delete;
  Ref& operator=(const Ref&) = delete;

  explicit operator bool() const { return object_ != nullptr; }
  PyObject* get() const { return object_; }
  PyObject* release() { return std::exchange(object_, nullptr); }

 private:
  PyObject* object_ = nullptr;
};

// Text as a Python string; bytes that are not UTF-8 are replaced.
Ref text_of(std::string_view text);
// The bytes of a str or bytes object. False, with an exception set: it is neither, or cannot be encoded.
bool read_text(PyObject* object, std::string& into);

// A series as (name, unit, is counter, ((label, value), ...), is integer, exponent).
Ref tuple_of(const metrics::Series& series);
// The reverse. False, with an exception set: the tuple has another form.
bool read_series(PyObject* tuple, metrics::Series& into);

}  // namespace monitor::plugin_python
