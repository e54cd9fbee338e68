// Numbers of llama.cpp's private headers, and of its RPC protocol, that stand in MoeOffload's code a second time. Whoever changes one
// here changes it there: the message says where.
#include "ggml-rpc.h"
#include "llama-cparams.h"
#include "llama-hparams.h"
#include "llama-kv-cells.h"

#include <bitset>

static_assert(RPC_PROTO_MAJOR_VERSION == 7 && RPC_PROTO_MINOR_VERSION == 0, "RpcEndpoint.cs: MajorVersion and MinorVersion");
static_assert(LLAMA_MAX_SEQ == 256, "ContextOptions.cs: MostSequences");
static_assert(LLAMA_MAX_LAYERS == 512, "HyperparameterCheck.cs: MaxLayers");
static_assert(LLAMA_MAX_EXPERTS == 1024, "HyperparameterCheck.cs: MaxExperts");

// A cell of the KV cache: position, shift, what belongs to an image, and its sequences.
static_assert(
    2 * sizeof(llama_pos) + sizeof(llama_kv_cell_ext) + sizeof(std::bitset<LLAMA_MAX_SEQ>) <= 64, "ContextMemoryCheck.cs: BytesPerCell");
