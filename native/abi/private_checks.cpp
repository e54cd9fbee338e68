// Checks numbers of llama.cpp's private headers and of its RPC protocol that MoeOffload's code repeats. If one of them changes, change it in
// both places. The message names the other one.
#include "ggml-rpc.h"
#include "llama-cparams.h"
#include "llama-hparams.h"
#include "llama-kv-cells.h"

#include <bitset>

static_assert(RPC_PROTO_MAJOR_VERSION == 7 && RPC_PROTO_MINOR_VERSION == 0, "RpcEndpoint.cs: MajorVersion and MinorVersion");
static_assert(LLAMA_MAX_SEQ == 256, "ContextOptions.cs: MostSequences");
static_assert(LLAMA_MAX_LAYERS == 512, "HyperparameterCheck.cs: MaxLayers");
static_assert(LLAMA_MAX_EXPERTS == 1024, "HyperparameterCheck.cs: MaxExperts");

// A cell of the KV cache consists of its position, its shift, data for images, and its sequences.
static_assert(
    2 * sizeof(llama_pos) + sizeof(llama_kv_cell_ext) + sizeof(std::bitset<LLAMA_MAX_SEQ>) <= 64, "ContextMemoryCheck.cs: BytesPerCell");
