// The ServerReflection service (grpc.reflection.v1 and v1alpha), with which grpcurl and similar tools list services and
// read their messages.
//
// Thread contract: immutable after construction, except for the method table that it lists. It must outlive the servers
// whose methods it was added to.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "grpc/server_call.h"

namespace monitor::grpc {

class ReflectionService {
 public:
  // Takes FileDescriptorSets as written by `protoc --descriptor_set_out --include_imports`, and adds gRPC's own
  // services (health, reflection). Duplicates are kept once. The error says which set is damaged.
  static Result<std::unique_ptr<ReflectionService>> create(const std::vector<std::string>& descriptor_sets);

  // Adds ServerReflectionInfo of both versions, which lists `methods`.
  void add_to(MethodTable& methods);

 private:
  class Handler;
  struct File {
    std::string bytes;  // the FileDescriptorProto
    std::vector<std::string> dependencies;
  };

  ReflectionService() = default;
  Status add_file(std::string_view bytes);
  bool add_symbols(std::string_view descriptor, const std::string& scope, const std::string& file);
  bool add_members(std::string_view descriptor, const std::string& scope, const std::string& file,
                   uint32_t member_field);
  std::string answer(std::string_view request, const MethodTable& methods) const;
  std::string files_answer(const std::string& name) const;

  std::map<std::string, File, std::less<>> files_;
  std::map<std::string, std::string, std::less<>> file_of_symbol_;
};

}  // namespace monitor::grpc
