#include "marquee/ingest/retention.h"

#include "loader_store_fixture.h"

namespace marquee::ingest {
namespace {

class RetentionInTheStore : public testing::LoaderInTheStore {
 protected:
  void add(const std::string& type, int days_ago) {
    const auto done =
        client->execute(fmt::format("INSERT INTO marquee.events_in (site_id, session_id, seq, event_type, user_key, "
                                    "event_time, received_time, slot_id) "
                                    "SELECT 'campus', {}, 1, '{}', 7, now64(3) - toIntervalDay({}), now64(3), 'top'",
                                    ++session_, type, days_ago));
    ASSERT_TRUE(done) << done.error().message;
  }
  std::uint64_t apply(const Retention& retention) {
    const auto changed = apply_retention(*client, retention);
    EXPECT_TRUE(changed) << (changed ? "" : changed.error().message);
    return changed.value_or(99);
  }
  void merge() {
    for (const char* table : {"events", "user_days", "user_features"})
      ASSERT_TRUE(client->execute(fmt::format("OPTIMIZE TABLE marquee.{} FINAL", table)));
  }
  std::uint64_t session_ = 0;
};

TEST(Retention, reads_kinds_and_names_what_is_none) {
  const auto kinds = read_kinds("hover=30,scroll=14");
  ASSERT_TRUE(kinds);
  EXPECT_EQ(*kinds, (std::map<std::string, std::uint64_t>{{"hover", 30}, {"scroll", 14}}));
  EXPECT_TRUE(read_kinds("")->empty());
  for (const char* wrong :
       {"hovers=30", "hover", "hover=", "hover=0", "hover=x", "hover=3x", "hover=99999", "=3", "hover=-1"}) {
    const auto read = read_kinds(wrong);
    ASSERT_FALSE(read) << wrong;
    EXPECT_EQ(read.error().action, Action::reject);
    EXPECT_TRUE(read.error().message.starts_with("retention.kinds: ")) << read.error().message;
  }
}

TEST(Retention, is_as_short_as_its_shortest) {
  EXPECT_EQ(Retention{}.shortest(), 0U);
  EXPECT_EQ((Retention{.events = 400}.shortest()), 400U);
  EXPECT_EQ((Retention{.kinds = {{"hover", 30}}}.shortest()), 30U);
  EXPECT_EQ((Retention{.events = 20, .kinds = {{"hover", 30}}}.shortest()), 20U);
}

TEST_F(RetentionInTheStore, changes_tables_only_where_their_terms_are_others) {
  EXPECT_EQ(apply({}), 0U);
  EXPECT_EQ(*whole_since(*client), "");
  const Retention some{.events = 400, .kinds = {{"hover", 30}, {"scroll", 40}}, .decisions = 90, .dead_letters = 30};
  EXPECT_EQ(apply(some), 5U);
  EXPECT_EQ(apply(some), 0U);
  const auto terms = retention_terms(*client);
  ASSERT_TRUE(terms);
  EXPECT_EQ(terms->size(), 5U);
  EXPECT_EQ(*whole_since(*client), ask("SELECT toYYYYMMDD(toDate(now('UTC') - toIntervalDay(30)) + 1)"));
  EXPECT_EQ(apply({.events = 400, .kinds = {{"hover", 50}}, .decisions = 90, .dead_letters = 30}), 3U);
  EXPECT_EQ(apply({}), 5U);
  EXPECT_EQ(apply({}), 0U);
  EXPECT_TRUE(retention_terms(*client)->empty());
}

TEST_F(RetentionInTheStore, lets_each_kind_go_in_its_time_and_sums_stay_as_they_were) {
  for (const int days_ago : {0, 35, 500})
    for (const char* type : {"hover", "click", "search"}) add(type, days_ago);
  const auto sums = ask("SELECT sum(count) FROM marquee.heatmap_cells");
  EXPECT_EQ(sums, "6");
  EXPECT_EQ(apply({.events = 400, .kinds = {{"hover", 30}}}), 3U);
  merge();
  EXPECT_EQ(ask("SELECT arraySort(groupArray((dateDiff('day', event_time, now64(3)), event_type::String))) FROM "
                "marquee.events"),
            "[(0,'click'),(0,'hover'),(0,'search'),(35,'click'),(35,'search')]");
  // A row of these is of events of several kinds: it is kept as long as the shortest.
  EXPECT_EQ(ask("SELECT count() FROM marquee.user_days"), "1");
  EXPECT_EQ(ask("SELECT max(today() - day) FROM marquee.user_features"), "0");
  // Counted again, the old days would lose what has gone.
  const auto rebuilt = rebuild_rollups(*client, "", "");
  ASSERT_TRUE(rebuilt) << rebuilt.error().message;
  EXPECT_EQ(ask("SELECT sum(count) FROM marquee.heatmap_cells"), sums);
  const auto differences = rollup_differences(*client);
  ASSERT_TRUE(differences);
  EXPECT_TRUE(differences->empty()) << fmt::format("{}", fmt::join(*differences, "\n"));
}

}  // namespace
}  // namespace marquee::ingest
