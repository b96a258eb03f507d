// monitor: `monitor up` runs the other programs on one machine; `monitor NAME ...` runs monitor-NAME ..., as git does.
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <climits>
#include <cstdlib>
#include <iostream>

#include "base/escape.h"
#include "base/lock_file.h"
#include "base/net/loopback.h"
#include "base/signals.h"
#include "base/standard_streams.h"
#include "base/text.h"
#include "base/time_format.h"
#include "base/trust.h"
#include "bin/common/brokers.h"
#include "bin/common/cli.h"
#include "bin/common/etcd_flags.h"
#include "bin/doctor/doctor_command.h"
#include "bin/doctor/support_bundle.h"
#include "bin/init/init_command.h"
#include "config/edit.h"
#include "config/etcd/etcd_store.h"
#include "config/file/file_store.h"
#include "config/source.h"
#include "plugins/builtin/registry.h"
#include "supervisor/log_line.h"
#include "supervisor/supervisor.h"
#include "telemetry/http/http_server.h"

namespace monitor {
namespace {

// The folder of this program, which contains the other programs as well.
std::string own_folder() {
  std::array<char, PATH_MAX> path{};
  const ssize_t n = readlink("/proc/self/exe", path.data(), path.size() - 1);
  const std::string text(path.data(), static_cast<size_t>(n > 0 ? n : 0));
  return text.substr(0, text.rfind('/'));
}

struct UpFlags {
  std::string agent_id;
  std::string duration;
  std::optional<uint16_t> port;  // nothing: the default port, or a free one if it is in use
  std::string interval;
  std::string format = "table";
  std::string http;  // http and web; empty: the default address, or a free port if it is in use
  std::string web;
  std::string web_users;
  std::string web_tls_cert;
  std::string web_tls_key;
  bool web_insecure = false;
  std::string kafka;
  std::vector<std::string> groups;
  EtcdFlags etcd;
  OptionalValue simulate;
};

CLI::App* declare_up(Cli& cli, UpFlags& flags) {
  CLI::App& up = *cli.app().add_subcommand("up", "Run server, analysis and agent on this machine and print the values");
  up.add_option("--duration", flags.duration, "Stop after this time: 10s, 5m (default: run until stopped)")
      ->type_name("DURATION");
  up.add_option("--port", flags.port, "Port of the server; 0 picks a free one (default: 50051, or a free port)")
      ->type_name("PORT")
      ->check(CLI::Range(0, 65535));
  up.add_option("--interval", flags.interval, "Time between ticks; written into the agent's configuration")
      ->type_name("DURATION");
  up.add_option("--agent-id", flags.agent_id, "Id of the agent (default: the host's name)")->type_name("ID");
  up.add_option("--group", flags.groups, "A group of the agent; may be repeated")->type_name("GROUP");
  up.add_option("--format", flags.format, "Output of the values: table, json or csv")
      ->check(CLI::IsMember({"table", "json", "csv"}));
  add_etcd_options(up, flags.etcd);
  up.add_option("--http", flags.http,
                "Serve the server's /metrics, /healthz and /readyz on ADDR:PORT, or off (default: 127.0.0.1:9464, or a "
                "free port)")
      ->type_name("ADDR:PORT|off");
  up.add_option("--web", flags.web, "Serve the web page on ADDR:PORT, or off (default: 127.0.0.1:8080, or a free port)")
      ->type_name("ADDR:PORT|off");
  up.add_option("--web-users", flags.web_users, "Require a login on the web page by a user of this file")
      ->type_name("FILE");
  up.add_option("--web-tls-cert", flags.web_tls_cert, "Serve the web page over TLS with this certificate chain (PEM)")
      ->type_name("FILE");
  up.add_option("--web-tls-key", flags.web_tls_key, "Private key of --web-tls-cert (PEM)")->type_name("FILE");
  up.add_flag("--web-insecure", flags.web_insecure,
              "Allow the web page plain text, and reading without a login, on an address that other hosts can reach");
  up.add_option("--kafka", flags.kafka,
                "Keep the metric log in Kafka at HOST:PORT instead of in a file in the data folder")
      ->type_name("HOST:PORT,...");
  add_optional_value(
      up, "--simulate", flags.simulate,
      "Let the agent generate realistic values instead of reading the host: --simulate or --simulate=SEED")
      ->type_name("[SEED]");
  return &up;
}

// Returns `usual` if it is free on the loopback address, else 0, which makes the program pick a port.
uint16_t free_port(uint16_t usual) { return telemetry::listen_http("127.0.0.1", usual) ? usual : 0; }

void say(const std::string& line) { std::cerr << "monitor: " << printable(line) << "\n" << std::flush; }

class Up {
 public:
  Up(Cli& cli, UpFlags flags) : cli_(cli), flags_(std::move(flags)), data_(cli.data_folder()), loop_(clock_) {}

