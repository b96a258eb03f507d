# Third parties, found once and named as targets. Each is used only by the folder that docs/architecture.md names.
find_package(Threads REQUIRED)
find_package(PkgConfig REQUIRED)
find_package(fmt REQUIRED)
find_package(spdlog REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(CLI11 REQUIRED)
find_package(OpenSSL REQUIRED)
find_package(SQLite3 REQUIRED)
pkg_check_modules(NGHTTP2 REQUIRED IMPORTED_TARGET libnghttp2)
pkg_check_modules(RDKAFKA REQUIRED IMPORTED_TARGET rdkafka>=2.0)
pkg_check_modules(LUA REQUIRED IMPORTED_TARGET lua5.4)
pkg_check_modules(MICROHTTPD REQUIRED IMPORTED_TARGET libmicrohttpd)
pkg_check_modules(NCURSES REQUIRED IMPORTED_TARGET ncursesw)
# CMake's own module: Debian's protobuf ships no package file.
find_package(Protobuf REQUIRED)

# Headers of third parties are not ours to warn about.
foreach(target PkgConfig::NGHTTP2 PkgConfig::RDKAFKA PkgConfig::MICROHTTPD PkgConfig::LUA)
  get_target_property(dirs ${target} INTERFACE_INCLUDE_DIRECTORIES)
  if(dirs)
    set_target_properties(${target} PROPERTIES INTERFACE_SYSTEM_INCLUDE_DIRECTORIES "${dirs}")
  endif()
endforeach()

# Only what the tests need is looked for here: a build without tests must not depend on what else a machine has.
if(MONITOR_TESTS)
  find_package(GTest REQUIRED)
  # A peer that the tests hold our own gRPC against, and that the benchmarks use.
  pkg_check_modules(GRPCPP REQUIRED IMPORTED_TARGET grpc++)
endif()
message(STATUS "Tests: ${MONITOR_TESTS}")
