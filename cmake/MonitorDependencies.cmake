# Finds the third-party libraries and defines their targets. docs/architecture.md names the folder that may use each of them.
find_package(Threads REQUIRED)
find_package(PkgConfig REQUIRED)
find_package(fmt REQUIRED)
find_package(spdlog REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(CLI11 REQUIRED)
find_package(OpenSSL REQUIRED)
find_package(ZLIB REQUIRED)
find_package(SQLite3 REQUIRED)
pkg_check_modules(NGHTTP2 REQUIRED IMPORTED_TARGET libnghttp2)
pkg_check_modules(RDKAFKA REQUIRED IMPORTED_TARGET rdkafka>=2.0)
pkg_check_modules(LUA REQUIRED IMPORTED_TARGET lua5.4)
# Headers of the module for plugins in Python; the programs do not need them.
pkg_check_modules(PYTHON python3>=3.9)
pkg_check_modules(MICROHTTPD REQUIRED IMPORTED_TARGET libmicrohttpd)
# libmicrohttpd's TLS; Debian's package depends on it.
pkg_check_modules(GNUTLS REQUIRED IMPORTED_TARGET gnutls)
pkg_check_modules(NCURSES REQUIRED IMPORTED_TARGET ncursesw)
pkg_check_modules(CURL REQUIRED IMPORTED_TARGET libcurl)
# Uses CMake's own module, because Debian's protobuf ships no CMake package file.
find_package(Protobuf REQUIRED)

# Packages contain fmt and spdlog, as header-only libraries: their versions differ between Debian 12 and 13, and one package
# installs on both. The linker option --as-needed then drops the shared libraries.
if(CMAKE_BUILD_TYPE STREQUAL "Package")
  set_property(TARGET fmt::fmt APPEND PROPERTY INTERFACE_COMPILE_DEFINITIONS FMT_HEADER_ONLY=1)
  set_property(TARGET spdlog::spdlog PROPERTY INTERFACE_COMPILE_DEFINITIONS SPDLOG_FMT_EXTERNAL)
endif()

# Debian 12 has no CMake package for RE2, and pkg-config would add -pthread, which the tests' precompiled headers do not
# have. Packages contain it, because its version differs between Debian 12 and 13, too.
if(CMAKE_BUILD_TYPE STREQUAL "Package")
  find_library(RE2_LIBRARY NAMES libre2.a re2 REQUIRED)
else()
  find_library(RE2_LIBRARY re2 REQUIRED)
endif()
find_path(RE2_INCLUDE_DIR re2/re2.h REQUIRED)
add_library(re2::re2 UNKNOWN IMPORTED)
set_target_properties(re2::re2 PROPERTIES IMPORTED_LOCATION ${RE2_LIBRARY} INTERFACE_INCLUDE_DIRECTORIES ${RE2_INCLUDE_DIR})

# yaml-cpp: its CMake package and its library's version differ between Debian 12 and 13 as well.
if(CMAKE_BUILD_TYPE STREQUAL "Package")
  find_library(YAML_CPP_LIBRARY NAMES libyaml-cpp.a yaml-cpp REQUIRED)
else()
  find_library(YAML_CPP_LIBRARY yaml-cpp REQUIRED)
endif()
find_path(YAML_CPP_INCLUDE_DIR yaml-cpp/yaml.h REQUIRED)
add_library(yamlcpp::yamlcpp UNKNOWN IMPORTED)
set_target_properties(yamlcpp::yamlcpp PROPERTIES IMPORTED_LOCATION ${YAML_CPP_LIBRARY}
                                                  INTERFACE_SYSTEM_INCLUDE_DIRECTORIES ${YAML_CPP_INCLUDE_DIR}
                                                  INTERFACE_INCLUDE_DIRECTORIES ${YAML_CPP_INCLUDE_DIR})

# Packages contain Lua: Debian's library has a name that systems with rpm do not know.
if(CMAKE_BUILD_TYPE STREQUAL "Package")
  find_library(LUA_ARCHIVE NAMES liblua5.4.a lua5.4 REQUIRED)
  set_property(TARGET PkgConfig::LUA PROPERTY INTERFACE_LINK_LIBRARIES ${LUA_ARCHIVE} ${CMAKE_DL_LIBS})
endif()

# Suppresses warnings in third-party headers.
foreach(target PkgConfig::NGHTTP2 PkgConfig::RDKAFKA PkgConfig::MICROHTTPD PkgConfig::LUA)
  get_target_property(dirs ${target} INTERFACE_INCLUDE_DIRECTORIES)
  if(dirs)
    set_target_properties(${target} PROPERTIES INTERFACE_SYSTEM_INCLUDE_DIRECTORIES "${dirs}")
  endif()
endforeach()

# The tests' dependencies are found only here: a build without tests must not depend on them.
if(MONITOR_TESTS)
  find_package(GTest REQUIRED)
  # grpc++ is the reference peer in the tests of our own gRPC, and is used by the benchmarks.
  pkg_check_modules(GRPCPP REQUIRED IMPORTED_TARGET grpc++)
endif()
message(STATUS "Tests: ${MONITOR_TESTS}")