  int run() {
    if (!standard_output_open()) return fail(output_error(EBADF), "the values are printed to it");
    if (flags_.agent_id.empty()) {
      const HostId host = host_id();
      flags_.agent_id = host.id.empty() ? "agent" : host.id;
      if (!host.warning.empty()) {
        say(fmt::format("{}; its agent is {} (--agent-id sets another id)", host.warning, flags_.agent_id));
      }
    }
    int64_t duration = 0;
    if (!flags_.duration.empty()) {
      const auto parsed = parse_duration_with_unit(flags_.duration);
      if (!parsed) return cli_.usage_error("--duration: " + parsed.error().message());
      if (*parsed == 0)
        return cli_.usage_error("--duration: got 0, expected more than 0; omit it to run until stopped");
      duration = *parsed;
    }
    if (const std::string fault = check_etcd_flags(flags_.etcd); !fault.empty()) return cli_.usage_error(fault);
    if (const std::string fault = check_brokers(flags_.kafka); !flags_.kafka.empty() && !fault.empty()) {
      return cli_.usage_error(fault);
    }
    if (const std::string fault = check_page(); !fault.empty()) return cli_.usage_error(fault);
    for (const auto& [option, address] : {std::pair{"--web", flags_.web}, {"--http", flags_.http}}) {
      if (const auto code = check_http(option, address)) return *code;
    }
    for (const std::string& folder : {data_, data_ + "/logs", config_folder_of(data_)}) {
      if (const Status made = make_trusted_folder(disk_, folder, "the data folder"); !made)
        return fail(made.error(), "choose another folder with --data");
    }
    const auto lock = LockFile::acquire(data_ + "/up.lock", "the data folder " + data_);
    if (!lock) return fail(lock.error(), "choose another folder with --data");
    if (!flags_.interval.empty()) {
      if (const auto code = write_interval()) return *code;
    }

    setenv("MONITOR_SUPERVISOR_PID", std::to_string(getpid()).c_str(), 1);  // NOLINT(concurrency-mt-unsafe): one thread
    supervisor::SupervisorOptions options;
    options.stop_within_ns = cli_.drain_timeout_ns() * 24 / 25;  // the rest is for killing programs that hang
    supervisor::Supervisor supervisor(loop_, options, say);
    add_programs(supervisor);
    publish();
    const Signals signals(loop_, [&](int) { supervisor.stop(kExitOk); }, {}, [&](int) { supervisor.reap(); });
    say(fmt::format("data in {0}, logs in {0}/logs; stop with Ctrl-C", data_));
    say("while it runs, other programs find it: monitor-analysis ledger, monitor-config status, ... (see --help)");
    supervisor.start();
    if (duration > 0) loop_.call_after(duration, [&] { supervisor.stop(kExitOk); });
    loop_.run();
    files_.withdraw();
    return supervisor.exit_code();
  }

 private:
  static int fail(const Error& error, const std::string& advice) {
    say(fmt::format("{}; {}", error.message(), advice));
    return exit_code_for(error);
  }

  // The page's own checks name options of `serve`.
  std::string check_page() const {
    if (flags_.web_tls_cert.empty() != flags_.web_tls_key.empty()) {
      return "--web-tls-cert and --web-tls-key need each other";
    }
    const auto parsed = telemetry::parse_http_address(flags_.web);
    if (!parsed || flags_.web_insecure || is_loopback_host(parsed->address)) return "";
    if (!flags_.web_tls_cert.empty() && !flags_.web_users.empty()) return "";
    return fmt::format(
        "--web: other hosts can reach {}: give --web-tls-cert, --web-tls-key and --web-users, or "
        "--web-insecure",
        parsed->address);
  }

