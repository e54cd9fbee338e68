// A ggml backend that computes routed experts on the CPU while only some of them are in memory.
//
// Its buffer type holds the expert tensors of one model, whose data is an expert_store. The backend takes each layer's experts from the
// scheduler as a whole, loads those that the tokens need, and has the CPU backend compute them where they are, with the same code and in the
// same order as if all were in memory. It takes part only in the contexts of models that have such a buffer.
#ifndef MOE_EXPERT_BACKEND_H
#define MOE_EXPERT_BACKEND_H

#include "expert_store.h"

#include "ggml-backend.h"
#include "llama.h"

#include <memory>
#include <string>

namespace experts {

// Creates the buffer type of a store. It lives until release_buffer_type is called, which must be after the model was freed.
ggml_backend_buffer_type_t new_buffer_type(std::shared_ptr<expert_store> store);
void release_buffer_type(ggml_backend_buffer_type_t buffer_type);

// Returns the store of a buffer type, or NULL if it is another one.
expert_store * store_of(ggml_backend_buffer_type_t buffer_type);

// While it exists, the calling thread loads a model: its tensors get their addresses, and llama.cpp does not read their data.
class loading_scope {
public:
    explicit loading_scope(const llama_model_params & params);
    ~loading_scope();
    void finish() const; // must be called if the model was loaded
    loading_scope(const loading_scope &) = delete;
    loading_scope & operator=(const loading_scope &) = delete;

private:
    ggml_backend_buffer_type_t buffer_type = nullptr;
};

// While it exists, contexts that the calling thread creates get the backend, if the argument is true.
class context_scope {
public:
    explicit context_scope(bool is_needed);
    ~context_scope();
    context_scope(const context_scope &) = delete;
    context_scope & operator=(const context_scope &) = delete;

private:
    bool is_needed;
};

// Makes the backend in a scheduler, if there is one, compute with these pools, each of which has a number of threads.
void use_threads(ggml_backend_sched_t scheduler, int n_decode, ggml_threadpool_t decode, int n_prompt, ggml_threadpool_t prompt);

// Returns why the last computation of this thread failed, and forgets it. Empty if the reason is elsewhere.
std::string take_error();

} // namespace experts

#endif
