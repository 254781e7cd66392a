# "cpack" makes three Debian packages of a build with shared libraries and the
# prefix /usr: libautobreaker, libautobreaker-dev and breakerctl.
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME autobreaker)
set(CPACK_PACKAGE_VENDOR "The AutoBreaker authors")
set(CPACK_PACKAGE_CONTACT "The AutoBreaker authors <autobreaker@example.org>")
set(CPACK_COMPONENTS_ALL library development breakerctl)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_STRIP_FILES ON)
set(CPACK_DEBIAN_PACKAGE_GENERATE_SHLIBS ON)

set(CPACK_COMPONENT_LIBRARY_DESCRIPTION "Circuit breakers for gRPC, shared libraries
 A circuit breaker in front of each method of a channel refuses calls to a
 server that cannot answer them. Prometheus sees the state of each.")
set(CPACK_DEBIAN_LIBRARY_PACKAGE_NAME libautobreaker)
set(CPACK_DEBIAN_LIBRARY_PACKAGE_SECTION libs)
set(CPACK_DEBIAN_LIBRARY_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_LIBRARY_PACKAGE_CONTROL_EXTRA ${PROJECT_SOURCE_DIR}/packaging/debian/triggers)

set(CPACK_COMPONENT_DEVELOPMENT_DESCRIPTION "Circuit breakers for gRPC, to build programs with
 Headers, .proto files, and what CMake and pkg-config need to find the
 libraries of libautobreaker. Rules and a dashboard for Prometheus.")
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_NAME libautobreaker-dev)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_SECTION libdevel)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_DEPENDS
  "libautobreaker (= ${PROJECT_VERSION}), libabsl-dev, libgrpc++-dev, libprotobuf-dev, prometheus-cpp-dev")
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_SUGGESTS libgmock-dev)

set(CPACK_COMPONENT_BREAKERCTL_DESCRIPTION "look at the circuit breakers of a program
 breakerctl lists, watches and overrules the circuit breakers of a running
 program, through the admin service of libautobreaker.")
set(CPACK_DEBIAN_BREAKERCTL_PACKAGE_NAME breakerctl)
set(CPACK_DEBIAN_BREAKERCTL_PACKAGE_SECTION net)
set(CPACK_DEBIAN_BREAKERCTL_PACKAGE_SHLIBDEPS ON)
# Of libautobreaker, which is not installed where the packages are made.
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS_PRIVATE_DIRS ${components})
list(TRANSFORM CPACK_DEBIAN_PACKAGE_SHLIBDEPS_PRIVATE_DIRS PREPEND ${PROJECT_BINARY_DIR}/)
set(CPACK_DEBIAN_BREAKERCTL_PACKAGE_DEPENDS "libautobreaker (= ${PROJECT_VERSION})")

# Debian wants a copyright and a compressed changelog in each.
set(changelog ${CMAKE_CURRENT_BINARY_DIR}/changelog.gz)
configure_file(CHANGELOG.md changelog COPYONLY)
add_custom_command(OUTPUT ${changelog}
  COMMAND gzip --best --no-name --keep --force changelog
  DEPENDS CHANGELOG.md
  VERBATIM)
add_custom_target(autobreaker_changelog ALL DEPENDS ${changelog})
foreach(component library development breakerctl)
  string(TOUPPER ${component} upper)
  set(folder ${CMAKE_INSTALL_DATADIR}/doc/${CPACK_DEBIAN_${upper}_PACKAGE_NAME})
  install(FILES packaging/debian/copyright DESTINATION ${folder} COMPONENT ${component})
  install(FILES ${changelog} DESTINATION ${folder} COMPONENT ${component})
endforeach()
include(CPack)