  // Validates an HTTP address and checks that it is free. Errors thus name the option of this program rather than that
  // of the program started later.
  std::optional<int> check_http(const std::string& option, const std::string& address) {
    if (address.empty() || address == "off") return std::nullopt;
    const auto parsed = telemetry::parse_http_address(address);
    if (!parsed) return cli_.usage_error(option + ": " + parsed.error().message());
    const auto socket = telemetry::listen_http(parsed->address, parsed->port);
    if (!socket) {
      const std::string& message =
          socket.error().message();  // the rest of the message names an option of another program
      say(fmt::format("{}; choose another with {} ADDR:PORT, or {} off", message.substr(0, message.find("; ")), option,
                      option));
      return exit_code_for(socket.error());
    }
    return std::nullopt;
  }

  std::optional<int> write_interval() {
    if (!flags_.etcd.named()) {
      config::FileStore store(disk_, config_folder_of(data_));
      return write_interval_to(store, "choose another folder with --data");
    }
    auto etcd = connect_etcd(loop_, flags_.etcd);
    if (!etcd) return fail(etcd.error(), "check the files of the --etcd options");
    config::EtcdStore store(loop_, *(*etcd)->client, [this] { loop_.run_once(-1); });
    return write_interval_to(store, "choose another etcd with --etcd");
  }

  std::optional<int> write_interval_to(config::ConfigStore& store, const std::string& advice) {
    const agent::AuthorsCatalog catalog;
    const std::string key = config::agent_key(flags_.agent_id);
    const auto done =
        store.update(key, [&](const std::optional<config::Stored>& current) -> Result<std::optional<std::string>> {
          const auto before = current ? std::optional(current->value) : std::nullopt;
          auto text = config::edit_document(before, {{"interval", config::duration_json(flags_.interval)}}, true,
                                            config::Edited::kOwn, catalog);
          if (!text) return text.error();
          return std::optional(std::move(*text));
        });
    if (!done && done.error().code() == Code::kInvalidArgument)
      return cli_.usage_error("--interval: " + done.error().message());
    if (!done) return fail(done.error(), advice);
    say(fmt::format("interval {} written to {}", flags_.interval, store.describe(key)));
    return std::nullopt;
  }

  supervisor::ProgramSpec spec(const std::string& name, std::vector<std::string> arguments) {
    supervisor::ProgramSpec result;
    result.name = name;
    result.program = own_folder() + "/" + name;
    result.arguments = std::move(arguments);
    // All programs get the same time limit for an orderly stop.
    result.arguments.insert(result.arguments.end(),
                            {"--drain-timeout", format_duration(cli_.drain_timeout_ns() * 3 / 10)});
    result.log_file = fmt::format("{}/logs/{}.log", data_, name);
    return result;
  }

  void add_programs(supervisor::Supervisor& supervisor) {
    const std::string log = flags_.kafka.empty() ? "--log=" + sqlite_log() : "--kafka=" + flags_.kafka;
    const uint16_t port = flags_.port.value_or(free_port(kUsualPort));
    const std::string http = flags_.http.empty() ? fmt::format("127.0.0.1:{}", free_port(kUsualHttpPort)) : flags_.http;
    auto server = spec("monitor-server", {"--port", std::to_string(port), log, "--http", http, "--data", data_});
    server.ready_fragment = "listening service=grpc";
    auto analysis = spec("monitor-analysis",
                         {"get-metrics", log, "--group-id", "monitor-up", "--format", flags_.format, "--data", data_});
    analysis.ready_fragment = "reading";
    analysis.fatal_exit_codes = {kExitIo};  // its output cannot be written, so a restart does not help
    std::vector<std::string> agent_arguments = {"--agent-id", flags_.agent_id, "--data", data_};
    const std::vector<std::string> source =
        flags_.etcd.named() ? flags_.etcd.arguments() : std::vector<std::string>{"--config-dir", config_dir()};
    agent_arguments.insert(agent_arguments.end(), source.begin(), source.end());
    for (const std::string& group : flags_.groups) agent_arguments.insert(agent_arguments.end(), {"--group", group});
    if (flags_.simulate.given())
      agent_arguments.push_back(flags_.simulate.text.empty() ? "--simulate" : "--simulate=" + flags_.simulate.text);
    auto agent = spec("monitor-agent", agent_arguments);

    auto& server_spec = supervisor.add(std::move(server));
    supervisor.add(std::move(analysis));
    auto& agent_spec = supervisor.add(std::move(agent));
    if (flags_.web != "off") add_page(supervisor, log, source);
    server_spec.on_line = [this, &server_spec, &agent_spec](const std::string& line) {
      learn_address(line, server_spec, agent_spec);
    };
    supervisor.set_stop_order({"monitor-agent", "monitor-server", "monitor-analysis", kPage});
  }

