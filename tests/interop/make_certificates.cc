// make_certificates FOLDER: writes the certificates for the TLS pairs.
#include <filesystem>
#include <iostream>

#include "grpc/testing/certificates.h"

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "usage: make_certificates FOLDER\n";
    return 64;
  }
  const monitor::grpc::TestCertificates certificates;
  std::error_code error;
  std::filesystem::copy(certificates.folder(), argv[1], std::filesystem::copy_options::recursive, error);
  if (error) std::cerr << argv[1] << ": " << error.message() << "\n";
  return error ? 1 : 0;
}
