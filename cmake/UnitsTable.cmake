# Run as a script: cmake -DINPUT=units.json -DOUTPUT=file.h -P UnitsTable.cmake
# Writes the table of units as C++ constants. web/ imports the same file.
file(READ ${INPUT} table)

# The items of an array as C++ initializers: one of `fields` each, in this order.
function(items out path)
  set(fields ${ARGN})
  string(REPLACE "." ";" path ${path})
  string(JSON count LENGTH "${table}" ${path})
  math(EXPR last "${count} - 1")
  set(text)
  foreach(i RANGE ${last})
    set(values)
    foreach(field ${fields})
      string(JSON value GET "${table}" ${path} ${i} ${field})
      string(JSON type TYPE "${table}" ${path} ${i} ${field})
      if(type STREQUAL STRING)
        set(value "\"${value}\"")
      endif()
      list(APPEND values "${value}")
    endforeach()
    list(JOIN values ", " values)
    string(APPEND text "    {${values}},\n")
  endforeach()
  set(${out} "{{\n${text}}}" PARENT_SCOPE)
  set(${out}_count ${count} PARENT_SCOPE)
endfunction()

items(bytes scales.bytes word size)
items(time scales.time word size)
items(units units unit scale suffix)
set(shares)
string(JSON count LENGTH "${table}" shares)
math(EXPR last "${count} - 1")
foreach(i RANGE ${last})
  string(JSON value GET "${table}" shares ${i})
  string(APPEND shares "\"${value}\", ")
endforeach()
string(JSON below GET "${table}" exponent below)
string(JSON from GET "${table}" exponent from)

file(WRITE ${OUTPUT} "// Generated from src/metrics/units.json.
#pragma once

#include <array>
#include <string_view>

namespace monitor::metrics {

struct UnitStep {
  std::string_view word;
  double size;
};
struct Unit {
  std::string_view unit;
  std::string_view scale;
  std::string_view suffix;
};
constexpr std::array<UnitStep, ${bytes_count}> kByteSteps = ${bytes};
constexpr std::array<UnitStep, ${time_count}> kTimeSteps = ${time};
constexpr std::array<Unit, ${units_count}> kUnits = ${units};
constexpr std::array<std::string_view, ${count}> kShares = {${shares}};
constexpr double kExponentBelow = ${below};
constexpr double kExponentFrom = ${from};

}  // namespace monitor::metrics
")
