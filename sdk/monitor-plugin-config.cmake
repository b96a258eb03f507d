# find_package(monitor-plugin) defines the header-only target monitor::plugin. Paths are relative to this file.
get_filename_component(_monitor_prefix "${CMAKE_CURRENT_LIST_DIR}/../../.." ABSOLUTE)
if(NOT TARGET monitor::plugin)
  add_library(monitor::plugin INTERFACE IMPORTED)
  set_target_properties(monitor::plugin PROPERTIES INTERFACE_INCLUDE_DIRECTORIES "${_monitor_prefix}/include"
                                                   INTERFACE_COMPILE_FEATURES cxx_std_17)
endif()
unset(_monitor_prefix)
