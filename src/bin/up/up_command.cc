#include "bin/up/up_command.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <iostream>
#include <optional>
#include <string>
#include <utility>

#include "base/escape.h"
#include "base/lock_file.h"
#include "base/signals.h"
#include "base/standard_streams.h"
#include "base/trust.h"
#include "bin/config/author.h"
#include "bin/up/up_programs.h"
#include "config/edit.h"
#include "config/etcd/etcd_store.h"
#include "config/file/file_store.h"
#include "config/keys.h"
#include "config/source.h"
#include "plugins/builtin/registry.h"
#include "supervisor/supervisor.h"
#include "telemetry/http/http_server.h"

namespace monitor {

namespace {

void say(const std::string& line) { std::cerr << "monitor: " << printable(line) << "\n" << std::flush; }

int fail(const Error& error, const std::string& advice) {
  say(fmt::format("{}; {}", error.message(), advice));
  return exit_code_for(error);
}

class Up {
 public:
  Up(Cli& cli, UpFlags flags) : cli_(cli), flags_(std::move(flags)), data_(cli.data_folder()), loop_(clock_) {}

  int run() {
    if (!standard_output_open()) return fail(output_error(EBADF), "the values are printed to it");
    choose_agent_id();
    int64_t duration = 0;
    if (const std::string fault = check_up_flags(flags_, duration); !fault.empty()) return cli_.usage_error(fault);
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
    return supervise(duration);
  }

 private:
  int supervise(int64_t duration_ns) {
    setenv("MONITOR_SUPERVISOR_PID", std::to_string(getpid()).c_str(), 1);  // NOLINT(concurrency-mt-unsafe): one thread
    supervisor::SupervisorOptions options;
    options.stop_within_ns = cli_.drain_timeout_ns() * 24 / 25;  // the rest is for killing programs that hang
    supervisor::Supervisor supervisor(loop_, options, say);
    UpPrograms programs(flags_, data_, cli_.drain_timeout_ns(), say, [&] { publish(programs); });
    programs.add_to(supervisor);
    publish(programs);
    const Signals signals(loop_, [&](int) { supervisor.stop(kExitOk); }, {}, [&](int) { supervisor.reap(); });
    say(fmt::format("data in {0}, logs in {0}/logs; stop with Ctrl-C", data_));
    say("while it runs, other programs find it: monitor-analysis ledger, monitor-config status, ... (see --help)");
    supervisor.start();
    if (duration_ns > 0) loop_.call_after(duration_ns, [&] { supervisor.stop(kExitOk); });
    loop_.run();
    files_.withdraw();
    return supervisor.exit_code();
  }

  void choose_agent_id() {
    if (!flags_.agent_id.empty()) return;
    const HostId host = host_id();
    flags_.agent_id = host.id.empty() ? "agent" : host.id;
    if (host.warning.empty()) return;
    say(fmt::format("{}; its agent is {} (--agent-id sets another id)", host.warning, flags_.agent_id));
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
    auto note = note_of({}, flags_.etcd.named() ? flags_.etcd.user : "", "up");
    if (!note) return fail(note.error(), advice);
    note->at_ns = loop_.clock().wall_ns();
    const auto done = store.update_noted(
        key, *note, [&](const std::optional<config::Stored>& current) -> Result<std::optional<std::string>> {
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

  // Publishes the addresses, so that other programs of this user find this system.
  void publish(const UpPrograms& programs) {
    RunningSystem system;
    system.data = data_;
    system.log = flags_.kafka.empty() ? programs.sqlite_log() : "";
    system.kafka = flags_.kafka;
    system.server = programs.server();
    system.web = programs.page();
    if (flags_.etcd.named())
      system.etcd = flags_.etcd.arguments();
    else
      system.config_dir = config_folder_of(data_);
    if (const Status written = files_.publish(std::move(system)); !written) {
      say(fmt::format("{}; other programs cannot find this one automatically", written.error().message()));
    }
  }

  Cli& cli_;
  UpFlags flags_;
  std::string data_;
  SystemClock clock_;
  PosixDisk disk_;
  RunningFiles files_{disk_};
  EventLoop loop_;
};

}  // namespace

int run_up(Cli& cli, UpFlags flags) { return Up(cli, std::move(flags)).run(); }

}  // namespace monitor
