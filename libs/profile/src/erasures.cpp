#include "erasures.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>
#include <xxhash.h>

#include <array>
#include <cstdio>
#include <utility>
#include <vector>

#include "snapshot_file.h"

namespace marquee::profile {
namespace {

/// Id, offset, checksum of both.
using Entry = std::array<std::uint64_t, 3>;

std::uint64_t checksum(const Entry& entry) { return XXH3_64bits(entry.data(), 2 * sizeof entry[0]); }

}  // namespace

Result<std::unique_ptr<Erasures>> Erasures::open(const std::string& path,
                                                 const std::function<void(ProfileId, log::Offset)>& on_erasure) {
  const int descriptor = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (descriptor < 0) return file_error(path, "opened");
  auto erasures = std::unique_ptr<Erasures>(new Erasures(path, descriptor, 0));
  Entry entry;
  while (::pread(descriptor, entry.data(), sizeof entry, erasures->size_) == static_cast<ssize_t>(sizeof entry)) {
    if (entry[2] != checksum(entry)) {
      // The last one was being written; one that others follow was whole once.
      if (::lseek(descriptor, 0, SEEK_END) > erasures->size_ + static_cast<std::int64_t>(sizeof entry))
        return Error::give_up(fmt::format("{}: is damaged at byte {}", path, erasures->size_));
      break;
    }
    on_erasure({entry[0]}, entry[1]);
    erasures->size_ += sizeof entry;
  }
  if (::ftruncate(descriptor, erasures->size_) != 0) return file_error(path, "cut");
  if (auto synced = sync_directory_of(path); !synced) return synced.error();
  return erasures;
}

Erasures::~Erasures() { ::close(descriptor_); }

Result<void> Erasures::add(ProfileId id, log::Offset before) {
  Entry entry{id.value, before, 0};
  entry[2] = checksum(entry);
  const std::lock_guard lock(mutex_);
  // At the end of what is whole: what an append that failed has left is written over.
  if (::pwrite(descriptor_, entry.data(), sizeof entry, size_) != static_cast<ssize_t>(sizeof entry) ||
      ::fdatasync(descriptor_) != 0)
    return file_error(path_, "written");
  size_ += sizeof entry;
  return {};
}

Result<void> Erasures::remove(ProfileId id) {
  const std::lock_guard lock(mutex_);
  std::vector<Entry> all(static_cast<std::size_t>(size_) / sizeof(Entry));
  const auto bytes = static_cast<ssize_t>(all.size() * sizeof(Entry));
  if (::pread(descriptor_, all.data(), all.size() * sizeof(Entry), 0) != bytes) return file_error(path_, "read");
  if (std::erase_if(all, [&](const Entry& entry) { return entry[0] == id.value; }) == 0) return {};
  const std::string fresh = path_ + ".new";
  const int descriptor = ::open(fresh.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (descriptor < 0) return file_error(fresh, "opened");
  const auto left = static_cast<ssize_t>(all.size() * sizeof(Entry));
  if (::pwrite(descriptor, all.data(), all.size() * sizeof(Entry), 0) != left || ::fdatasync(descriptor) != 0 ||
      ::rename(fresh.c_str(), path_.c_str()) != 0) {
    const auto error = file_error(fresh, "written");
    ::close(descriptor);
    return error;
  }
  ::close(std::exchange(descriptor_, descriptor));
  size_ = left;
  return sync_directory_of(path_);
}

}  // namespace marquee::profile
