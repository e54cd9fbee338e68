# Defines what is built and installed: libraries in one directory and tools below it, which can be packed or copied anywhere.
# Targets and install components: moe-native, and one for each GPU backend (build.cmake explains why).

# moe_unit(<unit> <directory> <target>...)
function(moe_unit unit directory)
  if(NOT TARGET moe-${unit})
    add_custom_target(moe-${unit} ALL)
  endif()
  if(ARGN)
    add_dependencies(moe-${unit} ${ARGN})
    install(TARGETS ${ARGN}
      LIBRARY DESTINATION ${directory} COMPONENT ${unit}
      RUNTIME DESTINATION ${directory} COMPONENT ${unit}
      ARCHIVE DESTINATION ${directory} COMPONENT import-libraries)
  endif()
endfunction()

moe_unit(native . ${moe_libraries})
moe_unit(native tools ${moe_tools} ${moe_tool_libraries})
moe_unit(native upstream ${moe_upstream})
add_dependencies(moe-native moe-abi)

foreach(backend IN LISTS moe_backends)
  string(REPLACE "ggml-" "" unit ${backend})
  if(NOT unit MATCHES "^(cuda|vulkan)$")
    set(unit native)
  endif()
  moe_unit(${unit} . ${backend})
  # llama.cpp's tools search their own directory for backends with upstream's names.
  install(CODE "
    file(MAKE_DIRECTORY \${CMAKE_INSTALL_PREFIX}/tools)
    file(CREATE_LINK ../$<TARGET_FILE_NAME:${backend}>
      \${CMAKE_INSTALL_PREFIX}/tools/$<TARGET_FILE_PREFIX:${backend}>${backend}$<TARGET_FILE_SUFFIX:${backend}>
      COPY_ON_ERROR SYMBOLIC)" COMPONENT ${unit})
endforeach()

# A program for Windows finds only libraries in its own directory.
if(WIN32)
  foreach(library IN LISTS moe_libraries)
    install(CODE "
      file(CREATE_LINK ../$<TARGET_FILE_NAME:${library}> \${CMAKE_INSTALL_PREFIX}/tools/$<TARGET_FILE_NAME:${library}>
        COPY_ON_ERROR SYMBOLIC)" COMPONENT native)
  endforeach()
endif()

# The headers from which the bindings are generated.
install(DIRECTORY ${LLAMA_CPP_SOURCE_DIR}/include/ ${LLAMA_CPP_SOURCE_DIR}/ggml/include/
  DESTINATION include COMPONENT native FILES_MATCHING PATTERN *.h)

install(FILES ${LLAMA_CPP_SOURCE_DIR}/LICENSE DESTINATION licenses RENAME LICENSE-llama.cpp.txt COMPONENT native)
install(FILES THIRD-PARTY-NOTICES.txt DESTINATION licenses COMPONENT native)
