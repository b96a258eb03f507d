// LazyLibrary: the functions of shared libraries that a program loads when it calls the first of them.
//
// monitor_lazy_library() (cmake/MonitorLazy.cmake) makes two things from a list of functions: a module, a shared
// library that is linked with the libraries and holds a table of the functions, and stubs with the functions' names,
// which are linked into the program. A stub loads the module if its table is still empty, and jumps to the function. So
// the program calls the functions as usual, and the libraries take no memory before.
//
// Thread-safe.
#pragma once

#include <cstddef>
#include <span>

namespace monitor {

struct LazyLibrary {
  const char* module;          // the file's name. It lies beside the program, or in ../libexec/monitor
  const char* list;            // identifies the list of functions; that of the module must be equal
  std::span<void*> functions;  // null until the module is loaded
};

// Fills the table. A module that is missing or does not fit is a broken installation: reports it, and ends the process
// with kExitSoftware, because the caller's function has no way to fail.
void load_lazy_library(const LazyLibrary& library);

}  // namespace monitor
