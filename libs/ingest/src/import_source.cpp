#include "import_source.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include <cerrno>
#include <cstring>
#include <vector>

namespace marquee::ingest {
namespace {

constexpr std::size_t kPiece = 256 * 1024;

class FileSource final : public ByteSource {
 public:
  FileSource(std::string path, int fd) : path_(std::move(path)), fd_(fd), buffer_(kPiece) {}
  ~FileSource() override { ::close(fd_); }
  FileSource(const FileSource&) = delete;
  FileSource& operator=(const FileSource&) = delete;

  Result<std::string_view> read() override {
    if (is_put_back_) {
      is_put_back_ = false;
      return std::string_view(buffer_.data(), size_);
    }
    ssize_t n;
    do n = ::read(fd_, buffer_.data(), buffer_.size());
    while (n < 0 && errno == EINTR);
    if (n < 0) return Error::give_up(fmt::format("cannot read {}: {}", path_, std::strerror(errno)));
    size_ = static_cast<std::size_t>(n);
    consumed_ += size_;
    return std::string_view(buffer_.data(), size_);
  }
  void put_back() { is_put_back_ = true; }
  [[nodiscard]] std::uint64_t consumed() const override { return consumed_; }
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
  int fd_;
  std::vector<char> buffer_;
  std::size_t size_ = 0;
  bool is_put_back_ = false;
  std::uint64_t consumed_ = 0;
};

class GzipSource final : public ByteSource {
 public:
  explicit GzipSource(std::unique_ptr<FileSource> file) : file_(std::move(file)), buffer_(kPiece) {
    inflateInit2(&stream_, 15 + 16);
  }
  ~GzipSource() override { inflateEnd(&stream_); }
  GzipSource(const GzipSource&) = delete;
  GzipSource& operator=(const GzipSource&) = delete;

  Result<std::string_view> read() override {
    stream_.next_out = reinterpret_cast<Bytef*>(buffer_.data());
    stream_.avail_out = static_cast<uInt>(buffer_.size());
    while (stream_.avail_out == buffer_.size()) {
      if (stream_.avail_in == 0) {
        auto piece = file_->read();
        if (!piece) return piece;
        if (piece->empty()) {
          if (is_between_members_) return std::string_view();
          return Error::reject(fmt::format("{} ends in the middle of its gzip stream", file_->path()));
        }
        stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(piece->data()));
        stream_.avail_in = static_cast<uInt>(piece->size());
      }
      if (is_between_members_) {  // Another member may follow (RFC 1952, section 2.2).
        inflateReset(&stream_);
        is_between_members_ = false;
      }
      const int code = inflate(&stream_, Z_NO_FLUSH);
      if (code == Z_STREAM_END) {
        is_between_members_ = true;
      } else if (code != Z_OK && code != Z_BUF_ERROR) {
        return Error::reject(fmt::format("{} is not a whole gzip stream: {}", file_->path(),
                                         stream_.msg != nullptr ? stream_.msg : "broken"));
      }
    }
    return std::string_view(buffer_.data(), buffer_.size() - stream_.avail_out);
  }
  [[nodiscard]] std::uint64_t consumed() const override { return file_->consumed(); }

 private:
  std::unique_ptr<FileSource> file_;
  std::vector<char> buffer_;
  z_stream stream_{};
  bool is_between_members_ = false;
};

class ZstdSource final : public ByteSource {
 public:
  explicit ZstdSource(std::unique_ptr<FileSource> file)
      : file_(std::move(file)), buffer_(kPiece), stream_(ZSTD_createDStream(), ZSTD_freeDStream) {
    ZSTD_initDStream(stream_.get());
  }

  Result<std::string_view> read() override {
    ZSTD_outBuffer out{buffer_.data(), buffer_.size(), 0};
    while (out.pos == 0) {
      if (in_.pos == in_.size && !has_more_out_) {
        auto piece = file_->read();
        if (!piece) return piece;
        if (piece->empty()) {
          if (wanted_ == 0) return std::string_view();
          return Error::reject(fmt::format("{} ends in the middle of its zstd stream", file_->path()));
        }
        in_ = {piece->data(), piece->size(), 0};
      }
      wanted_ = ZSTD_decompressStream(stream_.get(), &out, &in_);
      if (ZSTD_isError(wanted_) != 0)
        return Error::reject(
            fmt::format("{} is not a whole zstd stream: {}", file_->path(), ZSTD_getErrorName(wanted_)));
      has_more_out_ = out.pos == out.size;
    }
    return std::string_view(buffer_.data(), out.pos);
  }
  [[nodiscard]] std::uint64_t consumed() const override { return file_->consumed(); }

 private:
  std::unique_ptr<FileSource> file_;
  std::vector<char> buffer_;
  std::unique_ptr<ZSTD_DStream, decltype(&ZSTD_freeDStream)> stream_;
  ZSTD_inBuffer in_{nullptr, 0, 0};
  std::size_t wanted_ = 0;
  bool has_more_out_ = false;
};

}  // namespace

Result<std::unique_ptr<ByteSource>> open_source(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return Error::reject(fmt::format("cannot open {}: {}", path, std::strerror(errno)));
  auto file = std::make_unique<FileSource>(path, fd);
  const auto first = file->read();
  if (!first) return first.error();
  file->put_back();
  if (first->starts_with("\x1F\x8B")) return std::make_unique<GzipSource>(std::move(file));
  if (first->starts_with("\x28\xB5\x2F\xFD")) return std::make_unique<ZstdSource>(std::move(file));
  return std::unique_ptr<ByteSource>(std::move(file));
}

}  // namespace marquee::ingest
