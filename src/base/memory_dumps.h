// Keeps secrets out of core files and away from other processes (docs/decisions/232).
#pragma once

namespace monitor {

// From now on, the kernel writes no core file of this process, and other processes of its user may not read its memory,
// environment or descriptors, nor trace it. Root may. Call before a secret is read. Lasts until execve(); a child has
// its own setting. Idempotent, thread-safe.
void deny_memory_dumps();

}  // namespace monitor
