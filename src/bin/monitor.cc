// monitor: `monitor up` runs the other programs on one machine; `monitor NAME ...` runs monitor-NAME ..., as git does.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <iostream>
#include <utility>

#include "base/program_folder.h"
#include "base/signals.h"
#include "bin/common/cli.h"
#include "bin/doctor/doctor_command.h"
#include "bin/doctor/support_bundle.h"
#include "bin/init/init_command.h"
#include "bin/up/up_command.h"
#include "bin/up/up_flags.h"

namespace monitor {
namespace {

// `monitor agent ...`: replaces this process with monitor-agent. Returns only on failure.
int become(const std::string& name, char** argv) {
  const std::string program = program_folder() + "/monitor-" + name;
  argv[0] = const_cast<char*>(program.c_str());  // execv's signature; it does not write
  execv(program.c_str(), argv);
  std::cerr << fmt::format("monitor: cannot run {}: {}\n", program, errno_error(errno, "execv").message());
  return kExitUnavailable;
}

// The agent is checked with the options that it was given, also where its service cannot be started here.
int set_up_agent(const Cli& cli, InitFlags& flags) {
  return run_init(cli, flags, [&cli](const InitAnswers& answers, bool started) {
    if (started && !answers.token.empty()) wait_until_joined(answers);
    DoctorCommandFlags doctor;
    doctor.look.server = answers.server;
    doctor.look.tls = {answers.ca_file, answers.certificate_file, answers.key_file, answers.server_name};
    doctor.look.etcd = answers.etcd;
    doctor.look.agent_id = answers.agent_id;
    doctor.only = {"server", "etcd", "clock", "certificates", "peer-certificates", "sandbox"};
    return run_doctor(cli, doctor, program_folder());
  });
}

// The other programs, and what help says of them.
struct OtherProgram {
  const char* name;
  const char* text;
};
constexpr std::array<OtherProgram, 6> kPrograms = {
    {{"agent", "Collect metrics of this host (monitor-agent)"},
     {"server", "Receive agents' streams and write the log (monitor-server)"},
     {"analysis", "Read the log: values, ledger, web page (monitor-analysis)"},
     {"config", "Set and show the configuration of agents (monitor-config)"},
     {"plugin", "Create, test and list plugins (monitor-plugin)"},
     {"load", "Simulate many agents to load a server (monitor-load)"}}};

bool is_program(std::string_view name) {
  return std::ranges::any_of(kPrograms, [&](const OtherProgram& one) { return one.name == name; });
}

std::vector<std::string> program_names() {
  std::vector<std::string> names;
  for (const OtherProgram& one : kPrograms) names.emplace_back(one.name);
  return names;
}

// Becomes the program that the first argument names. Nothing if it names none.
std::optional<int> become_named(int argc, char** argv) {
  if (argc > 1 && is_program(argv[1])) return become(argv[1], argv + 1);
  // `monitor help config set` is `monitor-config help set`.
  if (argc > 2 && std::string_view(argv[1]) == "help" && is_program(argv[2])) {
    const std::string program = argv[2];
    argv[2] = argv[1];
    return become(program, argv + 1);
  }
  return std::nullopt;
}

int run(int argc, char** argv) {
  if (const auto code = become_named(argc, argv)) return *code;
  block_signals();
  UpFlags flags;
  Cli cli({"monitor",
           "Distributed system monitoring: agents, server, analysis, configuration.",
           "  monitor up                        run everything on this machine, print the values\n"
           "  monitor up --duration 10s --interval 1\n"
           "  monitor up --etcd localhost:2379    configuration from etcd\n"
           "  monitor up --kafka localhost:9092\n"
           "  monitor doctor                    check this host, its servers, etcd, Kafka and the page\n"
           "  monitor init                      set up this host's agent; asks what it needs\n"
           "  monitor init --server web.example:50051 --token-file token --yes\n"
           "  monitor support-bundle -o bundle.tar.gz\n"
           "  monitor doctor --server web.example:50051 --tls-ca ca.pem\n"
           "  monitor agent --once              the same as monitor-agent --once\n"
           "  monitor config --agent-id a --interval 2\n"
           "  monitor analysis get-metrics --format json\n"
           "  monitor help config set           the same as monitor-config set --help\n",
           {.names = {{"group", "groups"}}, .programs = program_names()}});
  CLI::App* const up = declare_up(cli, flags);
  DoctorCommandFlags doctor_flags;
  const CLI::App* const doctor = declare_doctor(cli.app(), doctor_flags);
  SupportBundleFlags bundle_flags;
  const CLI::App* const bundle = declare_support_bundle(cli.app(), bundle_flags);
  for (const OtherProgram& one : kPrograms) cli.app().add_subcommand(one.name, one.text);
  InitFlags init_flags;
  const CLI::App* const init = declare_init(cli.app(), init_flags);
  cli.add_data_option();
  cli.add_drain_option();
  cli.app().require_subcommand(1, 1);
  if (const auto code = cli.parse(argc, argv)) return *code;
  if (!up->parsed()) let_signals_end_process();
  if (init->parsed()) return set_up_agent(cli, init_flags);
  if (doctor->parsed()) return run_doctor(cli, doctor_flags, program_folder());
  if (bundle->parsed()) return make_support_bundle(cli, bundle_flags, program_folder());
  if (!up->parsed()) return cli.usage_error("write the options of a program after its name: monitor agent --once");
  return run_up(cli, std::move(flags));
}

}  // namespace
}  // namespace monitor

int main(int argc, char** argv) { return monitor::guard(monitor::run, argc, argv); }
