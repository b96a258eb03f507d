// PythonPlugin: a class written in Python, in its host. The interpreter runs the process and has loaded this code as a
// module; glue/host.py finds and imports the class, and shows it the points of a tick as a request. Everything that the
// glue returns is checked here, because a plugin can change the glue.
//
// The caller holds the interpreter's lock. One per process.
#pragma once

#include <memory>

#include "plugins/host/host.h"
#include "plugins/python/objects.h"

namespace monitor::plugin_python {

class PythonPlugin final : public plugin_host::Instance {
 public:
  // `glue`: the object with the methods prepare, load, run, save, restore, finalize and describe.
  PythonPlugin(PyObject* glue, Log log);
  ~PythonPlugin() override;

  // The plugin that the module's functions serve; nullptr: there is none.
  static PythonPlugin* current();

  // Reads the plugin's files, and imports the system's modules that they name. Call before the sandbox is complete.
  Status prepare(const plugin_wire::Load& load);
  Result<plugin_wire::Loaded> load(const plugin_wire::Load& load) override;
  Result<plugin_wire::Verdict> run(plugin_host::HostTick& tick) override;
  Result<std::string> save() override;
  Status restore(std::string_view state) override;

  // For the glue. A null result means that an exception is set.
  Ref describe_series(uint32_t id) const;
  Ref points() const;  // (numbers of series, values)
  Ref intern(PyObject* series);
  void log(uint32_t level, std::string_view line) const { log_(level, line); }

  // Why the last call of the glue failed; clears the exception.
  static Error take_error(PyObject* glue);

 private:
  Status take_points(PyObject* list, plugin_host::HostTick& tick);
  bool read_point(PyObject* item, const plugin_host::HostTick& tick, metrics::Point& into);

  PyObject* glue_;
  Log log_;
  std::string name_;
  const plugin_host::HostTick* tick_ = nullptr;  // during run()
  std::vector<metrics::Point> made_;             // kept to reuse its memory
  std::vector<bool> kept_;                       // points of the tick that are in the result
};

}  // namespace monitor::plugin_python
