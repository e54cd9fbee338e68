#include "expert_backend.h"

#include "expert_compute.h"

#include "ggml-backend-impl.h"
#include "ggml-impl.h"

#include <algorithm>
#include <cstring>
#include <mutex>
#include <utility>
#include <vector>

namespace experts {

namespace {

constexpr char buffer_name[] = "Experts";

// What the buffer type of a model refers to.
struct model_experts {
    std::shared_ptr<expert_store> store;
    std::vector<ggml_tensor *>    loaded; // the tensor of each index in the store, while the model is loaded
};

thread_local ggml_backend_buffer_type_t loading_type  = nullptr;
thread_local int                        context_depth = 0;
thread_local std::string                compute_error;

ggml_backend_dev_t the_device();

model_experts & experts_of(ggml_backend_buffer_type_t buffer_type) {
    return *(model_experts *) buffer_type->context;
}

// Buffers

void free_buffer(ggml_backend_buffer_t) {}

void * base_of(ggml_backend_buffer_t buffer) {
    return experts_of(buffer->buft).store->address();
}

// llama.cpp reads the data of tensors that it finds in the file by their names. Without a name, it leaves a tensor out.
ggml_status init_tensor(ggml_backend_buffer_t buffer, ggml_tensor * tensor) {
    if (tensor->view_src != nullptr) {
        return GGML_STATUS_SUCCESS;
    }
    model_experts & model = experts_of(buffer->buft);
    const int       index = model.store->find(tensor->name);
    if (index < 0 || model.store->source((size_t) index).n_bytes != ggml_nbytes(tensor) ||
        model.store->source((size_t) index).n_experts != tensor->ne[2]) {
        GGML_LOG_ERROR("tensor '%s' does not have the shape that it has in the file\n", tensor->name);
        return GGML_STATUS_FAILED;
    }
    tensor->data    = model.store->data((size_t) index);
    tensor->extra   = (void *) (intptr_t) (index + 1);
    tensor->name[0] = '\0';
    model.loaded[(size_t) index] = tensor;
    return GGML_STATUS_SUCCESS;
}

void refuse_memset(ggml_backend_buffer_t, ggml_tensor *, uint8_t, size_t, size_t) {
    GGML_ABORT("experts cannot be changed while they are in the model's files");
}

void refuse_set(ggml_backend_buffer_t, ggml_tensor *, const void *, size_t, size_t) {
    GGML_ABORT("experts cannot be changed while they are in the model's files");
}

void get_tensor(ggml_backend_buffer_t buffer, const ggml_tensor * tensor, void * data, size_t offset, size_t size) {
    expert_store & store = *experts_of(buffer->buft).store;
    const size_t   index = tensor_index(tensor);
    for (size_t done = 0; done < size;) {
        const size_t expert = (offset + done) / tensor->nb[2];
        const size_t within = (offset + done) % tensor->nb[2];
        const size_t n      = std::min(size - done, tensor->nb[2] - within);
        const held   slices(store, { store.slice(index, (uint32_t) expert) }, false, [] { return false; });
        if (slices.result() != outcome::ready) {
            GGML_ABORT("%s", slices.error().c_str());
        }
        std::memcpy((char *) data + done, (const char *) tensor->data + offset + done, n);
        done += n;
    }
}

void clear(ggml_backend_buffer_t, uint8_t) {}

// Buffer types

const char * name_of_type(ggml_backend_buffer_type_t) {
    return buffer_name;
}

// After the model was loaded, LoRA adapters ask for memory beside the tensors that they change.
ggml_backend_buffer_t alloc_buffer(ggml_backend_buffer_type_t buffer_type, size_t size) {
    if (loading_type != buffer_type) {
        return ggml_backend_buft_alloc_buffer(ggml_backend_cpu_buffer_type(), size);
    }
    ggml_backend_buffer_i functions = {};
    functions.free_buffer   = free_buffer;
    functions.get_base      = base_of;
    functions.init_tensor   = init_tensor;
    functions.memset_tensor = refuse_memset;
    functions.set_tensor    = refuse_set;
    functions.get_tensor    = get_tensor;
    functions.clear         = clear;
    return ggml_backend_buffer_init(buffer_type, functions, nullptr, std::max(size, experts_of(buffer_type).store->address_size()));
}

size_t alignment(ggml_backend_buffer_type_t) {
    return 64;
}

bool is_host(ggml_backend_buffer_type_t) {
    return true;
}

// The backend of a context

struct thread_pool {
    int               n_threads = 0;
    ggml_threadpool_t pool      = nullptr;
};

struct expert_backend {
    ggml_backend_t      cpu = nullptr;
    thread_pool         pools[2];
    ggml_abort_callback should_abort = nullptr;
    void *              abort_data   = nullptr;
};

expert_backend & state_of(ggml_backend_t backend) {
    return *(expert_backend *) backend->context;
}

template <typename Function>
Function cpu_function(ggml_backend_t cpu, const char * name) {
    return (Function) ggml_backend_reg_get_proc_address(ggml_backend_dev_backend_reg(ggml_backend_get_device(cpu)), name);
}

void set_n_threads(ggml_backend_t backend, int n_threads) {
    expert_backend & state = state_of(backend);
    if (const auto set = cpu_function<ggml_backend_set_n_threads_t>(state.cpu, "ggml_backend_set_n_threads")) {
        set(state.cpu, n_threads);
    }
    const auto use = cpu_function<void (*)(ggml_backend_t, ggml_threadpool_t)>(state.cpu, "ggml_backend_cpu_set_threadpool");
    for (const thread_pool & candidate : state.pools) {
        if (use != nullptr && candidate.pool != nullptr && candidate.n_threads == n_threads) {
            use(state.cpu, candidate.pool);
            break;
        }
    }
}

void set_abort_callback(ggml_backend_t backend, ggml_abort_callback should_abort, void * data) {
    expert_backend & state = state_of(backend);
    state.should_abort     = should_abort;
    state.abort_data       = data;
    if (const auto set = cpu_function<ggml_backend_set_abort_callback_t>(state.cpu, "ggml_backend_set_abort_callback")) {
        set(state.cpu, should_abort, data);
    }
}

const char * name_of_backend(ggml_backend_t) {
    return buffer_name;
}

void free_backend(ggml_backend_t backend) {
    ggml_backend_free(state_of(backend).cpu);
    delete &state_of(backend);
    delete backend;
}

ggml_status compute_graph(ggml_backend_t backend, ggml_cgraph * graph) {
    const expert_backend & state = state_of(backend);
    compute_error.clear();
    return compute(state.cpu, graph, [&] { return state.should_abort != nullptr && state.should_abort(state.abort_data); }, compute_error);
}

// The device

const char * name_of_device(ggml_backend_dev_t) {
    return buffer_name;
}

const char * description_of_device(ggml_backend_dev_t) {
    return "experts in the model's files";
}

void memory_of_device(ggml_backend_dev_t, size_t * free, size_t * total) {
    *free  = 0;
    *total = 0;
}

// llama.cpp adds a backend for each accelerator to each context. For all others, this device is none of the kinds that it uses.
enum ggml_backend_dev_type type_of_device(ggml_backend_dev_t) {
    return context_depth > 0 ? GGML_BACKEND_DEVICE_TYPE_ACCEL : GGML_BACKEND_DEVICE_TYPE_META;
}

void properties_of_device(ggml_backend_dev_t device, ggml_backend_dev_props * properties) {
    *properties             = {};
    properties->name        = name_of_device(device);
    properties->description = description_of_device(device);
    properties->type        = type_of_device(device);
    properties->caps        = {};
}

ggml_backend_t new_backend(ggml_backend_dev_t device, const char *) {
    static ggml_guid identity = { 0x6d, 0x6f, 0x65, 0x2d, 0x65, 0x78, 0x70, 0x65, 0x72, 0x74, 0x2d, 0x66, 0x69, 0x6c, 0x65, 0x73 };
    ggml_backend_t   cpu      = ggml_backend_init_by_type(GGML_BACKEND_DEVICE_TYPE_CPU, nullptr);
    if (cpu == nullptr) {
        return nullptr;
    }
    ggml_backend_i functions = {};
    functions.get_name       = name_of_backend;
    functions.free           = free_backend;
    functions.graph_compute  = compute_graph;
    auto * state = new expert_backend;
    state->cpu   = cpu;
    return new ggml_backend{ &identity, functions, device, state };
}

// With the CPU's own type, the scheduler uses the same memory for both backends, and copies nothing between them.
ggml_backend_buffer_type_t type_of_buffers(ggml_backend_dev_t) {
    return ggml_backend_cpu_buffer_type();
}

bool supports_op(ggml_backend_dev_t, const ggml_tensor * node) {
    return is_part_of_experts(node);
}

bool supports_buffers(ggml_backend_dev_t, ggml_backend_buffer_type_t buffer_type) {
    return ggml_backend_buft_is_host(buffer_type);
}

const char * name_of_registry(ggml_backend_reg_t) {
    return buffer_name;
}

size_t device_count(ggml_backend_reg_t) {
    return 1;
}

ggml_backend_dev_t device_at(ggml_backend_reg_t, size_t) {
    return the_device();
}

void * find_function(ggml_backend_reg_t, const char * name) {
    return std::strcmp(name, "ggml_backend_set_n_threads") == 0 ? (void *) set_n_threads
        : std::strcmp(name, "ggml_backend_set_abort_callback") == 0 ? (void *) set_abort_callback
        : nullptr;
}

ggml_backend_reg_t the_registry() {
    static ggml_backend_reg registry = [] {
        ggml_backend_reg made       = {};
        made.api_version            = GGML_BACKEND_API_VERSION;
        made.iface.get_name         = name_of_registry;
        made.iface.get_device_count = device_count;
        made.iface.get_device       = device_at;
        made.iface.get_proc_address = find_function;
        return made;
    }();
    return &registry;
}

ggml_backend_dev_t the_device() {
    static ggml_backend_device device = [] {
        ggml_backend_device made   = {};
        made.iface.get_name        = name_of_device;
        made.iface.get_description = description_of_device;
        made.iface.get_memory      = memory_of_device;
        made.iface.get_type        = type_of_device;
        made.iface.get_props       = properties_of_device;
        made.iface.init_backend    = new_backend;
        made.iface.get_buffer_type = type_of_buffers;
        made.iface.supports_op     = supports_op;
        made.iface.supports_buft   = supports_buffers;
        made.reg                   = the_registry();
        return made;
    }();
    return &device;
}

} // namespace

size_t tensor_index(const ggml_tensor * tensor) {
    return (size_t) (intptr_t) tensor->extra - 1;
}

expert_store * store_of_tensor(const ggml_tensor * tensor) {
    return tensor != nullptr && tensor->buffer != nullptr ? store_of(tensor->buffer->buft) : nullptr;
}

ggml_backend_buffer_type_t new_buffer_type(std::shared_ptr<expert_store> store) {
    static std::once_flag registered;
    std::call_once(registered, [] { ggml_backend_device_register(the_device()); });

    auto * model = new model_experts;
    model->loaded.resize(store->tensor_count());
    model->store = std::move(store);
    auto * type  = new ggml_backend_buffer_type{};
    type->iface.get_name      = name_of_type;
    type->iface.alloc_buffer  = alloc_buffer;
    type->iface.get_alignment = alignment;
    type->iface.is_host       = is_host;
    type->device              = ggml_backend_dev_by_type(GGML_BACKEND_DEVICE_TYPE_CPU);
    type->context             = model;
    return type;
}

void release_buffer_type(ggml_backend_buffer_type_t buffer_type) {
    experts_of(buffer_type).store->close();
    delete &experts_of(buffer_type);
    delete buffer_type;
}

expert_store * store_of(ggml_backend_buffer_type_t buffer_type) {
    return buffer_type != nullptr && buffer_type->iface.get_name == name_of_type ? experts_of(buffer_type).store.get() : nullptr;
}

loading_scope::loading_scope(const llama_model_params & params) {
    for (const auto * rule = params.tensor_buft_overrides; rule != nullptr && rule->pattern != nullptr; rule++) {
        if (store_of(rule->buft) != nullptr) {
            buffer_type = rule->buft;
        }
    }
    loading_type = buffer_type;
}

loading_scope::~loading_scope() {
    loading_type = nullptr;
    if (buffer_type != nullptr) {
        std::vector<ggml_tensor *> & loaded = experts_of(buffer_type).loaded;
        std::fill(loaded.begin(), loaded.end(), nullptr);
    }
}

void loading_scope::finish() const {
    if (buffer_type == nullptr) {
        return;
    }
    const model_experts & model = experts_of(buffer_type);
    for (size_t i = 0; i < model.loaded.size(); i++) {
        if (model.loaded[i] != nullptr) {
            ggml_set_name(model.loaded[i], model.store->source(i).name.c_str());
            model.store->mark_present(i);
        }
    }
}

context_scope::context_scope(bool is_needed) : is_needed(is_needed) {
    context_depth += is_needed ? 1 : 0;
}

context_scope::~context_scope() {
    context_depth -= is_needed ? 1 : 0;
}

void use_threads(ggml_backend_sched_t scheduler, int n_decode, ggml_threadpool_t decode, int n_prompt, ggml_threadpool_t prompt) {
    for (int i = 0; i < ggml_backend_sched_get_n_backends(scheduler); i++) {
        ggml_backend_t backend = ggml_backend_sched_get_backend(scheduler, i);
        if (ggml_backend_get_device(backend) == the_device()) {
            state_of(backend).pools[0] = { n_decode, decode };
            state_of(backend).pools[1] = { n_prompt, prompt };
        }
    }
}

std::string take_error() {
    return std::exchange(compute_error, std::string());
}

} // namespace experts
