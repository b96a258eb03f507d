// What is known of a host, by section: its series, processes and containers. Pure functions.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "views/fleet/fleet.h"

namespace monitor::analysis::top {

enum class SectionKind : uint8_t {
  kCpu,
  kMemory,
  kDisks,
  kFilesystems,
  kNetwork,
  kPressure,
  kPaging,
  kSystem,
  kProcesses,
  kContainers,
  kOther,
};
const char* title_of(SectionKind kind);
SectionKind section_of(std::string_view metric);

struct SectionSeries {
  std::string name;             // with its labels, escaped
  std::string brief;            // the same without common prefixes, for narrow screens
  std::string value;            // with its unit, escaped
  size_t labels = 0;            // their number
  size_t index = 0;             // in LiveAgent::values
  std::optional<double> share;  // if the value is one
};

// Processes or containers: one row each, the busiest first.
struct Entities {
  struct Row {
    std::string name;
    std::vector<std::string> cells;  // one for each of `columns`; "-": no value
    double order = 0;
  };
  std::vector<std::string> columns;
  std::vector<Row> rows;
};

struct Section {
  SectionKind kind = SectionKind::kOther;
  std::vector<SectionSeries> series;  // the whole host before its parts, in natural order
  Entities entities;                  // of processes and containers
  std::string absent;                 // why the section is empty, for people
};

// Sections without anything are left out, but for processes and containers.
std::vector<Section> sections_of(const LiveAgent& agent);

// Names in the order of the page: load-2 before load-10.
bool name_less(std::string_view a, std::string_view b);

}  // namespace monitor::analysis::top
