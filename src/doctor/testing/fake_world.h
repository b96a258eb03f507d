// Fakes of the host and its peers: every answer is a field that a test sets.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "doctor/check.h"

namespace monitor::doctor {

inline constexpr int64_t kFakeNow = int64_t{1'700'000'000} * kNanosPerSecond;

class FakePeers final : public Peers {
 public:
  Result<ServerSight> server(const HostPort& address, const TlsFiles& /*tls*/, int64_t /*timeout_ns*/) override {
    const auto found = servers.find(address.to_string());
    return found == servers.end() ? Result<ServerSight>(refused()) : found->second;
  }
  Result<HttpAnswer> http(const HttpTarget& target, int64_t /*timeout_ns*/) override {
    const auto found = pages.find(target.address.to_string() + target.path);
    return found == pages.end() ? Result<HttpAnswer>(refused()) : found->second;
  }
  Result<PeerChain> certificate(const HostPort& address, const TlsFiles& /*tls*/, const std::string& /*alpn*/,
                                int64_t /*timeout_ns*/) override {
    const auto found = chains.find(address.to_string());
    return found == chains.end() ? Result<PeerChain>(refused()) : found->second;
  }
  Result<std::map<std::string, std::string>> configuration(int64_t /*timeout_ns*/) override { return keys; }
  Result<std::string> log_settings(const LogSetup& /*log*/, int64_t /*timeout_ns*/) override { return settings; }

  static Error refused() { return Error(Code::kUnavailable, "connect: Connection refused"); }

  std::map<std::string, Result<ServerSight>> servers;
  std::map<std::string, Result<HttpAnswer>> pages;
  std::map<std::string, Result<PeerChain>> chains;
  Result<std::map<std::string, std::string>> keys = std::map<std::string, std::string>();
  Result<std::string> settings = refused();
};

class FakeHost final : public Host {
 public:
  int64_t wall_ns() const override { return kFakeNow; }
  std::optional<bool> clock_synchronized() override { return synchronized; }
  uid_t user() const override { return uid; }
  Result<std::string> read_file(const std::string& path, size_t /*max_bytes*/) override {
    const auto found = files.find(path);
    return found == files.end() ? Result<std::string>(missing(path)) : found->second;
  }
  Result<FileFacts> look(const std::string& path) override {
    const auto found = facts.find(path);
    return found == facts.end() ? Result<FileFacts>(missing(path)) : found->second;
  }
  Status folder_trusted(const std::string& path, const std::string& what) override {
    if (!facts.contains(path)) return missing(path);
    if (untrusted.contains(path)) return Error(Code::kPermissionDenied, what + " " + path + " " + untrusted[path]);
    return {};
  }
  KernelFacts kernel() override { return kernel_facts; }
  Result<DiskRoom> room(const std::string& folder) override {
    const auto found = rooms.find(folder);
    return found == rooms.end() ? Result<DiskRoom>(missing(folder)) : found->second;
  }
  Result<DiskSpeed> speed(const std::string& folder) override {
    const auto found = speeds.find(folder);
    return found == speeds.end() ? Result<DiskSpeed>(missing(folder)) : found->second;
  }
  std::vector<ProgramSight> programs(const std::string& /*folder*/, int64_t /*timeout_ns*/) override {
    return found_programs;
  }

  static Error missing(const std::string& path) { return Error(Code::kNotFound, "opening " + path + ": No such file"); }

  std::optional<bool> synchronized = true;
  uid_t uid = 1000;
  std::map<std::string, Result<std::string>> files;
  std::map<std::string, Result<FileFacts>> facts;
  std::map<std::string, std::string> untrusted;
  KernelFacts kernel_facts = {"6.1.0", 4, true, true, true, true};
  std::map<std::string, Result<DiskRoom>> rooms;
  std::map<std::string, Result<DiskSpeed>> speeds;
  std::vector<ProgramSight> found_programs;
};

}  // namespace monitor::doctor
