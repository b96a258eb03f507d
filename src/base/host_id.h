// The id of an agent that was given none: its host's name, as far as that can be one. Linux takes any 64 bytes as a
// host's name; an agent's id becomes part of paths and keys (valid_name()). Pure functions.
#pragma once

#include <string>
#include <string_view>

namespace monitor {

struct HostId {
  std::string id;       // empty: the host has no name
  std::string warning;  // for people; empty: the id is the name, and a name of its own
};

// A name that cannot be an id becomes one that can, with a hash of the name behind it, so that two odd names stay two
// ids. The same name gives the same id for ever.
HostId id_of_host(std::string_view name);

}  // namespace monitor
