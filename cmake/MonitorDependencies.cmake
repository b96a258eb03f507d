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
pkg_check_modules(MICROHTTPD REQUIRED IMPORTED_TARGET libmicrohttpd)
# libmicrohttpd's TLS; Debian's package depends on it.
pkg_check_modules(GNUTLS REQUIRED IMPORTED_TARGET gnutls)
pkg_check_modules(NCURSES REQUIRED IMPORTED_TARGET ncursesw)
# Uses CMake's own module, because Debian's protobuf ships no CMake package file.
find_package(Protobuf REQUIRED)

# Packages contain fmt and spdlog, as header-only libraries: their versions differ between Debian 12 and 13, and one package
# installs on both. The linker option --as-needed then drops the shared libraries.
if(CMAKE_BUILD_TYPE STREQUAL "Package")
  set_property(TARGET fmt::fmt APPEND PROPERTY INTERFACE_COMPILE_DEFINITIONS FMT_HEADER_ONLY=1)
  set_property(TARGET spdlog::spdlog PROPERTY INTERFACE_COMPILE_DEFINITIONS SPDLOG_FMT_EXTERNAL)
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
