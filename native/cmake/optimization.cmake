# Compiles expensive code that is never used without optimization: llama-server links llama.cpp's code for images and sound, which neither a
# test nor a measurement uses. Without optimization, and with its models in one source file, it takes a tenth of the time. Everything that is
# compared or measured is optimized as in upstream's builds.

if(NOT TARGET mtmd)
  return()
endif()

target_compile_options(mtmd PRIVATE $<IF:$<CXX_COMPILER_ID:MSVC>,/Od,-O0>)

get_target_property(sources mtmd SOURCES)
get_target_property(directory mtmd SOURCE_DIR)
set(others ${sources})
list(FILTER others EXCLUDE REGEX "^models/.*\\.cpp$")
list(TRANSFORM others PREPEND ${directory}/)
set_source_files_properties(${others} TARGET_DIRECTORY mtmd PROPERTIES SKIP_UNITY_BUILD_INCLUSION ON)
set_target_properties(mtmd PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE 0)
