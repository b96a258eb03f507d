#include "bin/doctor/support_bundle.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <iostream>
#include <set>

#include "base/counted.h"
#include "base/escape.h"
#include "base/log.h"
#include "base/size_format.h"
#include "base/text.h"
#include "base/time_format.h"
#include "base/trust.h"
#include "bin/doctor/doctor_command.h"
#include "doctor/bundle/bundle.h"
#include "doctor/real/real_host.h"
#include "doctor/real/run_program.h"
#include "doctor/run.h"
#include "doctor/url.h"

namespace monitor {

namespace {

constexpr size_t kMaxSecretFile = size_t{256} * 1024;
constexpr size_t kMaxHostFile = size_t{256} * 1024;
constexpr size_t kMaxLog = size_t{2} << 20;
constexpr int64_t kTimeout = 15 * kNanosPerSecond;
constexpr int64_t kPeerTimeout = 5 * kNanosPerSecond;

class Collector {
 public:
  Collector(std::shared_ptr<const doctor::Setup> setup, std::shared_ptr<doctor::Peers> peers,
            doctor::BundleBuilder& bundle)
      : setup_(std::move(setup)), peers_(std::move(peers)), bundle_(bundle) {}

  // Returns true if a check still runs.
  bool collect(const std::vector<std::string>& metrics) {
    const bool abandoned = add_doctor();
    add_versions();
    add_host();
    add_installed();
    add_configuration();
    add_logs();
    for (const std::string& url : metrics) add_metrics(url);
    if (!setup_->page.empty()) add_metrics(setup_->page);
    for (const std::string& address : heard_) add_metrics("http://" + address + "/");
    bundle_.add("data-folder.txt", doctor::list_files(setup_->data, 2000));
    return abandoned;
  }

 private:
  bool add_doctor() {
    const doctor::Report report = doctor::run_checks(doctor::all_checks(), setup_, peers_, host_,
                                                     {.check_timeout_ns = kTimeout, .peer_timeout_ns = kPeerTimeout});
    bundle_.add("doctor.json", doctor::format_json(report, *setup_, version(), host_->wall_ns()));
    return report.abandoned;
  }

  void add_versions() {
    std::string text;
    for (const auto& one : host_->programs(setup_->program_folder, kPeerTimeout)) {
      text += fmt::format("{} {} {}{}\n", one.name, one.version.empty() ? "?" : one.version, one.path,
                          one.replaced ? " (replaced since its start)" : "");
      if (one.pid == 0) continue;
      for (const char* const file : {"cmdline", "status", "limits"}) {
        auto content = disk_.read_file(fmt::format("/proc/{}/{}", one.pid, file), kMaxHostFile);
        if (!content) continue;
        std::ranges::replace(*content, '\0', ' ');
        bundle_.add(fmt::format("processes/{}-{}/{}.txt", one.name, one.pid, file), *content);
      }
    }
    bundle_.add("versions.txt", text);
  }

  // An allow-list. No environment of any process: variables may hold secrets.
  void add_host() {
    for (const char* const path : {"/proc/version", "/proc/cmdline", "/proc/mounts", "/proc/meminfo", "/proc/loadavg",
                                   "/proc/uptime", "/proc/stat", "/proc/pressure/io", "/proc/pressure/memory",
                                   "/proc/sys/fs/file-nr", "/sys/kernel/security/lsm", "/etc/os-release"}) {
      const auto text = disk_.read_file(path, kMaxHostFile);
      std::string name = std::string(path).substr(1);
      std::ranges::replace(name, '/', '-');
      if (text) bundle_.add("host/" + name + ".txt", *text);
    }
  }

  void add_installed() {
    const auto installed = Installed::read(disk_, "");
    if (!installed) return bundle_.miss("configuration/default", installed.error().message());
    for (const std::string& path : installed->files()) {
      const auto text = disk_.read_file(path, kMaxHostFile);
      if (text) bundle_.add("configuration/default/" + path.substr(path.rfind('/') + 1), *text);
    }
  }

