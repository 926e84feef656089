#include "marquee/catalog/catalog.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <thread>
#include <tuple>

#include "catalog_file.h"
#include "marquee/catalog/definition_book.h"

namespace marquee::catalog {
namespace {

class CatalogTest : public CatalogFileTest {};

TEST_F(CatalogTest, keeps_sites_and_keys_over_a_restart) {
  ASSERT_TRUE(catalog_->add_site({"campus", "Campus", "https://campus.example", true}, "test"));
  const auto key = catalog_->add_write_key("campus", true, "test");
  ASSERT_TRUE(key);
  open();
  const auto owner = catalog_->find_key(*key);
  ASSERT_TRUE(owner);
  EXPECT_EQ(owner->site.id, "campus");
  EXPECT_TRUE(owner->site.consent_required);
  EXPECT_TRUE(owner->is_trusted);
  EXPECT_FALSE(catalog_->find_key(*key + "0"));
}

TEST_F(CatalogTest, tells_keys_by_what_they_are_for_and_ends_them) {
  ASSERT_TRUE(catalog_->add_site({"campus", "Campus"}, "test"));
  ASSERT_TRUE(catalog_->add_site({"other", "Other"}, "test"));
  const auto own = catalog_->add_write_key("campus", true, "serve");
  const auto app = catalog_->add_write_key("campus", false, "priya", "the app");
  ASSERT_TRUE(own && app && catalog_->add_write_key("other", false, "priya"));
  EXPECT_FALSE(catalog_->add_write_key("campus", false, "priya", std::string(201, 'x')));
  open();
  const auto keys = catalog_->write_keys("campus");
  ASSERT_TRUE(keys);
  ASSERT_EQ(keys->size(), 2U);
  const auto& mine = (*keys)[0].is_trusted ? (*keys)[0] : (*keys)[1];
  const auto& apps = (*keys)[0].is_trusted ? (*keys)[1] : (*keys)[0];
  EXPECT_EQ(apps.label, "the app");
  EXPECT_EQ(apps.made_by, "priya");
  EXPECT_GT(apps.made_ms, 0);
  EXPECT_EQ(apps.id.size(), 12U);
  EXPECT_FALSE(app->contains(apps.id));
  EXPECT_EQ(*catalog_->remove_write_key("other", apps.id, "test"), Edit::missing);
  EXPECT_EQ(*catalog_->remove_write_key("campus", mine.id, "test"), Edit::in_use);
  EXPECT_EQ(*catalog_->remove_write_key("campus", apps.id, "test"), Edit::done);
  EXPECT_EQ(*catalog_->remove_write_key("campus", apps.id, "test"), Edit::missing);
  EXPECT_FALSE(catalog_->find_key(*app));
  EXPECT_TRUE(catalog_->find_key(*own));
  open();
  EXPECT_FALSE(catalog_->find_key(*app));
  EXPECT_EQ(catalog_->write_keys("campus")->size(), 1U);
}

TEST_F(CatalogTest, changes_a_site_for_who_has_its_keys) {
  ASSERT_TRUE(catalog_->add_site({"campus", "Campus"}, "test"));
  const auto key = catalog_->add_write_key("campus", false, "test");
  ASSERT_TRUE(key);
  EXPECT_EQ(*catalog_->replace_site({"campus", "The campus", "https://a.example", true}, "test"), Edit::done);
  const auto owner = catalog_->find_key(*key);
  ASSERT_TRUE(owner);
  EXPECT_EQ(owner->site.name, "The campus");
  EXPECT_EQ(owner->site.allowed_origin, "https://a.example");
  EXPECT_TRUE(owner->site.consent_required);
  EXPECT_EQ(*catalog_->replace_site({"nowhere", ""}, "test"), Edit::missing);
  EXPECT_FALSE(catalog_->replace_site({"campus", std::string(201, 'x')}, "test"));
}

TEST_F(CatalogTest, refuses_a_bad_or_taken_site_id) {
  EXPECT_FALSE(catalog_->add_site({"Campus", ""}, "test"));
  EXPECT_FALSE(catalog_->add_site({"", ""}, "test"));
  EXPECT_FALSE(catalog_->add_site({"a/b", ""}, "test"));
  EXPECT_TRUE(catalog_->add_site({"a", ""}, "test"));
  EXPECT_FALSE(catalog_->add_site({"a", ""}, "test"));
  EXPECT_TRUE(catalog_->ensure_site({"a", ""}, "test"));
}

TEST_F(CatalogTest, keeps_no_secret_in_the_clear) {
  ASSERT_TRUE(catalog_->add_site({"a", ""}, "test"));
  const auto key = catalog_->add_write_key("a", false, "test");
  ASSERT_TRUE(catalog_->put_admin_token("token-in-the-clear", "test"));
  EXPECT_TRUE(catalog_->is_admin_token("token-in-the-clear"));
  EXPECT_FALSE(catalog_->is_admin_token("token"));
  catalog_.reset();
  for (const char* suffix : {"", "-wal"}) {
    std::string content;
    if (FILE* file = std::fopen((path_.string() + suffix).c_str(), "rb")) {
      for (int c; (c = std::fgetc(file)) != EOF;) content += static_cast<char>(c);
      std::fclose(file);
    }
    EXPECT_EQ(content.find(*key), std::string::npos);
    EXPECT_EQ(content.find("token-in-the-clear"), std::string::npos);
  }
}

TEST_F(CatalogTest, renames_items_and_records_who_did_it) {
  ASSERT_TRUE(catalog_->add_site({"a", ""}, "test"));
  ASSERT_TRUE(catalog_->put_item("a", ItemKind::ad, {"hero", "Hero", "law"}, "first"));
  ASSERT_TRUE(catalog_->put_item("a", ItemKind::ad, {"hero", "The hero's \"new\" name", "law"}, "second"));
  const auto items = catalog_->items("a", ItemKind::ad);
  ASSERT_TRUE(items);
  ASSERT_EQ(items->size(), 1u);
  EXPECT_EQ(items->front().name, "The hero's \"new\" name");
  const auto changes = catalog_->changes(10);
  ASSERT_TRUE(changes);
  EXPECT_EQ(changes->size(), 3u);
  EXPECT_FALSE(catalog_->put_item("b", ItemKind::ad, {"hero", "x", ""}, "test"));
}

TEST_F(CatalogTest, finds_keys_while_sites_are_made) {
  ASSERT_TRUE(catalog_->add_site({"a", ""}, "test"));
  const auto key = *catalog_->add_write_key("a", false, "test");
  std::jthread reader([&](const std::stop_token& stop) {
    while (!stop.stop_requested()) EXPECT_TRUE(catalog_->find_key(key));
  });
  for (int i = 0; i < 30; ++i) EXPECT_TRUE(catalog_->add_site({"site-" + std::to_string(i), ""}, "test"));
}

TEST_F(CatalogTest, keeps_saved_reports_over_a_restart_and_records_each_change) {
  const auto added = catalog_->add_saved_report(
      {.name = "B", .kind = "ctr", .site_id = "campus", .parameters = R"({"site":"campus"})", .owner = "ana"}, "test");
  ASSERT_TRUE(added) << added.error().message;
  EXPECT_EQ(added->id.size(), 16U);
  ASSERT_TRUE(catalog_->add_saved_report(
      {.name = "A", .kind = "ctr", .site_id = "moodle", .parameters = "{}", .owner = "ana"}, "test"));
  open();
  EXPECT_EQ(catalog_->saved_reports("")->size(), 2U);
  EXPECT_EQ(catalog_->saved_reports("")->front().name, "A");
  ASSERT_EQ(catalog_->saved_reports("campus")->size(), 1U);
  auto report = **catalog_->saved_report(added->id);
  EXPECT_EQ(report.parameters, R"({"site":"campus"})");
  EXPECT_EQ(report.made_ms, added->made_ms);
  report.name = "C";
  EXPECT_EQ(*catalog_->replace_saved_report(report, std::nullopt, "test"), Edit::done);
  EXPECT_EQ((*catalog_->saved_report(added->id))->name, "C");
  EXPECT_EQ((*catalog_->saved_report(added->id))->made_ms, added->made_ms);
  EXPECT_EQ(*catalog_->remove_saved_report(added->id, std::nullopt, "test"), Edit::done);
  EXPECT_EQ(*catalog_->remove_saved_report(added->id, std::nullopt, "test"), Edit::missing);
  EXPECT_FALSE(*catalog_->saved_report(added->id));
  EXPECT_EQ(*catalog_->replace_saved_report(report, std::nullopt, "test"), Edit::missing);
  const auto changes = catalog_->changes(10);
  ASSERT_TRUE(changes);
  for (const auto& what : {" saved: \"B\", ctr of site campus", " is now \"C\", ctr of site campus", " \"C\" removed"})
    EXPECT_TRUE(std::ranges::any_of(*changes, [&](const auto& change) { return change.what.ends_with(what); })) << what;
}

TEST_F(CatalogTest, changes_a_saved_report_only_where_it_is_of_the_version_that_was_seen) {
  const auto seen = *catalog_->add_saved_report(
      {.name = "A", .kind = "ctr", .site_id = "campus", .parameters = "{}", .owner = "ana"}, "test");
  auto mine = seen, theirs = seen;
  EXPECT_EQ(*catalog_->replace_saved_report(theirs, seen.changed_ms, "test"), Edit::done);
  EXPECT_GT(theirs.changed_ms, seen.changed_ms);  // Also within a millisecond.
  EXPECT_EQ(*catalog_->replace_saved_report(mine, seen.changed_ms, "test"), Edit::changed);
  EXPECT_EQ(*catalog_->remove_saved_report(seen.id, seen.changed_ms, "test"), Edit::changed);
  EXPECT_EQ(*catalog_->remove_saved_report(seen.id, theirs.changed_ms, "test"), Edit::done);
}

TEST_F(CatalogTest, lets_one_of_many_who_saw_the_same_version_change_a_saved_report) {
  const auto seen = *catalog_->add_saved_report(
      {.name = "A", .kind = "ctr", .site_id = "campus", .parameters = "{}", .owner = "ana"}, "test");
  std::atomic<int> done = 0;
  {
    std::vector<std::jthread> writers;
    for (int i = 0; i < 8; ++i) {
      writers.emplace_back([&, i] {
        auto mine = seen;
        mine.name = "by " + std::to_string(i);
        const auto edit = i % 2 == 0 ? *catalog_->replace_saved_report(mine, seen.changed_ms, "test")
                                     : *catalog_->remove_saved_report(seen.id, seen.changed_ms, "test");
        if (edit == Edit::done) ++done;
      });
    }
  }
  EXPECT_EQ(done, 1);
}

TEST_F(CatalogTest, refuses_saved_reports_without_a_name_or_too_large) {
  const SavedReport fine{.name = "A", .kind = "ctr", .site_id = "campus", .parameters = "{}", .owner = "ana"};
  for (auto member : {&SavedReport::name, &SavedReport::owner, &SavedReport::parameters}) {
    auto report = fine;
    report.*member = member == &SavedReport::parameters ? std::string(100'001, ' ') : "";
    const auto added = catalog_->add_saved_report(report, "test");
    ASSERT_FALSE(added);
    EXPECT_EQ(added.error().action, Action::reject);
  }
  EXPECT_TRUE(catalog_->saved_reports("")->empty());
}

TEST_F(CatalogTest, gives_each_refresh_of_a_segment_a_version_that_none_had_before) {
  const auto first = *catalog_->next_segment_version();
  const auto added = catalog_->add_segment({.id = Catalog::make_segment_id(),
                                            .site_id = "campus",
                                            .title = "Clickers",
                                            .definition = "{}",
                                            .size = 7,
                                            .version = first},
                                           "test");
  ASSERT_TRUE(added) << added.error().message;
  ASSERT_TRUE(catalog_->remove_segment(added->id, "test"));
  open();
  EXPECT_GT(*catalog_->next_segment_version(), first);
}

TEST_F(CatalogTest, takes_a_refresh_only_of_the_segment_as_it_is) {
  Segment segment{.id = "1", .site_id = "campus", .title = "A", .definition = "{}", .size = 7, .version = 5};
  segment = *catalog_->add_segment(segment, "test");
  auto next = segment;
  next.version = 6;
  next.size = 9;
  ASSERT_TRUE(*catalog_->refresh_segment(next));
  EXPECT_EQ((*catalog_->segment("1"))->size, 9U);
  // One that began earlier and ends later.
  EXPECT_FALSE(*catalog_->refresh_segment(next));
  auto changed = next;
  changed.title = "B";
  changed.version = 7;
  changed = **catalog_->replace_segment(changed, "test");
  next.version = 8;
  EXPECT_FALSE(*catalog_->refresh_segment(next)) << "the definition is another by now";
  open();
  const auto kept = **catalog_->segment("1");
  EXPECT_EQ(kept.title, "B");
  EXPECT_EQ(kept.version, 7U);
  EXPECT_EQ(kept.made_ms, segment.made_ms);
  EXPECT_EQ(*catalog_->remove_segment("1", "test"), true);
  EXPECT_EQ(*catalog_->remove_segment("1", "test"), false);
  changed.version = 9;
  EXPECT_FALSE(*catalog_->refresh_segment(changed));
  EXPECT_FALSE(*catalog_->replace_segment(changed, "test"));
}

TEST_F(CatalogTest, lists_segments_of_a_site_by_title_and_refuses_what_is_too_large) {
  std::uint64_t version = 4;
  for (const auto& [id, site, title] : {std::tuple("1", "campus", "B"), {"2", "campus", "A"}, {"3", "moodle", "C"}})
    ASSERT_TRUE(catalog_->add_segment(
        {.id = id, .site_id = site, .title = title, .definition = "{}", .version = version++}, "test"));
  EXPECT_EQ(catalog_->segments("")->size(), 3U);
  ASSERT_EQ(catalog_->segments("campus")->size(), 2U);
  EXPECT_EQ(catalog_->segments("campus")->front().title, "A");
  EXPECT_EQ(*catalog_->segment_versions("campus"),
            (std::vector<std::pair<std::string, std::uint64_t>>{{"2", 5}, {"1", 4}}));
  EXPECT_FALSE(catalog_->add_segment({.id = "4", .site_id = "campus", .title = "", .definition = "{}"}, "test"));
  EXPECT_FALSE(catalog_->add_segment(
      {.id = "4", .site_id = "campus", .title = "A", .definition = std::string(4'000'001, ' ')}, "test"));
}

TEST_F(CatalogTest, tells_live_segments_apart_from_those_whose_users_are_written_down) {
  const auto add = [&](const char* id, const char* site, std::uint64_t version) {
    ASSERT_TRUE(catalog_->add_segment(
        {.id = id, .site_id = site, .title = id, .definition = R"({"kind":"live"})", .version = version}, "test"));
  };
  add("b", "moodle", 0);
  add("c", "campus", 0);
  add("a", "campus", 0);
  add("d", "campus", 7);
  const auto live = DefinitionBook(*catalog_).live_segments();
  ASSERT_TRUE(live);
  ASSERT_EQ(live->size(), 3U);
  EXPECT_EQ((*live)[0].id + (*live)[1].id + (*live)[2].id, "acb");
  EXPECT_EQ(*catalog_->segment_versions("campus"), (std::vector<std::pair<std::string, std::uint64_t>>{{"d", 7}}));
}

}  // namespace
}  // namespace marquee::catalog
