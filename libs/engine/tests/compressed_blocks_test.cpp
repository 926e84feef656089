#include "marquee/engine/compressed_blocks.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <string>

#include "city_hash.h"

namespace marquee::engine {
namespace {

struct Known {
  std::size_t size;
  std::uint64_t low;
  std::uint64_t high;
};

// As go-faster/city gives them (ClickHouse's CityHash128 in Go), of bytes that are 7 i + 3.
constexpr Known kKnown[] = {
    {0, 0x3df09dfc64c09a2bU, 0x3cb540c392e51e29U},    {1, 0x39379490ccb55d55U, 0x2af2b13064cd571fU},
    {3, 0x3108fa6b1da16986U, 0x32301bf0c250612dU},    {4, 0x2321e75aee8d6c41U, 0xcea6b327f605358dU},
    {7, 0x9ef90f69597e95c7U, 0x4987956c9782ee8fU},    {8, 0xb6ad7c9a5953432fU, 0x9f0e02109921888cU},
    {11, 0x9a48d3b013456e98U, 0xaa46ceaa82991c00U},   {15, 0x5a8299d8ab8f2f47U, 0x8ea0a478a90d3277U},
    {16, 0x21e79cab7f9c2b79U, 0xa35615c235313f7aU},   {17, 0x0cd5bb13faea6e4cU, 0x32bf719178f6bbfeU},
    {24, 0x11cc4c88526863b8U, 0x3292188780f057f0U},   {31, 0x6e4f70325ec27ffcU, 0x9a23a7e9f0b515e0U},
    {32, 0x67cfab8404eec7e9U, 0x80cd3c27f5bd61eeU},   {33, 0x094bbf1d5b6ddb61U, 0x10572bd58efa7aafU},
    {64, 0xd412d58ec1432aefU, 0x5754630cbbd83214U},   {100, 0xe8ed256df7c36d77U, 0x5da4e59606ec0c52U},
    {127, 0x1f1c2a3c62829942U, 0x5d5820604b01deeaU},  {128, 0x11d00b10d6694d31U, 0x108fb9e5b83fdff4U},
    {143, 0x201689145f2ebee2U, 0xdf56bd91c3fb4dd0U},  {144, 0xd639167b9b85767dU, 0x07a10bf4573107c6U},
    {145, 0xde654d669366fc2aU, 0xd2f68f547b37d6f5U},  {160, 0xf6b778a5c179adffU, 0xf27668b26f450ab4U},
    {200, 0x6bfc6588f8397554U, 0xe3706db480814454U},  {255, 0x217ad8cf08bbe4caU, 0x1a5bb4038d2f32ffU},
    {256, 0x86696dd596ccf44bU, 0x9fd9b2b0b79abdaeU},  {271, 0xd3b086e6bb77a21bU, 0x862fedb3038c14c1U},
    {272, 0xefd5ff73250bf76dU, 0xedec81d742e3b161U},  {300, 0xd6306a0c4528ae11U, 0x37c2e51cab2517efU},
    {1000, 0x984b538c7b372373U, 0xf6e6cbc56b688720U}, {4096, 0xd77fd6fa8d475e48U, 0xa6de95c65872fcfeU},
};

TEST(CityHash, is_that_of_another_implementation) {
  for (const Known& known : kKnown) {
    std::string data;
    for (std::size_t i = 0; i < known.size; ++i) data.push_back(static_cast<char>(i * 7 + 3));
    EXPECT_EQ(city_hash_128(data), (Hash128{.low = known.low, .high = known.high})) << known.size;
  }
}

constexpr BlockMethod kMethods[] = {BlockMethod::none, BlockMethod::lz4, BlockMethod::zstd};
constexpr std::size_t kLimit = std::size_t{1} << 26;

RC_GTEST_PROP(CompressedBlocks, come_back_as_they_were, (const std::string& data)) {
  for (const BlockMethod method : kMethods)
    RC_ASSERT(decode_blocks(encode_blocks(data, method).value(), kLimit).value() == data);
}

TEST(CompressedBlocks, are_several_where_the_data_is_long) {
  const std::string data(3'000'000, 'x');
  for (const BlockMethod method : kMethods) {
    const std::string blocks = encode_blocks(data, method).value();
    EXPECT_EQ(decode_blocks(blocks, data.size()).value(), data);
    EXPECT_FALSE(decode_blocks(blocks, data.size() - 1));
  }
}

TEST(CompressedBlocks, that_are_changed_or_cut_anywhere_are_refused) {
  const std::string blocks = encode_blocks("some data, some data, some data", BlockMethod::lz4).value();
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    std::string broken = blocks;
    broken[i] = static_cast<char>(broken[i] ^ 1);
    EXPECT_FALSE(decode_blocks(broken, kLimit)) << "byte " << i;
    if (i > 0) {
      EXPECT_FALSE(decode_blocks(blocks.substr(0, i), kLimit)) << "cut at " << i;
    }
  }
  EXPECT_EQ(decode_blocks("", kLimit).value(), "");
}

TEST(CompressedBlocks, tell_an_unknown_method_from_damage) {
  std::string blocks = encode_blocks("data", BlockMethod::none).value();
  EXPECT_EQ(decode_blocks(std::string(blocks).replace(0, 1, "?"), kLimit).error().code, kChecksumDoesNotMatch);
  blocks[16] = '\x33';
  const Hash128 hash = city_hash_128(std::string_view(blocks).substr(16));
  blocks.replace(0, 8, reinterpret_cast<const char*>(&hash.low), 8);
  blocks.replace(8, 8, reinterpret_cast<const char*>(&hash.high), 8);
  EXPECT_EQ(decode_blocks(blocks, kLimit).error().code, kUnknownCompressionMethod);
}

}  // namespace
}  // namespace marquee::engine
