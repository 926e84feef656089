#include "import_checkpoint.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <xxhash.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>

namespace marquee::ingest {
namespace {

constexpr std::string_view kMagic = "marquee import checkpoint 1";

}  // namespace

Result<ImportedFile> describe_file(const std::string& path, const std::string& site_id, const std::string& url) {
  struct stat status{};
  if (::stat(path.c_str(), &status) != 0)
    return Error::reject(fmt::format("cannot read {}: {}", path, std::strerror(errno)));
  if (!S_ISREG(status.st_mode)) return Error::reject(fmt::format("{} is not a file", path));
  std::error_code error;
  const auto canonical = std::filesystem::canonical(path, error);
  ImportedFile file;
  file.path = error ? path : canonical.string();
  file.site_id = site_id;
  file.url = url;
  file.size = static_cast<std::uint64_t>(status.st_size);
  file.modified_ns = status.st_mtim.tv_sec * 1'000'000'000LL + status.st_mtim.tv_nsec;
  return file;
}

std::string file_id(const ImportedFile& file) {
  const auto text = fmt::format("{}\n{}", std::filesystem::path(file.path).filename().string(), file.size);
  return fmt::format("file-{:016x}", XXH3_64bits(text.data(), text.size()));
}

Checkpoint::Checkpoint(std::string directory, const ImportedFile& file) : directory_(std::move(directory)) {
  key_ = fmt::format("{}\n{}\n{}\n{}\n{}", file.path, file.site_id, file.url, file.size, file.modified_ns);
  path_ = fmt::format("{}/{:016x}", directory_, XXH3_64bits(key_.data(), key_.size()));
}

std::uint64_t Checkpoint::load() const {
  if (directory_.empty()) return 0;
  std::ifstream in(path_);
  std::string magic;
  std::uint64_t rows = 0;
  if (!std::getline(in, magic) || magic != kMagic || !(in >> rows) || in.get() != '\n') return 0;
  const std::string key((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  return key == key_ ? rows : 0;
}

Result<void> Checkpoint::save(std::uint64_t rows) const {
  if (directory_.empty()) return {};
  std::error_code error;
  std::filesystem::create_directories(directory_, error);
  const auto part = path_ + ".part";
  {
    std::ofstream out(part, std::ios::trunc);
    out << kMagic << '\n' << rows << '\n' << key_;
    if (!out.flush()) return Error::give_up(fmt::format("cannot write the checkpoint {}", part));
  }
  std::filesystem::rename(part, path_, error);
  if (error) return Error::give_up(fmt::format("cannot write the checkpoint {}: {}", path_, error.message()));
  return {};
}

}  // namespace marquee::ingest
