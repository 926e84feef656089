#include "blob.h"

#include <fmt/format.h>
#include <xxhash.h>

#include <cstring>

#include "marquee/log/event_log.h"

namespace marquee::log {
namespace {

constexpr char kBlobVersion = 1;

std::uint64_t checksum(const BlobHead& head, std::string_view records) {
  return XXH3_64bits_withSeed(records.data(), records.size(),
                              static_cast<std::uint64_t>(head.time_ms) * 0x9E3779B97F4A7C15ULL ^ head.count);
}

template <class T>
T load(const char* from) {
  T value;
  std::memcpy(&value, from, sizeof value);
  return value;
}

}  // namespace

void append_varint(std::string& out, std::uint64_t value) {
  while (value >= 0x80) {
    out += static_cast<char>(value | 0x80);
    value >>= 7;
  }
  out += static_cast<char>(value);
}

void Batch::add(std::string_view record, std::uint64_t key) {
  append_varint(bytes_, record.size());
  bytes_ += record;
  keys_.push_back(key);
  ++count_;
}

std::vector<std::string_view> Batch::records() const {
  std::vector<std::string_view> records;
  records.reserve(count_);
  std::string_view bytes = bytes_;
  while (!bytes.empty()) {
    std::uint64_t size = 0;
    unsigned shift = 0;
    for (bool more = true; more; shift += 7) {
      const auto byte = static_cast<unsigned char>(bytes.front());
      bytes.remove_prefix(1);
      size |= static_cast<std::uint64_t>(byte & 0x7FU) << shift;
      more = (byte & 0x80U) != 0;
    }
    records.push_back(bytes.substr(0, size));
    bytes.remove_prefix(size);
  }
  return records;
}

std::string make_blob(const BlobHead& head, std::string_view records) {
  std::string blob;
  blob.reserve(kBlobHeadBytes + records.size());
  blob += kBlobVersion;
  const auto sum = checksum(head, records);
  blob.append(reinterpret_cast<const char*>(&head.count), 4);
  blob.append(reinterpret_cast<const char*>(&head.time_ms), 8);
  blob.append(reinterpret_cast<const char*>(&sum), 8);
  blob += records;
  return blob;
}

Result<BlobHead> read_blob_head(std::string_view blob) {
  if (blob.size() < kBlobHeadBytes || blob.front() != kBlobVersion)
    return Error::give_up(fmt::format("a group of {} bytes without a known head", blob.size()));
  return BlobHead{load<std::uint32_t>(blob.data() + 1), load<std::int64_t>(blob.data() + 5)};
}

Result<std::vector<std::string_view>> read_blob(std::string_view blob) {
  const auto head = read_blob_head(blob);
  if (!head) return head.error();
  auto rest = blob.substr(kBlobHeadBytes);
  if (load<std::uint64_t>(blob.data() + 13) != checksum(*head, rest))
    return Error::give_up("a group whose checksum is wrong");
  if (head->count > rest.size()) return Error::give_up("a group that counts more records than it has bytes");
  std::vector<std::string_view> records;
  records.reserve(head->count);
  for (std::uint32_t i = 0; i < head->count; ++i) {
    std::uint64_t size = 0;
    unsigned shift = 0;
    for (;; shift += 7) {
      if (rest.empty() || shift > 63) return Error::give_up("a group with a broken record length");
      const auto byte = static_cast<unsigned char>(rest.front());
      rest.remove_prefix(1);
      size |= static_cast<std::uint64_t>(byte & 0x7F) << shift;
      if (byte < 0x80) break;
    }
    if (size > rest.size()) return Error::give_up("a group whose last record is cut off");
    records.push_back(rest.substr(0, size));
    rest.remove_prefix(size);
  }
  if (!rest.empty()) return Error::give_up("a group with bytes after its last record");
  return records;
}

}  // namespace marquee::log
