#include "decision_record.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <random>

#include "marquee/clickhouse/row_binary.h"
#include "marquee/serving/decision_person.h"

namespace marquee::serving {
namespace {

constexpr std::int64_t kTime = 1'735'689'600'123;

/// What a store would have of the candidates of one row.
struct Landed {
  std::vector<std::string> named;
  std::vector<float> scores, values, propensities;
  std::uint32_t others = 0;
  float others_propensity = 0;
  std::uint64_t inventory = 0;
  std::vector<std::uint64_t> others_rows;
};

class Row {
 public:
  explicit Row(std::string_view rows) : reader_(rows) {}
  std::string text() { return std::string(reader_.text().value()); }
  template <class T>
  T number() {
    return reader_.number<T>().value();
  }
  template <class T>
  std::vector<T> numbers() {
    std::vector<T> all(size());
    for (auto& one : all) one = number<T>();
    return all;
  }
  std::size_t size() {
    std::size_t size = 0;
    for (unsigned shift = 0;; shift += 7) {
      const auto byte = number<std::uint8_t>();
      size |= static_cast<std::size_t>(byte & 0x7F) << shift;
      if (byte < 0x80) return size;
    }
  }
  [[nodiscard]] bool at_end() const { return reader_.at_end(); }

 private:
  clickhouse::RowBinaryReader reader_;
};

Landed read_landed(Row& row) {
  for (int i = 0; i < 2; ++i) static_cast<void>(row.text());  // Site, decision.
  EXPECT_EQ(row.number<std::uint8_t>(), 0);
  EXPECT_EQ(row.number<std::int64_t>(), kTime);
  EXPECT_EQ(row.number<std::uint64_t>(), 0U);
  static_cast<void>(row.text());
  EXPECT_EQ(row.number<std::int64_t>(), 7);
  EXPECT_EQ(row.text(), "top");
  EXPECT_EQ(row.number<std::uint8_t>(), 1);
  for (int i = 0; i < 3; ++i) static_cast<void>(row.text());
  static_cast<void>(row.number<float>());
  static_cast<void>(row.number<std::uint8_t>());
  EXPECT_EQ(row.number<std::uint8_t>(), 3) << "turn";
  EXPECT_EQ(row.number<std::int64_t>(), 2'500'000);
  EXPECT_EQ(row.size(), 0U) << "fields of the context";
  Landed landed;
  for (auto left = row.size(); left > 0; --left) landed.named.push_back(row.text());
  landed.scores = row.numbers<float>();
  landed.values = row.numbers<float>();
  landed.propensities = row.numbers<float>();
  landed.others = row.number<std::uint32_t>();
  landed.others_propensity = row.number<float>();
  landed.inventory = row.number<std::uint64_t>();
  landed.others_rows = row.numbers<std::uint64_t>();
  for (int i = 0; i < 2; ++i) static_cast<void>(row.text());  // Category, advertiser.
  return landed;
}

class DecisionRecordTest : public ::testing::Test {
 protected:
  void add_inventory(std::size_t ads) {
    decision::Campaign campaign{
        .id = "c", .status = decision::Status::active, .advertiser = "law-school", .category = "study"};
    for (std::size_t i = 0; i < ads; ++i) campaign.ads.push_back({.id = "ad" + std::to_string(i)});
    decision.inventory = decision::Inventory::compile({campaign}, {{.id = "top"}}, {.version = 7});
    decision.time_ms = kTime;
    request.placements = {{.slot = "top", .position = 1}};
    decision.choices.assign(1, {});
    decision.choices[0].turn = 3;
    decision.choices[0].price_micros = 2'500'000;
  }
  void add_candidate(std::uint32_t row, float propensity) {
    decision.choices[0].candidates.push_back({.ad = &decision.inventory->ads()[row],
                                              .row = row,
                                              .score = propensity / 2,
                                              .value = 0,
                                              .propensity = propensity});
  }
  std::string record() {
    std::string out;
    append_record("campus", request, decision, out);
    return out;
  }
  Landed landed() {
    bytes = record();
    Row row(landing_of(bytes).value().rows);
    auto one = read_landed(row);
    EXPECT_TRUE(row.at_end());
    return one;
  }

