# What "cmake --install" leaves beside the libraries and their headers: the
# package for find_package(), .pc files, the .proto files, breakerctl with its
# completion, and the rules and dashboard for monitoring.
include(CMakePackageConfigHelpers)

set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/autobreaker)
set(components)
foreach(component breaker interceptor exporter config admin testing)
  if(TARGET autobreaker_${component})
    list(APPEND components ${component})
  endif()
endforeach()

install(EXPORT autobreakerTargets NAMESPACE autobreaker:: DESTINATION ${package_dir}
  COMPONENT development)
configure_package_config_file(cmake/autobreakerConfig.cmake.in autobreakerConfig.cmake
  INSTALL_DESTINATION ${package_dir})
write_basic_package_version_file(autobreakerConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES
  ${CMAKE_CURRENT_BINARY_DIR}/autobreakerConfig.cmake
  ${CMAKE_CURRENT_BINARY_DIR}/autobreakerConfigVersion.cmake
  DESTINATION ${package_dir} COMPONENT development)
install(FILES version.h DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/autobreaker
  COMPONENT development)
install(DIRECTORY monitoring/ DESTINATION ${CMAKE_INSTALL_DATADIR}/autobreaker/monitoring
  COMPONENT development
  FILES_MATCHING PATTERN "*.yml" PATTERN "*.json" PATTERN "BUILD.bazel" EXCLUDE)

if(TARGET breakerctl)
  install(TARGETS breakerctl COMPONENT breakerctl)
  # Both are what the program says of itself, which it cannot where it was built
  # for another machine.
  if(NOT CMAKE_CROSSCOMPILING)
    set(completion ${CMAKE_CURRENT_BINARY_DIR}/breakerctl.bash)
    add_custom_command(OUTPUT ${completion}
      COMMAND breakerctl completion bash > ${completion}
      VERBATIM)
    add_custom_target(autobreaker_completion ALL DEPENDS ${completion})
    install(FILES ${completion} RENAME breakerctl COMPONENT breakerctl
      DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions)
    find_program(autobreaker_help2man help2man)
    if(autobreaker_help2man)
      set(manual ${CMAKE_CURRENT_BINARY_DIR}/breakerctl.1)
      add_custom_command(OUTPUT ${manual}.gz
        COMMAND ${autobreaker_help2man} --no-info --output=${manual}
          --name "look at circuit breakers of a running program, and overrule them"
          $<TARGET_FILE:breakerctl>
        COMMAND gzip --best --no-name --force ${manual}
        DEPENDS breakerctl
        VERBATIM)
      add_custom_target(autobreaker_manual ALL DEPENDS ${manual}.gz)
      install(FILES ${manual}.gz DESTINATION ${CMAKE_INSTALL_MANDIR}/man1 COMPONENT breakerctl)
    endif()
  endif()
endif()
include(cmake/AutobreakerPackages.cmake)
