# Some of MoeOffload's code repeats private code of llama.cpp, and would silently be wrong if that changed. Each such passage is listed here with
# a hash of its text (without comments and spaces), so that a llama.cpp with a different passage does not build before somebody has compared
# the two. Numbers are asserted by the compiler instead, in native/abi/private_checks.cpp. docs/new-llama.cpp.md describes what to do.

# moe_copied(<file> FROM <text> TO <text> HASH <hash> BY <class or file of ours>): the passage from the first text to the end of the
# second one behind it.
function(moe_copied file)
  cmake_parse_arguments(PARSE_ARGV 1 passage "" "FROM;TO;HASH;BY" "")
  set(hash "no such passage")
  file(READ ${LLAMA_CPP_SOURCE_DIR}/${file} text)
  string(FIND "${text}" "${passage_FROM}" from)
  if(from GREATER_EQUAL 0)
    string(SUBSTRING "${text}" ${from} -1 text)
    string(FIND "${text}" "${passage_TO}" to)
    if(to GREATER_EQUAL 0)
      string(LENGTH "${passage_TO}" length)
      math(EXPR length "${to} + ${length}")
      string(SUBSTRING "${text}" 0 ${length} text)
      string(REGEX REPLACE "//[^\n]*" "" text "${text}")
      string(REGEX REPLACE "[ \t\r\n]+" "" text "${text}")
      string(SHA256 hash "${text}")
      string(SUBSTRING ${hash} 0 16 hash)
    endif()
  endif()
  if(NOT hash STREQUAL passage_HASH)
    string(APPEND different "\n  ${file}, \"${passage_FROM}\", which ${passage_BY} repeats: ${hash}")
    set(different "${different}" PARENT_SCOPE)
  endif()
endfunction()

set(different)
set(function_end "\n}\n")

# The order in which llama.cpp computes the tokens of a batch and stores the results.
moe_copied(src/llama-batch.cpp FROM "llama_ubatch llama_batch_allocr::split_equal(" TO "${function_end}" HASH f848a4440e7ed68c BY HiddenRowOrder)
moe_copied(src/llama-context.cpp FROM "void llama_context::output_reorder()" TO "${function_end}" HASH 8794554585e71504 BY HiddenRowOrder)
moe_copied(src/llama-context.cpp FROM "if (!sorted_output && n_outputs > 1) {" TO "std::fill(output_ids" HASH 761f8c4c17dd32a4 BY HiddenRowOrder)

# The handshake of a client and a server.
moe_copied(ggml/src/ggml-rpc/ggml-rpc.cpp FROM "struct rpc_msg_hello_req {" TO "struct rpc_msg_device_count_rsp" HASH 8dc24fb3013bc3ec BY RpcEndpoint)
moe_copied(ggml/src/ggml-rpc/ggml-rpc.cpp FROM "static bool send_rpc_cmd(" TO "static bool negotiate_hello(" HASH 39fd266f35c882cf BY RpcEndpoint)
moe_copied(ggml/src/ggml-rpc/ggml-rpc.cpp FROM "static bool negotiate_hello(" TO "${function_end}" HASH 79440f4fbe7f03f9 BY RpcEndpoint)

# The syntax of grammars, and the grammars that are rejected.
moe_copied(src/llama-grammar.cpp FROM "#define MAX_REPETITION_THRESHOLD" TO "\n" HASH 4b2c4920730cc235 BY GrammarReader)
moe_copied(src/llama-grammar.cpp FROM "const char * llama_grammar_parser::parse_sequence(" TO "${function_end}" HASH 64633af7acf982d3 BY GrammarReader)
moe_copied(src/llama-grammar.cpp FROM "const char * llama_grammar_parser::parse_rule(" TO "${function_end}" HASH 5a41ffffa1cec63c BY GrammarReader)
moe_copied(src/llama-grammar.cpp FROM "static bool llama_grammar_detect_left_recursion(" TO "${function_end}" HASH 3041958d2b8e9c59 BY GrammarCheck)

# How an answer is parsed, and which parts of it write through the pointer that must not be used.
moe_copied(common/chat.cpp FROM "common_chat_msg common_chat_peg_parse(" TO "${function_end}" HASH 2553df9a88c227a0 BY moe_chat.cpp)
moe_copied(common/chat-peg-parser.cpp FROM "void common_chat_peg_mapper::map(" TO "${function_end}" HASH a8c867e8d6e188bd BY moe_chat.cpp)

# The number of cells in a KV cache.
moe_copied(src/llama-context.cpp FROM "cparams.n_ctx = GGML_PAD(" TO "LLAMA_LOG_INFO" HASH a4f749cb284f7835 BY ContextParameters.CellCount)

# Not repeated, but relied on, for experts that stay in the model's files: their tensors are left out when the data is read, and their backend takes part in contexts.
moe_copied(src/llama-model-loader.cpp FROM "for (struct ggml_tensor * cur : tensors) {" TO "if (progress_callback) {" HASH 030010d3c6e7b380 BY "native/experts/expert_backend.cpp")
moe_copied(src/llama-context.cpp FROM "// add ACCEL backends" TO "// add CPU backend" HASH 52c4becceb7f420d BY "native/experts/expert_backend.cpp")
moe_copied(ggml/src/ggml-backend.cpp FROM "// operations with weights are preferably run on the same backend" TO "${function_end}" HASH fb291572844f21c9 BY "native/experts/expert_backend.cpp")
moe_copied(ggml/src/ggml-alloc.c FROM "static bool alloc_tensor_range(" TO "${function_end}" HASH 0acbb1a7d923c673 BY "native/experts/expert_backend.cpp")

if(different)
  message(FATAL_ERROR "llama.cpp has changed private code that MoeOffload repeats:${different}\n"
    "Compare each passage with the code that repeats it, update that code if necessary, and put the new hash into native/cmake/copies.cmake"
    " (docs/new-llama.cpp.md).\n")
endif()
