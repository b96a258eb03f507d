#include "grpc/reflection.h"

#include <algorithm>
#include <set>
#include <utility>

#include "base/protowire.h"
#include "base/text.h"

namespace monitor {

// Descriptors of the services that this library serves itself (proto/CMakeLists.txt embeds them).
std::string_view grpc_descriptor_set();

}  // namespace monitor

namespace monitor::grpc {
namespace {

// Field numbers of descriptor.proto.
constexpr uint32_t kSetFile = 1;
constexpr uint32_t kFileName = 1;
constexpr uint32_t kFilePackage = 2;
constexpr uint32_t kFileDependency = 3;
constexpr uint32_t kFileMessage = 4;
constexpr uint32_t kFileEnum = 5;
constexpr uint32_t kFileService = 6;
constexpr uint32_t kName = 1;
constexpr uint32_t kMessageNested = 3;
constexpr uint32_t kMessageEnum = 4;
constexpr uint32_t kServiceMethod = 2;
// Field numbers of reflection.proto, both versions.
constexpr uint32_t kByFilename = 3;
constexpr uint32_t kBySymbol = 4;
constexpr uint32_t kByExtension = 5;
constexpr uint32_t kExtensionNumbers = 6;
constexpr uint32_t kListServices = 7;
constexpr uint32_t kValidHost = 1;
constexpr uint32_t kOriginalRequest = 2;
constexpr uint32_t kFileResponse = 4;
constexpr uint32_t kServicesResponse = 6;
constexpr uint32_t kErrorResponse = 7;

constexpr size_t kMaxRequest = size_t{16} * 1024;  // the name of a file or symbol, and a host name
constexpr size_t kMaxUnsent = size_t{256} * 1024;

std::string joined(const std::string& scope, std::string_view name) {
  return scope.empty() ? std::string(name) : scope + "." + std::string(name);
}

std::string_view first_string(std::string_view message, uint32_t field) {
  protowire::Reader reader(message);
  while (const auto one = reader.next()) {
    if (one->number == field) return one->bytes;
  }
  return {};
}

void append_error(std::string& out, Code code, const std::string& message) {
  std::string error;
  protowire::put_uint64(error, 1, static_cast<uint64_t>(code));
  protowire::put_message(error, 2, message);
  protowire::put_message(out, kErrorResponse, error);
}

}  // namespace

// Answers each request in order, until the client ends the stream.
class ReflectionService::Handler final : public ServerCallHandler {
 public:
  Handler(ServerCall& call, const ReflectionService& service, const MethodTable& methods)
      : call_(call), service_(service), methods_(methods) {}
  void on_message(std::string_view message) override {
    call_.write(service_.answer(message, methods_));
    if (call_.unsent_bytes() <= kMaxUnsent) return;
    call_.finish({Code::kResourceExhausted, "the client does not read the answers"});
  }
  void on_half_close() override { call_.finish({}); }

