#include "marquee/decision/token.h"

#include <gtest/gtest.h>

#include <random>

#include "random_catalog.h"

namespace marquee::decision {
namespace {

constexpr TokenKey kKey = {1, 2, 3};
Token some_token() {
  return {
      .kind = Token::Kind::click, .issued_ms = 1'000, .expires_ms = 9'000, .placement = 3, .body = "site, ad, slot"};
}

TEST(Token, IsReadBackAsItWasSealed) {
  const TokenBox box(kKey);
  const auto text = box.seal(some_token());
  EXPECT_EQ(text.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"),
            std::string::npos);
  const auto token = box.open(text, Token::Kind::click);
  ASSERT_TRUE(token);
  EXPECT_EQ(token->body, "site, ad, slot");
  EXPECT_EQ(token->issued_ms, 1'000);
  EXPECT_EQ(token->placement, 3);
}

TEST(Token, ShowsNothingOfItsBody) {
  const TokenBox box(kKey);
  EXPECT_NE(box.seal(some_token()), box.seal(some_token())) << "two of the same look different";
}

TEST(Token, ExpiresAtItsTime) {
  const TokenBox box(kKey);
  const auto token = box.open(box.seal(some_token()), Token::Kind::click);
  ASSERT_TRUE(token);
  EXPECT_FALSE(token->is_expired(8'999));
  EXPECT_TRUE(token->is_expired(9'000));
}

TEST(Token, OfAnotherKindOrKeyIsForged) {
  const TokenBox box(kKey);
  const auto text = box.seal(some_token());
  EXPECT_FALSE(box.open(text, Token::Kind::impression));
  EXPECT_FALSE(TokenBox({1, 2, 4}).open(text, Token::Kind::click));
}

TEST(Token, WithAnyCharacterChangedIsForged) {
  const auto seed = test_seed();
  SCOPED_TRACE(testing::Message() << "MARQUEE_TEST_SEED=" << seed);
  std::mt19937_64 random(seed);
  const TokenBox box(kKey);
  const auto text = box.seal(some_token());
  for (std::size_t i = 0; i < text.size(); ++i) {
    auto changed = text;
    changed[i] = changed[i] == 'A' ? 'B' : 'A';
    EXPECT_FALSE(box.open(changed, Token::Kind::click)) << i;
    EXPECT_FALSE(box.open(text.substr(0, i), Token::Kind::click)) << i;
  }
  for (int i = 0; i < 10'000; ++i) {
    std::string noise(random() % 300, '\0');
    for (auto& c : noise) c = static_cast<char>(random());
    EXPECT_FALSE(box.open(noise, Token::Kind::click));
  }
  EXPECT_FALSE(box.open(text + "A", Token::Kind::click));
}

}  // namespace
}  // namespace marquee::decision
