// Queries mounts from a helper process, so that a hung query blocks only that process.
//
// A thread cannot be killed while it is inside statfs(2) of a FUSE daemon that accepted the request but does not
// answer, or of a disk that was removed. A process with such a thread cannot end. Therefore each of MountProber's
// threads has its own helper process, which is this program again, without the agent's descriptors. It ends after the
// agent has ended, as soon as the kernel allows it.
#pragma once

#include <string>
#include <string_view>

#include "inputs/proc/mount_facts.h"

namespace monitor::agent {

// Like probe_mount(), but executed by the helper process of the calling thread, which is started if there is none. If
// it cannot be started, calls probe_mount() directly. Thread-safe.
Result<MountFacts> probe_mount_apart(const Mount& mount, const MountOrigin& origin);

// Call in main() before anything else. If this process is such a helper, serves queries and then returns true.
bool is_probe_process(int argc, const char* const* argv);
int serve_probes();

// Encoding of the messages between the processes; fields end with NUL.
std::string encode_question(const Mount& mount, const MountOrigin& origin);
Result<std::pair<Mount, MountOrigin>> decode_question(std::string_view text);
std::string encode_answer(const Result<MountFacts>& answer);
Result<MountFacts> decode_answer(std::string_view text);

}  // namespace monitor::agent
