#include "bin/up/up_programs.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/exit_codes.h"
#include "base/program_folder.h"
#include "base/text.h"
#include "base/time_format.h"
#include "supervisor/log_line.h"
#include "telemetry/http/http_server.h"

namespace monitor {

namespace {

constexpr const char* kPage = "monitor-web";
constexpr uint16_t kUsualPort = 50051;
constexpr uint16_t kUsualHttpPort = 9464;

// Returns `usual` if it is free on the loopback address, else 0, which makes the program pick a port.
uint16_t free_port(uint16_t usual) { return telemetry::listen_http("127.0.0.1", usual) ? usual : 0; }

// The address in a program's "listening" line; empty for any other line.
std::string listens_on(const std::string& line, std::string_view service) {
  const std::string said = fmt::format("listening service={} address=", service);
  const std::string_view event = supervisor::event_of(line);
  return event.starts_with(said) ? std::string(split(event.substr(said.size()), ' ').front()) : std::string();
}

void set_option(supervisor::ProgramSpec& spec, const std::string& option, const std::string& value) {
  auto& arguments = spec.arguments;
  const auto old = std::find(arguments.begin(), arguments.end(), option);
  if (old != arguments.end()) arguments.erase(old, old + 2);
  arguments.insert(arguments.end(), {option, value});
}

}  // namespace

UpPrograms::UpPrograms(const UpFlags& flags, std::string data, int64_t drain_timeout_ns,
                       std::function<void(const std::string&)> say, std::function<void()> on_address)
    : flags_(flags),
      data_(std::move(data)),
      drain_timeout_ns_(drain_timeout_ns),
      say_(std::move(say)),
      on_address_(std::move(on_address)) {}

supervisor::ProgramSpec UpPrograms::spec(const std::string& name, std::vector<std::string> arguments) const {
  supervisor::ProgramSpec result;
  result.name = name;
  result.program = program_folder() + "/" + name;
  result.arguments = std::move(arguments);
  // All programs get the same time limit for an orderly stop.
  result.arguments.insert(result.arguments.end(), {"--drain-timeout", format_duration(drain_timeout_ns_ * 3 / 10)});
  result.log_file = fmt::format("{}/logs/{}.log", data_, name);
  return result;
}

supervisor::ProgramSpec UpPrograms::server_spec(const std::string& log) const {
  const uint16_t port = flags_.port.value_or(free_port(kUsualPort));
  const std::string http = flags_.http.empty() ? fmt::format("127.0.0.1:{}", free_port(kUsualHttpPort)) : flags_.http;
  auto server = spec("monitor-server", {"--port", std::to_string(port), log, "--http", http, "--data", data_});
  server.ready_fragment = "listening service=grpc";
  return server;
}

supervisor::ProgramSpec UpPrograms::reader_spec(const std::string& log) const {
  auto reader = spec("monitor-analysis",
                     {"get-metrics", log, "--group-id", "monitor-up", "--format", flags_.format, "--data", data_});
  reader.ready_fragment = "reading";
  reader.fatal_exit_codes = {kExitIo};  // its output cannot be written, so a restart does not help
  return reader;
}

supervisor::ProgramSpec UpPrograms::agent_spec(const std::vector<std::string>& source) const {
  std::vector<std::string> arguments = {"--agent-id", flags_.agent_id, "--data", data_};
  arguments.insert(arguments.end(), source.begin(), source.end());
  for (const std::string& group : flags_.groups) arguments.insert(arguments.end(), {"--group", group});
  if (flags_.simulate.given()) {
    arguments.push_back(flags_.simulate.text.empty() ? "--simulate" : "--simulate=" + flags_.simulate.text);
  }
  return spec("monitor-agent", arguments);
}

void UpPrograms::add_to(supervisor::Supervisor& supervisor) {
  const std::string log = flags_.kafka.empty() ? "--log=" + sqlite_log() : "--kafka=" + flags_.kafka;
  const std::vector<std::string> source =
      flags_.etcd.named() ? flags_.etcd.arguments() : std::vector<std::string>{"--config-dir", config_folder_of(data_)};
  auto& server = supervisor.add(server_spec(log));
  supervisor.add(reader_spec(log));
  auto& agent = supervisor.add(agent_spec(source));
  if (flags_.web != "off") add_page(supervisor, log, source);
  server.on_line = [this, &server, &agent](const std::string& line) { learn_server(line, server, agent); };
  supervisor.set_stop_order({"monitor-agent", "monitor-server", "monitor-analysis", kPage});
}

void UpPrograms::add_page(supervisor::Supervisor& supervisor, const std::string& log,
                          const std::vector<std::string>& source) {
  std::vector<std::string> arguments = {"serve", log, "--data", data_};
  arguments.insert(arguments.end(), source.begin(), source.end());
  if (!flags_.web.empty()) arguments.insert(arguments.end(), {"--http", flags_.web});
  for (const auto& [option, file] : {std::pair{"--users", flags_.web_users},
                                     {"--tls-cert", flags_.web_tls_cert},
                                     {"--tls-key", flags_.web_tls_key}}) {
    if (!file.empty()) arguments.insert(arguments.end(), {option, file});
  }
  if (flags_.web_insecure) arguments.emplace_back("--insecure");
  for (const std::string& path : flags_.rules) arguments.insert(arguments.end(), {"--rules", path});
  if (!flags_.notify.empty()) arguments.insert(arguments.end(), {"--notify", flags_.notify});
  if (!flags_.external_url.empty()) arguments.insert(arguments.end(), {"--external-url", flags_.external_url});
  auto page = spec(kPage, std::move(arguments));
  page.program = program_folder() + "/monitor-analysis";
  auto& added = supervisor.add(std::move(page));
  added.on_line = [this, &added](const std::string& line) { learn_page(line, added); };
}

void UpPrograms::learn_page(const std::string& line, supervisor::ProgramSpec& page) {
  const std::string address = listens_on(line, "web");
  if (address.empty()) return;
  page_ = fmt::format("{}://{}/", flags_.web_tls_cert.empty() ? "http" : "https", address);
  const std::string how = flags_.web_users.empty() ? fmt::format("changes need the token in {}/web-token", data_)
                                                   : "log in as a user of " + flags_.web_users;
  say_(fmt::format("web page: {} ({})", page_, how));
  on_address_();
  set_option(page, "--http", address);  // a restarted program must use the same address
}

// The server's line has the port that it picked: the agent connects to it, and a restarted server must use it again.
void UpPrograms::learn_server(const std::string& line, supervisor::ProgramSpec& server,
                              supervisor::ProgramSpec& agent) {
  const std::string address = listens_on(line, "grpc");
  if (address.empty()) return;
  say_("server listens on " + address);
  server_ = address;
  on_address_();
  set_option(agent, "--server", address);
  set_option(server, "--port", address.substr(address.rfind(':') + 1));
}

}  // namespace monitor
