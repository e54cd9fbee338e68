#include "expert_io.h"

#ifndef NOMINMAX
#    define NOMINMAX
#endif
#ifndef WIN32_LEAN_AND_MEAN
#    define WIN32_LEAN_AND_MEAN
#endif
#include <filesystem>
#include <stdexcept>
#include <windows.h>

namespace experts {

namespace {

std::string last_error() {
    return "Windows error " + std::to_string(GetLastError());
}

bool examine(HANDLE file, uint64_t & length, uint64_t & stamp) {
    BY_HANDLE_FILE_INFORMATION info;
    if (!GetFileInformationByHandle(file, &info)) {
        return false;
    }
    length = (uint64_t) info.nFileSizeHigh << 32 | info.nFileSizeLow;
    stamp  = (uint64_t) info.ftLastWriteTime.dwHighDateTime << 32 | info.ftLastWriteTime.dwLowDateTime;
    return true;
}

} // namespace

size_t page_size() {
    static const size_t size = [] {
        SYSTEM_INFO info;
        GetSystemInfo(&info);
        return (size_t) info.dwPageSize;
    }();
    return size;
}

address_range::address_range(size_t size) : size(size) {
    start = (char *) VirtualAlloc(nullptr, size, MEM_RESERVE, PAGE_READWRITE);
    if (start == nullptr) {
        throw std::runtime_error(
            "the system does not reserve " + std::to_string(size >> 20) + " MiB of addresses for the experts (" + last_error() + ")");
    }
}

address_range::~address_range() {
    VirtualFree(start, 0, MEM_RELEASE);
}

bool address_range::commit(char * pages, size_t size) {
    return VirtualAlloc(pages, size, MEM_COMMIT, PAGE_READWRITE) != nullptr;
}

void address_range::discard(char * pages, size_t size) {
    VirtualFree(pages, size, MEM_DECOMMIT);
}

// Nobody can write the file while it is open.
source_file::source_file(std::string path) : path(std::move(path)) {
    file = CreateFileW(
        std::filesystem::u8path(this->path).wstring().c_str(), GENERIC_READ, FILE_SHARE_READ | FILE_SHARE_DELETE, nullptr, OPEN_EXISTING,
        FILE_FLAG_NO_BUFFERING | FILE_FLAG_OVERLAPPED, nullptr);
    if (file == INVALID_HANDLE_VALUE) {
        fail("could not be opened: " + last_error());
    }
    if (!examine(file, length, stamp)) {
        const std::string reason = last_error();
        CloseHandle(file);
        fail("could not be opened: " + reason);
    }
}

source_file::~source_file() {
    CloseHandle(file);
}

void source_file::read(char * target, uint64_t offset, size_t size, size_t needed) {
    OVERLAPPED request = {};
    request.Offset     = (DWORD) offset;
    request.OffsetHigh = (DWORD) (offset >> 32);
    request.hEvent     = CreateEventW(nullptr, TRUE, FALSE, nullptr);
    if (request.hEvent == nullptr) {
        fail("could not be read: " + last_error());
    }
    DWORD      done      = 0;
    const bool succeeded = (ReadFile(file, target, (DWORD) size, nullptr, &request) || GetLastError() == ERROR_IO_PENDING)
        && GetOverlappedResult(file, &request, &done, TRUE);
    const DWORD code = GetLastError();
    CloseHandle(request.hEvent);
    if (!succeeded && code != ERROR_HANDLE_EOF) {
        fail("could not be read at byte " + std::to_string(offset) + ": Windows error " + std::to_string(code));
    }
    if (done < needed) {
        fail("ends at byte " + std::to_string(offset + done) + ": it was truncated after it was loaded. Restore the file, and load it again.");
    }
    check_unchanged();
}

void source_file::check_unchanged() const {
    uint64_t length_now = 0;
    uint64_t stamp_now  = 0;
    if (!examine(file, length_now, stamp_now)) {
        fail("could not be examined: " + last_error());
    }
    if (length_now != length || stamp_now != stamp) {
        fail("was changed after it was loaded. Load it again.");
    }
}

void source_file::fail(const std::string & what) const {
    throw std::runtime_error("'" + path + "' " + what);
}

} // namespace experts
