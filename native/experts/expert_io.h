// What the store of experts needs of the operating system: address space, and reads that bypass its file cache.
#ifndef MOE_EXPERT_IO_H
#define MOE_EXPERT_IO_H

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>

namespace experts {

size_t page_size();

// A range of addresses. Its pages take memory only between commit and discard.
class address_range {
public:
    explicit address_range(size_t size); // throws std::runtime_error
    ~address_range();
    address_range(const address_range &) = delete;
    address_range & operator=(const address_range &) = delete;

    char * data() const {
        return start;
    }

    bool commit(char * pages, size_t size); // false if there is no memory
    void discard(char * pages, size_t size);

private:
    char * start;
    size_t size;
};

// A file that is read in whole pages by several threads.
class source_file {
public:
    explicit source_file(std::string path); // throws std::runtime_error
    ~source_file();
    source_file(const source_file &) = delete;
    source_file & operator=(const source_file &) = delete;

    uint64_t size() const {
        return length;
    }

    // Reads `needed` bytes, and further ones up to `size` if the file has them. Target, offset and size are multiples of the page size.
    // Throws std::runtime_error if the file cannot be read, or is not the one that was opened any more.
    void read(char * target, uint64_t offset, size_t size, size_t needed);

private:
    void check_unchanged() const;
    [[noreturn]] void fail(const std::string & what) const;

    std::string path;
    uint64_t    length = 0;
    uint64_t    stamp  = 0; // the time of the last change
#ifdef _WIN32
    void * file = nullptr;
#else
    int               buffered  = -1;
    int               direct    = -1;
    std::atomic<bool> is_direct = true;
#endif
};

} // namespace experts

#endif
