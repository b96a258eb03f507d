// ReloadingSecurity: new connections use TLS files as they are now; connections that exist keep what they began with.
// Files may be replaced by a rename, by swapping a symbolic link above them (as Kubernetes does with secrets), or in
// place. Files that cannot be loaded leave the ones loaded before in use.
//
// look(), reload() and expiry() belong to one thread; new_connection() may be called by any.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/event_loop.h"
#include "base/result.h"
#include "grpc/secure_transform.h"

namespace monitor::grpc {

// Validity of a certificate, in Unix seconds. 0: unknown.
struct Validity {
  int64_t not_before = 0;
  int64_t not_after = 0;
};

// Of the certificates in a PEM file, the first one to expire. Errors name the file.
Result<Validity> certificate_validity(const std::string& file);

// Changes whenever one of the files is replaced or written: their devices, inodes, sizes and times.
std::string file_stamps(const std::vector<std::string>& files);

struct ReloadOptions {
  // For log lines: "server certificate".
  std::string what;
  // The files of `load`; empty names are ignored.
  std::vector<std::string> files;
  std::function<Result<std::shared_ptr<const SecurityContext>>()> load;
  // Its validity is watched; empty: none is.
  std::string certificate;
  std::function<std::string(const std::vector<std::string>&)> stamps = file_stamps;
  // Called after the files have been loaded again.
  std::function<void()> reloaded = {};
};

class ReloadingSecurity final : public SecurityContext {
 public:
  // Loads the files. `clock` must outlive it.
  static Result<std::shared_ptr<ReloadingSecurity>> create(ReloadOptions options, const Clock& clock);

  std::unique_ptr<SecureTransform> new_connection() const override;

  // To be called every few seconds. Loads files that have changed, and have not changed again since the last call:
  // they may be half written. An error is logged once; the next call tries again.
  void look();
  // Loads the files now. On an error the ones loaded before stay in use.
  Status reload();

  // Of the certificate in use.
  const Validity& validity() const { return validity_; }
  uint64_t reloads() const { return reloads_; }

 private:
  ReloadingSecurity(ReloadOptions options, const Clock& clock) : options_(std::move(options)), clock_(clock) {}
  Status load();
  void warn_of_expiry();

  const ReloadOptions options_;
  const Clock& clock_;
  std::string loaded_;  // stamps of what is in use
  std::string seen_;    // at the last look
  std::string fault_;   // of the last attempt, logged
  Validity validity_;
  int64_t warned_s_ = 0;  // of the certificate's expiry
  uint64_t reloads_ = 0;

  mutable std::mutex mutex_;  // guards current_
  std::shared_ptr<const SecurityContext> current_;
};

// Whether people must be warned of a certificate that expires: within two weeks, or within the last fifth of a shorter
// life.
bool expires_soon(const Validity& validity, int64_t now_s);

// Looks at the files every `interval_ns`. On the thread of `timers`, which must outlive it.
class SecurityRefresher {
 public:
  SecurityRefresher(Timers& timers, int64_t interval_ns) : timers_(timers), interval_ns_(interval_ns) { schedule(); }
  ~SecurityRefresher() { timers_.cancel_timer(timer_); }
  SecurityRefresher(const SecurityRefresher&) = delete;
  SecurityRefresher& operator=(const SecurityRefresher&) = delete;

  void add(std::shared_ptr<ReloadingSecurity> security) { all_.push_back(std::move(security)); }
  // Of the first certificate to expire; zeros: there is none.
  Validity first_to_expire() const;
  int64_t expiry_s() const { return first_to_expire().not_after; }
  uint64_t reloads() const;
  // Loads all files now.
  void reload();

 private:
  void schedule();

  Timers& timers_;
  const int64_t interval_ns_;
  std::vector<std::shared_ptr<ReloadingSecurity>> all_;
  Timers::TimerId timer_ = 0;
};

inline constexpr int64_t kTlsReloadInterval = 2 * kNanosPerSecond;

}  // namespace monitor::grpc
