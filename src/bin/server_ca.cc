#include "bin/server_ca.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <map>
#include <utility>

#include "base/log.h"
#include "base/text.h"
#include "base/time_format.h"
#include "bin/common/cli.h"
#include "grpc/tls.h"
#include "identity/peer.h"

namespace monitor {

namespace {

constexpr int64_t kLook = kNanosPerSecond;
constexpr int64_t kLeastLife = 5 * kNanosPerSecond;
constexpr int64_t kMostLife = 90 * identity::kDay;
// The server's own certificate. Agents verify it at each connection, so its life may be longer than theirs.
constexpr int64_t kServerLives = 4;
constexpr int64_t kRetry = 60 * kNanosPerSecond;

bool is_wildcard(const std::string& address) { return address == "0.0.0.0" || address == "::"; }

// The numeric addresses of this host's interfaces, except link-local ones.
std::vector<std::string> interface_addresses() {
  std::vector<std::string> found;
  ifaddrs* list = nullptr;
  if (getifaddrs(&list) != 0) return found;
  for (const ifaddrs* one = list; one != nullptr; one = one->ifa_next) {
    if (one->ifa_addr == nullptr || (one->ifa_flags & IFF_UP) == 0) continue;
    std::array<char, INET6_ADDRSTRLEN> text{};
    if (one->ifa_addr->sa_family == AF_INET) {
      const auto* const v4 = reinterpret_cast<const sockaddr_in*>(one->ifa_addr);
      inet_ntop(AF_INET, &v4->sin_addr, text.data(), text.size());
    } else if (one->ifa_addr->sa_family == AF_INET6) {
      const auto* const v6 = reinterpret_cast<const sockaddr_in6*>(one->ifa_addr);
      if (IN6_IS_ADDR_LINKLOCAL(&v6->sin6_addr)) continue;
      inet_ntop(AF_INET6, &v6->sin6_addr, text.data(), text.size());
    }
    if (text[0] != '\0') found.emplace_back(text.data());
  }
  freeifaddrs(list);
  return found;
}

// By what names and addresses agents may call this server.
std::vector<std::string> own_names(const ServerCaFlags& flags, const std::vector<server::ListenAddress>& listen) {
  std::vector<std::string> names = flags.names;
  const auto add = [&names](const std::string& name) {
    if (std::ranges::find(names, name) == names.end()) names.push_back(name);
  };
  if (identity::check_server_name(host_name())) add(host_name());
  for (const char* const local : {"localhost", "127.0.0.1", "::1"}) add(local);
  for (const server::ListenAddress& one : listen) {
    if (!is_wildcard(one.address)) add(one.address);
  }
  if (std::ranges::any_of(listen, [](const auto& one) { return is_wildcard(one.address); })) {
    for (const std::string& address : interface_addresses()) add(address);
  }
  return names;
}

// Changes whenever the file is replaced.
std::string identify(const std::string& path) {
  struct stat info{};
  if (stat(path.c_str(), &info) != 0) return "";
  return fmt::format("{}:{}:{}.{}", info.st_ino, info.st_size, info.st_mtim.tv_sec, info.st_mtim.tv_nsec);
}

}  // namespace

identity::AuthorityOptions ServerCaFlags::authority() const {
  return {.folder = folder,
          .trust_domain = trust_domain,
          .agent_life_ns = life_ns,
          .server_life_ns = kServerLives * life_ns};
}

void add_server_ca_options(CLI::App& app, ServerCaFlags& flags) {
  auto* const folder = app.add_option("--ca-dir", flags.folder,
                                      "Use the built-in CA in this folder, created if missing: agents join with tokens "
                                      "(`monitor-server token create`) and need a certificate to send")
                           ->type_name("DIR");
  app.add_option("--tls-name", flags.names,
                 "With --ca-dir: name or address by which agents call this server, besides those of this host; may be "
                 "repeated")
      ->type_name("NAME")
      ->needs(folder);
  add_duration(app, "--certificate-life", flags.life_ns,
               "With --ca-dir: how long an agent's certificate is valid, 5s to 90d (default 7d)")
      ->needs(folder);
}

std::string check_server_ca_flags(ServerCaFlags& flags, const ServerTlsFlags& tls) {
  const std::pair<const char*, bool> others[] = {{"--tls-cert", !tls.certificate.empty()},
                                                 {"--tls-ca", !tls.ca.empty()},
                                                 {"--tls-client-auth", !tls.client_auth.empty()},
                                                 {"--insecure", tls.insecure}};
  for (const auto& [option, given] : others) {
    if (!given) continue;
    return fmt::format("{} does not go with --ca-dir, which makes the certificates; leave one of them out", option);
  }
  if (flags.life_ns < kLeastLife || flags.life_ns > kMostLife) {
    return fmt::format("--certificate-life: got {}, expected {} to {}", format_duration(flags.life_ns),
                       format_duration(kLeastLife), format_duration(kMostLife));
  }
  for (const std::string& name : flags.names) {
    if (const Status valid = identity::check_server_name(name); !valid) return "--tls-name: " + valid.error().message();
  }
  if (tls.trust_domain.empty()) return "";
  flags.trust_domain = tls.trust_domain;
  const Status valid = identity::check_trust_domain(flags.trust_domain);
  return valid ? "" : "--trust-domain: " + valid.error().message();
}

ServerCa::ServerCa(const ServerCaFlags& flags, std::vector<std::string> names, const SystemClock& clock, LockFile lock)
    : clock_(clock), flags_(flags), names_(std::move(names)), lock_(std::move(lock)) {}

ServerCa::~ServerCa() {
  *alive_ = false;
  if (loop_ != nullptr) loop_->cancel_timer(timer_);
}

Result<std::unique_ptr<ServerCa>> ServerCa::open(const ServerCaFlags& flags,
                                                 const std::vector<server::ListenAddress>& listen,
                                                 const SystemClock& clock, telemetry::Registry& registry) {
  PosixDisk disk;
  if (const Status usable = identity::check_private_folder(disk, flags.folder); !usable) return usable.error();
  auto lock = LockFile::acquire(flags.folder + "/server.lock", "the CA's folder " + flags.folder);
  if (!lock) return lock.error();
  std::unique_ptr<ServerCa> ca(new ServerCa(flags, own_names(flags, listen), clock, std::move(*lock)));
  auto authority = identity::Authority::open(ca->disk_, clock, ca->random_, flags.authority());
  if (!authority) return authority.error();
  ca->authority_ = std::move(*authority);
  ca->store_ = std::make_unique<identity::EnrollmentStore>(ca->disk_, clock, ca->random_, *ca->authority_);
  const identity::IdentityRule rule{.from = identity::IdentityFrom::kSanUri, .trust_domain = flags.trust_domain};
  ca->answerer_ = std::make_unique<identity::EnrollmentAnswerer>(
      *ca->store_, *ca->authority_, clock, registry,
      [rule](const PeerCertificate& certificate) { return identity::agent_id_of(certificate, rule); });
  ca->answerer_->set_on_issued([revoked = ca->revoked_](const std::string& agent, const std::string& serial) {
    revoked->add_issued(agent, serial);
  });
  if (const Status issued = ca->issue_own_certificate(); !issued) return issued.error();
  if (const Status read = ca->read_revocations(); !read) return read.error();
  log_info("using the built-in CA", {{"folder", flags.folder},
                                     {"pin", ca->authority_->pin()},
                                     {"trust_domain", flags.trust_domain},
                                     {"certificate_life", format_duration(flags.life_ns)},
                                     {"names", join(ca->names_, ", ")}});
  return ca;
}

// The key and its chain are one file, so that both change at once.
Status ServerCa::issue_own_certificate() {
  const auto key = identity::PrivateKey::generate();
  if (!key) return key.error();
  const auto issued = authority_->issue_server(*key, names_);
  if (!issued) return issued.error();
  const std::string path = flags_.folder + "/server.pem";
  // Agents recognize the CA by its public key at first contact, so the chain includes it.
  const std::string content = key->private_pem() + identity::certificate_pem(issued->der) +
                              identity::certificate_pem(authority_->certificate());
  if (const Status written = disk_.write_file(path, content); !written) return written;
  if (security_ == nullptr) {
    const std::string ca_file = flags_.folder + "/ca.pem";
    const auto load = [path, ca_file] {
      return grpc::TlsServerContext::load({.certificate_file = path,
                                           .key_file = path,
                                           .client_ca_file = ca_file,
                                           .client_auth = grpc::ClientAuth::kVerifyIfGiven,
                                           .crl_file = ""});
    };
    auto security = grpc::ReloadingSecurity::create(
        {.what = "of the server", .files = {path, ca_file}, .load = load, .certificate = path}, clock_);
    if (!security) return security.error();
    security_ = std::move(*security);
  } else if (const Status loaded = security_->reload(); !loaded) {
    return loaded;
  }
  expiry_s_ = issued->expires_ns / kNanosPerSecond;
  // A certificate that ends with the CA's cannot be replaced by a longer one.
  const int64_t now = clock_.wall_ns();
  const bool cut_short = issued->expires_ns < now + authority_->options().server_life_ns - kNanosPerSecond;
  renew_at_ns_ = cut_short ? issued->expires_ns : now + authority_->options().server_life_ns * 2 / 3;
  log_info("server certificate issued",
           {{"serial", issued->serial}, {"expires", format_rfc3339(issued->expires_ns, 0)}});
  return {};
}

// Every day. What to do takes as long as the agents need to renew their certificates.
void ServerCa::warn_of_expiry() {
  const int64_t now = clock_.wall_ns();
  if (now < warn_at_ns_ || !authority_->expires_soon()) return;
  warn_at_ns_ = now + identity::kDay;
  const std::string file = flags_.folder + "/ca.pem";
  log_warning("the certificate of the built-in CA expires soon; no certificate that it issues lives longer",
              {{"file", file},
               {"expires", format_rfc3339(authority_->expires_ns(), 0)},
               {"next", "move " + file +
                            " away, and start the server again: it makes a new one for the same key, which "
                            "agents get when they renew their certificates"}});
}

Status ServerCa::read_revocations() {
  const std::string identified = identify(flags_.folder + "/revoked.json");
  const auto revocations = store_->revocations();
  if (!revocations) return revocations.error();
  std::map<std::string, identity::RevokedCertificates::Serials, std::less<>> reissued;
  for (const identity::RevokedAgent& agent : revocations->agents) {
    if (!agent.unlisted) continue;
    const auto issued = store_->issued(agent.agent_id);
    // Its certificates stay revoked until the list can be read.
    if (!issued)
      log_error("cannot read an agent's certificates", {{"agent", agent.agent_id}, {"reason", issued.error()}});
    for (const identity::IssuedRecord& one : issued ? *issued : std::vector<identity::IssuedRecord>()) {
      reissued[agent.agent_id].insert(one.serial);
    }
  }
  revoked_->set(*revocations, reissued);
  seen_ = identified;
  return {};
}

namespace {

// The enrollment service of one loop.
struct LoopService {
  LoopService(EventLoop& loop, identity::EnrollmentAnswerer& answerer) : worker(loop), service(answerer, worker) {}
  ThreadWorker worker;
  identity::EnrollmentService service;
};

}  // namespace

void ServerCa::add_to(server::ServerOptions& options) {
  options.security = security_;
  options.ingest.identity = {.from = identity::IdentityFrom::kSanUri, .trust_domain = flags_.trust_domain};
  options.ingest.certificate_required = true;
  options.ingest.is_revoked = [revoked = revoked_](std::string_view agent, const PeerCertificate& certificate) {
    return revoked->contains(agent, certificate.serial);
  };
  options.add_services = [this](EventLoop& loop, grpc::MethodTable& methods) -> std::shared_ptr<void> {
    auto service = std::make_shared<LoopService>(loop, *answerer_);
    service->service.add_to(methods);
    return service;
  };
}

void ServerCa::start(EventLoop& loop, server::Server& server) {
  loop_ = &loop;
  server_ = &server;
  worker_ = std::make_unique<ThreadWorker>(loop);
  refresh_at_ns_ = clock_.wall_ns();
  look();
}

// Everything that waits for the disk runs on the worker; until it has answered, nothing else here touches the members
// that it uses.
void ServerCa::look() {
  struct Work {
    Status renewed;
    Status read;
    bool changed = false;
  };
  const auto work = std::make_shared<Work>();
  worker_->submit(
      [this, work] {
        const int64_t now = clock_.wall_ns();
        if (now >= renew_at_ns_) {
          work->renewed = issue_own_certificate();
          if (!work->renewed) renew_at_ns_ = now + std::min(flags_.life_ns / 20, kRetry);
        }
        warn_of_expiry();
        if (now >= refresh_at_ns_) {
          const Status refreshed = store_->refresh_revocation_list();
          if (!refreshed) work->renewed = refreshed;
          // A list is valid for a certificate's life.
          refresh_at_ns_ = now + (refreshed ? flags_.life_ns / 2 : std::min(flags_.life_ns / 20, kRetry));
        }
        work->changed = identify(flags_.folder + "/revoked.json") != seen_;
        if (work->changed) work->read = read_revocations();
      },
      [this, alive = alive_, work] {
        if (*alive) took_look(work->renewed, work->read, work->changed);
      });
}

void ServerCa::took_look(const Status& renewed, const Status& read, bool changed) {
  if (!renewed) log_error("cannot renew the server's certificate or CRL; trying again", {{"reason", renewed.error()}});
  if (!read) log_error("cannot read the revocations; those read last apply", {{"reason", read.error()}});
  // A stream that was being accepted while the list changed is found at the second look.
  if (changed && read) unsettled_ = 2;
  if (unsettled_ > 0) {
    --unsettled_;
    server_->end_streams(
        [revoked = revoked_](const server::LiveStream& stream) {
          return revoked->contains(stream.agent_id, stream.certificate.serial);
        },
        Error(Code::kPermissionDenied, "stream: the agent's certificate was revoked"));
  }
  timer_ = loop_->call_after(kLook, [this] { look(); });
}

}  // namespace monitor
