#include "plugins/hosted/plugin_hosts.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "base/program_folder.h"
#include "config/source.h"
#include "plugins/builtin/registry.h"
#include "plugins/hosted/python_files.h"

namespace monitor::agent {

namespace {

// A plugin that could not be started is tried again, because a file that it needs may have appeared.
constexpr int64_t kFirstRetry = 5 * kNanosPerSecond;
constexpr int64_t kLastRetry = 600 * kNanosPerSecond;
constexpr int64_t kSweepEvery = kNanosPerSecond;

}  // namespace

std::string plugin_host_program() { return plugin_host_near(program_folder()); }

std::string plugin_host_near(const std::string& folder) {
  const std::string installed = folder + "/../libexec/monitor/monitor-plugin-host";
  const std::string beside = folder + "/monitor-plugin-host";
  return access(beside.c_str(), X_OK) != 0 && access(installed.c_str(), X_OK) == 0 ? installed : beside;
}

std::string python_host_of(const std::string& host_program) { return host_program + "-python"; }

std::string python_host_fault(const std::string& program) {
  if (access(program.c_str(), X_OK) == 0) return "";
  return fmt::format("it is written in Python, and there is no {}; install the package monitor-plugin-host-python",
                     program);
}

PluginHosts::PluginHosts(EventLoop& loop, metrics::SeriesTable& table, std::string folder, std::string program)
    : loop_(loop), table_(table), folder_(loop, std::move(folder)), program_(std::move(program)) {}

PluginHosts::~PluginHosts() {
  for (const Timers::TimerId timer : {tell_timer_, retry_timer_, sweep_timer_}) loop_.cancel_timer(timer);
}

void PluginHosts::watch(std::function<void()> on_change) {
  on_change_ = std::move(on_change);
  folder_.watch([this] { tell_later(); });
}

std::vector<std::string> PluginHosts::plugin_names() const {
  std::vector<std::string> names = builtin_plugins();
  for (const auto& [name, files] : folder_.files()) {
    if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
  }
  return names;
}

std::vector<std::string> PluginHosts::names_in_folder() const {
  std::vector<std::string> names;
  for (const auto& [name, files] : folder_.files()) names.push_back(name);
  return names;
}

std::optional<config::Problem> PluginHosts::check_plugin(const std::string& name, const std::string& config) const {
  // Hosted plugins check their configuration when they start.
  return is_builtin(name) ? BuiltinCatalog().check_plugin(name, config) : std::nullopt;
}

Result<config::PluginCode> PluginHosts::code_of(const std::string& name) const {
  const auto found = folder_.files().find(name);
  const bool builtin = is_builtin(name);
  if (found == folder_.files().end()) {
    if (builtin) return config::PluginCode{};
    return Error(Code::kNotFound, fmt::format("{2} contains neither {0}.so nor {1}.lua", name, name, folder_.path()));
  }
  const PluginFolder::File& file = found->second.front();
  if (builtin || found->second.size() > 1) {
    return Error(Code::kAlreadyExists, fmt::format("{} is ambiguous: {} and {}; rename one", name, file.path,
                                                   builtin ? "a built-in one" : found->second.back().path));
  }
  if (!file.fault.empty()) return Error(Code::kInvalidArgument, file.fault);
  if (file.kind != config::PluginKind::kScript) return config::PluginCode{file.kind, file.path, file.version};
  return config::PluginCode{file.kind, file.source, ""};
}

bool PluginHosts::is_python_class(const std::string& name) const {
  const std::string module = python_module_of(name);
  if (module.empty()) return false;
  const auto found = folder_.files().lower_bound(module);
  return found != folder_.files().end() && (found->first == module || found->first.starts_with(module + "."));
}

HostedPlugins::Made PluginHosts::make(const std::vector<config::PluginEntry>& entries) {
  Made made;
  std::vector<std::shared_ptr<HostedPlugin>> before = std::exchange(prepared_, {});
  for (const config::PluginEntry& entry : entries) {
    const auto same = std::find_if(before.begin(), before.end(),
                                   [&](const auto& one) { return one != nullptr && one->entry() == entry; });
    if (same != before.end()) {
      prepared_.push_back(std::exchange(*same, nullptr));
    } else {
      prepared_.push_back(std::make_shared<HostedPlugin>(loop_, table_, static_cast<HostLinks&>(*this), entry));
      prepared_.back()->start([this] { tell_later(); });
    }
  }
  for (size_t i = 0; i < prepared_.size(); ++i) {
    if (!prepared_[i]->settled()) {
      made.pending = true;
    } else if (made.refusal.empty() && !prepared_[i]->refusal().empty()) {
      made.refused = i;
      made.refusal = prepared_[i]->refusal();
    }
  }
  if (!made.refusal.empty()) {
    made.pending = false;
    retry_later();
  } else if (!made.pending) {
    made.plugins = std::exchange(prepared_, {});
    loop_.cancel_timer(std::exchange(retry_timer_, 0));
    retry_after_ns_ = 0;
  }
  return made;
}

void PluginHosts::retry_later() {
  if (retry_timer_ != 0) return;
  retry_after_ns_ = std::clamp(2 * retry_after_ns_, kFirstRetry, kLastRetry);
  retry_timer_ = loop_.call_after(retry_after_ns_, [this] {
    retry_timer_ = 0;
    std::erase_if(prepared_, [](const auto& one) { return !one->refusal().empty(); });
    tell_later();
  });
}

void PluginHosts::tell_later() {
  if (tell_timer_ != 0) return;
  tell_timer_ = loop_.call_after(0, [this] {
    tell_timer_ = 0;
    if (on_change_) on_change_();
  });
}

Result<std::shared_ptr<HostLink>> PluginHosts::link_for(config::PluginKind kind, const std::string& name) {
  const bool script = kind == config::PluginKind::kScript;
  if (script && scripts_ != nullptr && !scripts_->ended()) return std::shared_ptr<HostLink>(scripts_);
  const bool python = kind == config::PluginKind::kPython;
  const std::string program = python ? python_host_of(program_) : program_;
  if (const std::string fault = python ? python_host_fault(program) : ""; !fault.empty()) {
    return Error(Code::kFailedPrecondition, fault);
  }
  auto started = HostProcess::start(loop_, starter_, program, script ? "scripts" : name);
  if (!started) return started.error();
  processes_.push_back(*started);
  if (script) scripts_ = *started;
  if (sweep_timer_ == 0) sweep_timer_ = loop_.call_after(kSweepEvery, [this] { sweep(); });
  return std::shared_ptr<HostLink>(std::move(*started));
}

// Every process is kept here until it has ended, whoever releases it.
void PluginHosts::sweep() {
  sweep_timer_ = 0;
  if (scripts_ != nullptr && scripts_->gone()) scripts_.reset();
  std::erase_if(processes_, [](const auto& one) { return one->gone() && one.use_count() == 1; });
  if (!processes_.empty()) sweep_timer_ = loop_.call_after(kSweepEvery, [this] { sweep(); });
}

}  // namespace monitor::agent
