#include "grpc/reloading_security.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <ctime>
#include <optional>
#include <utility>

#include "base/audit.h"
#include "base/log.h"

namespace monitor::grpc {

namespace {

constexpr int64_t kDay = 86'400;
constexpr int64_t kWarnBefore = 14 * kDay;
constexpr int64_t kWarnExpiredEvery = 3'600;

struct BioFree {
  void operator()(BIO* bio) const { BIO_free(bio); }
};
struct CertificateFree {
  void operator()(X509* certificate) const { X509_free(certificate); }
};

int64_t seconds_of(const ASN1_TIME* time) {
  std::tm parts{};
  return ASN1_TIME_to_tm(time, &parts) == 1 ? static_cast<int64_t>(timegm(&parts)) : 0;
}

}  // namespace

Result<Validity> certificate_validity(const std::string& file) {
  ERR_clear_error();
  const std::unique_ptr<BIO, BioFree> bio(BIO_new_file(file.c_str(), "r"));
  if (bio == nullptr) return errno_error(errno, "reading " + file);
  std::optional<Validity> first;
  while (true) {
    const std::unique_ptr<X509, CertificateFree> certificate(PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr));
    if (certificate == nullptr) break;
    const Validity one{seconds_of(X509_get0_notBefore(certificate.get())),
                       seconds_of(X509_get0_notAfter(certificate.get()))};
    if (!first || one.not_after < first->not_after) first = one;
  }
  ERR_clear_error();
  if (!first) return Error(Code::kInvalidArgument, file + " has no certificate in PEM form");
  return *first;
}

std::string file_stamps(const std::vector<std::string>& files) {
  std::string stamps;
  for (const std::string& file : files) {
    struct stat now = {};
    if (file.empty() || stat(file.c_str(), &now) != 0) {
      stamps += "-;";
      continue;
    }
    for (const int64_t part :
         {static_cast<int64_t>(now.st_dev), static_cast<int64_t>(now.st_ino), static_cast<int64_t>(now.st_size),
          int64_t{now.st_mtim.tv_sec}, int64_t{now.st_mtim.tv_nsec}, int64_t{now.st_ctim.tv_sec},
          int64_t{now.st_ctim.tv_nsec}}) {
      stamps += std::to_string(part) + ",";
    }
    stamps += ";";
  }
  return stamps;
}

bool expires_soon(const Validity& validity, int64_t now_s) {
  if (validity.not_after == 0) return false;
  const int64_t life = std::max<int64_t>(0, validity.not_after - validity.not_before);
  return validity.not_after - now_s < std::min(kWarnBefore, life / 5);
}

Result<std::shared_ptr<ReloadingSecurity>> ReloadingSecurity::create(ReloadOptions options, const Clock& clock) {
  std::shared_ptr<ReloadingSecurity> made(new ReloadingSecurity(std::move(options), clock));
  made->seen_ = made->options_.stamps(made->options_.files);
  if (const Status loaded = made->load(); !loaded) return loaded.error();
  made->warn_of_expiry();
  return made;
}

std::unique_ptr<SecureTransform> ReloadingSecurity::new_connection() const {
  std::shared_ptr<const SecurityContext> current;
  {
    const std::lock_guard lock(mutex_);
    current = current_;
  }
  return current->new_connection();
}

// Loads files whose stamps are seen_.
Status ReloadingSecurity::load() {
  auto context = options_.load();
  if (!context) return context.error();
  Validity validity;
  if (!options_.certificate.empty()) {
    const auto read = certificate_validity(options_.certificate);
    if (!read) return read.error();
    validity = *read;
  }
  validity_ = validity;
  loaded_ = seen_;
  fault_.clear();
  warned_s_ = 0;
  const std::lock_guard lock(mutex_);
  current_ = std::move(*context);
  return {};
}

Status ReloadingSecurity::reload() {
  seen_ = options_.stamps(options_.files);
  const Status loaded = load();
  if (loaded) {
    ++reloads_;
    log_audit("TLS files loaded again; new connections use them", {{"files", options_.what}});
    warn_of_expiry();
    if (options_.reloaded) options_.reloaded();
    return {};
  }
  if (std::exchange(fault_, loaded.error().message()) == loaded.error().message()) return loaded;
  log_error("TLS files have changed and cannot be loaded; the ones loaded before stay in use",
            {{"files", options_.what}, {"reason", loaded.error()}, {"next", "retrying until they can be loaded"}});
  return loaded;
}

void ReloadingSecurity::look() {
  std::string now = options_.stamps(options_.files);
  const bool settled = now == seen_;
  seen_ = std::move(now);
  if (settled && seen_ != loaded_) {
    (void)reload();
  } else {
    warn_of_expiry();
  }
}

void ReloadingSecurity::warn_of_expiry() {
  const int64_t now_s = clock_.wall_ns() / kNanosPerSecond;
  if (!expires_soon(validity_, now_s)) return;
  const bool expired = validity_.not_after <= now_s;
  if (warned_s_ != 0 && now_s - warned_s_ < (expired ? kWarnExpiredEvery : kDay)) return;
  warned_s_ = now_s;
  log_warning(expired ? "certificate has expired" : "certificate expires soon",
              {{"file", options_.certificate},
               {"days_left", static_cast<double>(validity_.not_after - now_s) / kDay},
               {"next", "replace the file; it is loaded without a restart"}});
}

Validity SecurityRefresher::first_to_expire() const {
  Validity first;
  for (const auto& one : all_) {
    const Validity& validity = one->validity();
    if (validity.not_after != 0 && (first.not_after == 0 || validity.not_after < first.not_after)) first = validity;
  }
  return first;
}

uint64_t SecurityRefresher::reloads() const {
  uint64_t sum = 0;
  for (const auto& one : all_) sum += one->reloads();
  return sum;
}

void SecurityRefresher::reload() {
  for (const auto& one : all_) (void)one->reload();
}

void SecurityRefresher::schedule() {
  timer_ = timers_.call_after(interval_ns_, [this] {
    for (const auto& one : all_) one->look();
    schedule();
  });
}

}  // namespace monitor::grpc
