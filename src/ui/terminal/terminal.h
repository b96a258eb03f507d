// What the terminal behind a descriptor can do. Thread-safe as long as no thread changes the environment.
#pragma once

#include <cstddef>

namespace monitor::analysis {

// Whether the user wants colours there: it is a terminal, its TERM is not "dumb", and NO_COLOR (no-color.org) is empty.
bool wants_colour(int fd);
// Its width; 0 if it is no terminal, or does not say.
size_t terminal_columns(int fd);

}  // namespace monitor::analysis
