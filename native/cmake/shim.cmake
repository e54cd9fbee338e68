# moe-shim: a small C API over what llama.cpp offers only in C++.

add_library(moe-shim SHARED native/shim/moe_shim.cpp)
target_include_directories(moe-shim PRIVATE native/shim ${LLAMA_CPP_SOURCE_DIR}/src)
target_link_libraries(moe-shim PRIVATE llama ${CMAKE_DL_LIBS})
target_compile_definitions(moe-shim PRIVATE MOE_SHIM_BUILD)
target_compile_features(moe-shim PRIVATE cxx_std_17)
target_compile_options(moe-shim PRIVATE $<$<NOT:$<CXX_COMPILER_ID:MSVC>>:-Wall -Wextra>)
set_target_properties(moe-shim PROPERTIES CXX_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON)
moe_own_symbols(moe-shim)
moe_run_path(moe-shim)
list(APPEND moe_libraries moe-shim)

# The layouts that the bindings were generated for: a struct that has drifted does not compile.
add_library(moe-abi OBJECT native/abi/abi_checks.c)
target_include_directories(moe-abi PRIVATE native/shim)
target_link_libraries(moe-abi PRIVATE llama)
