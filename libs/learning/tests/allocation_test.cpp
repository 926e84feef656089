// Counts what a thread allocates: deciding and learning must allocate nothing once their buffers have grown.
// ThreadSanitizer has an operator new of its own, beside which there can be no other: there this file is empty.
#ifdef __has_feature
#if __has_feature(thread_sanitizer)
#define MARQUEE_COUNTS_NO_ALLOCATIONS
#endif
#endif
#ifndef MARQUEE_COUNTS_NO_ALLOCATIONS
#include <gtest/gtest.h>

#include <cstdlib>
#include <new>
#include <numeric>

#include "marquee/learning/exploration.h"
#include "marquee/learning/scorer.h"
#include "world.h"

namespace {
thread_local std::uint64_t allocations = 0;
}

void* operator new(std::size_t size) {
  ++allocations;
  if (void* memory = std::malloc(size == 0 ? 1 : size)) return memory;
  throw std::bad_alloc();
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

namespace marquee::learning {
namespace {

class Decision {
 public:
  explicit Decision(Method method) : draw_({.method = method}) {
    std::iota(candidates_.begin(), candidates_.end(), 0U);
    for (int i = 0; i < 50; ++i) names_.push_back("a value that is too long for a short string " + std::to_string(i));
  }

  void decide(std::uint64_t seed) {
    request_.clear();
    for (const char* name : {"hour", "device", "college", "page", "course", "query", "interest", "slot"})
      request_.add(name, names_[random_bits(seed, 0) % names_.size()]);
    request_.compile();
    scorer_->score(request_, candidates_, attraction_, scratch_);
    scorer_->rate_spread(candidates_, spread_);
    draw_.begin({.value = attraction_, .spread = spread_}, seed, 100);
    for (int position = 0; position < 5; ++position) arm_ = draw_.next()->arm;
  }

  [[nodiscard]] Impression impression() const {
    return {.rows = rows_of(request_), .ad = ads_->ad(arm_), .position = 4, .time_s = 0};
  }
  Learner& learner() { return learner_; }

 private:
  FeatureSpec spec_ = *FeatureSpec::parse({});
  std::shared_ptr<const AdTable> ads_ = std::make_shared<const AdTable>(spec_, make_ads(500));
  Learner learner_{spec_, small(12)};
  std::shared_ptr<const Scorer> scorer_ = *Scorer::bind(learner_.model(), ads_);
  RequestFeatures request_{spec_};
  Scorer::Scratch scratch_;
  SlateDraw draw_;
  std::vector<std::string> names_;
  std::vector<std::uint32_t> candidates_ = std::vector<std::uint32_t>(500);
  std::vector<float> attraction_ = std::vector<float>(500), spread_ = std::vector<float>(500);
  std::uint32_t arm_ = 0;
};

TEST(Allocations, are_counted) {
  const auto before = allocations;
  const auto something = std::make_unique<std::string>(100, 'x');
  EXPECT_EQ(allocations, before + 2);
}

TEST(Allocations, are_none_in_a_decision_after_the_first) {
  for (const auto method : {Method::squarecb, Method::thompson}) {
    Decision decision(method);
    for (std::uint64_t seed = 0; seed < 3; ++seed) decision.decide(seed);
    const auto before = allocations;
    for (std::uint64_t seed = 3; seed < 100; ++seed) decision.decide(seed);
    EXPECT_EQ(allocations, before);
  }
}

TEST(Allocations, are_none_in_learning_of_an_ad_that_is_known) {
  Decision decision(Method::squarecb);
  decision.decide(1);
  const auto impression = decision.impression();
  (void)decision.learner().learn(impression, 0);
  const auto before = allocations;
  for (int i = 0; i < 2'500; ++i) (void)decision.learner().learn(impression, i % 20 == 0);  // Refits, too.
  EXPECT_EQ(allocations, before);
}

}  // namespace
}  // namespace marquee::learning
#endif
