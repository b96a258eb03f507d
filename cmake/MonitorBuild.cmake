# Compiler settings, and the functions that every folder uses to declare its library, programs and tests.
include(GNUInstallDirs)

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)

# Assertions stay on in every build: no NDEBUG.
set(CMAKE_CXX_FLAGS_RELEASE "-O2")
set(CMAKE_C_FLAGS_RELEASE "-O2")
# Packages (tools/package): the code of a release, with what a distribution expects of programs: line tables for its
# -dbgsym packages, checks against overflows, read-only relocations. No path of the build folder remains in them.
set(CMAKE_CXX_FLAGS_PACKAGE "-O2 -g1 -fstack-protector-strong -fstack-clash-protection -D_FORTIFY_SOURCE=2")
set(CMAKE_C_FLAGS_PACKAGE ${CMAKE_CXX_FLAGS_PACKAGE})
if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
  string(APPEND CMAKE_CXX_FLAGS_PACKAGE " -fcf-protection")
  string(APPEND CMAKE_C_FLAGS_PACKAGE " -fcf-protection")
endif()
set(CMAKE_EXE_LINKER_FLAGS_PACKAGE "-pie -Wl,-z,relro,-z,now,--build-id=sha1,--as-needed")
set(CMAKE_MODULE_LINKER_FLAGS_PACKAGE "-Wl,-z,relro,-z,now,--build-id=sha1,--as-needed")
if(CMAKE_BUILD_TYPE STREQUAL "Package")
  # The libraries are static, and linked into programs only. The module for plugins in Python compiles its own sources.
  add_compile_options(-fPIE -ffile-prefix-map=${CMAKE_BINARY_DIR}=/usr/src/monitor/build
                      -ffile-prefix-map=${CMAKE_SOURCE_DIR}=/usr/src/monitor)
endif()
set(CMAKE_CXX_FLAGS_SANITIZE "-O1 -g1 -fno-omit-frame-pointer")
set(CMAKE_C_FLAGS_SANITIZE "-O1 -g1 -fno-omit-frame-pointer")

