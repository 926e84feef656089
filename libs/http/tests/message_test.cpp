#include "marquee/http/message.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

namespace marquee::http {
namespace {

TEST(Headers, compare_names_without_case) {
  Headers headers;
  headers.add("Content-Type", "text/plain");
  headers.add("X-A", "1");
  headers.add("x-a", "2");
  EXPECT_EQ(headers.get("content-type"), "text/plain");
  EXPECT_EQ(headers.get("X-a"), "1");
  EXPECT_FALSE(headers.has("X-B"));
  headers.set("X-A", "3");
  EXPECT_EQ(headers.get("x-a"), "3");
  EXPECT_EQ(headers.fields().size(), 2U);
}

TEST(Query, is_decoded_in_order) {
  Request request;
  request.query = "a=1&b=x%20y+z&a=2&&flag&bad=%zz&empty=";
  EXPECT_EQ(request.query_parameter("a"), "1");
  EXPECT_EQ(request.query_parameter("b"), "x y z");
  EXPECT_EQ(request.query_parameter("flag"), "");
  EXPECT_EQ(request.query_parameter("bad"), "%zz");
  EXPECT_EQ(request.query_parameter("none"), std::nullopt);
  EXPECT_EQ(request.query_parameters().size(), 6U);
}

TEST(Percent, gives_back_what_was_encoded) {
  EXPECT_TRUE(rc::check([] {
    const auto text = *rc::gen::arbitrary<std::string>();
    const auto encoded = percent_encode(text);
    RC_ASSERT(encoded.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~%") ==
              std::string::npos);
    RC_ASSERT(percent_decode(encoded) == text);
  }));
}

class Coding : public ::testing::TestWithParam<const char*> {};
INSTANTIATE_TEST_SUITE_P(Known, Coding, ::testing::Values("gzip", "zstd"));

TEST_P(Coding, gives_back_what_was_encoded) {
  EXPECT_TRUE(rc::check([] {
    const auto text = *rc::gen::arbitrary<std::string>();
    const auto body = encode_body(text, GetParam());
    RC_ASSERT(body.has_value());
    RC_ASSERT(decode_body(*body, GetParam(), text.size()).value() == text);
  }));
}

TEST_P(Coding, stops_at_a_decompression_bomb) {
  const auto bomb = encode_body(std::string(64 << 20, 'a'), GetParam());
  ASSERT_TRUE(bomb);
  ASSERT_LT(bomb->size(), std::size_t{128} << 10);
  const auto decoded = decode_body(*bomb, GetParam(), 1 << 20);
  ASSERT_FALSE(decoded);
  EXPECT_EQ(decoded.error().action, Action::reject);
}

TEST_P(Coding, takes_a_body_of_exactly_the_limit_and_no_more) {
  const auto body = encode_body(std::string(1000, 'a'), GetParam());
  EXPECT_TRUE(decode_body(*body, GetParam(), 1000));
  EXPECT_FALSE(decode_body(*body, GetParam(), 999));
}

TEST_P(Coding, refuses_a_broken_stream) {
  const auto body = encode_body(std::string(1000, 'a'), GetParam()).value();
  EXPECT_FALSE(decode_body(body.substr(0, body.size() - 3), GetParam(), 10'000));
  EXPECT_FALSE(decode_body("nonsense", GetParam(), 10'000));
  EXPECT_FALSE(decode_body("", GetParam(), 10'000));
}

TEST(Coding, refuses_one_that_it_does_not_know) {
  EXPECT_EQ(decode_body("a", "", 10).value(), "a");
  EXPECT_EQ(decode_body("a", "identity", 10).value(), "a");
  EXPECT_FALSE(decode_body("a", "br", 10));
}

}  // namespace
}  // namespace marquee::http
