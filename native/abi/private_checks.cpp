// Checks numbers of llama.cpp's private headers and of its RPC protocol that MoeOffload's code repeats. If one of them changes, change it in
// both places. The message names the other one.
#include "ggml-backend-impl.h"
#include "ggml-rpc.h"
#include "llama-cparams.h"
#include "llama-hparams.h"
#include "llama-kv-cells.h"

#include <bitset>
#include <cstddef>

static_assert(RPC_PROTO_MAJOR_VERSION == 7 && RPC_PROTO_MINOR_VERSION == 0, "RpcEndpoint.cs: MajorVersion and MinorVersion");
static_assert(LLAMA_MAX_SEQ == 256, "ContextOptions.cs: MostSequences");
static_assert(LLAMA_MAX_LAYERS == 512, "HyperparameterCheck.cs: MaxLayers");
static_assert(LLAMA_MAX_EXPERTS == 1024, "HyperparameterCheck.cs: MaxExperts");

// A cell of the KV cache consists of its position, its shift, data for images, and its sequences.
static_assert(
    2 * sizeof(llama_pos) + sizeof(llama_kv_cell_ext) + sizeof(std::bitset<LLAMA_MAX_SEQ>) <= 64, "ContextMemoryCheck.cs: BytesPerCell");

// The interface between ggml and a backend. It has no stable version of its own, so its parts are compared one by one. If one has changed,
// compare what native/experts/expert_backend.cpp fills in with what the other backends do.
constexpr size_t pointer = sizeof(void *);

static_assert(GGML_BACKEND_API_VERSION == 2, "expert_backend.cpp: the interface of backends");
static_assert(sizeof(ggml_backend_buffer_type_i) == 6 * pointer && sizeof(ggml_backend_buffer_type) == 8 * pointer, "expert_backend.cpp: buffer types");
static_assert(sizeof(ggml_backend_buffer_i) == 11 * pointer && offsetof(ggml_backend_buffer, size) == 13 * pointer, "expert_backend.cpp: buffers");
static_assert(
    sizeof(ggml_backend_i) == 16 * pointer && offsetof(ggml_backend_i, graph_compute) == 12 * pointer && sizeof(ggml_backend) == 19 * pointer,
    "expert_backend.cpp: backends");
static_assert(sizeof(ggml_backend_device_i) == 15 * pointer && sizeof(ggml_backend_device) == 17 * pointer, "expert_backend.cpp: devices");
static_assert(sizeof(ggml_backend_reg_i) == 4 * pointer && sizeof(ggml_backend_reg) == 6 * pointer, "expert_backend.cpp: registries");
