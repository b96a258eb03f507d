// Creates certificates for a test: nothing in the repository expires, and no key is stored in it.
#pragma once

#include <string>

namespace monitor::grpc {

class TestCertificates {
 public:
  // Creates them in a temporary folder, which is removed with this object.
  TestCertificates();
  ~TestCertificates();
  TestCertificates(const TestCertificates&) = delete;
  TestCertificates& operator=(const TestCertificates&) = delete;

  std::string ca() const { return folder_ + "/ca.pem"; }
  // For localhost, 127.0.0.1 and ::1, signed by ca().
  std::string server_certificate() const { return folder_ + "/server.pem"; }
  std::string server_key() const { return folder_ + "/server.key"; }
  // CN agent-7, DNS agent-7.example, URI spiffe://example/agent-7; signed by ca().
  std::string client_certificate() const { return folder_ + "/client.pem"; }
  std::string client_key() const { return folder_ + "/client.key"; }
  // A CA that signed none of these certificates.
  std::string other_ca() const { return folder_ + "/other.pem"; }
  const std::string& folder() const { return folder_; }

 private:
  std::string folder_;
};

}  // namespace monitor::grpc
