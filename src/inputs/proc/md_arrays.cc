#include "inputs/proc/md_arrays.h"

#include <algorithm>
#include <array>
#include <functional>
#include <utility>

#include "base/text.h"
#include "inputs/proc/kernel_file.h"

namespace monitor::agent {

namespace {

using Pair = std::pair<uint64_t, uint64_t>;

// "[4/3]" with the brackets given.
std::optional<Pair> pair_in(std::string_view text, char open, char close) {
  if (text.size() < 5 || text.front() != open || text.back() != close) return std::nullopt;
  text = text.substr(1, text.size() - 2);
  const size_t slash = text.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  const auto first = parse_u64(text.substr(0, slash));
  const auto second = parse_u64(text.substr(slash + 1));
  if (!first || !second) return std::nullopt;
  return Pair{*first, *second};
}

bool indented(std::string_view line) { return line.starts_with(' ') || line.starts_with('\t'); }

// "md6 : active raid1 sdb2[2](F) sdc[1](S) sda2[0]"
std::optional<MdArray> array_in(std::string_view line) {
  if (line.empty() || indented(line)) return std::nullopt;
  Fields fields(line);
  MdArray array;
  array.name = fields.next();
  if (fields.next() != ":") return std::nullopt;
  const std::string_view state = fields.next();
  if (state != "active" && state != "inactive") return std::nullopt;
  array.active = state == "active";
  for (std::string_view field = fields.next(); !field.empty(); field = fields.next()) {
    const size_t number = field.find('[');
    if (number == 0 || number == std::string_view::npos) continue;  // the level, "(read-only)"
    const std::string_view flags = field.substr(number);
    if (flags.find("(F)") != std::string_view::npos) {
      ++array.failed;
    } else if (flags.find("(S)") != std::string_view::npos) {
      ++array.spare;
    } else if (flags.find("(J)") == std::string_view::npos) {
      ++array.used;
    }
  }
  return array;
}

bool is_action(std::string_view word) {
  constexpr std::array<std::string_view, 4> kActions = {"recovery", "resync", "check", "reshape"};
  return std::ranges::find(kActions, word) != kActions.end();
}

// "[=>....]  recovery =  8.5% (16775552/195310144) finish=17.0min", "resync=DELAYED", "resync=PENDING"
void take_job(std::string_view line, MdArray& array) {
  Fields fields(line);
  std::string_view action;
  for (std::string_view field = fields.next(); !field.empty(); field = fields.next()) {
    if (is_action(field)) action = field;
    const size_t equals = field.find('=');
    const std::string_view waits = equals == std::string_view::npos ? "" : field.substr(equals + 1);
    if ((waits == "DELAYED" || waits == "PENDING") && is_action(field.substr(0, equals))) {
      array.action = field.substr(0, equals);
      return;
    }
    const auto blocks = pair_in(field, '(', ')');
    if (action.empty() || !blocks) continue;
    array.action = action;
    array.done = blocks->first;
    array.total = blocks->second;
    return;
  }
}

void take_line(std::string_view line, MdArray& array) {
  if (array.action.empty()) take_job(line, array);
  if (!array.active || array.required) return;
  Fields fields(line);
  for (std::string_view field = fields.next(); !field.empty(); field = fields.next()) {
    const auto disks = pair_in(field, '[', ']');
    if (!disks) continue;
    array.required = disks->first;
    array.in_sync = disks->second;
    return;
  }
}

}  // namespace

std::vector<MdArray> parse_mdstat(std::string_view text) {
  std::vector<MdArray> arrays;
  bool inside = false;  // an array whose further lines count
  while (!text.empty()) {
    const std::string_view line = next_line(text);
    if (indented(line)) {
      if (inside) take_line(line, arrays.back());
      continue;
    }
    const auto array = array_in(line);
    inside = array && arrays.size() < kMostMdArrays &&
             std::ranges::find(arrays, array->name, &MdArray::name) == arrays.end();
    if (inside) arrays.push_back(*array);
  }
  return arrays;
}

uint64_t mdstat_shape(std::string_view text) {
  uint64_t shape = 0;
  for (const MdArray& array : parse_mdstat(text)) shape = shape * 31 + std::hash<std::string_view>{}(array.name);
  return shape;
}

}  // namespace monitor::agent
