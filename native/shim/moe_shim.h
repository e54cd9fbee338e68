// A small C API for functions that llama.cpp offers only in C++, or that could throw an exception or call abort().
//
// Conventions: every function returns a moe_status and writes its results through pointers; texts are UTF-8; no exception leaves a
// function; handles are llama.cpp's own, with the ownership that llama.cpp defines. Unless the status is MOE_STATUS_OK, the reason
// is written to `error` (a buffer of the caller with `error_size` bytes, always terminated; may be NULL).
#ifndef MOE_SHIM_H
#define MOE_SHIM_H

#include "llama.h"

#include <stddef.h>
#include <stdint.h>

#if defined(_WIN32)
#    ifdef MOE_SHIM_BUILD
#        define MOE_API __declspec(dllexport)
#    else
#        define MOE_API __declspec(dllimport)
#    endif
#else
#    define MOE_API __attribute__((visibility("default")))
#endif

// Changes whenever a function or struct below changes.
#define MOE_SHIM_VERSION 6

// The maximum length of device, buffer type and tensor names in the structs below, including the terminator.
#define MOE_NAME_SIZE 128

#ifdef __cplusplus
extern "C" {
#endif

enum moe_status {
    MOE_STATUS_OK               = 0,
    MOE_STATUS_INVALID_ARGUMENT = 1, // a NULL or out-of-range argument
    MOE_STATUS_BUFFER_TOO_SMALL = 2, // the required size was written; call again with that size
    MOE_STATUS_FAILED           = 3, // llama.cpp reported or threw an error
    MOE_STATUS_OUT_OF_MEMORY    = 4,
    MOE_STATUS_ABORTED          = 5, // llama.cpp called abort(): the objects of the call must be neither used again nor freed
    MOE_STATUS_TOO_COMPLEX      = 6, // a regular expression needs more steps than are allowed
};

// Called with llama.cpp's message if it aborts on one of its own threads, where no caller can be notified. That thread is then blocked
// forever, so threads that wait for it must be abandoned. Must not throw or block.
typedef void (*moe_abort_callback)(const char * message);

// One tensor of a loaded model, with its actual location in memory.
struct moe_tensor_placement {
    char     name[MOE_NAME_SIZE];
    char     buffer_type[MOE_NAME_SIZE]; // ggml_backend_buft_name: "CPU", "CPU_Mapped", "CUDA0", "RPC0[127.0.0.1:50052]"
    char     device[MOE_NAME_SIZE];      // ggml_backend_dev_name; empty if the buffer does not belong to a device
    int64_t  ne[4];                      // dimensions, the contiguous one first
    uint64_t n_bytes;
    int32_t  type;                       // enum ggml_type
    int32_t  is_host;                    // 1 if the CPU can read it in place
};

// The memory of one buffer type for a context and its model, in bytes.
struct moe_memory_entry {
    char     buffer_type[MOE_NAME_SIZE];
    char     device[MOE_NAME_SIZE];
    uint64_t model;   // weights
    uint64_t context; // KV cache and outputs
    uint64_t compute; // graph and staging buffers
    int32_t  is_host;
    int32_t  padding;
};

// The properties of a model's embeddings.
struct moe_embedding_info {
    int32_t length;  // the number of floats in an embedding
    int32_t pooling; // the model's enum llama_pooling_type
    int32_t causal;  // 1 if a token attends only to earlier tokens
};

// A model's own layers for multi-token prediction (MTP, called NextN in llama.cpp).
struct moe_mtp_info {
    int32_t n_layers;   // the number of these layers in the file
    int32_t loaded;     // 1 if their weights are in memory, see llama_model_params.load_mtp
    int32_t computable; // 1 if this llama.cpp can compute them
    int32_t width;      // the number of floats in a hidden state
};

// A parsed chat template. Can be used from several threads at the same time.
struct moe_chat;

// A parser for answers to one rendered prompt. Can be used from several threads at the same time.
struct moe_chat_parser;

// A text from one of the functions below, which the caller must free.
struct moe_text;

// A projector (mmproj), the part of a model that turns images into embeddings. Apart from moe_prompt_encode, its functions can be called from
// several threads at the same time.
struct moe_projector;

// A decoded image.
struct moe_image;

// A prompt with images, as chunks in the order of the prompt: each is a run of tokens, or an image or a part of one.
struct moe_prompt;

// One candidate at a position.
struct moe_token_logprob {
    int32_t token;
    float   logprob; // the natural logarithm of the softmax over the whole vocabulary, before any sampler
};

// How a projector is loaded.
struct moe_projector_options {
    ggml_backend_dev_t device;           // NULL: the CPU
    int32_t            n_threads;        // on the CPU
    int32_t            max_image_tokens; // if the number of embeddings depends on the size of the image; 0: the projector's own limit
};

// The properties of a projector.
struct moe_projector_info {
    int32_t width;          // the number of floats in an embedding
    int32_t vision;         // 1 if it takes images
    int32_t position_count; // the number of positions of an embedding: 4 for M-RoPE, otherwise 1
};

// A chunk of a prompt with images.
struct moe_prompt_chunk {
    int32_t image;       // the zero-based index of the image, or -1 for tokens
    int32_t n_tokens;    // the number of tokens or embeddings
    int32_t n_positions; // the number of positions by which the chunk advances, which is less than n_tokens for images with M-RoPE
    int32_t is_causal;   // 0 if the embeddings attend to each other in both directions, so that all must be computed in one micro-batch
};

// A part of a prompt: a text, or an image if it is not NULL.
struct moe_prompt_part {
    const char *             text;
    uint64_t                 text_size; // in bytes
    const struct moe_image * image;
};

// How often the routers of a context's layers selected each expert. The caller owns the struct and its arrays, which must be zeroed
// before use and live as long as the context.
struct moe_expert_counter {
    int64_t * counts;   // n_layers rows of n_experts
    int64_t * tokens;   // for each layer, the number of tokens for which its router selected experts
    int64_t * versions; // for each layer, an odd number while its counts change
    int32_t * ids;      // scratch memory for data from a device
    uint64_t  n_ids;    // the length of ids, at least n_experts
    int32_t   n_layers;
    int32_t   n_experts;
};

// A tensor of a model's file that holds something of each expert, such as blk.0.ffn_up_exps.weight.
struct moe_expert_tensor {
    const char * name;
    uint64_t     offset;    // in the file, in bytes
    uint64_t     n_bytes;
    int32_t      file;      // the index of the file
    int32_t      layer;
    int32_t      n_experts;
    int32_t      padding;
};

// How often the experts of a layer were used while they were in the file, and what reading them took.
struct moe_expert_use {
    int64_t hits;       // uses of experts that were in memory already
    int64_t misses;     // uses of experts that had to be read
    int64_t bytes_read;
    int64_t wait_ns;    // the time for which computations waited for reads, in nanoseconds
};

// The memory of experts that are read from the file when they are used, in bytes.
struct moe_expert_memory {
    uint64_t limit;
    uint64_t resident; // now
    uint64_t peak;     // the most since the model was loaded
    uint64_t total;    // the size of all experts in the files
};

// Returns the reason why a read fails, or NULL to read. `offset` is in bytes.
typedef const char * (*moe_read_fault)(void * data, int32_t file, uint64_t offset);

// Returns the MOE_SHIM_VERSION of the library.
MOE_API int32_t moe_shim_version(void);

// Turns abort() inside the functions below into an error (MOE_STATUS_ABORTED), and elsewhere into a call of `callback`. This applies to
// this copy of ggml in the whole process. If callback is NULL, an abort elsewhere ends the process as usual.
MOE_API void moe_set_abort_callback(moe_abort_callback callback);

// Loads a backend library so that its symbols resolve to our copy of ggml, regardless of what else the process has loaded.
// *reg is NULL with MOE_STATUS_OK if the library exists, but this machine cannot run it (wrong CPU variant, no driver).
MOE_API enum moe_status moe_backend_load(const char * path, ggml_backend_reg_t * reg, char * error, size_t error_size);

// The score that determines the best of several variants of a backend; 0 if this machine cannot run it, 1 if it has no score.
MOE_API enum moe_status moe_backend_score(const char * path, int32_t * score, char * error, size_t error_size);

// Connects to an RPC server ("host:port") and registers its devices.
MOE_API enum moe_status moe_rpc_add_server(const char * endpoint, char * error, size_t error_size);

// Returns the free and total memory of a device in bytes.
MOE_API enum moe_status moe_device_memory(ggml_backend_dev_t device, uint64_t * free, uint64_t * total, char * error, size_t error_size);

// Returns the index-th buffer type of a device: its default type, then its pinned host memory, then extra ones such as CPU_REPACK.
// NULL after the last one.
MOE_API enum moe_status moe_device_buffer_type(
        ggml_backend_dev_t device, int32_t index, ggml_backend_buffer_type_t * buffer_type, char * error, size_t error_size);

// Compiles an ECMAScript pattern in the same way as llama.cpp.
MOE_API enum moe_status moe_regex_check(const char * pattern, char * error, size_t error_size);

// Sets matched[i] to 1 if the pattern matches in names[i]. The engine takes at most max_steps steps for each name.
MOE_API enum moe_status moe_regex_match(
        const char * pattern, const char * const * names, size_t n_names, uint64_t max_steps,
        uint8_t * matched, char * error, size_t error_size);

// Creates a buffer type for one model, whose tensors stay in the model's files: the experts that were used last are in memory, up to `limit`
// bytes, for all contexts of the model together. To load a model with it, specify it in params.tensor_buft_overrides, and a load mode that
// does not map the file. `limit` must have room for every single expert in every tensor, rounded up to whole pages.
MOE_API enum moe_status moe_experts_new(
        const char * const * paths, size_t n_paths, const struct moe_expert_tensor * tensors, size_t n_tensors, uint64_t limit,
        ggml_backend_buffer_type_t * experts, char * error, size_t error_size);

// Must be called after the models that use the buffer type have been freed.
MOE_API enum moe_status moe_experts_free(ggml_backend_buffer_type_t experts, char * error, size_t error_size);

// Writes the counts of the first n_layers layers. Can be called on any thread.
MOE_API enum moe_status moe_experts_counts(
        ggml_backend_buffer_type_t experts, struct moe_expert_use * layers, size_t n_layers, struct moe_expert_memory * memory,
        char * error, size_t error_size);

// Sets a function that is called before each read, on one of the threads that read. For tests; NULL in production.
MOE_API enum moe_status moe_experts_inject(
        ggml_backend_buffer_type_t experts, moe_read_fault fault, void * data, char * error, size_t error_size);

// llama_model_load_from_splits; with params.no_alloc, loading is only simulated. *model is NULL and the status is MOE_STATUS_FAILED also
// if the progress callback ended the load.
MOE_API enum moe_status moe_model_load(
        const char ** paths, size_t n_paths, const struct llama_model_params * params,
        struct llama_model ** model, char * error, size_t error_size);

MOE_API enum moe_status moe_model_free(struct llama_model * model, char * error, size_t error_size);

// Returns the number of tensors that the model holds in memory.
MOE_API enum moe_status moe_model_tensor_count(const struct llama_model * model, size_t * count, char * error, size_t error_size);

// Writes up to `capacity` entries, and the total number of entries.
MOE_API enum moe_status moe_model_tensors(
        const struct llama_model * model, struct moe_tensor_placement * entries, size_t capacity, size_t * count,
        char * error, size_t error_size);

MOE_API enum moe_status moe_model_mtp_info(
        const struct llama_model * model, struct moe_mtp_info * info, char * error, size_t error_size);

// llama_init_from_model. LLAMA_CONTEXT_TYPE_MTP is rejected if moe_model_mtp_info reports that it cannot be computed.
MOE_API enum moe_status moe_context_init(
        struct llama_model * model, const struct llama_context_params * params,
        struct llama_context ** context, char * error, size_t error_size);

MOE_API enum moe_status moe_context_free(struct llama_context * context, char * error, size_t error_size);

// ggml_threadpool_new of the CPU backend with its defaults: threads that live as long as the pool, instead of new threads for each
// computation.
MOE_API enum moe_status moe_threadpool_new(int32_t n_threads, ggml_threadpool_t * pool, char * error, size_t error_size);

// Must be called after the contexts that use the pool have been freed. Does nothing for NULL.
MOE_API enum moe_status moe_threadpool_free(ggml_threadpool_t pool, char * error, size_t error_size);

// llama_set_n_threads and llama_attach_threadpool. Each pool has as many threads as compute with it.
MOE_API enum moe_status moe_context_use_threads(
        struct llama_context * context, int32_t n_decode, ggml_threadpool_t decode, int32_t n_prompt, ggml_threadpool_t prompt,
        char * error, size_t error_size);

// llama_get_memory_breakdown, in which experts in files take at most their limit. Writes up to `capacity` entries, and the total number of entries.
MOE_API enum moe_status moe_memory_breakdown(
        const struct llama_context * context, struct moe_memory_entry * entries, size_t capacity, size_t * count,
        char * error, size_t error_size);

// A ggml_abort_callback that returns true while the int32_t that `data` points to is not 0.
MOE_API bool moe_abort_when_set(void * data);

// A ggml_backend_sched_eval_callback for llama_context_params.cb_eval that counts in the moe_expert_counter that `data` points to.
MOE_API bool moe_count_experts(struct ggml_tensor * tensor, bool ask, void * data);

// Copies counter->counts and counter->tokens. Can be called on any thread. The numbers of one layer are consistent, but another layer can
// be a micro-batch ahead.
MOE_API enum moe_status moe_expert_counts(
        const struct moe_expert_counter * counter, int64_t * counts, size_t n_counts, int64_t * tokens, size_t n_tokens,
        char * error, size_t error_size);

// llama_decode; *result is its return value (0: done, 1: no room in the KV cache, 2: ended by the abort callback, < 0: failed). If it failed
// because experts could not be read, `error` says why, and is empty otherwise.
MOE_API enum moe_status moe_decode(
        struct llama_context * context, const struct llama_batch * batch, int32_t * result, char * error, size_t error_size);

// llama_set_embeddings_nextn: each later moe_decode keeps the hidden states of all tokens, or of the tokens with logits.
MOE_API enum moe_status moe_hidden_keep(struct llama_context * context, bool all, char * error, size_t error_size);

// llama_get_embeddings_nextn of a context that keeps the hidden states of all tokens: a row for each token of the last moe_decode, valid
// until the next one. The rows are in the order in which llama.cpp computed the tokens. If n tokens have logits, the first n rows are then
// swapped in the same way as the logits, which llama.cpp brings into the order of the batch.
MOE_API enum moe_status moe_hidden_rows(struct llama_context * context, const float ** rows, char * error, size_t error_size);

// llama_get_embeddings_nextn_ith of a context that keeps the hidden states of tokens with logits: copies that of the index-th token in the batch.
MOE_API enum moe_status moe_hidden_row(
        struct llama_context * context, int32_t index, float * row, size_t n_floats, char * error, size_t error_size);

// llama_set_nextn_layer_offset: sets the zero-based layer that later calls of moe_decode compute in a LLAMA_CONTEXT_TYPE_MTP context.
MOE_API enum moe_status moe_mtp_select(struct llama_context * context, int32_t layer, char * error, size_t error_size);

// llama_memory_clear or llama_memory_seq_rm of one sequence (all if sequence < 0), from position p0 onwards.
MOE_API enum moe_status moe_memory_remove(
        struct llama_context * context, llama_seq_id sequence, llama_pos p0, int32_t * removed, char * error, size_t error_size);

// llama_memory_seq_cp of a whole sequence to another one, whose content is lost. If each sequence has its own cache, the next moe_decode
// makes the copy.
MOE_API enum moe_status moe_memory_copy(
        struct llama_context * context, llama_seq_id source, llama_seq_id target, char * error, size_t error_size);

// Removes the positions [p0, p1) of a sequence and moves the later ones down accordingly; the next moe_decode rotates their keys.
// If the memory does not support this (llama_memory_can_shift), *moved is 0 and nothing is changed.
MOE_API enum moe_status moe_memory_discard(
        struct llama_context * context, llama_seq_id sequence, llama_pos p0, llama_pos p1, int32_t * moved,
        char * error, size_t error_size);

// Makes the copies and rotations now that would otherwise be deferred to the next moe_decode. States must not be read or written before.
MOE_API enum moe_status moe_memory_update(struct llama_context * context, char * error, size_t error_size);

// llama_memory_can_shift.
MOE_API enum moe_status moe_memory_can_shift(struct llama_context * context, int32_t * can_shift, char * error, size_t error_size);

// llama_memory_seq_pos_min and _max; both are -1 if the sequence is empty. All positions between them have cells.
MOE_API enum moe_status moe_memory_range(
        struct llama_context * context, llama_seq_id sequence, llama_pos * min, llama_pos * max, char * error, size_t error_size);

// llama_state_seq_get_size.
MOE_API enum moe_status moe_state_size(
        struct llama_context * context, llama_seq_id sequence, size_t * size, char * error, size_t error_size);

// llama_state_seq_get_data; *written is the number of bytes.
MOE_API enum moe_status moe_state_get(
        struct llama_context * context, llama_seq_id sequence, uint8_t * data, size_t size, size_t * written,
        char * error, size_t error_size);

// llama_state_seq_set_data. It trusts the data, so the caller must reject data of another model, of another llama.cpp, or that is damaged.
// Unless the status is MOE_STATUS_OK, the sequence is empty afterwards.
MOE_API enum moe_status moe_state_set(
        struct llama_context * context, llama_seq_id sequence, const uint8_t * data, size_t size, char * error, size_t error_size);

// llama_sampler_init_grammar.
MOE_API enum moe_status moe_sampler_grammar(
        const struct llama_vocab * vocab, const char * grammar, const char * root,
        struct llama_sampler ** sampler, char * error, size_t error_size);

// Samples from the logits of the index-th output of the last moe_decode and accepts the token. `chain` selects the token (NULL: the one
// with the largest logit). `grammar` (may be NULL) rejects tokens: as in llama.cpp's own tools, the token that the chain selects is tested
// first, and only if the grammar rejects it, a token is sampled again with the grammar before the chain.
// `scratch` is memory of the caller for n_vocab entries.
MOE_API enum moe_status moe_sample(
        struct llama_context * context, int32_t index, struct llama_sampler * chain, struct llama_sampler * grammar,
        struct llama_token_data * scratch, size_t scratch_size, llama_token * token, char * error, size_t error_size);

// Returns the log-probability of `token` at the index-th output, and the n most probable candidates in descending order.
MOE_API enum moe_status moe_logprobs(
        struct llama_context * context, int32_t index, llama_token token, float * logprob,
        struct moe_token_logprob * top, size_t n_top, char * error, size_t error_size);

// Returns the logits of the index-th output, n_vocab floats.
MOE_API enum moe_status moe_logits(
        struct llama_context * context, int32_t index, float * logits, size_t n_logits, char * error, size_t error_size);

MOE_API enum moe_status moe_model_embedding_info(
        const struct llama_model * model, struct moe_embedding_info * info, char * error, size_t error_size);

// Returns rows of n_embd_out floats, the embeddings of the last moe_decode's tokens from the first-th onwards, for a context with embeddings
// and without pooling.
MOE_API enum moe_status moe_embeddings(
        struct llama_context * context, int32_t first, int32_t count, float * rows, size_t n_floats, char * error, size_t error_size);

// llama_adapter_lora_init. While this function or moe_adapter_free runs, no context of the model may be created, or compute for the first
// time after moe_adapters_set, because llama.cpp keeps an unprotected list of a model's adapters.
MOE_API enum moe_status moe_adapter_load(
        struct llama_model * model, const char * path, struct llama_adapter_lora ** adapter, char * error, size_t error_size);

// No context may still use the adapter, and its model must still exist.
MOE_API enum moe_status moe_adapter_free(struct llama_adapter_lora * adapter, char * error, size_t error_size);

// llama_set_adapters_lora: replaces the active adapters, each with its scale.
MOE_API enum moe_status moe_adapters_set(
        struct llama_context * context, struct llama_adapter_lora ** adapters, float * scales, size_t n_adapters,
        char * error, size_t error_size);

// llama_tokenize; *count is the number of tokens, even with MOE_STATUS_BUFFER_TOO_SMALL.
MOE_API enum moe_status moe_tokenize(
        const struct llama_vocab * vocab, const char * text, size_t text_size, bool add_special, bool parse_special,
        llama_token * tokens, size_t capacity, size_t * count, char * error, size_t error_size);

// llama_token_to_piece without stripping; *size is the number of bytes, even with MOE_STATUS_BUFFER_TOO_SMALL.
MOE_API enum moe_status moe_token_to_piece(
        const struct llama_vocab * vocab, llama_token token, bool special,
        char * piece, size_t capacity, size_t * size, char * error, size_t error_size);

// llama_detokenize; *size is the number of bytes, even with MOE_STATUS_BUFFER_TOO_SMALL.
MOE_API enum moe_status moe_detokenize(
        const struct llama_vocab * vocab, const llama_token * tokens, size_t n_tokens, bool remove_special, bool unparse_special,
        char * text, size_t capacity, size_t * size, char * error, size_t error_size);

// Returns the content of the text, which is valid until the text is freed. It can contain NUL.
MOE_API enum moe_status moe_text_get(
        const struct moe_text * text, const char ** data, size_t * size, char * error, size_t error_size);

// Does nothing for NULL.
MOE_API enum moe_status moe_text_free(struct moe_text * text, char * error, size_t error_size);

// Parses a Jinja chat template: `source`, or the model's own template if it is NULL (MOE_STATUS_INVALID_ARGUMENT if the model has none).
// The model can be freed before the template.
MOE_API enum moe_status moe_chat_init(
        const struct llama_model * model, const char * source, struct moe_chat ** chat, char * error, size_t error_size);

// Does nothing for NULL.
MOE_API enum moe_status moe_chat_free(struct moe_chat * chat, char * error, size_t error_size);

// JSON: {"source", "tool_use_source", "caps": {name: bool}}.
MOE_API enum moe_status moe_chat_describe(
        const struct moe_chat * chat, struct moe_text ** description, char * error, size_t error_size);

// Renders a conversation. `request` is JSON: {"messages", "tools", "tool_choice", "parallel_tool_calls", "reasoning_format",
// "enable_thinking", "json_schema", "template_arguments"}, the first two as in OpenAI's API, and the last one an object with any
// values. All but "messages" are optional. *rendered is JSON: {"prompt", "preserved_tokens", "additional_stops", "grammar", ...}, which
// moe_chat_sampler and moe_chat_parser_init take.
MOE_API enum moe_status moe_chat_render(
        const struct moe_chat * chat, const char * request, struct moe_text ** rendered, char * error, size_t error_size);

// Creates the sampler that a rendered prompt requires: its grammar, immediately or from its triggers onwards. *sampler is NULL if there is none.
MOE_API enum moe_status moe_chat_sampler(
        const struct llama_vocab * vocab, const char * rendered, struct llama_sampler ** sampler, char * error, size_t error_size);

MOE_API enum moe_status moe_chat_parser_init(
        const char * rendered, struct moe_chat_parser ** parser, char * error, size_t error_size);

// Does nothing for NULL.
MOE_API enum moe_status moe_chat_parser_free(struct moe_chat_parser * parser, char * error, size_t error_size);

// Parses an answer, which is incomplete if is_partial is true. *message is JSON:
// {"content", "reasoning_content", "tool_calls": [{"id", "name", "arguments"}]}, where the arguments are text, which ends where the answer ends.
MOE_API enum moe_status moe_chat_parse(
        const struct moe_chat_parser * parser, const char * answer, size_t answer_size, bool is_partial,
        struct moe_text ** message, char * error, size_t error_size);

// Decodes an image. MOE_STATUS_INVALID_ARGUMENT if it is damaged or has more than `max_pixels` pixels, and so many scans or such a shape that
// only a hostile image has them.
MOE_API enum moe_status moe_image_decode(
        const uint8_t * data, size_t size, int64_t max_pixels, struct moe_image ** image, char * error, size_t error_size);

// Does nothing for NULL.
MOE_API enum moe_status moe_image_free(struct moe_image * image, char * error, size_t error_size);

// mtmd_init_from_file. The file must have been checked, and the model must live as long as the projector.
MOE_API enum moe_status moe_projector_load(
        const char * path, const struct llama_model * model, const struct moe_projector_options * options,
        struct moe_projector ** projector, char * error, size_t error_size);

// Does nothing for NULL.
MOE_API enum moe_status moe_projector_free(struct moe_projector * projector, char * error, size_t error_size);

MOE_API enum moe_status moe_projector_describe(
        const struct moe_projector * projector, struct moe_projector_info * info, char * error, size_t error_size);

// mtmd_get_memory_usage: simulates loading a projector. Writes up to `capacity` entries, whose `model` is the sum of weights and compute
// buffers, and the total number of entries.
MOE_API enum moe_status moe_projector_memory(
        const char * path, const struct moe_projector_options * options, struct moe_memory_entry * entries, size_t capacity, size_t * count,
        char * error, size_t error_size);

// mtmd_tokenize_from_parts: tokenizes the texts and prepares the images, which can be freed before the prompt.
MOE_API enum moe_status moe_prompt_tokenize(
        const struct moe_projector * projector, const struct moe_prompt_part * parts, size_t n_parts, bool add_special, bool parse_special,
        struct moe_prompt ** prompt, char * error, size_t error_size);

// Does nothing for NULL.
MOE_API enum moe_status moe_prompt_free(struct moe_prompt * prompt, char * error, size_t error_size);

// Writes up to `capacity` chunks, and the total number of chunks.
MOE_API enum moe_status moe_prompt_chunks(
        const struct moe_prompt * prompt, struct moe_prompt_chunk * chunks, size_t capacity, size_t * count, char * error, size_t error_size);

// Copies the tokens of a chunk, which is not an image.
MOE_API enum moe_status moe_prompt_tokens(
        const struct moe_prompt * prompt, size_t chunk, llama_token * tokens, size_t n_tokens, char * error, size_t error_size);

// Writes the positions of the embeddings [begin, begin + n_tokens) of an image that begins at position `first`, as llama_batch.pos has them:
// for M-RoPE, four times n_tokens positions, and otherwise n_tokens.
MOE_API enum moe_status moe_prompt_positions(
        const struct moe_prompt * prompt, size_t chunk, llama_pos first, size_t begin, llama_pos * positions, size_t n_tokens,
        char * error, size_t error_size);

// mtmd_encode_chunk: computes the embeddings of an image, n_tokens rows of `width` floats.
MOE_API enum moe_status moe_prompt_encode(
        struct moe_projector * projector, const struct moe_prompt * prompt, size_t chunk, float * embeddings, size_t n_floats,
        char * error, size_t error_size);

// llama_decode of embeddings, as moe_decode. With `causal` false, they attend to each other in both directions.
MOE_API enum moe_status moe_decode_embeddings(
        struct llama_context * context, const struct llama_batch * batch, bool causal, int32_t * result, char * error, size_t error_size);

#ifdef __cplusplus
}
#endif

#endif