  decision::Request request;
  decision::Decision decision;
  std::string bytes;
};

TEST_F(DecisionRecordTest, says_the_chance_of_each_candidate_whether_named_or_counted) {
  const auto seed = std::random_device()();
  SCOPED_TRACE(testing::Message() << "seed " << seed);
  std::mt19937 random(seed);
  for (int round = 0; round < 200; ++round) {
    add_inventory(std::uniform_int_distribution<std::size_t>(1, 400)(random));
    std::map<std::string, float> expected;
    const bool is_uniform = round % 5 == 0;
    for (const auto& ad : decision.inventory->ads()) {
      if (random() % 3 == 0) continue;
      const bool is_listed = !is_uniform && random() % 10 == 0;
      add_candidate(ad.row, is_listed ? std::uniform_real_distribution<float>(0, 0.01F)(random) : 1e-4F);
      expected[ad.ad->id] = decision.choices[0].candidates.back().propensity;
    }
    const auto& candidates = decision.choices[0].candidates;
    if (candidates.empty()) continue;
    decision.choices[0].ad = candidates[random() % candidates.size()].ad;

    const auto one = landed();
    std::map<std::string, float> seen;
    for (std::size_t i = 0; i < one.named.size(); ++i) {
      EXPECT_EQ(one.scores[i], one.propensities[i] / 2);
      seen[one.named[i]] = one.propensities[i];
    }
    std::uint32_t counted = 0;
    for (std::size_t row = 0; row < 64 * one.others_rows.size(); ++row) {
      if ((one.others_rows[row / 64] >> row % 64 & 1) == 0) continue;
      ++counted;
      EXPECT_TRUE(seen.emplace(decision.inventory->ads().at(row).ad->id, one.others_propensity).second) << "twice";
    }
    EXPECT_EQ(counted, one.others);
    EXPECT_EQ(seen, expected);
    EXPECT_THAT(one.named, testing::Contains(decision.choices[0].ad->ad->id));
    EXPECT_EQ(one.inventory, one.others > 0 ? decision.inventory->fingerprint() : 0);
    EXPECT_EQ(candidates.size() <= kMostNamed, one.named.size() == candidates.size() && one.others == 0);
    EXPECT_TRUE(one.values.empty()) << "without an auction";
    if (is_uniform && candidates.size() > kMostNamed) {
      EXPECT_EQ(one.named.size(), 1U) << "the chosen alone";
    }
  }
}

TEST_F(DecisionRecordTest, is_small_where_few_candidates_are_on_the_shortlist) {
  add_inventory(2'000);
  for (std::uint32_t row = 0; row < 2'000; row += 2)
    add_candidate(row, row < 64 ? 0.01F + static_cast<float>(row) : 1e-5F);
  decision.choices[0].ad = decision.choices[0].candidates[0].ad;
  EXPECT_LT(record().size(), 1'000U);
  EXPECT_EQ(landed().others, 968U);
}

TEST_F(DecisionRecordTest, gives_back_what_was_served_and_what_was_known) {
  add_inventory(50);
  for (std::uint32_t row = 0; row < 50; ++row) add_candidate(row, 0.02F);
  decision.user_key = 9;
  decision.choices.push_back({});  // Without an ad.
  request.placements.push_back({.slot = "side", .position = 2});
  request.context.known = {{.field = decision::Field::page, .value = "home"},
                           {.field = decision::Field::search_term, .value = "law"},
                           {.field = decision::Field::attribute, .name = "plan", .value = "free"},
                           {.field = decision::Field::search_term, .value = "school"}};
  decision.choices[0].ad = &decision.inventory->ads()[20];
  decision.choices[0].propensity = 0.02F;
  const auto text = record();
  const auto all = read_record(text).value();
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(all[0].site_id, "campus");
  EXPECT_EQ(all[0].campaign_id, "c");
  EXPECT_EQ(all[0].category, "study");
  EXPECT_EQ(all[0].advertiser, "law-school");
  EXPECT_EQ(all[0].ad_id, "ad20");
  EXPECT_EQ(all[0].slot_id, "top");
  EXPECT_EQ(all[0].time_ms, kTime);
  EXPECT_EQ(all[0].user_key, 9U);
  EXPECT_EQ(all[0].position, 1);
  EXPECT_EQ(all[0].propensity, 0.02F);
  EXPECT_THAT(all[0].context,
              testing::ElementsAre(testing::Pair("page", "home"), testing::Pair("search_term", "law"),
                                   testing::Pair("search_term", "school"), testing::Pair("attribute.plan", "free")));
  for (std::size_t size = 1; size < text.size(); ++size)
    EXPECT_TRUE(!read_record(text.substr(0, size)) || read_record(text.substr(0, size))->size() <= 1) << size;
  EXPECT_FALSE(read_record(std::string_view(text).substr(0, 40)));
}

TEST_F(DecisionRecordTest, says_of_whom_it_is_also_without_an_ad) {
  add_inventory(3);
  decision.user_key = 9;
  for (const bool has_ad : {false, true}) {
    decision.choices[0].ad = has_ad ? &decision.inventory->ads()[1] : nullptr;
    const auto text = record();
    EXPECT_TRUE(is_decision_of(text, "campus", 9, kTime));
    EXPECT_FALSE(is_decision_of(text, "campus", 9, kTime - 1));
    EXPECT_FALSE(is_decision_of(text, "campus", 8, kTime));
    EXPECT_FALSE(is_decision_of(text, "moodle", 9, kTime));
    for (std::size_t size = 0; size < 30; ++size)
      EXPECT_FALSE(is_decision_of(text.substr(0, size), "campus", 9, kTime));
  }
  std::string inventory;
  append_inventory("campus", *decision.inventory, inventory);
  EXPECT_FALSE(is_decision_of(inventory, "campus", 9, kTime));
}

/// As a log has it that the program before this one wrote.
TEST_F(DecisionRecordTest, reads_and_lands_records_that_name_all_candidates) {
  std::string old;
  const auto text = [&](std::string_view one) { (old += static_cast<char>(one.size())) += one; };
  const auto number = [&](auto one) { old.append(reinterpret_cast<const char*>(&one), sizeof one); };
  text("campus");
  text("d1");
  number(std::uint8_t{0});
  number(kTime);
  number(std::uint64_t{9});
  text("squarecb-1");
  number(std::int64_t{7});
  text("top");
  number(std::uint8_t{1});
  text("c");
  text("ad1");
  text("chosen");
  number(0.75F);
  number(std::uint8_t{0});
  old += '\x01';
  text("page");
  old += '\x01';
  text("home");
  old += '\x02';
  text("ad1");
  text("ad2");
  for (const float one : {0.5F, 0.25F}) {
    old += '\x02';
    number(one);
    number(1 - one);
  }
  const std::string twice = old + old;  // Whose texts what is read borrows.
  const auto all = read_record(twice).value();
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[1].ad_id, "ad1");
  EXPECT_EQ(all[1].propensity, 0.75F);
  EXPECT_THAT(all[1].context, testing::ElementsAre(testing::Pair("page", "home")));
  const auto landing = landing_of(old).value();
  EXPECT_EQ(landing.rows, old);
  EXPECT_THAT(std::string(landing.insert), testing::Not(testing::HasSubstr("others")));
}

/// As a log has it that the program before this one wrote: it did not say what the ad is.
TEST_F(DecisionRecordTest, reads_and_lands_records_without_category_and_advertiser) {
  std::string old("\0\1", 2);
  const auto text = [&](std::string_view one) { (old += static_cast<char>(one.size())) += one; };
  const auto number = [&](auto one) { old.append(reinterpret_cast<const char*>(&one), sizeof one); };
  for (const std::string_view ad : {"ad1", "ad2"}) {
    text("campus");
    text("d1");
    number(std::uint8_t{ad == "ad2"});
    number(kTime);
    number(std::uint64_t{9});
    text("squarecb-1");
    number(std::int64_t{7});
    text("top");
    number(std::uint8_t{1});
    text("c");
    text(ad);
    text("chosen");
    number(0.75F);
    number(std::uint8_t{0});    // is_bound
    number(std::uint8_t{1});    // turn
    number(std::int64_t{250});  // price
    old += '\x01';
    text("page");
    old += '\x01';
    text("home");
    old += '\x01';
    text(ad);
    old += '\x01';
    number(0.5F);
    old += '\0';  // No values: there was no auction.
    old += '\x01';
    number(0.75F);
    number(std::uint32_t{2});
    number(0.125F);
    number(std::uint64_t{77});
    old += '\x01';
    number(std::uint64_t{6});
  }
  const auto all = read_record(old).value();
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[0].ad_id, "ad1");
  EXPECT_EQ(all[1].ad_id, "ad2");
  EXPECT_EQ(all[1].placement, 1);
  EXPECT_EQ(all[1].propensity, 0.75F);
  EXPECT_EQ(all[1].category, "");
  EXPECT_EQ(all[1].advertiser, "");
  EXPECT_THAT(all[1].context, testing::ElementsAre(testing::Pair("page", "home")));
  const auto landing = landing_of(old).value();
  EXPECT_EQ(landing.rows, std::string_view(old).substr(2));
  EXPECT_THAT(std::string(landing.insert), testing::HasSubstr("others_rows)"));
  EXPECT_TRUE(landing.is_decision);
}

TEST_F(DecisionRecordTest, says_that_a_record_is_of_a_later_program) {
  const std::string later = std::string("\0\x63", 2) + "anything";
  EXPECT_THAT(read_record(later).error().message, testing::HasSubstr("later Marquee"));
  EXPECT_THAT(landing_of(later).error().message, testing::HasSubstr("later Marquee"));
}

TEST_F(DecisionRecordTest, an_inventory_lands_apart_and_serves_nothing) {
  add_inventory(2);
  std::string out;
  append_inventory("campus", *decision.inventory, out);
  EXPECT_TRUE(read_record(out).value().empty());
  const auto landing = landing_of(out).value();
  EXPECT_FALSE(landing.is_decision);
  EXPECT_THAT(std::string(landing.insert), testing::HasSubstr("marquee.inventories"));
  Row row(landing.rows);
  EXPECT_EQ(row.text(), "campus");
  EXPECT_EQ(row.number<std::uint64_t>(), decision.inventory->fingerprint());
  EXPECT_EQ(row.size(), 2U);
  EXPECT_EQ(row.text(), "ad0");
  EXPECT_EQ(row.text(), "ad1");
  EXPECT_TRUE(row.at_end());
}

}  // namespace
}  // namespace marquee::serving
