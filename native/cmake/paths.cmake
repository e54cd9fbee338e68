# Builds for distribution must not contain directories of the build machine, but ggml includes the names of its source files in its messages.
# A build for one processor of this machine's kind keeps the directories, so that a debugger finds the source.

if(NOT GGML_CPU_ALL_VARIANTS AND NOT CMAKE_CROSSCOMPILING)
  return()
endif()

foreach(target IN LISTS moe_libraries moe_backends ITEMS llama-common llama-common-base)
  target_compile_options(${target} PRIVATE
    $<$<COMPILE_LANG_AND_ID:C,GNU,Clang,AppleClang>:-ffile-prefix-map=${LLAMA_CPP_SOURCE_DIR}=llama.cpp>
    $<$<COMPILE_LANG_AND_ID:CXX,GNU,Clang,AppleClang>:-ffile-prefix-map=${LLAMA_CPP_SOURCE_DIR}=llama.cpp>)
endforeach()
target_compile_options(moe-shim PRIVATE $<$<COMPILE_LANG_AND_ID:CXX,GNU,Clang,AppleClang>:-ffile-prefix-map=${PROJECT_SOURCE_DIR}=.>)
