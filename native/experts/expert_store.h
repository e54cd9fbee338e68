// The routed experts of a model: those that were used last are in memory, up to a limit, and the others are in the model's files.
//
// Each tensor has addresses for all of its experts, but only those of the experts that are loaded have memory. So computations find an
// expert where they would find it if the whole tensor were in memory. A tensor begins at the same offset within a page as in its file, so
// that whole pages are read directly to where they belong.
#ifndef MOE_EXPERT_STORE_H
#define MOE_EXPERT_STORE_H

#include "expert_io.h"

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace experts {

// A tensor in a file. Its last dimension has one entry for each expert.
struct tensor_source {
    std::string name;
    size_t      file;
    uint64_t    offset;
    uint64_t    n_bytes;
    int32_t     layer;
    uint32_t    n_experts;
};

// How often the experts of a layer were used, and what loading them took.
struct layer_use {
    int64_t hits       = 0; // uses of experts that were loaded, or being loaded
    int64_t misses     = 0; // uses of experts that had to be read
    int64_t bytes_read = 0;
    int64_t wait_ns    = 0; // the time that computations waited
};

struct memory_use {
    uint64_t limit    = 0;
    uint64_t resident = 0;
    uint64_t peak     = 0;
    uint64_t total    = 0; // what all experts together would take
};

enum class outcome { ready, stopped, failed };

// Called before each read with its file and offset; a result other than NULL is the reason why the read fails. For tests.
using read_fault = const char * (*) (void * data, int32_t file, uint64_t offset);

class expert_store : public std::enable_shared_from_this<expert_store> {
public:
    // A slice is what one expert has in one tensor.
    using slice_id      = uint32_t;
    using slice_list    = std::vector<slice_id>;
    using stop_function = std::function<bool()>;

    // Throws std::runtime_error if a file cannot be opened, or ends before its tensors do.
    static std::shared_ptr<expert_store> open(std::vector<std::string> paths, std::vector<tensor_source> sources, uint64_t limit);
    ~expert_store() = default;

    // Ends the threads that read. A thread whose read does not return is abandoned, with the memory and the files.
    void close();

    size_t tensor_count() const {
        return tensors.size();
    }

    const tensor_source & source(size_t tensor) const {
        return tensors[tensor].source;
    }

    // Returns the index of a tensor, or -1.
    int find(const char * name) const;

    // Where the tensor is, or would be.
    char * data(size_t tensor) const {
        return tensors[tensor].pages + tensors[tensor].lead;
    }

    // Marks a tensor as one that the model has. Others, such as those of layers that were not loaded, are never read ahead.
    void mark_present(size_t tensor) {
        tensors[tensor].present = true;
    }

    // The number of bytes of addresses that the tensors take.
    size_t address_size() const {
        return size;
    }

    char * address() const {
        return range->data();
    }

    slice_id slice(size_t tensor, uint32_t expert) const {
        return tensors[tensor].first + expert;
    }

    // All slices of the layer behind a layer that have an expert, or none.
    slice_list next_layer(int32_t layer) const;

    // The memory that slices take, at most.
    uint64_t bytes_of(const slice_list & slices) const;

    // Counts a use of experts that have slices in some tensors.
    void count_use(int32_t layer, const std::vector<size_t> & of, const std::vector<uint32_t> & used);

    // Loads slices and keeps them in memory until they are released. They must fit within the limit. The caller must not hold others.
    // A stream uses most of a layer's experts: what it reads is evicted first, so that the experts of single tokens stay.
    outcome acquire(const slice_list & slices, bool is_stream, const stop_function & should_stop, std::string & error);
    void release(const slice_list & slices);

    // Begins to load slices for a stream, as many as there is room for now.
    void prefetch(const slice_list & slices);

    uint64_t limit() const {
        return limit_pages * page_size();
    }

    void read_counts(std::vector<layer_use> & layers, memory_use & memory) const;
    void set_fault(read_fault fault, void * data);

private:
    enum class state : uint8_t { absent, loading, ready };

    struct tensor {
        tensor_source source;
        uint64_t      slice_size;
        size_t        lead;  // the offset of the tensor in its first page
        char *        pages;
        slice_id      first;
        bool          present = false;
    };

    struct entry {
        slice_id prev = 0; // in the order of eviction
        slice_id next = 0;
        uint32_t tensor   = 0;
        uint32_t pins     = 0;
        uint32_t pieces   = 0; // reads that have not ended
        state    now      = state::absent;
        bool     failed   = false;
        bool     streamed = false;
    };

    struct piece {
        slice_id slice;
        size_t   first_page;
        size_t   n_pages;
    };

    struct page_span {
        size_t first;
        size_t last; // inclusive
    };

    expert_store(std::vector<std::string> paths, std::vector<tensor_source> sources, uint64_t limit);
    void start_readers();
    void read_pieces();
    std::string read(const piece & work, read_fault injected, void * injected_data);
    void finish(const piece & work, const std::string & reason);

    page_span span_of(slice_id id) const;
    bool is_shared(slice_id id, size_t page) const;
    page_span own_pages(slice_id id) const; // empty if last < first
    size_t cost_of(slice_id id) const;
    bool make_room(slice_id id);
    bool begin_loading(slice_id id, bool is_stream);
    void drop(slice_id id);
    void unlink(slice_id id);
    void link_before(slice_id id, slice_id next);
    void touch(slice_id id);
    void unpin(const slice_list & slices);

    std::vector<std::unique_ptr<source_file>> files;
    std::vector<tensor>                       tensors;
    std::vector<entry>                        entries; // the last one is the ends of the list
    size_t                                    size = 0;
    std::unique_ptr<address_range>            range;
    size_t                                    limit_pages;
    size_t                                    resident_pages = 0;
    size_t                                    peak_pages     = 0;
    std::vector<layer_use>                    layers;
    std::deque<piece>                         queue;
    std::string                               last_error;
    read_fault                                fault      = nullptr;
    void *                                    fault_data = nullptr;
    int                                       n_readers  = 0;
    bool                                      closing    = false;
    std::timed_mutex                          turn; // held by the one who waits for room, so that no one overtakes
    mutable std::mutex                        mutex;
    std::condition_variable                   work_arrived;
    std::condition_variable                   changed;
};

} // namespace experts

#endif
