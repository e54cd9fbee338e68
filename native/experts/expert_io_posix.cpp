#include "expert_io.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <stdexcept>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

namespace experts {

namespace {

uint64_t time_of_change(const struct stat & status) {
#ifdef __APPLE__
    const timespec time = status.st_mtimespec;
#else
    const timespec time = status.st_mtim;
#endif
    return (uint64_t) time.tv_sec * 1000000000u + (uint64_t) time.tv_nsec;
}

} // namespace

size_t page_size() {
    static const size_t size = (size_t) sysconf(_SC_PAGESIZE);
    return size;
}

address_range::address_range(size_t size) : size(size) {
    int flags = MAP_PRIVATE | MAP_ANONYMOUS;
#ifdef MAP_NORESERVE
    flags |= MAP_NORESERVE;
#endif
    void * address = mmap(nullptr, size, PROT_READ | PROT_WRITE, flags, -1, 0);
    if (address == MAP_FAILED) {
        throw std::runtime_error(
            "the system does not reserve " + std::to_string(size >> 20) + " MiB of addresses for the experts (" + std::strerror(errno) +
            "): raise the limit of address space (ulimit -v), and allow overcommitment (vm.overcommit_memory)");
    }
    start = (char *) address;
#ifdef MADV_NOHUGEPAGE
    // A huge page would take memory for experts that are not loaded.
    madvise(start, size, MADV_NOHUGEPAGE);
#endif
}

address_range::~address_range() {
    munmap(start, size);
}

// The system provides a page when it is written.
bool address_range::commit(char *, size_t) {
    return true;
}

void address_range::discard(char * pages, size_t size) {
#ifdef __APPLE__
    // MADV_FREE would keep the pages until memory is short.
    mmap(pages, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
#else
    madvise(pages, size, MADV_DONTNEED);
#endif
}

source_file::source_file(std::string path) : path(std::move(path)) {
    buffered = open(this->path.c_str(), O_RDONLY | O_CLOEXEC);
    struct stat status;
    if (buffered < 0 || fstat(buffered, &status) != 0) {
        const std::string reason = std::strerror(errno);
        if (buffered >= 0) {
            close(buffered);
        }
        fail("could not be opened: " + reason);
    }
    length = (uint64_t) status.st_size;
    stamp  = time_of_change(status);
#ifdef O_DIRECT
    direct = open(this->path.c_str(), O_RDONLY | O_CLOEXEC | O_DIRECT);
    struct stat same;
    if (direct >= 0 && (fstat(direct, &same) != 0 || same.st_ino != status.st_ino || same.st_dev != status.st_dev)) {
        close(direct);
        direct = -1;
    }
#elif defined(F_NOCACHE)
    fcntl(buffered, F_NOCACHE, 1);
#endif
    is_direct = direct >= 0;
}

source_file::~source_file() {
    close(buffered);
    if (direct >= 0) {
        close(direct);
    }
}

void source_file::read(char * target, uint64_t offset, size_t size, size_t needed) {
    for (size_t done = 0; done < needed;) {
        // Direct reads must begin at a whole page. Only the end of the file is not read up to one.
        const bool    directly = is_direct && done % page_size() == 0;
        const ssize_t n        = pread(directly ? direct : buffered, target + done, size - done, (off_t) (offset + done));
        if (n > 0) {
            done += (size_t) n;
        } else if (n == 0) {
            fail("ends at byte " + std::to_string(offset + done) + ": it was truncated after it was loaded. Restore the file, and load it again.");
        } else if (errno == EINVAL && directly) {
            is_direct = false; // the file system does not support it after all
        } else if (errno != EINTR) {
            fail("could not be read at byte " + std::to_string(offset + done) + ": " + std::strerror(errno));
        }
    }
#if defined(POSIX_FADV_DONTNEED)
    if (!is_direct) {
        posix_fadvise(buffered, (off_t) offset, (off_t) size, POSIX_FADV_DONTNEED);
    }
#endif
    check_unchanged();
}

void source_file::check_unchanged() const {
    struct stat status;
    if (fstat(buffered, &status) != 0) {
        fail(std::string("could not be examined: ") + std::strerror(errno));
    }
    if ((uint64_t) status.st_size != length || time_of_change(status) != stamp) {
        fail("was changed after it was loaded. Load it again.");
    }
}

void source_file::fail(const std::string & what) const {
    throw std::runtime_error("'" + path + "' " + what);
}

} // namespace experts
