// monitor-plugin: creates plugin projects, runs plugins over recorded ticks, and lists and inspects plugins.
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <filesystem>
#include <iostream>
#include <memory>
#include <utility>

#include "base/counted.h"
#include "base/disk.h"
#include "base/escape.h"
#include "base/event_loop.h"
#include "base/text.h"
#include "base/time_format.h"
#include "bin/common/cli.h"
#include "bin/common/input.h"
#include "bin/plugin/new_project.h"
#include "bin/plugin/plugin_run.h"
#include "bin/plugin/recorded_ticks.h"
#include "config/document.h"
#include "plugins/builtin/registry.h"
#include "plugins/chain/plugin_report.h"
#include "plugins/hosted/plugin_hosts.h"

namespace monitor {
namespace {

constexpr size_t kMostInput = size_t{256} * 1024 * 1024;

struct Flags {
  std::string name;
  std::string folder;
  std::string prefix;
  std::string file;
  std::string input;
  std::string config = "{}";
  bool quiet = false;
  std::string plugin_dir;
  std::string language = "cpp";
  std::string python_class;
};

int fail(const std::string& what, int code) {
  std::cerr << "monitor-plugin: " << printable(what) << "\n";
  return code;
}

// The prefix where this program is installed: PREFIX/bin/monitor-plugin.
std::string own_prefix() {
  std::string program = agent::plugin_host_program();
  for (int i = 0; i < 2; ++i) program.erase(program.rfind('/'));
  return program;
}

// Rounds times above 10 us to microseconds, for display.
int64_t rounded(int64_t ns) { return ns < 10'000 ? ns : ns / 1000 * 1000; }

constexpr std::array kLanguages = {std::pair{"cpp", Language::kCpp}, std::pair{"python", Language::kPython},
                                   std::pair{"lua", Language::kLua}};

// What to do with the new project next.
std::string next_steps(const NewProject& project) {
  switch (project.language) {
    case Language::kPython:
      return fmt::format("python3 {}/{}_test.py; in the configuration its name is {}", project.folder,
                         split(python_name(project.name), '.')[2], python_name(project.name));
    case Language::kLua:
      return fmt::format("monitor plugin test {0}/{1}.lua --input ticks.json", project.folder, project.name);
    case Language::kCpp:
      break;
  }
  return fmt::format("cmake -G Ninja -S {0} -B {0}/build && cmake --build {0}/build && ctest --test-dir {0}/build",
                     project.folder);
}

int make_new(const Flags& flags) {
  NewProject project;
  for (const auto& [name, language] : kLanguages) {
    if (flags.language == name) project.language = language;
  }
  project.name = flags.name;
  project.folder = flags.folder.empty() ? flags.name : flags.folder;
  project.prefix = flags.prefix.empty() ? own_prefix() : flags.prefix;
  const std::string host = agent::plugin_host_program();
  project.python = host.substr(0, host.rfind('/')) + "/python";
  const auto made = write_project(project);
  if (!made) {
    return fail(made.error().message(), made.error().code() == Code::kInvalidArgument ? kExitUsage : kExitIo);
  }
  std::cout << fmt::format("{}: {}\nnext: {}\n", project.folder, join(*made, ", "), next_steps(project)) << std::flush;
  std::error_code error;
  if (project.language == Language::kCpp &&
      !std::filesystem::exists(project.prefix + "/lib/cmake/monitor-plugin", error)) {
    std::cerr << fmt::format(
        "monitor-plugin: no SDK found in {}; set its place with --sdk, or for cmake with "
        "-DCMAKE_PREFIX_PATH=DIR\n",
        project.prefix);
  }
  if (project.language == Language::kPython && !std::filesystem::exists(project.python, error)) {
    std::cerr << fmt::format("monitor-plugin: {} is missing; install the package monitor-plugin-host-python\n",
                             project.python);
  }
  return kExitOk;
}

// Prints a tick before and after the plugin.
void print_tick(size_t number, const metrics::SeriesTable& table, config::PluginStatus& state,
                const metrics::Tick& before, const metrics::Tick& after, const agent::HostedPlugin::Outcome& outcome) {
  using Kind = agent::HostedPlugin::Outcome::Kind;
  const bool dropped = outcome.kind == Kind::kDropped;
  const bool failed = outcome.kind == Kind::kFailed || outcome.kind == Kind::kAbsent;
  std::cout << fmt::format("tick {} {}: ", number, format_rfc3339(before.time_ns, 3))
            << printable_lines(
                   agent::trace_text(table, state, before, dropped ? nullptr : &after, failed ? outcome.reason : ""));
}

// The exact quantile of a list of values.
int64_t quantile(std::vector<int64_t>& values, double part) {
  const auto at = values.begin() + std::lround(part * static_cast<double>(values.size() - 1));
  std::nth_element(values.begin(), at, values.end());
  return *at;
}

// Reports an error that would make an agent reject the plugin.
int start_failure(const Error& error) {
  return fail(error.message(), error.code() == Code::kNotFound ? kExitIo : kExitConfig);
}

// Validates --config and returns an error text, or an empty string.
std::string config_fault(const std::string& config) {
  const auto document = config::Document::parse(config);
  if (!document) return "--config: " + document.error().message();
  return document->value().is_object() ? "" : "--config: must be a JSON object";
}

int test(const Flags& flags) {
  PosixDisk disk;
  auto text = read_input(disk, flags.input, kMostInput);
  if (!text) return fail(text.error().message(), kExitIo);
  metrics::SeriesTable table;
  auto ticks = parse_recorded(*text, table);
  if (!ticks) return fail(flags.input + ": " + ticks.error().message(), kExitConfig);
  const SystemClock clock;
  EventLoop loop(clock);
  PluginRun run(loop);
  if (const Status started = run.start(flags.file, flags.python_class, flags.config, table); !started) {
    return start_failure(started.error());
  }
  config::PluginStatus state;
  state.name = run.plugin().entry().name;
  state.kind = config::kind_name(run.plugin().entry().kind);
  state.state = agent::kRunning;
  std::vector<int64_t> durations;
  uint64_t failed = 0;
  uint64_t dropped = 0;
  uint64_t peak = 0;
  for (size_t i = 0; i < ticks->size(); ++i) {
    const metrics::Tick before = (*ticks)[i];
    metrics::Tick after = before;
    const auto outcome = run.run(after, state.last_duration_ns);
    peak = std::max(peak, run.peak_memory());
    durations.push_back(state.last_duration_ns);
    failed += outcome.kind == agent::HostedPlugin::Outcome::Kind::kFailed ||
                      outcome.kind == agent::HostedPlugin::Outcome::Kind::kAbsent
                  ? 1
                  : 0;
    dropped += outcome.kind == agent::HostedPlugin::Outcome::Kind::kDropped ? 1 : 0;
    if (!flags.quiet) print_tick(i + 1, table, state, before, after, outcome);
  }
  std::cout << fmt::format("{}, {} dropped, {} failed; p50 {}, p99 {} a tick; host at most {:.1f} MiB\n",
                           counted(ticks->size(), "tick"), dropped, failed,
                           format_duration(rounded(quantile(durations, 0.5))),
                           format_duration(rounded(quantile(durations, 0.99))), static_cast<double>(peak) / (1 << 20))
            << std::flush;
  return failed == 0 ? kExitOk : kExitNegative;
}

// Where an agent's plugins are: the plugin folder, and the scripts of a configuration in files.
struct Places {
  std::string folder;
  std::string scripts;

  // Files by plugin name, including those that an agent ignores.
  agent::PluginFolder::Files read(std::vector<std::string>* misnamed = nullptr) const {
    agent::PluginFolder::Files files = agent::PluginFolder::read(folder, misnamed);
    for (auto& [name, more] : agent::PluginFolder::read(scripts, misnamed)) {
      for (auto& file : more) {
        // Native plugins cannot be part of the configuration.
        if (file.kind == config::PluginKind::kScript) files[name].push_back(std::move(file));
      }
    }
    return files;
  }
};

// Why an agent rejects this name; empty if it accepts it.
std::string refusal_of(const std::string& name, const std::vector<agent::PluginFolder::File>& files) {
  if (agent::is_builtin(name)) return fmt::format("{} is also the name of a built-in plugin; rename it", name);
  if (files.size() > 1) return fmt::format("{} is the name of two plugins; rename one", name);
  return files.front().fault;
}

Places places_of(const Flags& flags, const std::string& data) {
  return {flags.plugin_dir.empty() ? data + "/plugins" : flags.plugin_dir, config_folder_of(data) + "/plugins"};
}

int list(const Flags& flags, const std::string& data) {
  const Places places = places_of(flags, data);
  std::error_code error;
  if (!std::filesystem::is_directory(places.folder, error)) {
    if (!flags.plugin_dir.empty()) return fail(flags.plugin_dir + " is not a folder; set --plugin-dir", kExitIo);
    std::cerr << fmt::format("monitor-plugin: the folder {} does not exist; set --data or --plugin-dir\n",
                             places.folder);
  }
  for (const std::string& name : agent::builtin_plugins()) std::cout << fmt::format("{:<24} built-in\n", name);
  std::vector<std::string> misnamed;
  for (const auto& [name, files] : places.read(&misnamed)) {
    const std::string refusal = refusal_of(name, files);
    for (const auto& file : files) {
      std::cout << fmt::format("{:<24} {:<9} {}{}\n", printable(name), config::kind_name(file.kind),
                               printable(file.path), refusal.empty() ? "" : "  refused: " + printable(refusal));
    }
  }
  for (const std::string& file : misnamed) {
    std::cout << fmt::format("{:<24} {:<9} {}  ignored: {}\n", "-", "-", printable(file),
                             agent::PluginFolder::kMisnamed);
  }
  return kExitOk;
}

int inspect(const Flags& flags, const std::string& data) {
  std::string file = flags.file;
  std::string python_class = flags.python_class;
  if (valid_name(file) && !file.ends_with(".so") && !file.ends_with(".lua") && !file.ends_with(".py")) {
    const Places places = places_of(flags, data);
    const auto files = places.read();
    const auto found = files.find(file);
    if (found == files.end() && agent::is_builtin(file)) {
      std::cout << fmt::format("name      {}\nkind      built-in\n", file);
      return kExitOk;
    }
    if (found == files.end()) {
      return fail(
          fmt::format(
              "{1} contains neither {0}.so nor {0}.lua nor a class of this name; --plugin-dir sets another folder",
              file, places.folder),
          kExitNegative);
    }
    if (const std::string refusal = refusal_of(file, found->second); !refusal.empty()) {
      if (found->second.front().fault == refusal) return fail(refusal, kExitConfig);
      std::vector<std::string> paths;
      for (const auto& one : found->second) paths.push_back(one.path);
      return fail(fmt::format("{} ({})", refusal, join(paths, ", ")), kExitConfig);
    }
    file = found->second.front().path;
    if (found->second.front().kind == config::PluginKind::kPython) python_class = split(found->first, '.').back();
  }
  const SystemClock clock;
  EventLoop loop(clock);
  metrics::SeriesTable table;
  PluginRun run(loop);
  const Status started = run.start(file, python_class, flags.config, table);
  if (!started) return start_failure(started.error());
  const auto& loaded = run.plugin().loaded();
  std::cout << fmt::format("name      {}\nkind      {}\nfile      {}\n", printable(loaded.name),
                           config::kind_name(run.plugin().entry().kind), printable(file));
  if (!loaded.version.empty()) std::cout << fmt::format("version   {}\n", printable(loaded.version));
  if (loaded.abi_major != 0) std::cout << fmt::format("interface {}.{}\n", loaded.abi_major, loaded.abi_minor);
  std::cout << fmt::format("state     {}\nmemory    {:.1f} MiB\n",
                           loaded.has_state != 0 ? "kept over a reload" : "none",
                           static_cast<double>(run.peak_memory()) / (1 << 20))
            << std::flush;
  return kExitOk;
}

int run(int argc, char** argv) {
  Flags flags;
  Cli cli({"monitor-plugin", "Creates, tests and lists plugins.",
           "  monitor-plugin new my_tag\n"
           "  monitor-agent --once --format json > ticks.json\n"
           "  monitor-plugin test my_tag/build/my_tag.so --input ticks.json --config '{\"value\": \"db\"}'\n"
           "  monitor-plugin new --language python my_tag\n"
           "  monitor-plugin test my_tag/agent/plugins/my_tag.py --input ticks.json\n"
           "  monitor-plugin inspect my_tag/build/my_tag.so\n"
           "  monitor-plugin list\n"});
  CLI::App& app = cli.app();
  app.require_subcommand(1, 1);
  CLI::App* const make = app.add_subcommand("new", "Write a project of a plugin, with a test");
  make->add_option("name", flags.name, "The plugin's name: [A-Za-z0-9._-]")->required()->type_name("NAME");
  make->add_option("--dir", flags.folder, "Folder of the project (default: the plugin's name)")->type_name("DIR");
  make->add_option("--sdk", flags.prefix, "Prefix where the SDK is installed (default: that of this program)")
      ->type_name("DIR");
  make->add_option("--language", flags.language, "cpp: a native plugin; python; lua: a script (default: cpp)")
      ->check(CLI::IsMember({"cpp", "python", "lua"}))
      ->type_name("LANGUAGE");
  CLI::App* const test_one =
      app.add_subcommand("test", "Run a plugin over recorded ticks and print its changes, time and memory");
  test_one->add_option("file", flags.file, "NAME.so, NAME.lua or NAME.py")->required()->type_name("FILE");
  test_one
      ->add_option("--input", flags.input, "Ticks, as get-metrics --format json prints them; - reads standard input")
      ->type_name("FILE")
      ->required();
  test_one->add_flag("--quiet", flags.quiet, "Print only the summary");
  CLI::App* const list_all = app.add_subcommand("list", "List the plugins that an agent on this host can run");
  CLI::App* const look = app.add_subcommand("inspect", "Start a plugin and describe it");
  look->add_option("plugin", flags.file, "NAME.so, NAME.lua, NAME.py, or the name of one in the plugin folder")
      ->required()
      ->type_name("PLUGIN");
  for (CLI::App* const one : {test_one, look}) {
    one->add_option("--config", flags.config, "Its configuration")->type_name("JSON");
    one->add_option("--class", flags.python_class, "The class in NAME.py (default: the only one)")->type_name("CLASS");
  }
  for (CLI::App* const one : {list_all, look}) {
    one->add_option("--plugin-dir", flags.plugin_dir, "Folder of plugins (default: <data>/plugins)")->type_name("DIR");
  }
  cli.add_data_option(Cli::Data::kReadOnly);
  if (const auto code = cli.parse(argc, argv)) return *code;
  if (make->parsed()) return make_new(flags);
  if (const std::string fault = config_fault(flags.config); !fault.empty()) return cli.usage_error(fault);
  if (test_one->parsed()) return test(flags);
  return list_all->parsed() ? list(flags, cli.data_folder()) : inspect(flags, cli.data_folder());
}

}  // namespace
}  // namespace monitor

int main(int argc, char** argv) { return monitor::guard(monitor::run, argc, argv); }
