#include "snapshot_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <system_error>

namespace marquee::profile {

Error file_error(const std::string& path, std::string_view what) {
  return Error::retry(fmt::format("{}: could not be {}: {}", path, what, std::generic_category().message(errno)));
}

Result<void> sync_directory_of(const std::string& path) {
  const std::string directory = std::filesystem::path(path).parent_path().string();
  const int descriptor = ::open(directory.empty() ? "." : directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) return file_error(directory, "opened");
  const bool is_synced = ::fsync(descriptor) == 0;
  const Error error = file_error(directory, "made durable");
  ::close(descriptor);
  return is_synced ? Result<void>() : error;
}

Result<std::unique_ptr<SnapshotWriter>> SnapshotWriter::create(const std::string& path) {
  const std::string beside = path + ".new";
  const int descriptor = ::open(beside.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (descriptor < 0) return file_error(beside, "made");
  return std::unique_ptr<SnapshotWriter>(new SnapshotWriter(path, descriptor));
}

SnapshotWriter::SnapshotWriter(std::string path, int descriptor)
    : path_(std::move(path)), descriptor_(descriptor), checksum_(XXH3_createState()) {
  XXH3_64bits_reset(checksum_);
}

SnapshotWriter::~SnapshotWriter() {
  XXH3_freeState(checksum_);
  if (descriptor_ < 0) return;
  ::close(descriptor_);
  ::unlink((path_ + ".new").c_str());
}

Result<void> SnapshotWriter::write(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(descriptor_, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return file_error(path_, "written");
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return {};
}

Result<void> SnapshotWriter::append(std::string_view bytes) {
  XXH3_64bits_update(checksum_, bytes.data(), bytes.size());
  return write(bytes);
}

Result<void> SnapshotWriter::commit() {
  const XXH64_hash_t sum = XXH3_64bits_digest(checksum_);
  if (auto written = write({reinterpret_cast<const char*>(&sum), sizeof sum}); !written) return written;
  if (::fsync(descriptor_) != 0) return file_error(path_, "made durable");
  if (::rename((path_ + ".new").c_str(), path_.c_str()) != 0) return file_error(path_, "renamed");
  ::close(descriptor_);
  descriptor_ = -1;
  return sync_directory_of(path_);
}

Result<std::unique_ptr<SnapshotReader>> SnapshotReader::open(const std::string& path) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) {
    if (errno == ENOENT) return std::unique_ptr<SnapshotReader>();
    return file_error(path, "opened");
  }
  struct stat info{};
  void* memory = MAP_FAILED;
  if (::fstat(descriptor, &info) == 0 && info.st_size > 0)
    memory = ::mmap(nullptr, static_cast<std::size_t>(info.st_size), PROT_READ, MAP_PRIVATE, descriptor, 0);
  ::close(descriptor);
  if (memory == MAP_FAILED) return Error::give_up(fmt::format("{}: is empty or cannot be read", path));
  auto reader = std::unique_ptr<SnapshotReader>(
      new SnapshotReader({static_cast<const char*>(memory), static_cast<std::size_t>(info.st_size)}));
  XXH64_hash_t sum = 0;
  if (reader->whole_.size() < sizeof sum) return Error::give_up(fmt::format("{}: is cut off", path));
  const std::string_view bytes = reader->bytes();
  std::memcpy(&sum, bytes.data() + bytes.size(), sizeof sum);
  if (XXH3_64bits(bytes.data(), bytes.size()) != sum)
    return Error::give_up(fmt::format("{}: is damaged (its checksum does not fit)", path));
  return reader;
}

SnapshotReader::~SnapshotReader() { ::munmap(const_cast<char*>(whole_.data()), whole_.size()); }

}  // namespace marquee::profile
