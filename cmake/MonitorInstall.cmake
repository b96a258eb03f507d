# What `cmake --install` puts where: programs (each by monitor_program), man pages and shell completion made by the
# programs themselves, the protos, and the documentation.
set(MONITOR_PROGRAMS monitor monitor-agent monitor-server monitor-analysis monitor-config monitor-load monitor-plugin)
set(GENERATED ${CMAKE_BINARY_DIR}/generated)
file(MAKE_DIRECTORY ${GENERATED})
foreach(program ${MONITOR_PROGRAMS})
  add_custom_command(
    OUTPUT ${GENERATED}/${program}.1 ${GENERATED}/${program}.bash ${GENERATED}/_${program} ${GENERATED}/${program}.fish
    COMMAND ${program} --generate man > ${GENERATED}/${program}.1
    COMMAND ${program} --generate bash > ${GENERATED}/${program}.bash
    COMMAND ${program} --generate zsh > ${GENERATED}/_${program}
    COMMAND ${program} --generate fish > ${GENERATED}/${program}.fish
    DEPENDS ${program})
  list(APPEND MANUALS ${GENERATED}/${program}.1)
  install(FILES ${GENERATED}/${program}.1 DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
  install(FILES ${GENERATED}/${program}.bash DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions RENAME ${program})
  install(FILES ${GENERATED}/_${program} DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/vendor-completions)
  install(FILES ${GENERATED}/${program}.fish DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d)
endforeach()
add_custom_target(manuals ALL DEPENDS ${MANUALS})
add_dependencies(programs manuals)

install(DIRECTORY ${CMAKE_SOURCE_DIR}/docs DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(FILES ${CMAKE_SOURCE_DIR}/README.md ${CMAKE_SOURCE_DIR}/CHANGELOG.md ${CMAKE_SOURCE_DIR}/LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})