find_program(CCACHE_PROGRAM ccache)
if(CCACHE_PROGRAM AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  # Without this sloppiness ccache does not cache sources that use a precompiled header.
  set(ccache ${CMAKE_COMMAND} -E env CCACHE_SLOPPINESS=pch_defines,time_macros ${CCACHE_PROGRAM})
  set(CMAKE_CXX_COMPILER_LAUNCHER ${ccache})
  set(CMAKE_C_COMPILER_LAUNCHER ${CCACHE_PROGRAM})
endif()

# One section per function and object, so that the linker can drop unused code: the agent must stay small.
add_compile_options(-ffunction-sections -fdata-sections)
add_link_options(-Wl,--gc-sections)
if(MONITOR_SANITIZE)
  add_compile_options(-fsanitize=${MONITOR_SANITIZE} -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${MONITOR_SANITIZE})
endif()
if(MONITOR_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()

add_library(monitor_warnings INTERFACE)
if(CMAKE_CXX_COMPILER_ID MATCHES "Clang")
  # libstdc++ 12 uses functions that it has deprecated itself.
  target_compile_options(monitor_warnings INTERFACE -Wno-deprecated-declarations)
endif()
target_compile_options(monitor_warnings INTERFACE -Wall -Wextra -Wshadow -Wconversion -Wno-sign-conversion -Wno-missing-field-initializers
                                                  -Wnon-virtual-dtor -Woverloaded-virtual)
# Warnings are errors on the compilers that the project is tested with (those of Debian 12 and 13). A newer compiler may
# add warnings, and these must not break the build for a user.
# For the same reason, they break no build of packages, whose options add warnings.
if(NOT CMAKE_BUILD_TYPE STREQUAL "Package" AND
   ((CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 15) OR
    (CMAKE_CXX_COMPILER_ID STREQUAL "Clang" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 20)))
  target_compile_options(monitor_warnings INTERFACE -Werror)
endif()
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND MONITOR_SANITIZE)
  # With sanitizers, GCC 12 reports impossible accesses in its own standard library (GCC bug 105593).
  target_compile_options(monitor_warnings INTERFACE -Wno-maybe-uninitialized -Wno-stringop-overflow -Wno-array-bounds
                                                    -Wno-restrict)
elseif(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # GCC 12 to 14: false positives on std::string concatenation (GCC bug 105651) and on std::variant (GCC bug 80635).
  target_compile_options(monitor_warnings INTERFACE -Wno-restrict -Wno-maybe-uninitialized)
endif()
target_include_directories(monitor_warnings INTERFACE ${CMAKE_SOURCE_DIR}/src)

# monitor_library(NAME [DEPS ...] [PRIVATE_DEPS ...] [TEST_DEPS ...])
# Builds the library of the current folder from its *.cc files, and one unit test program from its *_test.cc files.
# DEPS are folder names (base, metriclog_sqlite) or third-party targets.
function(monitor_library name)
  cmake_parse_arguments(ARG "" "" "DEPS;PRIVATE_DEPS;TEST_DEPS" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS *.cc)
  set(tests ${sources})
  list(FILTER tests INCLUDE REGEX "_test\\.cc$")
  list(FILTER sources EXCLUDE REGEX "_test\\.cc$")
  set(target monitor_${name})
  if(sources)
    add_library(${target} STATIC ${sources})
    target_link_libraries(${target} PUBLIC monitor_warnings)
    monitor_link(${target} PUBLIC ${ARG_DEPS})
    monitor_link(${target} PRIVATE ${ARG_PRIVATE_DEPS})
  else()
    add_library(${target} INTERFACE)
    target_link_libraries(${target} INTERFACE monitor_warnings)
    monitor_link(${target} INTERFACE ${ARG_DEPS} ${ARG_PRIVATE_DEPS})
  endif()
  if(sources)
    monitor_precompile_headers(${target})
  endif()
  if(tests AND MONITOR_TESTS)
    monitor_test(${name}_test LABEL unit SOURCES ${tests} DEPS ${name} ${ARG_PRIVATE_DEPS} ${ARG_TEST_DEPS})
  endif()
endfunction()

# monitor_precompile_headers(TARGET): more than half of a source's compile time went into headers of the standard library
# and of fmt. They are therefore compiled once. Builds of packages and those with clang read them as usual, so that a
# source that forgets an include does not compile there.
function(monitor_precompile_headers target)
  if(NOT CMAKE_CXX_COMPILER_ID STREQUAL "GNU" OR CMAKE_BUILD_TYPE STREQUAL "Package")
    return()
  endif()
  if(NOT TARGET monitor_headers)
    file(CONFIGURE OUTPUT ${CMAKE_BINARY_DIR}/headers.cc CONTENT "")
    add_library(monitor_headers OBJECT ${CMAKE_BINARY_DIR}/headers.cc)
    target_link_libraries(monitor_headers PRIVATE monitor_warnings fmt::fmt)
    target_precompile_headers(monitor_headers PRIVATE <algorithm> <array> <cmath> <cstdint> <deque> <fmt/format.h> <functional>
                                                      <map> <memory> <mutex> <optional> <set> <span> <string> <string_view>
                                                      <unordered_map> <utility> <variant> <vector>)
  endif()
  # GCC refuses precompiled headers that were compiled with other definitions.
  target_compile_definitions(${target} PRIVATE $<TARGET_PROPERTY:fmt::fmt,INTERFACE_COMPILE_DEFINITIONS>)
  # From precompiled headers GCC 12 reports impossible accesses in its own standard library, which it hides otherwise
  # (GCC bug 105593). Builds without them keep these warnings.
  target_compile_options(${target} PRIVATE -fpch-preprocess -Wno-array-bounds -Wno-stringop-overflow -Wno-stringop-overread)
  target_precompile_headers(${target} REUSE_FROM monitor_headers)
endfunction()

# Links a target to our libraries by folder name, and to third-party targets by their own name.
function(monitor_link target scope)
  foreach(dep ${ARGN})
    if(TARGET ${dep} OR dep MATCHES "::")
      target_link_libraries(${target} ${scope} ${dep})
    else()
      target_link_libraries(${target} ${scope} monitor_${dep})
    endif()
  endforeach()
endfunction()

# monitor_program(NAME SOURCES ... DEPS ... [DESTINATION folder]): builds a program, installs it, and adds it to the target
# `programs`.
add_custom_target(programs)
# All unit test programs. The sanitizer presets build only these.
add_custom_target(unit_tests)
function(monitor_program name)
  cmake_parse_arguments(ARG "" "DESTINATION" "SOURCES;DEPS" ${ARGN})
  if(NOT ARG_DESTINATION)
    set(ARG_DESTINATION ${CMAKE_INSTALL_BINDIR})
  endif()
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE monitor_warnings)
  monitor_link(${name} PRIVATE ${ARG_DEPS})
  monitor_precompile_headers(${name})
  add_dependencies(programs ${name})
  install(TARGETS ${name} RUNTIME DESTINATION ${ARG_DESTINATION})
endfunction()

# monitor_unit_tests_of(NAME PROGRAM|TEST ...): the target NAME builds the unit tests of all folders that these programs are
# linked with, and the named ones (without `_test`). The file NAME.txt in the build folder lists the folders, for ctest.
function(monitor_unit_tests_of name)
  set(waiting ${ARGN})
  while(waiting)
    list(POP_FRONT waiting target)
    string(REGEX REPLACE "^\\$<LINK_ONLY:(.*)>$" "\\1" target "${target}")
    if(target IN_LIST seen)
      continue()
    endif()
    list(APPEND seen ${target})
    string(REGEX REPLACE "^monitor_" "" folder "${target}")
    if(TARGET ${folder}_test)
      list(APPEND folders ${folder})
    endif()
    if(NOT TARGET ${target})
      continue()
    endif()
    foreach(property LINK_LIBRARIES INTERFACE_LINK_LIBRARIES)
      get_target_property(libraries ${target} ${property})
      if(libraries)
        list(APPEND waiting ${libraries})
      endif()
    endforeach()
  endwhile()
  list(SORT folders)
  list(TRANSFORM folders APPEND _test OUTPUT_VARIABLE tests)
  add_custom_target(${name} DEPENDS ${tests})
  list(JOIN folders "\n" lines)
  file(CONFIGURE OUTPUT ${CMAKE_BINARY_DIR}/${name}.txt CONTENT "${lines}\n" @ONLY)
endfunction()

# monitor_test_options(TARGET): the compiler options of every test program. Half of a test's compile time went into
# GoogleTest's headers, and much of the rest into optimizing code that runs once. The headers are therefore precompiled,
# and a release build does not optimize the tests. The code under test is in the libraries, which are optimized. With
# OPTIMIZED, the test itself is optimized, without the precompiled headers: for tests that do much work.
function(monitor_test_options target)
  target_link_libraries(${target} PRIVATE monitor_warnings GTest::gmock_main)
  if("OPTIMIZED" IN_LIST ARGN)
    return()
  endif()
  if(NOT TARGET monitor_test_headers)
    file(CONFIGURE OUTPUT ${CMAKE_BINARY_DIR}/test_headers.cc CONTENT "")
    add_library(monitor_test_headers OBJECT ${CMAKE_BINARY_DIR}/test_headers.cc)
    target_compile_options(monitor_test_headers PRIVATE $<$<CONFIG:Release>:-O0>)
    target_link_libraries(monitor_test_headers PRIVATE monitor_warnings GTest::gmock)
    target_precompile_headers(monitor_test_headers PRIVATE <gmock/gmock.h> <gtest/gtest.h> <functional> <map> <memory> <optional>
                                                           <string> <string_view> <vector>)
  endif()
  target_compile_options(${target} PRIVATE $<$<CONFIG:Release>:-O0> $<$<CXX_COMPILER_ID:GNU>:-fpch-preprocess>)
  target_precompile_headers(${target} REUSE_FROM monitor_test_headers)
endfunction()

# monitor_test(CASE_test LABEL area SOURCES ... DEPS ... [TIMEOUT s] [OPTIMIZED] [SHORT filter]): a GoogleTest program. Its
# name in ctest is area.CASE. With SHORT, ./test runs only the tests that the filter selects, as area.CASE.short, and only
# ./test --all runs the whole program.
function(monitor_test name)
  cmake_parse_arguments(ARG "OPTIMIZED" "LABEL;TIMEOUT;SHORT" "SOURCES;DEPS;ENVIRONMENT" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  if(ARG_OPTIMIZED)
    monitor_test_options(${name} OPTIMIZED)
  else()
    monitor_test_options(${name})
  endif()
  target_compile_definitions(${name} PRIVATE MONITOR_SOURCE_DIR="${CMAKE_SOURCE_DIR}"
                                             MONITOR_BIN_DIR="${CMAKE_RUNTIME_OUTPUT_DIRECTORY}")
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
  monitor_link(${name} PRIVATE ${ARG_DEPS})
  string(REGEX REPLACE "_test$" "" test ${name})
  set(test ${ARG_LABEL}.${test})
  set(names ${test})
  set(labels ${ARG_LABEL})
  if(ARG_SHORT)
    list(APPEND labels all)
    add_test(NAME ${test}.short COMMAND ${name} --gtest_filter=${ARG_SHORT})
    set_tests_properties(${test}.short PROPERTIES LABELS "${ARG_LABEL};short")
    list(APPEND names ${test}.short)
  endif()
  add_test(NAME ${test} COMMAND ${name})
  if(ARG_LABEL STREQUAL "unit")
    add_dependencies(unit_tests ${name})
  endif()
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 120)
  endif()
  set_tests_properties(${test} PROPERTIES LABELS "${labels}")
  if(CMAKE_CROSSCOMPILING)
    math(EXPR ARG_TIMEOUT "${ARG_TIMEOUT} * 10")  # under qemu everything takes about ten times as long
  endif()
  set_tests_properties(${names} PROPERTIES TIMEOUT ${ARG_TIMEOUT} ENVIRONMENT "${ARG_ENVIRONMENT}")
endfunction()
