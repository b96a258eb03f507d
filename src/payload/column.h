// Columns: the integers of one series in one record, oldest first. The encoder computes the size of every form and
// takes the smallest. All arithmetic is modulo 2^64. Pure functions.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "payload/cursor.h"

namespace monitor::payload {

// Whether the integers of a column are signed: bases and first values are zigzagged then.
enum class Sign { kUnsigned, kSigned };

void put_column(std::string& out, std::span<const uint64_t> values, Sign sign);
void get_column(Cursor& in, std::span<uint64_t> values, Sign sign);

}  // namespace monitor::payload