  void add_page(supervisor::Supervisor& supervisor, const std::string& log, const std::vector<std::string>& source) {
    std::vector<std::string> arguments = {"serve", log, "--data", data_};
    arguments.insert(arguments.end(), source.begin(), source.end());
    if (!flags_.web.empty()) arguments.insert(arguments.end(), {"--http", flags_.web});
    for (const auto& [option, file] : {std::pair{"--users", flags_.web_users},
                                       {"--tls-cert", flags_.web_tls_cert},
                                       {"--tls-key", flags_.web_tls_key}}) {
      if (!file.empty()) arguments.insert(arguments.end(), {option, file});
    }
    if (flags_.web_insecure) arguments.emplace_back("--insecure");
    auto page = spec(kPage, std::move(arguments));
    page.program = own_folder() + "/monitor-analysis";
    auto& added = supervisor.add(std::move(page));
    added.on_line = [this, &added](const std::string& line) {
      const std::string address = listens_on(line, "web");
      if (address.empty()) return;
      system_.web = fmt::format("{}://{}/", flags_.web_tls_cert.empty() ? "http" : "https", address);
      const std::string how = flags_.web_users.empty() ? fmt::format("changes need the token in {}/web-token", data_)
                                                       : "log in as a user of " + flags_.web_users;
      say(fmt::format("web page: {} ({})", system_.web, how));
      publish();
      set_option(added, "--http", address);  // a restarted program must use the same address
    };
  }

  // The address in a program's "listening" line; empty for any other line.
  static std::string listens_on(const std::string& line, std::string_view service) {
    const std::string said = fmt::format("listening service={} address=", service);
    const std::string_view event = supervisor::event_of(line);
    return event.starts_with(said) ? std::string(split(event.substr(said.size()), ' ').front()) : std::string();
  }

  // The server's line has the port that it picked: the agent connects to it, and a restarted server must use it again.
  void learn_address(const std::string& line, supervisor::ProgramSpec& server, supervisor::ProgramSpec& agent) {
    const std::string address = listens_on(line, "grpc");
    if (address.empty()) return;
    say("server listens on " + address);
    system_.server = address;
    publish();
    set_option(agent, "--server", address);
    set_option(server, "--port", address.substr(address.rfind(':') + 1));
  }

  std::string sqlite_log() const { return fmt::format("sqlite:{}/log.db", data_); }
  std::string config_dir() const { return config_folder_of(data_); }

  // Publishes the addresses, so that other programs of this user find this system.
  void publish() {
    system_.data = data_;
    system_.log = flags_.kafka.empty() ? sqlite_log() : "";
    system_.kafka = flags_.kafka;
    if (flags_.etcd.named())
      system_.etcd = flags_.etcd.arguments();
    else
      system_.config_dir = config_dir();
    if (const Status written = files_.publish(system_); !written) {
      say(fmt::format("{}; other programs cannot find this one automatically", written.error().message()));
    }
  }

  static void set_option(supervisor::ProgramSpec& spec, const std::string& option, const std::string& value) {
    auto& arguments = spec.arguments;
    const auto old = std::find(arguments.begin(), arguments.end(), option);
    if (old != arguments.end()) arguments.erase(old, old + 2);
    arguments.insert(arguments.end(), {option, value});
  }

  static constexpr const char* kPage = "monitor-web";
  static constexpr uint16_t kUsualPort = 50051;
  static constexpr uint16_t kUsualHttpPort = 9464;

  Cli& cli_;
  UpFlags flags_;
  std::string data_;
  SystemClock clock_;
  PosixDisk disk_;
  RunningFiles files_{disk_};
  RunningSystem system_;
  EventLoop loop_;
};

// `monitor agent ...`: replaces this process with monitor-agent. Returns only on failure.
int become(const std::string& name, char** argv) {
  const std::string program = own_folder() + "/monitor-" + name;
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
    return run_doctor(cli, doctor, own_folder());
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
  if (doctor->parsed()) return run_doctor(cli, doctor_flags, own_folder());
  if (bundle->parsed()) return make_support_bundle(cli, bundle_flags, own_folder());
  if (!up->parsed()) return cli.usage_error("write the options of a program after its name: monitor agent --once");
  return Up(cli, flags).run();
}

}  // namespace
}  // namespace monitor

int main(int argc, char** argv) { return monitor::guard(monitor::run, argc, argv); }
