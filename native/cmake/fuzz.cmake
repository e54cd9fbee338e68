# moe-chat-fuzz: parses hostile answers and templates with the shim's functions. CONTRIBUTING.md describes how to run it.

if(NOT MOE_ASAN)
  return()
endif()

add_executable(moe-chat-fuzz native/fuzz/moe_chat_fuzz.cpp)
target_link_libraries(moe-chat-fuzz PRIVATE moe-shim llama)
target_include_directories(moe-chat-fuzz PRIVATE native/shim)
target_compile_features(moe-chat-fuzz PRIVATE cxx_std_17)
target_compile_options(moe-chat-fuzz PRIVATE -Wall -Wextra)
moe_run_path(moe-chat-fuzz ..)
list(APPEND moe_tools moe-chat-fuzz)
