# Links the same objects again with upstream's file names and SONAMEs. This is the other llama.cpp for the test that loads both into one process.

set(moe_upstream)
if(NOT MOE_PEERS)
  return()
endif()

# One variant of the CPU backend is enough for this: the one for every CPU, with the name of a single variant.
set(upstream_backends ${moe_backends})
list(FILTER upstream_backends INCLUDE REGEX "^ggml-cpu")
list(GET upstream_backends 0 upstream_cpu)
set(upstream_backends ${moe_backends})
list(FILTER upstream_backends EXCLUDE REGEX "^ggml-cpu")

foreach(target IN LISTS moe_libraries upstream_backends upstream_cpu)
  get_target_property(type ${target} TYPE)
  string(REPLACE _LIBRARY "" type ${type})
  get_target_property(libraries ${target} LINK_LIBRARIES)
  list(TRANSFORM libraries REPLACE "^(ggml|ggml-base|llama)$" "upstream-\\1")

  set(copy upstream-${target})
  set(name ${target})
  if(target STREQUAL upstream_cpu)
    set(name ggml-cpu)
  endif()
  add_library(${copy} ${type} $<TARGET_OBJECTS:${target}>)
  target_link_libraries(${copy} PRIVATE ${libraries})
  set_target_properties(${copy} PROPERTIES
    OUTPUT_NAME ${name}
    LINKER_LANGUAGE CXX
    LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/upstream
    RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/upstream
    ARCHIVE_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/upstream
    BUILD_WITH_INSTALL_RPATH ON
    INSTALL_RPATH $<IF:$<PLATFORM_ID:Darwin>,@loader_path,$ORIGIN>)
  foreach(property VERSION SOVERSION)
    get_target_property(value ${target} ${property})
    if(NOT value MATCHES "NOTFOUND$")
      set_property(TARGET ${copy} PROPERTY ${property} ${value})
    endif()
  endforeach()
  list(APPEND moe_upstream ${copy})
endforeach()
