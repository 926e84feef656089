// What NativeBlock writes is what a SELECT gives back.
#include "marquee/clickhouse/native_block.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "marquee/clickhouse/client.h"
#include "marquee/clickhouse/row_binary.h"
#include "store_process.h"

namespace marquee::clickhouse {
namespace {

TEST(NativeBlock, writes_names_types_and_values_column_by_column) {
  NativeBlock block;
  auto& number = block.add<NumberColumn<std::uint16_t>>("n", "UInt16");
  auto& text = block.add<StringColumn>("s", "String");
  number.append(258);
  text.append("ab");
  std::string out;
  block.write(out);
  EXPECT_EQ(out, std::string("\x02\x01\x01n\x06UInt16\x02\x01\x01s\x06String\x02"
                             "ab",
                             25));
  EXPECT_EQ(block.column_names(), "n, s");
}

TEST(NativeBlock, writes_each_value_of_a_low_cardinality_column_once) {
  LowCardinalityColumn column("l", "LowCardinality(String)");
  for (int i = 0; i < 1'000; ++i) column.append(i % 2 == 0 ? "even" : "odd");
  EXPECT_EQ(column.distinct(), 2U);
  EXPECT_EQ(column.rows(), 1'000U);
  column.clear();
  column.append("");
  EXPECT_EQ(column.distinct(), 1U);
}

TEST(NativeBlock, refuses_columns_of_different_lengths) {
  NativeBlock block;
  block.add<NumberColumn<std::uint8_t>>("a", "UInt8").append(1);
  block.add<NumberColumn<std::uint8_t>>("b", "UInt8");
  std::string out;
  EXPECT_THROW(block.write(out), std::logic_error);
}

struct Row {
  std::uint8_t a = 0;
  std::int32_t b = 0;
  std::uint64_t c = 0;
  double d = 0;
  float e = 0;
  std::string s, l;
  std::int64_t t = 0;
  std::uint8_t n = 1;
};

std::string native_block_of(const std::vector<Row>& rows) {
  NativeBlock block;
  auto& i = block.add<NumberColumn<std::uint64_t>>("i", "UInt64");
  auto& a = block.add<NumberColumn<std::uint8_t>>("a", "UInt8");
  auto& b = block.add<NumberColumn<std::int32_t>>("b", "Int32");
  auto& c = block.add<NumberColumn<std::uint64_t>>("c", "UInt64");
  auto& d = block.add<NumberColumn<double>>("d", "Float64");
  auto& e = block.add<NumberColumn<float>>("e", "Float32");
  auto& s = block.add<StringColumn>("s", "String");
  auto& l = block.add<LowCardinalityColumn>("l", "LowCardinality(String)");
  auto& t = block.add<NumberColumn<std::int64_t>>("t", "DateTime64(3, 'UTC')");
  auto& n = block.add<NumberColumn<std::uint8_t>>("n", "Enum8('one' = 1, 'two' = 2)");
  for (std::size_t at = 0; at < rows.size(); ++at) {
    i.append(at);
    a.append(rows[at].a);
    b.append(rows[at].b);
    c.append(rows[at].c);
    d.append(rows[at].d);
    e.append(rows[at].e);
    s.append(rows[at].s);
    l.append(rows[at].l);
    t.append(rows[at].t);
    n.append(rows[at].n);
  }
  std::string out;
  block.write(out);
  return out;
}

class NativeBlockInTheStore : public ::testing::Test {
 protected:
  void SetUp() override {
    if (testing::store_binary().empty()) GTEST_SKIP() << testing::why_no_store();
    store = std::make_unique<testing::StoreProcess>();
    Endpoint endpoint;
    endpoint.url = store->url();
    endpoint.database = "default";
    client = std::make_unique<Client>(endpoint);
    const auto made = client->execute(
        "CREATE TABLE t (i UInt64, a UInt8, b Int32, c UInt64, d Float64, e Float32, s String, "
        "l LowCardinality(String), t DateTime64(3, 'UTC'), n Enum8('one' = 1, 'two' = 2)) ENGINE = MergeTree ORDER BY "
        "i");
    ASSERT_TRUE(made) << made.error().message;
  }
  std::unique_ptr<testing::StoreProcess> store;
  std::unique_ptr<Client> client;
};

TEST_F(NativeBlockInTheStore, gives_back_what_was_written) {
  const auto holds = rc::check("written equals read", [this] {
    const auto count = *rc::gen::inRange<std::size_t>(1, 400);
    const auto text = rc::gen::oneOf(rc::gen::just(std::string()), rc::gen::arbitrary<std::string>(),
                                     rc::gen::map(rc::gen::inRange(0, 100'000),
                                                  [](int n) { return std::string(n % 300, 'x') + std::to_string(n); }));
    std::vector<Row> rows(count);
    for (Row& row : rows) {
      row = {*rc::gen::arbitrary<std::uint8_t>(),
             *rc::gen::arbitrary<std::int32_t>(),
             *rc::gen::arbitrary<std::uint64_t>(),
             *rc::gen::arbitrary<double>(),
             *rc::gen::arbitrary<float>(),
             *text,
             *text,
             *rc::gen::inRange<std::int64_t>(0, 4'000'000'000'000),
             *rc::gen::element<std::uint8_t>(1, 2)};
    }
    RC_ASSERT(client->execute("TRUNCATE TABLE t"));
    const auto inserted =
        client->insert("INSERT INTO t (i, a, b, c, d, e, s, l, t, n)", "Native", native_block_of(rows));
    if (!inserted) RC_FAIL(inserted.error().error.message);
    QueryOptions options;
    options.format = "RowBinary";
    const auto body = client->query("SELECT a, b, c, d, e, s, l, t, n FROM t ORDER BY i", {}, options);
    if (!body) RC_FAIL(body.error().message);
    RowBinaryReader reader(*body);
    for (const Row& row : rows) {
      RC_ASSERT(reader.number<std::uint8_t>() == row.a);
      RC_ASSERT(reader.number<std::int32_t>() == row.b);
      RC_ASSERT(reader.number<std::uint64_t>() == row.c);
      RC_ASSERT(reader.number<double>() == row.d);
      RC_ASSERT(reader.number<float>() == row.e);
      RC_ASSERT(reader.text() == row.s);
      RC_ASSERT(reader.text() == row.l);
      RC_ASSERT(reader.number<std::int64_t>() == row.t);
      RC_ASSERT(reader.number<std::uint8_t>() == row.n);
    }
    RC_ASSERT(reader.at_end());
  });
  EXPECT_TRUE(holds);
}

TEST_F(NativeBlockInTheStore, takes_dictionaries_of_every_index_width) {
  for (const std::size_t distinct : {1UL, 256UL, 257UL, 65'536UL, 65'537UL}) {
    std::vector<Row> rows(distinct + 10);
    for (std::size_t i = 0; i < rows.size(); ++i) rows[i].l = fmt::format("v{}", i % distinct);
    ASSERT_TRUE(client->execute("TRUNCATE TABLE t"));
    const auto inserted =
        client->insert("INSERT INTO t (i, a, b, c, d, e, s, l, t, n)", "Native", native_block_of(rows));
    ASSERT_TRUE(inserted) << inserted.error().error.message;
    const auto wrong =
        client->table("SELECT count(), countIf(l != 'v' || toString(i % {d:UInt64})), uniqExact(l) FROM t",
                      {{"d", std::to_string(distinct)}});
    ASSERT_TRUE(wrong) << wrong.error().message;
    EXPECT_EQ(wrong->rows[0], (std::vector<std::string>{std::to_string(rows.size()), "0", std::to_string(distinct)}));
  }
}

}  // namespace
}  // namespace marquee::clickhouse
