#include "bin/doctor/doctor_flags.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <tuple>

#include "base/host_id.h"
#include "base/text.h"
#include "base/time_format.h"
#include "bin/common/brokers.h"

namespace monitor {

namespace {

constexpr uint16_t kServerPort = 50051;
constexpr uint16_t kEtcdPort = 2379;
constexpr int64_t kKeepFull = int64_t{24} * 3600 * kNanosPerSecond;  // the default of serve --keep-full
constexpr std::string_view kSqlite = "sqlite:";

void fill(std::string& value, const std::string& otherwise) {
  if (value.empty()) value = otherwise;
}

void take_running(const RunningSystem& system, DoctorFlags& flags) {
  fill(flags.server, system.server);
  fill(flags.page, system.web);
  if (!flags.etcd.mentioned() && flags.config_dir.empty()) {
    flags.etcd.take(system.etcd);
    flags.config_dir = system.config_dir;
  }
  if (flags.log.empty() && flags.kafka.empty()) {
    flags.log = system.log;
    flags.kafka = system.kafka;
  }
}

// Where the services' configuration is: etcd, or a folder.
void take_installed_configuration(const Installed& installed, DoctorFlags& flags) {
  if (flags.etcd.mentioned() || !flags.config_dir.empty()) return;
  for (const char* const program : {"agent", "analysis"}) {
    std::vector<std::string> arguments;
    for (const char* const option :
         {"etcd", "etcd-host", "etcd-port", "etcd-user", "etcd-password-file", "etcd-ca", "etcd-cert", "etcd-key"}) {
      if (const std::string value = installed.value(program, option); !value.empty()) {
        arguments.insert(arguments.end(), {std::string("--") + option, value});
      }
    }
    if (!arguments.empty() && installed.flag(program, "etcd-insecure")) arguments.emplace_back("--etcd-insecure");
    if (!flags.etcd.mentioned()) flags.etcd.take(arguments);
    if (!flags.etcd.mentioned()) fill(flags.config_dir, installed.value(program, "config-dir"));
  }
}

// Secrets, folders and certificates whose permissions and dates are checked.
void take_installed_files(const Installed& installed, DoctorFlags& flags) {
  for (const auto& [program, option, what] : {std::tuple{"agent", "join-token-file", "the join token"},
                                              std::tuple{"server", "tls-key", "the server's private key"},
                                              std::tuple{"analysis", "tls-key", "the page's private key"},
                                              std::tuple{"analysis", "users", "the users of the page"}}) {
    if (const std::string path = installed.value(program, option); !path.empty()) {
      flags.further_secrets.push_back({path, what, false});
    }
  }
  if (const std::string folder = installed.value("server", "ca-dir"); !folder.empty()) {
    flags.further_folders.push_back({folder, "the folder of the built-in CA"});
    flags.further_certificates.push_back(folder + "/ca.pem");
  }
  if (const std::string path = installed.value("server", "tls-crl"); !path.empty()) flags.further_crls.push_back(path);
  for (const char* const program : {"server", "analysis"}) {
    if (const std::string path = installed.value(program, "tls-cert"); !path.empty()) {
      flags.further_certificates.push_back(path);
    }
  }
}

void take_installed(const Installed& installed, DoctorFlags& flags) {
  fill(flags.server, installed.value("agent", "server"));
  fill(flags.tls.ca, installed.value("agent", "tls-ca"));
  fill(flags.tls.certificate, installed.value("agent", "tls-cert"));
  fill(flags.tls.key, installed.value("agent", "tls-key"));
  fill(flags.tls.server_name, installed.value("agent", "tls-server-name"));
  fill(flags.tls.crl, installed.value("agent", "tls-crl"));
  fill(flags.spool, installed.value("agent", "spool"));
  fill(flags.agent_id, installed.value("agent", "agent-id"));
  fill(flags.web_token_file, installed.value("analysis", "web-token-file"));
  take_installed_configuration(installed, flags);
  for (const char* const program : {"server", "analysis"}) {
    if (flags.log.empty() && flags.kafka.empty()) {
      flags.log = installed.value(program, "log");
      flags.kafka = installed.value(program, "kafka");
    }
    fill(flags.topic, installed.value(program, "topic"));
    fill(flags.kafka_properties_file, installed.value(program, "kafka-properties-file"));
  }
  if (const std::string http = installed.value("analysis", "http"); !http.empty() && http != "off") {
    const bool tls = !installed.value("analysis", "tls-cert").empty();
    fill(flags.page, fmt::format("{}://{}/", tls ? "https" : "http", http));
  }
  take_installed_files(installed, flags);
}

// The units' state folders (deploy/systemd), of the first service that is configured.
std::string installed_data(const Installed& installed) {
  const std::string& file = installed.files().front();
  const std::string service = file.substr(file.rfind('/') + 1);
  const std::string named = installed.value(service.substr(std::string_view("monitor-").size()), "data");
  return named.empty() ? "/var/lib/" + service : named;
}

Result<std::vector<HostPort>> addresses_of(const std::string& list, uint16_t port, const char* option) {
  std::vector<HostPort> addresses;
  if (list.empty()) return addresses;
  for (const std::string_view part : split(list, ',')) {
    auto address = parse_host_port(std::string(trim(part)), port);
    if (!address) return address.error().with_context(option);
    addresses.push_back(std::move(*address));
  }
  return addresses;
}

Status set_peers(const DoctorFlags& flags, doctor::Setup& setup) {
  auto servers = addresses_of(flags.server, kServerPort, "--server");
  if (!servers) return servers.error();
  setup.servers = std::move(*servers);
  setup.server_tls = flags.tls;
  if (flags.etcd.mentioned()) {
    std::string list = flags.etcd.endpoints;
    if (list.empty()) {
      list = fmt::format("{}:{}", flags.etcd.host.empty() ? "localhost" : flags.etcd.host,
                         flags.etcd.port == 0 ? kEtcdPort : flags.etcd.port);
    }
    auto endpoints = addresses_of(list, kEtcdPort, "--etcd");
    if (!endpoints) return endpoints.error();
    setup.etcd.endpoints = std::move(*endpoints);
    setup.etcd.tls = {flags.etcd.ca_file, flags.etcd.certificate_file, flags.etcd.key_file};
  }
  setup.config_dir = flags.config_dir;
  setup.page = flags.page;
  setup.page_ca = flags.page_ca;
  return {};
}

Status set_log(const DoctorFlags& flags, const Installed& installed, doctor::LogSetup& log) {
  if (!flags.log.empty()) {
    if (!flags.log.starts_with(kSqlite)) {
      return Error(Code::kInvalidArgument, "--log: got " + json_quote(flags.log) + ", expected sqlite:PATH");
    }
    log.arguments = {"--log", flags.log};
    log.sqlite_file = flags.log.substr(kSqlite.size());
    return {};
  }
  if (flags.kafka.empty()) return {};
  if (const std::string fault = check_brokers(flags.kafka); !fault.empty()) return Error(Code::kInvalidArgument, fault);
  log.arguments = {"--kafka", flags.kafka};
  if (!flags.topic.empty()) log.arguments.insert(log.arguments.end(), {"--topic", flags.topic});
  if (!flags.kafka_properties_file.empty()) {
    log.arguments.insert(log.arguments.end(), {"--kafka-properties-file", flags.kafka_properties_file});
  }
  const auto kept = parse_duration(installed.value("analysis", "keep-full"));
  log.history_ns = kept ? *kept : kKeepFull;
  return {};
}

std::string agent_folder(const DoctorFlags& flags, const std::string& data) {
  return fmt::format("{}/agent/{}", data, flags.agent_id.empty() ? host_id().id : flags.agent_id);
}

// An agent that has joined with a token keeps its certificate, its key and the CA in its folder.
void take_joined(const std::string& own, DoctorFlags& flags) {
  const std::string identity = own + "/identity/identity.pem";
  if (flags.tls.used() || access(identity.c_str(), F_OK) != 0) return;
  flags.tls.ca = own + "/identity/ca.pem";
  flags.tls.certificate = identity;
  flags.tls.key = identity;
}

void set_files(const DoctorFlags& flags, const std::string& own, doctor::Setup& setup) {
  setup.spool = flags.spool == "memory" ? "" : flags.spool.empty() ? own + "/spool" : flags.spool;
  setup.folders = {{setup.data, "the data folder"}, {own, "the agent's folder"}};
  if (!setup.spool.empty()) setup.folders.push_back({setup.spool, "the spool"});
  setup.folders.insert(setup.folders.end(), flags.further_folders.begin(), flags.further_folders.end());
  const auto secret = [&setup](const std::string& path, const char* what, bool required = true) {
    if (!path.empty()) setup.secrets.push_back({path, what, required});
  };
  secret(flags.web_token_file, "the web token");
  if (flags.web_token_file.empty()) secret(setup.data + "/web-token", "the web token", false);
  secret(flags.etcd.password_file, "etcd's password");
  secret(flags.kafka_properties_file, "the Kafka properties file");
  secret(flags.tls.key, "the agent's private key");
  secret(flags.etcd.key_file, "the private key for etcd");
  setup.secrets.insert(setup.secrets.end(), flags.further_secrets.begin(), flags.further_secrets.end());
  std::vector<std::string> files = flags.further_certificates;
  files.insert(files.end(),
               {flags.tls.ca, flags.tls.certificate, flags.etcd.ca_file, flags.etcd.certificate_file, flags.page_ca});
  for (const std::string& file : files) {
    const bool known = std::ranges::find(setup.certificates, file) != setup.certificates.end();
    if (!file.empty() && !known) setup.certificates.push_back(file);
  }
  setup.crls = flags.further_crls;
  const bool known = std::ranges::find(setup.crls, flags.tls.crl) != setup.crls.end();
  if (!flags.tls.crl.empty() && !known) setup.crls.push_back(flags.tls.crl);
}

}  // namespace

void add_doctor_options(CLI::App& app, DoctorFlags& flags) {
  app.add_option("--server", flags.server, "Servers of the agent: HOST:PORT, several separated by commas")
      ->type_name("HOST:PORT,...");
  app.add_option("--tls-ca", flags.tls.ca, "The servers' certificates must be signed by a CA in this file (PEM)")
      ->type_name("FILE");
  auto* const cert =
      app.add_option("--tls-cert", flags.tls.certificate, "The agent's certificate (PEM)")->type_name("FILE");
  auto* const key = app.add_option("--tls-key", flags.tls.key, "The key of --tls-cert (PEM)")->type_name("FILE");
  cert->needs(key);
  key->needs(cert);
  app.add_option("--tls-server-name", flags.tls.server_name,
                 "Name that the servers' certificates must have (default: the host of --server)")
      ->type_name("NAME");
  app.add_option("--tls-crl", flags.tls.crl, "Refuse servers' certificates that a CRL in this file revokes (PEM)")
      ->type_name("FILE");
  add_etcd_options(app, flags.etcd);
  app.add_option("--config-dir", flags.config_dir, "Folder with the configuration files")
      ->type_name("DIR")
      ->excludes(app.get_option("--etcd"));
  auto* const log =
      app.add_option("--log", flags.log, "The metric log as a file: sqlite:PATH")->type_name("sqlite:PATH");
  app.add_option("--kafka", flags.kafka, "Kafka brokers of the metric log")->type_name("HOST:PORT,...")->excludes(log);
  app.add_option("--topic", flags.topic, "Kafka topic of the metric log (default: monitoring-data)")
      ->type_name("TOPIC");
  app.add_option("--kafka-properties-file", flags.kafka_properties_file, "File with properties of the Kafka client")
      ->type_name("FILE");
  app.add_option("--page", flags.page, "Address of the web page: http://HOST:PORT/ or https://...")->type_name("URL");
  app.add_option("--page-ca", flags.page_ca, "The page's certificate must be signed by a CA in this file (PEM)")
      ->type_name("FILE");
  app.add_option("--web-token-file", flags.web_token_file, "File with the web token (default: <data>/web-token)")
      ->type_name("FILE");
  app.add_option("--spool", flags.spool, "The agent's spool (default: <data>/agent/<agent-id>/spool)")
      ->type_name("DIR");
  app.add_option("--agent-id", flags.agent_id, "Id of this host's agent (default: the host's name)")->type_name("ID");
}

Result<doctor::Setup> resolve_setup(const Cli& cli, Disk& disk, DoctorFlags& flags, const std::string& program_folder) {
  doctor::Setup setup;
  setup.program_folder = program_folder;
  setup.data = cli.data_folder();
  const auto running = cli.running();
  if (!running) return running.error();
  Installed installed;
  if (*running != nullptr) {
    take_running(**running, flags);
    setup.data = (*running)->data;
    setup.source = fmt::format("`monitor up` on {} (process {})", setup.data, (*running)->pid);
  } else if (cli.data_named()) {
    setup.source = "the options, and the data folder " + setup.data;
  } else {
    auto read = Installed::read(disk, "");
    if (!read) return read.error();
    installed = std::move(*read);
    take_installed(installed, flags);
    if (!installed.files().empty()) setup.data = installed_data(installed);
    setup.source = installed.files().empty()
                       ? "the options alone: no `monitor up` runs, and no service is configured in /etc/default"
                       : join(installed.files(), ", ");
  }
  const std::string own = agent_folder(flags, setup.data);
  take_joined(own, flags);
  if (Status set = set_peers(flags, setup); !set) return set.error();
  if (Status set = set_log(flags, installed, setup.log); !set) return set.error();
  set_files(flags, own, setup);
  if (!valid_name(flags.agent_id) && !flags.agent_id.empty()) {
    return Error(Code::kInvalidArgument, "--agent-id: got " + json_quote(flags.agent_id.substr(0, 160)) +
                                             ", expected 1 to 128 of [A-Za-z0-9._-]");
  }
  return setup;
}

}  // namespace monitor
