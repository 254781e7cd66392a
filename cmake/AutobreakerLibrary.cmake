# What the CMakeLists.txt of the folders use.

# Fails where one part is asked for without another that it needs.
function(autobreaker_check_parts)
  set(needs_ADMIN CONFIG)
  set(needs_BREAKERCTL ADMIN)
  set(needs_EXAMPLES INTERCEPTOR EXPORTER CONFIG ADMIN)
  set(needs_TESTING INTERCEPTOR)
  foreach(part ADMIN TESTING BREAKERCTL EXAMPLES)
    foreach(needed ${needs_${part}})
      if(AUTOBREAKER_${part} AND NOT AUTOBREAKER_${needed})
        message(FATAL_ERROR "AUTOBREAKER_${part} needs AUTOBREAKER_${needed}, which is off")
      endif()
    endforeach()
  endforeach()
endfunction()

# Where each package is to be had.
set(autobreaker_from_absl "Debian's libabsl-dev, or https://abseil.io")
set(autobreaker_from_Threads "Debian's libc6-dev")
set(autobreaker_from_Protobuf "Debian's libprotobuf-dev and protobuf-compiler, or https://protobuf.dev")
set(autobreaker_from_gRPC "Debian's libgrpc++-dev, or https://grpc.io")
set(autobreaker_from_prometheus-cpp
    "Debian's prometheus-cpp-dev, or https://github.com/jupp0r/prometheus-cpp")
set(autobreaker_from_nlohmann_json
    "Debian's nlohmann-json3-dev, or https://json.nlohmann.me")
set(autobreaker_from_GTest "Debian's libgmock-dev, or https://github.com/google/googletest")

# autobreaker_find(PACKAGE ...): a package that must be there, or one sentence
# that says where to get it. A macro, since targets may need what it sets.
macro(autobreaker_find package)
  find_package(${package} ${ARGN} QUIET)
  if(NOT ${package}_FOUND)
    message(FATAL_ERROR "autobreaker needs ${package}: install ${autobreaker_from_${package}}")
  endif()
endmacro()

# grpc_cpp_plugin, which is a target of the packages that have one.
function(autobreaker_find_grpc_plugin)
  if(TARGET gRPC::grpc_cpp_plugin)
    set(autobreaker_grpc_plugin $<TARGET_FILE:gRPC::grpc_cpp_plugin> CACHE INTERNAL "")
    return()
  endif()
  find_program(autobreaker_grpc_plugin grpc_cpp_plugin)
  if(NOT autobreaker_grpc_plugin)
    message(FATAL_ERROR "autobreaker needs grpc_cpp_plugin: install Debian's "
      "protobuf-compiler-grpc, or https://grpc.io")
  endif()
endfunction()

