#include "learned_state.h"

#include <xxhash.h>
#include <zstd.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <utility>

namespace marquee::learning {
namespace {

static_assert(std::endian::native == std::endian::little, "states are written as they lie in memory");

constexpr std::string_view kMagic = "MQLM";
constexpr std::uint32_t kFormat = 2;
constexpr std::size_t kSlotBytes = sizeof(std::uint32_t) + 2 * sizeof(float) + sizeof(std::uint8_t);
constexpr std::uint64_t kMaxState = std::uint64_t{2} << 30;

template <class T>
void put(std::string& out, const T& value) {
  out.append(reinterpret_cast<const char*>(&value), sizeof value);
}

class Reader {
 public:
  explicit Reader(std::string_view bytes) : rest_(bytes) {}
  template <class T>
  T take() {
    T value{};
    if (rest_.size() < sizeof value) {
      is_short_ = true;
      return value;
    }
    std::memcpy(&value, rest_.data(), sizeof value);
    rest_.remove_prefix(sizeof value);
    return value;
  }
  [[nodiscard]] bool is_whole() const { return !is_short_ && rest_.empty(); }
  [[nodiscard]] std::size_t left() const { return rest_.size(); }

 private:
  std::string_view rest_;
  bool is_short_ = false;
};

struct KeyedNode {
  std::uint64_t key;
  Priors::Node node;
};

void put_table(std::string& out, const std::vector<Coordinate>& table) {
  std::vector<std::uint32_t> used;
  for (std::uint32_t i = 0; i < table.size(); ++i)
    if (table[i].n != 0 || table[i].z != 0) used.push_back(i);
  put(out, std::uint64_t{used.size()});
  out.reserve(out.size() + used.size() * kSlotBytes);
  // Positions as steps, and numbers of a kind together: they compress better so.
  std::uint32_t last = 0;
  for (const auto i : used) put(out, i - std::exchange(last, i));
  for (const auto i : used) put(out, table[i].z);
  for (const auto i : used) put(out, table[i].n);
  for (const auto i : used) put(out, table[i].term);
}

bool read_table(Reader& reader, std::vector<Coordinate>& table, std::size_t terms) {
  const auto count = reader.take<std::uint64_t>();
  if (count > table.size() || reader.left() != count * kSlotBytes) return false;
  std::vector<std::uint32_t> used;
  used.reserve(count);
  std::uint64_t at = 0;
  for (std::uint64_t i = 0; i < count; ++i) {
    at += reader.take<std::uint32_t>();
    if (at >= table.size()) return false;
    used.push_back(static_cast<std::uint32_t>(at));
  }
  for (const auto i : used) table[i].z = reader.take<float>();
  for (const auto i : used) table[i].n = reader.take<float>();
  for (const auto i : used)
    if ((table[i].term = reader.take<std::uint8_t>()) >= terms) return false;
  return true;
}

Error damaged(const char* what) { return Error::give_up(std::string("the saved model is damaged: ") + what); }

}  // namespace

std::string state_bytes(const LearnedParts& parts) {
  std::string out;
  put(out, parts.head);
  for (std::size_t i = 0; i < kMaxPositions; ++i) put(out, parts.examination.at(i));
  put(out, parts.fit.clicks());
  std::vector<KeyedNode> nodes;
  nodes.reserve(parts.priors.nodes().size());
  for (const auto& [key, node] : parts.priors.nodes()) nodes.push_back({key, node});
  std::ranges::sort(nodes, {}, &KeyedNode::key);
  put(out, std::uint64_t{nodes.size()});
  for (const auto& node : nodes) put(out, node);
  put(out, std::uint64_t{parts.fit.leaves().size()});
  for (const auto& leaf : parts.fit.leaves()) put(out, leaf);
  for (const float precision : parts.precisions.all()) put(out, precision);
  put_table(out, parts.table);
  return out;
}

Result<> read_state(std::string_view bytes, const FreshParts& parts) {
  Reader reader(bytes);
  const auto head = reader.take<StateHead>();
  if (head.spec != parts.head.spec) return Error::reject("the saved model has other features; learn anew");
  if (head.slots_log2 != parts.head.slots_log2)
    return Error::reject("the saved model has 2^" + std::to_string(head.slots_log2) + " slots; learn anew");
  parts.head = head;
  for (std::size_t i = 0; i < kMaxPositions; ++i) parts.examination.set(i, reader.take<double>());
  parts.fit.put(reader.take<std::array<double, kMaxPositions>>());
  const auto nodes = reader.take<std::uint64_t>();
  if (nodes > reader.left() / sizeof(KeyedNode)) return damaged("it ends within the priors");
  for (std::uint64_t i = 0; i < nodes; ++i) {
    const auto [key, node] = reader.take<KeyedNode>();
    parts.priors.put(key, node);
  }
  const auto leaves = reader.take<std::uint64_t>();
  if (leaves > reader.left() / sizeof(PositionFit::Leaf)) return damaged("it ends within the ads");
  for (std::uint64_t i = 0; i < leaves; ++i) parts.fit.put(reader.take<PositionFit::Leaf>());
  const auto terms = parts.precisions.all().size();
  for (std::size_t term = 0; term < terms; ++term) parts.precisions.put(term, reader.take<float>());
  if (!read_table(reader, parts.table, terms) || !reader.is_whole()) return damaged("its table is not whole");
  return {};
}

std::string packed(std::string_view state) {
  std::string body(ZSTD_compressBound(state.size()), '\0');
  // With as much room, ZSTD_compress does not fail.
  body.resize(ZSTD_compress(body.data(), body.size(), state.data(), state.size(), 1));
  std::string out(kMagic);
  put(out, kFormat);
  put(out, XXH3_64bits_withSeed(body.data(), body.size(), state.size()));
  put(out, std::uint64_t{state.size()});
  return out + body;
}

Result<std::string> unpacked(std::string_view bytes) {
  if (!bytes.starts_with(kMagic)) return damaged("it does not begin as one");
  bytes.remove_prefix(kMagic.size());
  Reader reader(bytes);
  const auto format = reader.take<std::uint32_t>();
  const auto checksum = reader.take<std::uint64_t>();
  const auto size = reader.take<std::uint64_t>();
  if (format != kFormat) return Error::reject("the saved model is of format " + std::to_string(format));
  if (size > kMaxState) return damaged("its size is out of bounds");
  bytes = bytes.substr(bytes.size() - reader.left());
  // Asked before making room: a damaged size must not take the memory.
  if (XXH3_64bits_withSeed(bytes.data(), bytes.size(), size) != checksum) return damaged("its checksum is wrong");
  if (ZSTD_getFrameContentSize(bytes.data(), bytes.size()) != size) return damaged("its sizes differ");
  std::string state(size, '\0');
  const auto got = ZSTD_decompress(state.data(), state.size(), bytes.data(), bytes.size());
  if (got != size) return damaged("it does not decompress");
  return state;
}

}  // namespace marquee::learning
