#include "bin/plugin/plugin_run.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "base/text.h"
#include "config/document.h"
#include "plugins/hosted/plugin_hosts.h"
#include "plugins/hosted/python_files.h"

namespace monitor {

using Outcome = agent::HostedPlugin::Outcome;

namespace {

// A class of a Python file.
Result<config::PluginEntry> python_entry(const std::string& file, std::string name, config::PluginEntry entry) {
  const auto source = PosixDisk().read_file(file, config::kMaxDocumentBytes);
  if (!source) return source.error();
  const std::vector<std::string> classes = agent::read_python(*source).classes;
  if (name.empty() && classes.size() != 1) {
    return Error(Code::kInvalidArgument,
                 classes.empty()
                     ? file + " has no class"
                     : fmt::format("{} has several classes ({}); name one with --class", file, join(classes, ", ")));
  }
  if (name.empty()) name = classes.front();
  const std::string full = fmt::format("{}{}.{}", agent::kPythonPrefix, entry.name, name);
  if (agent::python_module_of(full).empty()) {
    return Error(Code::kInvalidArgument, fmt::format("{}: the names of a module and a class are identifiers", full));
  }
  std::error_code error;
  entry.name = full;
  entry.kind = config::PluginKind::kPython;
  entry.code = std::filesystem::absolute(file, error).string();
  return entry;
}

}  // namespace

Result<config::PluginEntry> entry_of_file(const std::string& file, const std::string& python_class,
                                          const std::string& config) {
  const std::filesystem::path path = file;
  config::PluginEntry entry;
  entry.name = path.stem().string();
  entry.config = config;
  if (path.extension() == ".so") {
    entry.kind = config::PluginKind::kNative;
    std::error_code error;
    entry.code = std::filesystem::absolute(path, error).string();
    if (!std::filesystem::exists(path, error)) return Error(Code::kNotFound, "no such file: " + file);
    if (!std::filesystem::is_regular_file(path, error))
      return Error(Code::kInvalidArgument, file + " is not a regular file");
    return entry;
  }
  if (path.extension() != ".lua" && path.extension() != ".py") {
    return Error(Code::kInvalidArgument, file + " is neither NAME.so, NAME.lua nor NAME.py");
  }
  if (std::error_code error; !std::filesystem::exists(path, error)) {
    return Error(Code::kNotFound, "no such file: " + file);
  }
  if (path.extension() == ".py") return python_entry(file, python_class, std::move(entry));
  auto source = PosixDisk().read_file(file, config::kMaxDocumentBytes);
  if (!source) return source.error();
  entry.kind = config::PluginKind::kScript;
  entry.code = std::move(*source);
  return entry;
}

PluginRun::~PluginRun() {
  plugin_.reset();
  // Finalizes the plugin, whose last output must still be printed.
  const int64_t end = loop_.clock().mono_ns() + 2 * kNanosPerSecond;
  const auto all_gone = [this] {
    return std::all_of(processes_.begin(), processes_.end(), [](const auto& one) { return one->gone(); });
  };
  while (!all_gone() && loop_.clock().mono_ns() < end) loop_.run_once(100 * kNanosPerMilli);
}

Status PluginRun::start(const std::string& file, const std::string& python_class, const std::string& config,
                        metrics::SeriesTable& table) {
  auto entry = entry_of_file(file, python_class, config);
  if (!entry) return entry.error();
  plugin_ = std::make_unique<agent::HostedPlugin>(loop_, table, static_cast<agent::HostLinks&>(*this), *entry);
  plugin_->lift_line_limit();
  plugin_->start([] {});
  while (!plugin_->settled()) loop_.run_once(-1);
  if (plugin_->refusal().empty()) return {};
  return Error(Code::kInvalidArgument, fmt::format("{}: {}", file, plugin_->refusal()));
}

Outcome PluginRun::run(metrics::Tick& tick, int64_t& took_ns) {
  Outcome result;
  bool done = false;
  const int64_t start = loop_.clock().mono_ns();
  plugin_->run(tick, [&](const Outcome& outcome) {
    took_ns = loop_.clock().mono_ns() - start;
    result = outcome;
    if (outcome.points != nullptr) tick.points = *outcome.points;
    done = true;
  });
  while (!done) loop_.run_once(-1);
  return result;
}

uint64_t PluginRun::peak_memory() const {
  if (processes_.empty()) return 0;
  const std::string file = fmt::format("/proc/{}/status", processes_.back()->pid());
  const auto text = PosixDisk().read_file(file, 65536);
  if (!text) return 0;
  for (const std::string_view line : split(*text, '\n')) {
    if (!line.starts_with("VmHWM:")) continue;
    const std::string_view number = trim(line.substr(6, line.find("kB") - 6));
    return parse_u64(number).value_or(0) * 1024;
  }
  return 0;
}

Result<std::shared_ptr<agent::HostLink>> PluginRun::link_for(config::PluginKind kind, const std::string& name) {
  std::string program = agent::plugin_host_program();
  if (kind == config::PluginKind::kPython) {
    program = agent::python_host_of(program);
    if (const std::string fault = agent::python_host_fault(program); !fault.empty()) {
      return Error(Code::kFailedPrecondition, fault);
    }
  }
  auto started = agent::HostProcess::start(loop_, worker_, program, name);
  if (!started) return started.error();
  (*started)->lift_line_limit();
  processes_.push_back(*started);
  return std::shared_ptr<agent::HostLink>(std::move(*started));
}

}  // namespace monitor