  // Plugins are programs of their authors, who may have put anything into them: their sizes only.
  void add_configuration() {
    const auto keys = peers_->configuration(kPeerTimeout);
    if (!keys) return bundle_.miss("configuration/keys.json", keys.error().message());
    nlohmann::ordered_json json = nlohmann::ordered_json::object();
    for (const auto& [key, value] : *keys) {
      const bool plugin = key.find("/plugins/") != std::string::npos;
      const auto parsed = plugin ? nlohmann::ordered_json() : nlohmann::ordered_json::parse(value, nullptr, false);
      const bool shown = parsed.is_object();
      json[printable(key)] = shown ? parsed : nlohmann::ordered_json(counted(value.size(), "byte") + ", not shown");
    }
    bundle_.add("configuration/keys.json",
                json.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n");
  }

  void add_logs() {
    const std::string folder = setup_->data + "/logs";
    if (const Status trusted = check_folder_trusted(folder, "the folder of logs"); !trusted) {
      if (trusted.error().code() != Code::kNotFound) bundle_.miss("logs", trusted.error().message());
    } else if (const auto names = disk_.list_folder(folder)) {
      for (const std::string& name : *names) {
        if (name.ends_with(".log") || name.ends_with(".log.1")) add_log(folder, name);
      }
    }
    add_journal();
  }

  void add_log(const std::string& folder, const std::string& name) {
    const auto text = doctor::read_tail(folder, name, kMaxLog);
    if (!text) return bundle_.miss("logs/" + name, text.error().message());
    bundle_.add("logs/" + name, *text);
    // Where the program serves its metrics now: its last such line.
    constexpr std::string_view kSaid = "listening service=http address=";
    const size_t said = text->rfind(kSaid);
    if (said == std::string::npos || name.ends_with(".1")) return;
    const size_t begin = said + kSaid.size();
    heard_.insert(text->substr(begin, std::min(text->find_first_of(" \n", begin), text->size()) - begin));
  }

  void add_journal() {
    constexpr const char* kJournal = "/usr/bin/journalctl";
    if (access(kJournal, X_OK) != 0 || access("/run/systemd/system", F_OK) != 0) return;
    for (const char* const unit : {"monitor-agent", "monitor-server", "monitor-analysis"}) {
      const auto ended = doctor::run_program(
          kJournal, {"--unit", unit, "--lines", "5000", "--output", "short-iso-precise", "--no-pager"}, kTimeout);
      if (!ended) {
        bundle_.miss(fmt::format("logs/{}.journal", unit), ended.error().message());
      } else if (ended->status == 0 && ended->output.find('\n') != ended->output.rfind('\n')) {
        bundle_.add(fmt::format("logs/{}.journal", unit), ended->output);
      }
    }
  }

  void add_metrics(const std::string& url) {
    auto target = doctor::parse_url(url);
    if (!target) return bundle_.miss("metrics", target.error().message());
    const std::string name = fmt::format("metrics/{}.txt", target->address.to_string());
    if (!fetched_.insert(name).second) return;
    target->path = "/metrics";
    target->files.ca = setup_->page_ca;
    const auto answer = peers_->http(*target, kPeerTimeout);
    if (!answer) return bundle_.miss(name, answer.error().message());
    if (answer->status != 200) return bundle_.miss(name, fmt::format("status {}", answer->status));
    bundle_.add(name, answer->body);
  }

  std::shared_ptr<const doctor::Setup> setup_;
  std::shared_ptr<doctor::Peers> peers_;
  doctor::BundleBuilder& bundle_;
  PosixDisk disk_;
  std::shared_ptr<doctor::RealHost> host_ = std::make_shared<doctor::RealHost>();
  std::set<std::string> heard_;
  std::set<std::string> fetched_;
};

// Knows every secret that this user may read. One that cannot be read cannot be in what is collected as this user,
// but the patterns still apply.
doctor::Redactor redactor_for(const doctor::Setup& setup) {
  doctor::Redactor redactor;
  PosixDisk disk;
  for (const doctor::SecretFile& file : setup.secrets) {
    if (const auto text = disk.read_file(file.path, kMaxSecretFile)) redactor.add_secret_file(*text);
  }
  return redactor;
}

// Never replaces a file and follows no link.
Status write_new_file(const std::string& path, std::string_view bytes) {
  Fd fd(open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!fd.valid()) return errno_error(errno, "creating " + path);
  while (!bytes.empty()) {
    const ssize_t written = write(fd.get(), bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) {
      const int error = errno;
      unlink(path.c_str());
      return errno_error(error, "writing " + path);
    }
    bytes.remove_prefix(static_cast<size_t>(written));
  }
  return {};
}

std::string bundle_name(int64_t wall_ns) {
  constexpr size_t kMostHost = 15;
  std::string name =
      fmt::format("monitor-support-{}-{}", host_id().id.substr(0, kMostHost), format_rfc3339(wall_ns, 0));
  std::erase(name, ':');
  return name;
}

}  // namespace

CLI::App* declare_support_bundle(CLI::App& app, SupportBundleFlags& flags) {
  CLI::App* const command = app.add_subcommand(
      "support-bundle", "Collect logs, status, versions and configuration into one file, without secrets");
  add_doctor_options(*command, flags.look);
  command->add_option("-o,--output", flags.output, "File to write (default: monitor-support-HOST-TIME.tar.gz)")
      ->type_name("FILE");
  add_words(*command, "--metrics", flags.metrics, "Also collect /metrics from these addresses: http://HOST:PORT")
      ->type_name("URL");
  return command;
}

int make_support_bundle(const Cli& cli, SupportBundleFlags& flags, const std::string& program_folder) {
  PosixDisk disk;
  if (cli.log_level() == LogLevel::kInfo) log_set_level(LogLevel::kError);
  auto resolved = resolve_setup(cli, disk, flags.look, program_folder);
  if (!resolved) return cli.usage_error(resolved.error().message());
  for (const std::string& url : flags.metrics) {
    if (const auto parsed = doctor::parse_url(url); !parsed)
      return cli.usage_error("--metrics: " + parsed.error().message());
  }
  const auto setup = std::make_shared<const doctor::Setup>(std::move(*resolved));
  const int64_t now = SystemClock().wall_ns();
  const std::string name = bundle_name(now);
  const std::string path = flags.output.empty() ? name + ".tar.gz" : flags.output;
  doctor::BundleBuilder builder(name, now, redactor_for(*setup));
  const bool abandoned = Collector(setup, make_peers(flags.look, program_folder), builder).collect(flags.metrics);
  int status = kExitIo;
  const auto bundle = builder.finish();
  const Status written = bundle ? write_new_file(path, bundle->bytes) : Status(bundle.error());
  if (!written) {
    log_error("the support bundle cannot be written", {{"reason", written.error()}});
  } else {
    std::cout << bundle->contents
              << fmt::format("{}: {}, {} removed. Read it before you pass it on: names of hosts and agents are in it\n",
                             printable(path), format_size(bundle->bytes.size()), counted(bundle->removed, "secret"))
              << std::flush;
    status = kExitOk;
  }
  if (abandoned) _exit(status);
  return status;
}

}  // namespace monitor