 private:
  ServerCall& call_;
  const ReflectionService& service_;
  const MethodTable& methods_;
};

Result<std::unique_ptr<ReflectionService>> ReflectionService::create(const std::vector<std::string>& descriptor_sets) {
  auto service = std::unique_ptr<ReflectionService>(new ReflectionService);
  // The caller's sets first: their copies of gRPC's own files take precedence.
  for (size_t i = 0; i <= descriptor_sets.size(); ++i) {
    protowire::Reader reader(i < descriptor_sets.size() ? std::string_view(descriptor_sets[i]) : grpc_descriptor_set());
    bool good = true;
    while (good) {
      const auto field = reader.next();
      if (!field) break;
      good = field->number != kSetFile || service->add_file(field->bytes).ok();
    }
    if (!good || reader.failed()) {
      return Error(Code::kInvalidArgument, "descriptor set " + std::to_string(i) + " is not a FileDescriptorSet");
    }
  }
  return service;
}

void ReflectionService::add_to(MethodTable& methods) {
  const CallFactory factory = [this, &methods](ServerCall& call) {
    return std::make_unique<Handler>(call, *this, methods);
  };
  const MethodOptions options{.max_message_bytes = kMaxRequest};
  methods.add_method("/grpc.reflection.v1.ServerReflection/ServerReflectionInfo", factory, options);
  methods.add_method("/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo", factory, options);
}

Status ReflectionService::add_file(std::string_view bytes) {
  const Error damaged(Code::kInvalidArgument, "not a FileDescriptorProto");
  const std::string name(first_string(bytes, kFileName));
  if (name.empty()) return damaged;
  const std::string package(first_string(bytes, kFilePackage));
  File file{.bytes = std::string(bytes), .dependencies = {}};
  protowire::Reader reader(bytes);
  while (const auto field = reader.next()) {
    bool good = true;
    if (field->number == kFileDependency) file.dependencies.emplace_back(field->bytes);
    if (field->number == kFileMessage) good = add_symbols(field->bytes, package, name);
    if (field->number == kFileEnum) good = add_members(field->bytes, package, name, 0);
    if (field->number == kFileService) good = add_members(field->bytes, package, name, kServiceMethod);
    if (!good) return damaged;
  }
  if (reader.failed()) return damaged;
  files_.try_emplace(name, std::move(file));
  return {};
}

// A message and its nested declarations. The size of the embedded set bounds the recursion.
bool ReflectionService::add_symbols(std::string_view descriptor, const std::string& scope, const std::string& file) {
  const std::string name = joined(scope, first_string(descriptor, kName));
  file_of_symbol_.try_emplace(name, file);
  protowire::Reader reader(descriptor);
  while (const auto field = reader.next()) {
    bool good = true;
    if (field->number == kMessageNested) good = add_symbols(field->bytes, name, file);
    if (field->number == kMessageEnum) good = add_members(field->bytes, name, file, 0);
    if (!good) return false;
  }
  return !reader.failed();
}

// A service with its methods, or an enum.
bool ReflectionService::add_members(std::string_view descriptor, const std::string& scope, const std::string& file,
                                    uint32_t member_field) {
  const std::string name = joined(scope, first_string(descriptor, kName));
  file_of_symbol_.try_emplace(name, file);
  protowire::Reader reader(descriptor);
  while (const auto field = reader.next()) {
    if (member_field != 0 && field->number == member_field) {
      file_of_symbol_.try_emplace(joined(name, first_string(field->bytes, kName)), file);
    }
  }
  return !reader.failed();
}

// The file, followed by all its imports.
std::string ReflectionService::files_answer(const std::string& name) const {
  std::string files;
  std::set<std::string> seen;
  std::vector<std::string> open = {name};
  while (!open.empty()) {
    const std::string current = open.back();
    open.pop_back();
    const auto it = files_.find(current);
    if (it == files_.end() || !seen.insert(current).second) continue;
    protowire::put_message(files, 1, it->second.bytes);
    open.insert(open.end(), it->second.dependencies.begin(), it->second.dependencies.end());
  }
  return files;
}

std::string ReflectionService::answer(std::string_view request, const MethodTable& methods) const {
  std::string out;
  protowire::put_message(out, kValidHost, first_string(request, 1));
  protowire::put_message(out, kOriginalRequest, request);
  protowire::Reader reader(request);
  uint32_t kind = 0;
  std::string argument;
  while (const auto field = reader.next()) {
    if (field->number < kByFilename || field->number > kListServices) continue;
    kind = field->number;
    argument = field->bytes;
  }
  if (reader.failed()) kind = 0;
  if (kind == kListServices) {
    std::string services;
    for (const std::string& name : methods.services()) {
      std::string service;
      protowire::put_message(service, 1, name);
      protowire::put_message(services, 1, service);
    }
    protowire::put_message(out, kServicesResponse, services);
    return out;
  }
  const auto symbol = file_of_symbol_.find(argument);
  if (kind == kBySymbol && symbol != file_of_symbol_.end()) argument = symbol->second;
  if ((kind == kByFilename || kind == kBySymbol) && files_.contains(argument)) {
    protowire::put_message(out, kFileResponse, files_answer(argument));
  } else if (kind == kByExtension || kind == kExtensionNumbers) {
    append_error(out, Code::kUnimplemented, "extensions are not served");
  } else if (kind == 0) {
    append_error(out, Code::kInvalidArgument, "not a ServerReflectionRequest");
  } else {
    append_error(out, Code::kNotFound, "not found: " + json_quote(sanitize_utf8(argument)));
  }
  return out;
}

}  // namespace monitor::grpc
