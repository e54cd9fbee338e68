# moe-mtmd: llama.cpp's library for images, of which the shim uses the parts that work in memory.

# The helpers read files and decode images, sounds and videos. The shim decodes images itself, and only llama.cpp's own tools use the helpers.
get_target_property(sources mtmd SOURCES)
set(helpers ${sources})
list(FILTER helpers INCLUDE REGEX "^mtmd-helper.*\\.cpp$")
list(REMOVE_ITEM sources ${helpers})
set_target_properties(mtmd PROPERTIES SOURCES "${sources}")
list(APPEND moe_libraries mtmd)

# The code that describes computations runs once for an image, and the code for sounds never. Compiling it as one source file and with little
# optimization takes a tenth of the time. What runs for each pixel is optimized as in upstream's builds.
get_target_property(mtmd_directory mtmd SOURCE_DIR)
set(separate ${sources})
list(FILTER separate EXCLUDE REGEX "^models/.*\\.cpp$")
list(TRANSFORM separate PREPEND ${mtmd_directory}/)
set_source_files_properties(${separate} TARGET_DIRECTORY mtmd PROPERTIES SKIP_UNITY_BUILD_INCLUSION ON)
set_target_properties(mtmd PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE 0)
set(little_optimization $<IF:$<CXX_COMPILER_ID:MSVC>,/Od,-O0>)
target_compile_options(mtmd PRIVATE ${little_optimization})
set(optimized ${mtmd_directory}/mtmd.cpp ${mtmd_directory}/mtmd-image.cpp ${mtmd_directory}/clip.cpp)
set_source_files_properties(${optimized} TARGET_DIRECTORY mtmd PROPERTIES COMPILE_OPTIONS $<IF:$<CXX_COMPILER_ID:MSVC>,/O2,-O2>)

if(MOE_PEERS AND LLAMA_BUILD_SERVER)
  list(TRANSFORM helpers PREPEND ${mtmd_directory}/)
  add_library(moe-mtmd-helpers STATIC EXCLUDE_FROM_ALL ${helpers})
  target_link_libraries(moe-mtmd-helpers PUBLIC mtmd PRIVATE Threads::Threads vendor::hash vendor::miniaudio vendor::stb vendor::sheredom)
  target_compile_options(moe-mtmd-helpers PRIVATE ${little_optimization} $<$<NOT:$<CXX_COMPILER_ID:MSVC>>:-w>)
  set_target_properties(moe-mtmd-helpers PROPERTIES POSITION_INDEPENDENT_CODE ON)
  target_link_libraries(llama-server-impl PUBLIC moe-mtmd-helpers)
endif()
