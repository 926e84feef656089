#include "native_blocks.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "native_type.h"

namespace marquee::engine {
namespace {

using namespace std::string_literals;

constexpr std::uint64_t kGo = 54460;
const std::string kInformation("\x01\x00\x02\xff\xff\xff\xff\x00", 8);

std::string text(const std::string& value) { return std::string(1, static_cast<char>(value.size())) + value; }
std::string word(std::uint64_t value) { return {reinterpret_cast<const char*>(&value), sizeof(value)}; }

/// A block of one column.
std::string block(std::uint64_t rows, const std::string& type, const std::string& values) {
  return "\x01"s + static_cast<char>(rows) + text("c") + text(type) + values;
}

std::string framed(std::uint64_t rows, const std::string& type, const std::string& values) {
  return kInformation + "\x01" + static_cast<char>(rows) + text("c") + text(type) + '\0' + values;
}

TEST(NativeType, reads_trees_labels_and_quotes) {
  const auto type = parse_native_type("Tuple(`a b` Array(UInt8), c Enum8('x, (' = 1), DateTime64(3, 'UTC'))");
  ASSERT_TRUE(type);
  ASSERT_EQ(type->arguments.size(), 3U);
  EXPECT_EQ(type->arguments[0].label, "a b");
  EXPECT_EQ(type->arguments[0].arguments[0].name, "UInt8");
  EXPECT_EQ(type->arguments[1].label, "c");
  EXPECT_EQ(type->arguments[1].name, "Enum8");
  EXPECT_EQ(type->arguments[2].name, "DateTime64");
  for (const char* broken : {"", "Array(", "Array(UInt8))", "Tuple('a)", "Array()x)"}) {
    const auto none = parse_native_type(broken);
    EXPECT_TRUE(!none || none->arguments.empty()) << broken;
  }
  EXPECT_FALSE(parse_native_type([] {
    std::string deep;
    for (int i = 0; i < 1000; ++i) deep += "Array(";
    return deep + std::string(1000, ')');
  }()));
}

TEST(NativeBlocks, stay_as_they_are_without_a_version) {
  const std::string plain = block(1, "UInt8", "\x07");
  EXPECT_EQ(native_for_protocol(plain, 0).value(), plain);
}

TEST(NativeBlocks, get_what_the_version_asks_for) {
  EXPECT_EQ(native_for_protocol("", kGo).value(), "");
  EXPECT_EQ(native_for_protocol(block(1, "UInt8", "\x07"), 54405).value(), kInformation + block(1, "UInt8", "\x07"));
  EXPECT_EQ(native_for_protocol(block(0, "String", ""), kGo).value(), framed(0, "String", ""));
}

TEST(NativeBlocks, end_each_type_where_it_ends) {
  const std::string one = word(1);
  const std::string zero = word(0);
  const std::string low_cardinality = one + word(0x600) + word(2) + "\x00\x01x"s + word(2) + "\x01\x01"s;
  const std::vector<std::pair<std::string, std::string>> two_rows = {
      {"UInt8", "ab"},
      {"Decimal(18, 3)", word(1) + word(2)},
      {"DateTime64(3, 'UTC')", word(1) + word(2)},
      {"FixedString(3)", "abcdef"},
      {"String", "\x01x\x02yz"},
      {"Enum8('a' = 1, 'b)' = 2)", "\x01\x02"},
      {"Nullable(UInt16)", "\x00\x01"s + "abcd"},
      {"Array(String)", word(1) + word(3) + "\x01x\x00\x01z"s},
      {"Array(Array(UInt8))", word(1) + word(2) + word(1) + word(3) + "abc"},
      {"Map(String, UInt8)", word(0) + word(1) + "\x01k" + "v"},
      {"Tuple(a UInt8, b String)", "ab" + "\x00\x01x"s},
      {"Tuple()", "00"},
      {"LowCardinality(Nullable(String))", low_cardinality},
      {"Array(LowCardinality(String))", one + word(0) + word(2) + low_cardinality.substr(8)},
      {"Variant(String, UInt8)", zero + "\x01\xff"s + "v"},
      {"Dynamic", one + "\x01\x01" + text("String") + zero + "\x01\x01" + "\x01x\x00"s},
      {"JSON(b UInt8)", zero + "\x01\x01\x01" + "a" + one + "\x01\x01" + text("Int64") + zero + "bb" + "\x00\x01"s +
                            word(5) + "\x01x" + word(0) + word(0)},
      {"SimpleAggregateFunction(sum, UInt64)", word(1) + word(2)},
      {"Ring", word(1) + word(1) + word(0) + word(0)},
      {"IntervalDay", word(1) + word(2)},
  };
  for (const auto& [type, values] : two_rows) {
    const auto twice = native_for_protocol(block(2, type, values) + block(2, type, values), kGo);
    ASSERT_TRUE(twice) << type << ": " << twice.error().message;
    EXPECT_EQ(*twice, framed(2, type, values) + framed(2, type, values)) << type;
    const std::string whole = block(2, type, values);
    for (std::size_t size = 1; size < whole.size(); ++size) {
      EXPECT_FALSE(native_for_protocol(whole.substr(0, size), kGo)) << type << " cut at " << size;
    }
  }
}

TEST(NativeBlocks, refuse_types_whose_end_cannot_be_found) {
  const auto refused = native_for_protocol(block(1, "AggregateFunction(uniq, UInt8)", "abc"), kGo);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, kNotImplemented);
}

TEST(NativeBlocks, refuse_counts_beyond_the_data) {
  EXPECT_FALSE(native_for_protocol(block(1, "Array(UInt8)", word(~std::uint64_t{0})), kGo));
  EXPECT_FALSE(native_for_protocol(block(1, "Array(String)", word(std::uint64_t{1} << 60)), kGo));
}

}  // namespace
}  // namespace marquee::engine
