// The default agent id: the host's name, if that is a valid id. Linux accepts any 64 bytes as a host name, but an
// agent's id becomes part of paths and keys (valid_name()). Pure functions.
#pragma once

#include <string>
#include <string_view>

namespace monitor {

struct HostId {
  std::string id;       // empty: the host has no name
  std::string warning;  // empty if the id is the unchanged, specific host name
};

// An invalid name becomes a valid id with a hash of the name as suffix, so that two such names stay distinct. The same
// name always gives the same id.
HostId id_of_host(std::string_view name);

}  // namespace monitor
