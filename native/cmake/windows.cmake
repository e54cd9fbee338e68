# What compilers for Windows need.

if(NOT MINGW)
  return()
endif()

# MinGW-w64 before version 11 lacks a type that ggml uses.
set_source_files_properties(${LLAMA_CPP_SOURCE_DIR}/ggml/src/ggml-cpu/ggml-cpu.c TARGET_DIRECTORY ggml-base PROPERTIES
  COMPILE_OPTIONS "-include;${CMAKE_CURRENT_LIST_DIR}/toolchains/mingw.h")
