# Reads native/llama.cpp.lock into lock_<name>, and sets the directory for downloads and finished builds.

if(CMAKE_HOST_WIN32)
  set(cache_default $ENV{LOCALAPPDATA}/MoeOffload)
elseif(NOT "$ENV{XDG_CACHE_HOME}" STREQUAL "")
  set(cache_default $ENV{XDG_CACHE_HOME}/moeoffload)
else()
  set(cache_default $ENV{HOME}/.cache/moeoffload)
endif()
if(NOT "$ENV{MOE_CACHE_DIR}" STREQUAL "")
  set(cache_default $ENV{MOE_CACHE_DIR})
endif()
cmake_path(NORMAL_PATH cache_default)
set(MOE_CACHE_DIR ${cache_default} CACHE PATH "Where the llama.cpp source and finished builds are kept, outside the tree")

set(lock_file ${CMAKE_CURRENT_LIST_DIR}/../llama.cpp.lock)
file(STRINGS ${lock_file} lines REGEX "^[a-z]+ *=")
foreach(line IN LISTS lines)
  string(REGEX MATCH "^([a-z]+) *= *(.+)$" line "${line}")
  set(lock_${CMAKE_MATCH_1} ${CMAKE_MATCH_2})
endforeach()

# The file in which a bundled source lists the hashes of its files.
set(moe_source_manifest moe-source.manifest)
