#include "bin/config/context.h"

#include <iostream>

#include "base/exit_codes.h"

namespace monitor {

int config_failure(const Error& error) {
  std::cerr << "monitor-config: " << error.message() << "\n";
  return error.code() == Code::kInvalidArgument ? kExitConfig : exit_code_for(error);
}

void wait_on(EventLoop& loop, int64_t ns) {
  bool over = false;
  loop.call_after(ns, [&over] { over = true; });
  while (!over) loop.run_once(-1);
}

}  // namespace monitor
