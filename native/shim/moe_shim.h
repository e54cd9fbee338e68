// A small C API over what llama.cpp offers only in C++, and over what it would answer with an exception or abort().
//
// Conventions: every function returns a moe_status and writes its results through pointers; texts are UTF-8;
// nothing is thrown across; handles are llama.cpp's own and stay owned as llama.cpp says. On any status but
// MOE_STATUS_OK the reason is written to `error` (a caller's buffer of `error_size` bytes, always terminated; may be NULL).
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

// Changes whenever a function or struct below does.
#define MOE_SHIM_VERSION 3

// Longest device, buffer type and tensor name that the structs below carry, terminator included.
#define MOE_NAME_SIZE 128

#ifdef __cplusplus
extern "C" {
#endif

enum moe_status {
    MOE_STATUS_OK               = 0,
    MOE_STATUS_INVALID_ARGUMENT = 1, // a NULL or out-of-range argument
    MOE_STATUS_BUFFER_TOO_SMALL = 2, // the needed size was written; call again with that much
    MOE_STATUS_FAILED           = 3, // llama.cpp reported or threw an error
    MOE_STATUS_OUT_OF_MEMORY    = 4,
    MOE_STATUS_ABORTED          = 5, // llama.cpp called abort(): what was being computed must not be used again, nor freed
    MOE_STATUS_TOO_COMPLEX      = 6, // a regular expression needs more steps than are allowed
};

// Called with llama.cpp's message when it aborts on a thread of its own, where no caller can be told. That thread
// is then parked for good: whoever waits for it waits for ever and must be given up. Must not throw or block.
typedef void (*moe_abort_callback)(const char * message);

// One tensor of a loaded model, as it truly lies in memory.
struct moe_tensor_placement {
    char     name[MOE_NAME_SIZE];
    char     buffer_type[MOE_NAME_SIZE]; // ggml_backend_buft_name: "CPU", "CPU_Mapped", "CUDA0", "RPC0[127.0.0.1:50052]"
    char     device[MOE_NAME_SIZE];      // ggml_backend_dev_name; empty where the buffer belongs to none
    int64_t  ne[4];                      // dimensions, the fastest first
    uint64_t n_bytes;
    int32_t  type;                       // enum ggml_type
    int32_t  is_host;                    // 1 where the CPU reads it in place
};

// What one buffer type holds for a context and its model, in bytes.
struct moe_memory_entry {
    char     buffer_type[MOE_NAME_SIZE];
    char     device[MOE_NAME_SIZE];
    uint64_t model;   // weights
    uint64_t context; // KV cache and outputs
    uint64_t compute; // graph and staging buffers
    int32_t  is_host;
    int32_t  padding;
};

// What a model says about embeddings.
struct moe_embedding_info {
    int32_t length;  // floats of one embedding
    int32_t pooling; // enum llama_pooling_type, the model's own
    int32_t causal;  // 1 where a token sees only those before it
};

// What a model has of its own for predicting several tokens at once (MTP; NextN in llama.cpp's names).
struct moe_mtp_info {
    int32_t n_layers;   // layers of the file that are for this
    int32_t loaded;     // 1 where their weights are in memory, see llama_model_params.load_mtp
    int32_t computable; // 1 where this llama.cpp can compute them
    int32_t width;      // floats of one hidden state
};

// A model's chat template, parsed. Safe to use from several threads at once.
struct moe_chat;

// Reads the answer to one rendered prompt back. Safe to use from several threads at once.
struct moe_chat_parser;

// A text that one of the functions below made, for the caller to free.
struct moe_text;

// One alternative at a position.
struct moe_token_logprob {
    int32_t token;
    float   logprob; // natural logarithm of the softmax over the whole vocabulary, before any sampler
};

// How often the routers of a context's layers chose each expert. The caller owns it and what it points to, all zeroed before
// use and kept for as long as the context.
struct moe_expert_counter {
    int64_t * counts;   // n_layers rows of n_experts
    int64_t * tokens;   // for each layer, the tokens that its router chose for
    int64_t * versions; // for each layer, odd while its numbers change
    int32_t * ids;      // scratch for what is read from a device
    uint64_t  n_ids;    // its length, at least n_experts
    int32_t   n_layers;
    int32_t   n_experts;
};

// MOE_SHIM_VERSION of the library.
MOE_API int32_t moe_shim_version(void);

// Makes abort() inside the functions below an error of theirs (MOE_STATUS_ABORTED), and elsewhere a call of `callback`.
// Holds for the whole process and this copy of ggml. callback may be NULL: such an abort then ends the process as ever.
MOE_API void moe_set_abort_callback(moe_abort_callback callback);

// Loads one backend library so that its symbols resolve to our copy of ggml, whatever else the process has loaded.
// *reg is NULL with MOE_STATUS_OK where the library is there but this machine cannot run it (CPU variant, no driver).
MOE_API enum moe_status moe_backend_load(const char * path, ggml_backend_reg_t * reg, char * error, size_t error_size);

// The score by which the best of several builds of a backend is chosen; 0: not on this machine. 1 where it has none.
MOE_API enum moe_status moe_backend_score(const char * path, int32_t * score, char * error, size_t error_size);

// Connects to an RPC server ("host:port") and registers its devices.
MOE_API enum moe_status moe_rpc_add_server(const char * endpoint, char * error, size_t error_size);

// Free and total memory of a device in bytes.
MOE_API enum moe_status moe_device_memory(ggml_backend_dev_t device, uint64_t * free, uint64_t * total, char * error, size_t error_size);

// The index-th buffer type of a device: its own, then its pinned host memory, then extra ones such as CPU_REPACK;
// NULL past the last.
MOE_API enum moe_status moe_device_buffer_type(
        ggml_backend_dev_t device, int32_t index, ggml_backend_buffer_type_t * buffer_type, char * error, size_t error_size);

// Compiles an ECMAScript pattern as llama.cpp will.
MOE_API enum moe_status moe_regex_check(const char * pattern, char * error, size_t error_size);

// matched[i] = 1 where the pattern is found in names[i]. At most max_steps steps of the engine for each name.
MOE_API enum moe_status moe_regex_match(
        const char * pattern, const char * const * names, size_t n_names, uint64_t max_steps,
        uint8_t * matched, char * error, size_t error_size);

// llama_model_load_from_splits; with params.no_alloc it only simulates. *model is NULL and the status MOE_STATUS_FAILED
// also where the progress callback ended the load.
MOE_API enum moe_status moe_model_load(
        const char ** paths, size_t n_paths, const struct llama_model_params * params,
        struct llama_model ** model, char * error, size_t error_size);

MOE_API enum moe_status moe_model_free(struct llama_model * model, char * error, size_t error_size);

// The number of tensors that the model holds in memory.
MOE_API enum moe_status moe_model_tensor_count(const struct llama_model * model, size_t * count, char * error, size_t error_size);

// Fills up to `capacity` entries and writes how many there are.
MOE_API enum moe_status moe_model_tensors(
        const struct llama_model * model, struct moe_tensor_placement * entries, size_t capacity, size_t * count,
        char * error, size_t error_size);

MOE_API enum moe_status moe_model_mtp_info(
        const struct llama_model * model, struct moe_mtp_info * info, char * error, size_t error_size);

// llama_init_from_model. LLAMA_CONTEXT_TYPE_MTP is refused where moe_model_mtp_info says that it cannot be.
MOE_API enum moe_status moe_context_init(
        struct llama_model * model, const struct llama_context_params * params,
        struct llama_context ** context, char * error, size_t error_size);

MOE_API enum moe_status moe_context_free(struct llama_context * context, char * error, size_t error_size);

// ggml_threadpool_new of the CPU backend, with its defaults: threads that live as long as the pool, instead of new ones for
// each computation.
MOE_API enum moe_status moe_threadpool_new(int32_t n_threads, ggml_threadpool_t * pool, char * error, size_t error_size);

// To be called after the contexts that use the pool are freed. NULL does nothing.
MOE_API enum moe_status moe_threadpool_free(ggml_threadpool_t pool, char * error, size_t error_size);

// llama_get_memory_breakdown. Fills up to `capacity` entries and writes how many there are.
MOE_API enum moe_status moe_memory_breakdown(
        const struct llama_context * context, struct moe_memory_entry * entries, size_t capacity, size_t * count,
        char * error, size_t error_size);

// A ggml_abort_callback: true while the int32_t that `data` points to is not 0.
MOE_API bool moe_abort_when_set(void * data);

// A ggml_backend_sched_eval_callback for llama_context_params.cb_eval: counts in the moe_expert_counter that `data` points to.
MOE_API bool moe_count_experts(struct ggml_tensor * tensor, bool ask, void * data);

// Copies counter->counts and counter->tokens, from any thread. The numbers of one layer belong together; another layer may be
// a micro-batch ahead of it.
MOE_API enum moe_status moe_expert_counts(
        const struct moe_expert_counter * counter, int64_t * counts, size_t n_counts, int64_t * tokens, size_t n_tokens,
        char * error, size_t error_size);

// llama_decode; *result is its answer (0: done, 1: no room in the KV cache, 2: ended by the abort callback, < 0: failed).
MOE_API enum moe_status moe_decode(
        struct llama_context * context, const struct llama_batch * batch, int32_t * result, char * error, size_t error_size);

// llama_set_embeddings_nextn: has each later moe_decode keep hidden states, those of all tokens or of those with logits.
MOE_API enum moe_status moe_hidden_keep(struct llama_context * context, bool all, char * error, size_t error_size);

// llama_get_embeddings_nextn of a context that keeps those of all tokens: a row for each of the last moe_decode, until the next
// one. They come in the order in which llama.cpp computed the tokens, of which the first n, where n had logits, are swapped
// as it swaps the logits to bring these into the batch's order.
MOE_API enum moe_status moe_hidden_rows(struct llama_context * context, const float ** rows, char * error, size_t error_size);

// llama_get_embeddings_nextn_ith of a context that keeps those with logits: copies that of the batch's index-th token.
MOE_API enum moe_status moe_hidden_row(
        struct llama_context * context, int32_t index, float * row, size_t n_floats, char * error, size_t error_size);

// llama_set_nextn_layer_offset: which layer later moe_decodes of a LLAMA_CONTEXT_TYPE_MTP compute, from 0.
MOE_API enum moe_status moe_mtp_select(struct llama_context * context, int32_t layer, char * error, size_t error_size);

// llama_memory_clear / llama_memory_seq_rm of one sequence (sequence < 0: all), from position p0 on.
MOE_API enum moe_status moe_memory_remove(
        struct llama_context * context, llama_seq_id sequence, llama_pos p0, int32_t * removed, char * error, size_t error_size);

// llama_memory_seq_cp of a whole sequence onto another one, which loses what it held. Where sequences have caches of their
// own, the copy is made by the next moe_decode.
MOE_API enum moe_status moe_memory_copy(
        struct llama_context * context, llama_seq_id source, llama_seq_id target, char * error, size_t error_size);

// Forgets the positions [p0, p1) of a sequence and moves the later ones down by as many; the next moe_decode rotates their keys.
// *moved = 0 and nothing is done where the memory cannot (llama_memory_can_shift).
MOE_API enum moe_status moe_memory_discard(
        struct llama_context * context, llama_seq_id sequence, llama_pos p0, llama_pos p1, int32_t * moved,
        char * error, size_t error_size);

// Makes the copies and rotations now that would else wait for the next moe_decode, and that states must not be read or written
// before.
MOE_API enum moe_status moe_memory_update(struct llama_context * context, char * error, size_t error_size);

// llama_memory_can_shift.
MOE_API enum moe_status moe_memory_can_shift(struct llama_context * context, int32_t * can_shift, char * error, size_t error_size);

// llama_memory_seq_pos_min and _max; both -1 where the sequence is empty. The cells of all positions between are there.
MOE_API enum moe_status moe_memory_range(
        struct llama_context * context, llama_seq_id sequence, llama_pos * min, llama_pos * max, char * error, size_t error_size);

// llama_state_seq_get_size.
MOE_API enum moe_status moe_state_size(
        struct llama_context * context, llama_seq_id sequence, size_t * size, char * error, size_t error_size);

// llama_state_seq_get_data; *written is the number of bytes.
MOE_API enum moe_status moe_state_get(
        struct llama_context * context, llama_seq_id sequence, uint8_t * data, size_t size, size_t * written,
        char * error, size_t error_size);

// llama_state_seq_set_data. Data that another model, another llama.cpp or nobody wrote must be kept from it: it trusts them.
// On any status but MOE_STATUS_OK the sequence is empty.
MOE_API enum moe_status moe_state_set(
        struct llama_context * context, llama_seq_id sequence, const uint8_t * data, size_t size, char * error, size_t error_size);

// llama_sampler_init_grammar.
MOE_API enum moe_status moe_sampler_grammar(
        const struct llama_vocab * vocab, const char * grammar, const char * root,
        struct llama_sampler ** sampler, char * error, size_t error_size);

// Samples from the logits of the index-th output of the last moe_decode and accepts the token. `chain` selects (NULL: the
// token with the largest logit); `grammar` (may be NULL) rules out what it forbids: the chain's choice is tested first,
// and sampled again with the grammar before the chain only where it is refused, as llama.cpp's own tools do.
// `scratch` holds n_vocab entries of the caller's.
MOE_API enum moe_status moe_sample(
        struct llama_context * context, int32_t index, struct llama_sampler * chain, struct llama_sampler * grammar,
        struct llama_token_data * scratch, size_t scratch_size, llama_token * token, char * error, size_t error_size);

// The log-probability of `token` at the index-th output and the n best alternatives, best first.
MOE_API enum moe_status moe_logprobs(
        struct llama_context * context, int32_t index, llama_token token, float * logprob,
        struct moe_token_logprob * top, size_t n_top, char * error, size_t error_size);

// The logits of the index-th output, n_vocab floats.
MOE_API enum moe_status moe_logits(
        struct llama_context * context, int32_t index, float * logits, size_t n_logits, char * error, size_t error_size);

MOE_API enum moe_status moe_model_embedding_info(
        const struct llama_model * model, struct moe_embedding_info * info, char * error, size_t error_size);

// The rows of n_embd_out floats that a context with embeddings and without pooling made of the last moe_decode's tokens,
// from the first-th on.
MOE_API enum moe_status moe_embeddings(
        struct llama_context * context, int32_t first, int32_t count, float * rows, size_t n_floats, char * error, size_t error_size);

// llama_adapter_lora_init. While it runs, and moe_adapter_free, no context of the model may be made, nor compute for the
// first time after moe_adapters_set: llama.cpp keeps a list of a model's adapters that it does not guard.
MOE_API enum moe_status moe_adapter_load(
        struct llama_model * model, const char * path, struct llama_adapter_lora ** adapter, char * error, size_t error_size);

// No context may use it any more, and its model must still be there.
MOE_API enum moe_status moe_adapter_free(struct llama_adapter_lora * adapter, char * error, size_t error_size);

// llama_set_adapters_lora: these adapters and no others, each with its scale.
MOE_API enum moe_status moe_adapters_set(
        struct llama_context * context, struct llama_adapter_lora ** adapters, float * scales, size_t n_adapters,
        char * error, size_t error_size);

// llama_tokenize; *count is the number of tokens, also with MOE_STATUS_BUFFER_TOO_SMALL.
MOE_API enum moe_status moe_tokenize(
        const struct llama_vocab * vocab, const char * text, size_t text_size, bool add_special, bool parse_special,
        llama_token * tokens, size_t capacity, size_t * count, char * error, size_t error_size);

// llama_token_to_piece without stripping; *size is the number of bytes, also with MOE_STATUS_BUFFER_TOO_SMALL.
MOE_API enum moe_status moe_token_to_piece(
        const struct llama_vocab * vocab, llama_token token, bool special,
        char * piece, size_t capacity, size_t * size, char * error, size_t error_size);

// llama_detokenize; *size is the number of bytes, also with MOE_STATUS_BUFFER_TOO_SMALL.
MOE_API enum moe_status moe_detokenize(
        const struct llama_vocab * vocab, const llama_token * tokens, size_t n_tokens, bool remove_special, bool unparse_special,
        char * text, size_t capacity, size_t * size, char * error, size_t error_size);

// The text, valid until it is freed. It may contain NUL.
MOE_API enum moe_status moe_text_get(
        const struct moe_text * text, const char ** data, size_t * size, char * error, size_t error_size);

// NULL does nothing.
MOE_API enum moe_status moe_text_free(struct moe_text * text, char * error, size_t error_size);

// Parses a Jinja chat template: `source`, or the model's own where it is NULL (MOE_STATUS_INVALID_ARGUMENT where the model has
// none). The model may be freed before the template is.
MOE_API enum moe_status moe_chat_init(
        const struct llama_model * model, const char * source, struct moe_chat ** chat, char * error, size_t error_size);

// NULL does nothing.
MOE_API enum moe_status moe_chat_free(struct moe_chat * chat, char * error, size_t error_size);

// JSON: {"source", "tool_use_source", "caps": {name: bool}}.
MOE_API enum moe_status moe_chat_describe(
        const struct moe_chat * chat, struct moe_text ** description, char * error, size_t error_size);

// Renders a conversation. `request` is JSON: {"messages", "tools", "tool_choice", "parallel_tool_calls", "reasoning_format",
// "enable_thinking", "json_schema", "template_arguments"}, the first two as in OpenAI's API, the last an object of any values;
// all but "messages" may be missing. *rendered is JSON: {"prompt", "preserved_tokens", "additional_stops", "grammar", ...}; it is what the
// two functions after the next take.
MOE_API enum moe_status moe_chat_render(
        const struct moe_chat * chat, const char * request, struct moe_text ** rendered, char * error, size_t error_size);

// The sampler that a rendered prompt asks for: its grammar, at once or from its triggers on. *sampler is NULL where it asks for none.
MOE_API enum moe_status moe_chat_sampler(
        const struct llama_vocab * vocab, const char * rendered, struct llama_sampler ** sampler, char * error, size_t error_size);

MOE_API enum moe_status moe_chat_parser_init(
        const char * rendered, struct moe_chat_parser ** parser, char * error, size_t error_size);

// NULL does nothing.
MOE_API enum moe_status moe_chat_parser_free(struct moe_chat_parser * parser, char * error, size_t error_size);

// Reads what a model has answered so far, or in all where is_partial is false. *message is JSON:
// {"content", "reasoning_content", "tool_calls": [{"id", "name", "arguments"}]}, the arguments as text, cut where the answer is.
MOE_API enum moe_status moe_chat_parse(
        const struct moe_chat_parser * parser, const char * answer, size_t answer_size, bool is_partial,
        struct moe_text ** message, char * error, size_t error_size);

// json_schema_to_grammar. What it cannot express it passes over: check that before.
MOE_API enum moe_status moe_json_schema_to_grammar(
        const char * schema, struct moe_text ** grammar, char * error, size_t error_size);

#ifdef __cplusplus
}
#endif

#endif
