# monitor_lazy_library(PROGRAM MODULE LIST LIBRARIES ...): PROGRAM calls the functions that the file LIST names through stubs.
# The first call loads the shared library MODULE, which is linked with LIBRARIES (src/base/lazy_library.h). So a program that
# calls none of them never maps these libraries. MODULE is installed like a plugin host; packages find the libraries in it.
#
# The stubs are hidden, and come before the libraries, so that the linker takes them, and drops the libraries (--as-needed).
# Other processors and builds with sanitizers link the libraries as usual.
function(monitor_lazy_library program module list)
  cmake_parse_arguments(ARG "" "" "LIBRARIES" ${ARGN})
  if(MONITOR_SANITIZE OR NOT CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|AMD64|aarch64|arm64)$")
    return()
  endif()
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/${list})
  file(STRINGS ${list} functions REGEX "^[A-Za-z]")
  list(LENGTH functions count)
  string(SHA256 id "${functions}")
  string(MAKE_C_IDENTIFIER ${module} name)
  set(index 0)
  foreach(function ${functions})
    string(APPEND stubs "    \"MONITOR_STUB ${function} ${index}\\n\"\n")
    string(APPEND declared "extern char ${function}[];\n")
    string(APPEND table "  ${function},\n")
    math(EXPR index "${index} + 1")
  endforeach()
  set(folder ${CMAKE_CURRENT_BINARY_DIR}/lazy)
  configure_file(${CMAKE_SOURCE_DIR}/cmake/LazyStubs.cc.in ${folder}/${module}_stubs.cc @ONLY)
  configure_file(${CMAKE_SOURCE_DIR}/cmake/LazyModule.c.in ${folder}/${module}.c @ONLY)
  add_library(${module} MODULE ${folder}/${module}.c)
  target_compile_options(${module} PRIVATE -fPIC)
  target_link_libraries(${module} PRIVATE ${ARG_LIBRARIES})
  target_link_options(${module} PRIVATE -Wl,--no-undefined,--as-needed,-z,relro,-z,now)
  set_target_properties(${module} PROPERTIES PREFIX "" SUFFIX "" LIBRARY_OUTPUT_DIRECTORY ${CMAKE_RUNTIME_OUTPUT_DIRECTORY})
  # An executable file, although nobody runs it: so tools that look for programs find its libraries.
  install(TARGETS ${module} LIBRARY DESTINATION ${CMAKE_INSTALL_LIBEXECDIR}/monitor
          PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
  target_sources(${program} PRIVATE ${folder}/${module}_stubs.cc)
  set_property(SOURCE ${folder}/${module}_stubs.cc PROPERTY SKIP_PRECOMPILE_HEADERS ON)
  target_link_options(${program} PRIVATE -Wl,--as-needed)
  target_link_libraries(${program} PRIVATE ${CMAKE_DL_LIBS})
  add_dependencies(${program} ${module})
endfunction()
