#include "plugins/host/make.h"

#include "plugins/host/native.h"
#include "plugins/host/script.h"

namespace monitor::plugin_host {

Result<std::unique_ptr<Instance>> make_native_or_script(const plugin_wire::Load& load, Sandbox& sandbox,
                                                        const Confine& confine, const Instance::Log& log) {
  if (load.kind == plugin_wire::Kind::kScript) {
    if (Status done = confine(-1); !done) return done.error();
    return make_script(log);
  }
  if (load.kind != plugin_wire::Kind::kNative) {
    return Error(Code::kInvalidArgument, "this host runs native plugins and scripts only");
  }
  auto copy = copy_library(load.source);
  if (!copy) return copy.error();
  if (Status done = sandbox.confine_loading({}); !done) return done.error().with_context("sandbox");
  if (Status opened = open_needed(*copy, load.source); !opened) return opened.error();
  if (Status done = confine(copy->get()); !done) return done.error();
  auto library = open_library(std::move(*copy), sandbox, load.source, load.name);
  if (!library) return library.error();
  return make_native(std::move(*library), log);
}

}  // namespace monitor::plugin_host
