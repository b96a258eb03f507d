#include "config/source.h"

namespace monitor::config {

std::string agent_key(std::string_view agent_id) { return std::string(kKeyRoot) + "config/" + std::string(agent_id); }
std::string defaults_key() { return std::string(kKeyRoot) + "defaults"; }
std::string group_key(std::string_view group) { return std::string(kKeyRoot) + "groups/" + std::string(group); }

}  // namespace monitor::config