# autobreaker_library(NAME SOURCES ... HEADERS ... [PROTOS ...] [GRPC_PROTOS ...]
# DEPENDS ...): the library autobreaker::NAME. PROTOS are paths in the tree; of
# GRPC_PROTOS the services are generated, too.
function(autobreaker_library name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;HEADERS;PROTOS;GRPC_PROTOS;DEPENDS")
  set(target autobreaker_${name})
  add_library(${target})
  add_library(autobreaker::${name} ALIAS ${target})
  target_sources(${target} PRIVATE ${arg_SOURCES})
  target_compile_features(${target} PUBLIC cxx_std_17)
  target_compile_options(${target} PRIVATE -Wall -Wextra -Wpedantic)
  target_include_directories(${target} PUBLIC
    $<BUILD_INTERFACE:${autobreaker_include_dir}>
    $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
  target_link_libraries(${target} PUBLIC ${arg_DEPENDS})
  set_target_properties(${target} PROPERTIES
    EXPORT_NAME ${name}
    DEFINE_SYMBOL ""
    POSITION_INDEPENDENT_CODE ON
    VISIBILITY_INLINES_HIDDEN ON
    VERSION ${PROJECT_VERSION}
    SOVERSION ${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR})
  # What is internal is not to be had of a shared library, but for what a header
  # inlines and what the other libraries need.
  set(internal ${arg_SOURCES})
  list(FILTER internal INCLUDE REGEX ^internal/)
  list(REMOVE_ITEM internal internal/shards.cc internal/utf8.cc)
  set_source_files_properties(${internal} PROPERTIES COMPILE_OPTIONS -fvisibility=hidden)
  foreach(proto ${arg_PROTOS} ${arg_GRPC_PROTOS})
    autobreaker_generate(${target} ${proto} cpp "" .pb)
  endforeach()
  foreach(proto ${arg_GRPC_PROTOS})
    autobreaker_generate(${target} ${proto} grpc
      --plugin=protoc-gen-grpc=${autobreaker_grpc_plugin} .grpc.pb)
  endforeach()
  if(AUTOBREAKER_INSTALL)
    autobreaker_install_library(${name})
  endif()
endfunction()

# What a program needs that is built with an installed library. It sees what
# autobreaker_library() was told.
function(autobreaker_install_library name)
  set(include_dir ${CMAKE_INSTALL_INCLUDEDIR}/autobreaker)
  install(TARGETS autobreaker_${name} EXPORT autobreakerTargets
    LIBRARY COMPONENT library NAMELINK_COMPONENT development
    ARCHIVE COMPONENT development)
  cmake_path(RELATIVE_PATH CMAKE_CURRENT_SOURCE_DIR BASE_DIRECTORY ${PROJECT_SOURCE_DIR}
             OUTPUT_VARIABLE folder)
  foreach(header ${arg_HEADERS})
    cmake_path(GET header PARENT_PATH directory)
    install(FILES ${header} DESTINATION ${include_dir}/${folder}/${directory}
      COMPONENT development)
  endforeach()
  foreach(proto ${arg_PROTOS} ${arg_GRPC_PROTOS})
    string(REPLACE .proto .pb.h header ${proto})
    install(FILES ${PROJECT_SOURCE_DIR}/${proto} ${autobreaker_generated_dir}/autobreaker/${header}
      DESTINATION ${include_dir}/proto COMPONENT development)
  endforeach()
  foreach(proto ${arg_GRPC_PROTOS})
    string(REPLACE .proto .grpc.pb.h header ${proto})
    install(FILES ${autobreaker_generated_dir}/autobreaker/${header}
      DESTINATION ${include_dir}/proto COMPONENT development)
  endforeach()

  # For pkg-config, the names that the packages of DEPENDS have there.
  set(pc_requires ${arg_DEPENDS})
  list(REMOVE_ITEM pc_requires Threads::Threads)
  list(TRANSFORM pc_requires REPLACE "^absl::" absl_)
  list(TRANSFORM pc_requires REPLACE "^autobreaker::" autobreaker-)
  list(TRANSFORM pc_requires REPLACE "^prometheus-cpp::" prometheus-cpp-)
  list(TRANSFORM pc_requires REPLACE "^(gRPC|GTest)::" "")
  list(TRANSFORM pc_requires REPLACE "^protobuf::libprotobuf$" protobuf)
  list(JOIN pc_requires " " pc_requires)
  set(pc_name ${name})
  # So that the files may be moved, and "cmake --install --prefix" be used.
  file(RELATIVE_PATH pc_to_prefix
    ${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig ${CMAKE_INSTALL_PREFIX})
  configure_file(${PROJECT_SOURCE_DIR}/cmake/autobreaker.pc.in autobreaker-${name}.pc @ONLY)
  install(FILES ${CMAKE_CURRENT_BINARY_DIR}/autobreaker-${name}.pc
    DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig COMPONENT development)
endfunction()

# Adds what protoc makes of a .proto, a path in the tree, to a target.
function(autobreaker_generate target proto language plugin suffix)
  set(proto autobreaker/${proto})
  string(REPLACE .proto ${suffix} made ${autobreaker_generated_dir}/${proto})
  add_custom_command(
    OUTPUT ${made}.cc ${made}.h
    COMMAND protobuf::protoc --proto_path=${autobreaker_include_dir}
      --${language}_out=${autobreaker_generated_dir} ${plugin} ${proto}
    DEPENDS ${autobreaker_include_dir}/${proto}
    VERBATIM)
  target_sources(${target} PRIVATE ${made}.cc)
  set_source_files_properties(${made}.cc PROPERTIES COMPILE_OPTIONS -w)
  target_include_directories(${target} PUBLIC $<BUILD_INTERFACE:${autobreaker_generated_dir}>)
endfunction()
