# moe-shim: a small C API for functions that llama.cpp offers only in C++.

# llama.cpp's common library, from which the shim links what it needs.
add_library(moe-common STATIC EXCLUDE_FROM_ALL $<TARGET_OBJECTS:llama-common> $<TARGET_OBJECTS:llama-common-base>)
set_target_properties(moe-common PROPERTIES LINKER_LANGUAGE CXX)

add_library(moe-shim SHARED
  native/shim/moe_shim.cpp native/shim/moe_chat.cpp native/shim/moe_lazy_grammar.cpp native/shim/moe_common_log.cpp native/shim/moe_experts.cpp
  native/shim/moe_images.cpp native/shim/moe_bitmap.cpp
  native/experts/expert_backend.cpp native/experts/expert_compute.cpp native/experts/expert_store.cpp
  native/experts/expert_io_$<IF:$<PLATFORM_ID:Windows>,windows,posix>.cpp)
target_include_directories(moe-shim PRIVATE native/shim native/experts ${LLAMA_CPP_SOURCE_DIR}/src)
target_include_directories(moe-shim SYSTEM PRIVATE ${LLAMA_CPP_SOURCE_DIR}/common ${LLAMA_CPP_SOURCE_DIR}/ggml/src ${LLAMA_CPP_SOURCE_DIR}/vendor)
target_link_libraries(moe-shim PRIVATE moe-common mtmd llama Threads::Threads ${CMAKE_DL_LIBS})
target_compile_definitions(moe-shim PRIVATE MOE_SHIM_BUILD)
target_compile_features(moe-shim PRIVATE cxx_std_17)
target_compile_options(moe-shim PRIVATE $<$<NOT:$<CXX_COMPILER_ID:MSVC>>:-Wall -Wextra>)
target_link_options(moe-shim PRIVATE
  $<$<PLATFORM_ID:Linux>:LINKER:--exclude-libs,ALL>
  $<$<PLATFORM_ID:Darwin>:LINKER:-exported_symbol,_moe_*>)
set_target_properties(moe-shim PROPERTIES CXX_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON)
moe_own_symbols(moe-shim)
moe_run_path(moe-shim)
list(APPEND moe_libraries moe-shim)

# Checks the layouts for which the bindings were generated, and numbers that our code repeats. If one has changed, this does not compile.
add_library(moe-abi OBJECT native/abi/abi_checks.c native/abi/private_checks.cpp)
target_include_directories(moe-abi PRIVATE native/shim ${LLAMA_CPP_SOURCE_DIR}/src ${LLAMA_CPP_SOURCE_DIR}/ggml/src)
target_compile_features(moe-abi PRIVATE cxx_std_17)
target_link_libraries(moe-abi PRIVATE llama)
