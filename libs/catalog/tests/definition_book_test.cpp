#include "marquee/catalog/definition_book.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "catalog_file.h"

namespace marquee::catalog {
namespace {

class DefinitionBookTest : public CatalogFileTest {
 protected:
  // The clock stands still, so that versions cannot differ by it.
  DefinitionBookTest() : CatalogFileTest(std::make_shared<ManualClock>(WallTime(Millis(1'800'000'000'000)))) {}
  void SetUp() override {
    CatalogFileTest::SetUp();
    for (const char* site : {"campus", "moodle"}) ASSERT_TRUE(catalog_->add_site({site, site}, "test"));
  }
  DefinitionBook book() { return DefinitionBook(*catalog_); }

  static Definition campaign(const std::string& id, const std::string& text, std::vector<Item> ads = {}) {
    return {.site_id = "campus", .kind = ItemKind::campaign, .id = id, .name = "The " + id, .text = text, .ads = ads};
  }
  /// Puts it, whatever there is.
  Definition put(Definition definition, std::string_view actor = "test") {
    const auto edit = book().put(definition, std::nullopt, actor);
    EXPECT_TRUE(edit) << edit.error().message;
    EXPECT_EQ(edit.value_or(Edit::missing), Edit::done);
    return definition;
  }
  std::optional<Definition> kept(std::string_view id) { return *book().find("campus", ItemKind::campaign, id); }
  std::vector<Item> items(ItemKind kind) { return *catalog_->items("campus", kind); }
};

TEST_F(DefinitionBookTest, keeps_definitions_over_a_restart_and_gives_their_names_to_reports) {
  const auto made = put(campaign("law", R"({"a":1})", {{"law-1", "Hero", ""}}), "ana");
  put({.site_id = "campus", .kind = ItemKind::slot, .id = "top", .name = "Top of the page", .text = "{}"});
  open();
  const auto law = kept("law");
  ASSERT_TRUE(law);
  EXPECT_EQ(law->text, R"({"a":1})");
  EXPECT_EQ(law->name, "The law");
  EXPECT_EQ(law->changed_by, "ana");
  EXPECT_EQ(law->changed_ms, made.changed_ms);
  EXPECT_EQ(items(ItemKind::campaign).front().name, "The law");
  EXPECT_EQ(items(ItemKind::ad).front().campaign_id, "law");
  EXPECT_EQ(items(ItemKind::slot).front().name, "Top of the page");
  EXPECT_EQ(book().of_site("campus", ItemKind::campaign)->size(), 1U);
  EXPECT_EQ(book().of_site("campus", ItemKind::slot)->size(), 1U);
  EXPECT_TRUE(book().of_site("moodle", ItemKind::campaign)->empty());
  EXPECT_EQ(book().all()->all.size(), 2U);
}

TEST_F(DefinitionBookTest, adds_only_what_is_not_there) {
  auto first = campaign("law", "1"), second = campaign("law", "2");
  EXPECT_EQ(*book().add(first, "test"), Edit::done);
  EXPECT_EQ(*book().add(second, "test"), Edit::exists);
  EXPECT_EQ(kept("law")->text, "1");
}

TEST_F(DefinitionBookTest, changes_only_the_version_that_was_seen) {
  const auto seen = put(campaign("law", "1"));
  auto theirs = campaign("law", "2"), mine = campaign("law", "3");
  EXPECT_EQ(*book().put(theirs, seen.changed_ms, "test"), Edit::done);
  EXPECT_GT(theirs.changed_ms, seen.changed_ms) << "also within a millisecond";
  EXPECT_EQ(theirs.made_ms, seen.made_ms);
  EXPECT_EQ(*book().put(mine, seen.changed_ms, "test"), Edit::changed);
  EXPECT_EQ(*book().remove("campus", ItemKind::campaign, "law", seen.changed_ms, "test"), Edit::changed);
  EXPECT_EQ(kept("law")->text, "2");
  EXPECT_EQ(*book().remove("campus", ItemKind::campaign, "law", theirs.changed_ms, "test"), Edit::done);
  EXPECT_EQ(*book().remove("campus", ItemKind::campaign, "law", std::nullopt, "test"), Edit::missing);
  EXPECT_EQ(*book().put(mine, theirs.changed_ms, "test"), Edit::missing);
}

TEST_F(DefinitionBookTest, lets_one_of_many_who_saw_the_same_version_change_it) {
  const auto seen = put(campaign("law", "0"));
  std::atomic<int> done = 0;
  {
    std::vector<std::jthread> writers;
    for (int i = 1; i <= 8; ++i)
      writers.emplace_back([&, i] {
        auto mine = campaign("law", std::to_string(i));
        if (*book().put(mine, seen.changed_ms, "test") == Edit::done) ++done;
      });
  }
  EXPECT_EQ(done, 1);
  EXPECT_EQ(book().history("campus", ItemKind::campaign, "law")->size(), 2U);
}

TEST_F(DefinitionBookTest, remembers_what_each_was_and_who_changed_it) {
  put(campaign("law", "1"), "ana");
  put(campaign("law", "2"), "ben");
  put(campaign("other", "9"), "ben");
  ASSERT_EQ(*book().remove("campus", ItemKind::campaign, "law", std::nullopt, "cy"), Edit::done);
  open();
  const auto history = *book().history("campus", ItemKind::campaign, "law");
  ASSERT_EQ(history.size(), 3U);
  EXPECT_TRUE(history[0].is_removal);
  EXPECT_EQ(history[0].text, "2") << "what was removed";
  EXPECT_EQ(history[0].changed_by, "cy");
  EXPECT_EQ(history[1].text, "2");
  EXPECT_EQ(history[1].changed_by, "ben");
  EXPECT_FALSE(history[1].is_removal);
  EXPECT_EQ(history[2].text, "1");
  EXPECT_EQ(history[2].changed_by, "ana");
  EXPECT_GT(history[0].changed_ms, history[1].changed_ms);
  EXPECT_GT(history[1].changed_ms, history[2].changed_ms);
  EXPECT_GT(put(campaign("law", "3")).changed_ms, history[0].changed_ms) << "made again, it is later than it ever was";
}

TEST_F(DefinitionBookTest, keeps_fifty_states_of_each) {
  put(campaign("other", "1"));
  for (int i = 1; i <= 60; ++i) put(campaign("law", std::to_string(i)));
  const auto history = *book().history("campus", ItemKind::campaign, "law");
  ASSERT_EQ(history.size(), 50U);
  EXPECT_EQ(history.front().text, "60");
  EXPECT_EQ(history.back().text, "11");
  EXPECT_EQ(book().history("campus", ItemKind::campaign, "other")->size(), 1U);
}

TEST_F(DefinitionBookTest, leaves_what_is_the_same_of_its_version) {
  const auto made = put(campaign("law", "1"), "ana");
  const auto version = book().version();
  EXPECT_EQ(put(campaign("law", "1"), "ben").changed_ms, made.changed_ms);
  EXPECT_EQ(kept("law")->changed_by, "ana");
  EXPECT_EQ(book().version(), version);
}

TEST_F(DefinitionBookTest, has_each_ad_in_one_campaign_of_a_site) {
  put(campaign("law", "1", {{"a", "A", ""}, {"b", "B", ""}}));
  auto other = campaign("art", "1", {{"c", "C", ""}, {"b", "B of art", ""}});
  const auto refused = book().put(other, std::nullopt, "test");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().action, Action::reject);
  EXPECT_EQ(refused.error().message, "ads[1].id: the campaign \"law\" has an ad of this id");
  EXPECT_FALSE(kept("art")) << "all or nothing";
  EXPECT_EQ(items(ItemKind::ad).size(), 2U);
  put(campaign("law", "2", {{"a", "A", ""}}));  // It gives b up.
  put(campaign("art", "1", {{"c", "C", ""}, {"b", "B of art", ""}}));
  EXPECT_EQ(items(ItemKind::ad)[1].campaign_id, "art");
  ASSERT_EQ(*book().remove("campus", ItemKind::campaign, "art", std::nullopt, "test"), Edit::done);
  EXPECT_EQ(items(ItemKind::ad).size(), 3U) << "reports of what was served need the names";
  put(campaign("law", "3", {{"b", "B", ""}, {"c", "C", ""}}));
}

TEST_F(DefinitionBookTest, tells_that_something_has_changed_also_in_another_process) {
  auto seen = book().version();
  const auto expect_another = [&](const char* after) {
    EXPECT_NE(book().version(), seen) << after;
    seen = book().version();
    EXPECT_EQ(book().all()->version, seen);
  };
  put(campaign("law", "1"));
  expect_another("a campaign is made");
  put({.site_id = "moodle", .kind = ItemKind::slot, .id = "top", .name = "Top", .text = "{}"});
  expect_another("a slot is made");
  ASSERT_TRUE(book().remove("campus", ItemKind::campaign, "law", std::nullopt, "test"));
  expect_another("a campaign is removed");
  ASSERT_TRUE(catalog_->put_item("campus", ItemKind::ad, {"x", "X", ""}, "test"));
  EXPECT_EQ(book().version(), seen) << "nothing that is served has changed";
  // As a process of its own would, over a connection of its own.
  const auto elsewhere = *Catalog::open(path_.string(), clock_);
  auto law = campaign("law", "4");
  ASSERT_EQ(*DefinitionBook(*elsewhere).put(law, std::nullopt, "test"), Edit::done);
  ASSERT_TRUE(catalog_->follow_changes());
  expect_another("another process made one");
}

TEST_F(DefinitionBookTest, refuses_what_is_too_large_or_has_no_name) {
  auto nameless = campaign("law", "1"), large = campaign("law", std::string(2'000'001, ' ')), ad = campaign("law", "1");
  nameless.name = "";
  ad.kind = ItemKind::ad;
  for (auto* wrong : {&nameless, &large, &ad}) {
    const auto edit = book().put(*wrong, std::nullopt, "test");
    ASSERT_FALSE(edit);
    EXPECT_EQ(edit.error().action, Action::reject);
  }
  EXPECT_TRUE(book().all()->all.empty());
}

}  // namespace
}  // namespace marquee::catalog
