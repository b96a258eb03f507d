// The Python module _monitor_host: serves the agent on behalf of a plugin written in Python. glue/host.py imports it.
#include <sys/socket.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/exit_codes.h"
#include "plugins/host/host.h"
#include "plugins/host/sandbox.h"
#include "plugins/python/objects.h"
#include "plugins/python/python_plugin.h"

namespace monitor::plugin_python {

namespace {

using plugin_host::Confine;
using plugin_host::Instance;
using plugin_wire::Load;

PythonPlugin* plugin_or_error() {
  if (PythonPlugin::current() == nullptr) PyErr_SetString(PyExc_RuntimeError, "there is no plugin");
  return PythonPlugin::current();
}

PyObject* describe_series(PyObject*, PyObject* arguments) {
  unsigned int id = 0;
  if (PyArg_ParseTuple(arguments, "I", &id) == 0) return nullptr;
  const PythonPlugin* const plugin = plugin_or_error();
  return plugin == nullptr ? nullptr : plugin->describe_series(id).release();
}

PyObject* points(PyObject*, PyObject*) {
  const PythonPlugin* const plugin = plugin_or_error();
  return plugin == nullptr ? nullptr : plugin->points().release();
}

PyObject* intern(PyObject*, PyObject* series) {
  PythonPlugin* const plugin = plugin_or_error();
  return plugin == nullptr ? nullptr : plugin->intern(series).release();
}

PyObject* write_log(PyObject*, PyObject* arguments) {
  unsigned int level = 0;
  PyObject* line = nullptr;
  std::string text;
  if (PyArg_ParseTuple(arguments, "IO", &level, &line) == 0 || !read_text(line, text)) return nullptr;
  const PythonPlugin* const plugin = plugin_or_error();
  if (plugin == nullptr) return nullptr;
  plugin->log(level > 3 ? 3 : level, text);
  Py_RETURN_NONE;
}

// Reads the plugin's files in a sandbox where only they and the system's libraries can be read.
Result<std::unique_ptr<Instance>> make_python(PyObject* glue, const Load& load, plugin_host::Sandbox& sandbox,
                                              const Confine& confine, const Instance::Log& log) {
  if (load.kind != plugin_wire::Kind::kPython) {
    return Error(Code::kInvalidArgument, "this host runs plugins written in Python only");
  }
  std::vector<std::string> readable;
  const Ref folders(PyObject_CallMethod(glue, "folders", "ss", load.name.c_str(), load.source.c_str()));
  if (!folders) return PythonPlugin::take_error(glue);
  for (Py_ssize_t i = 0; PyList_Check(folders.get()) != 0 && i < PyList_Size(folders.get()); ++i) {
    if (!read_text(PyList_GetItem(folders.get(), i), readable.emplace_back())) return PythonPlugin::take_error(glue);
  }
  if (Status done = sandbox.confine_loading(readable); !done) return done.error().with_context("sandbox");
  auto plugin = std::make_unique<PythonPlugin>(glue, log);
  if (Status prepared = plugin->prepare(load); !prepared) return prepared.error();
  if (Status done = confine(-1); !done) return done.error();
  return std::unique_ptr<Instance>(std::move(plugin));
}

// serve(channel, glue): serves until the agent closes the channel. Returns the exit status. The interpreter's lock is
// free while it waits, so that threads of the plugin run.
PyObject* serve(PyObject*, PyObject* arguments) {
  int channel = 0;
  PyObject* glue = nullptr;
  if (PyArg_ParseTuple(arguments, "iO", &channel, &glue) == 0) return nullptr;
  plugin_host::KernelSandbox sandbox(channel, plugin_host::KernelSandbox::NewDescriptors::kRefuse);
  PyThreadState* mine = PyEval_SaveThread();
  const int status =
      plugin_host::serve(channel, sandbox,
                         [glue](const Load& load, plugin_host::Sandbox& to, const Confine& confine,
                                const Instance::Log& log) { return make_python(glue, load, to, confine, log); },
                         {[&mine] { PyEval_RestoreThread(mine); }, [&mine] { mine = PyEval_SaveThread(); }});
  PyEval_RestoreThread(mine);
  return PyLong_FromLong(status);
}

PyMethodDef methods[] = {
    {"serve", serve, METH_VARARGS, "serve(channel, glue) -> exit status"},
    {"describe_series", describe_series, METH_VARARGS, "describe_series(number) -> tuple"},
    {"points", points, METH_NOARGS, "points() -> (numbers of series, values)"},
    {"intern", intern, METH_O, "intern(series) -> number"},
    {"log", write_log, METH_VARARGS, "log(level, line)"},
    {nullptr, nullptr, 0, nullptr},
};

PyModuleDef definition = {
    PyModuleDef_HEAD_INIT, "_monitor_host", nullptr, -1, methods, nullptr, nullptr, nullptr, nullptr};

}  // namespace

}  // namespace monitor::plugin_python

// NOLINTNEXTLINE(bugprone-reserved-identifier): the interpreter looks for this name.
PyMODINIT_FUNC PyInit__monitor_host() { return PyModule_Create(&monitor::plugin_python::definition); }
