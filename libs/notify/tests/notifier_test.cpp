#include "marquee/notify/notifier.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <filesystem>
#include <functional>
#include <thread>

namespace marquee::notify {
namespace {

constexpr std::int64_t kHour = 3'600'000;
constexpr std::int64_t kStart = 1'790'000'000'000 / kHour * kHour;

class Numbers final : public Source {
 public:
  Result<Content> report(const catalog::Delivery& delivery, const catalog::Notice& notice) override {
    ++asked;
    while (is_slow) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    return Content{"text/plain", "", delivery.id + " of " + std::to_string(notice.due_ms)};
  }
  Result<Readings> read(const AlertRule&, std::int64_t) override {
    if (is_away) return Error::retry("the store is away");
    return Readings{{value, {}, {}, value}, {}};
  }
  std::atomic<double> value = 0;
  std::atomic<bool> is_away = false;
  std::atomic<bool> is_slow = false;
  std::atomic<int> asked = 0;
};

class NotifierTest : public testing::Test {
 protected:
  void SetUp() override {
    path_ = std::filesystem::temp_directory_path() / ("marquee-notifier-" + catalog::make_secret(""));
    auto opened = catalog::Catalog::open(path_.string(), clock_);
    ASSERT_TRUE(opened) << opened.error().message;
    catalog_ = std::move(*opened);
    book_ = std::make_unique<catalog::NotificationBook>(*catalog_);
    const auto report = catalog_->add_saved_report(
        {.name = "A", .kind = "ctr", .site_id = "campus", .parameters = "{}", .owner = "ana"}, "test");
    ASSERT_TRUE(report);
    report_id_ = report->id;
  }
  void TearDown() override {
    numbers_.is_slow = false;
    notifier_.reset();
    catalog_.reset();
    for (const char* suffix : {"", "-wal", "-shm"}) std::filesystem::remove(path_.string() + suffix);
  }
  void start() {
    notifier_ = std::make_unique<Notifier>(
        NotifierOptions{
            .webhook = {},  // Private addresses are not allowed: each try fails, and none leaves the machine.
            .backoff = {},
            .max_failures = 3,
            .look_every = Millis(5),
            .secret_root = "root",
            .clock = clock_,
            .metrics = {}},
        *catalog_, numbers_);
    notifier_->start();
  }
  catalog::Delivery add_hourly() {
    const auto added = book_->add(catalog::Delivery{.report_id = report_id_,
                                                    .url = "http://127.0.0.1:9/hook",
                                                    .format = "json",
                                                    .schedule = R"({"every":"hour","minute":0,"zone":"UTC"})",
                                                    .owner = "ana",
                                                    .next_due_ms = kStart + kHour},
                                  "test");
    EXPECT_TRUE(added) << added.error().message;
    return *added;
  }
  std::vector<catalog::Notice> notices(catalog::NoticeSource source, const std::string& id) {
    return *book_->notices(source, id, 100);
  }
  static void wait_until(const std::function<bool()>& condition, const char* what) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (!condition()) {
      ASSERT_LT(std::chrono::steady_clock::now(), deadline) << "waited for " << what;
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
  }

  std::shared_ptr<ManualClock> clock_ = std::make_shared<ManualClock>(WallTime(Millis(kStart + 1)));
  std::filesystem::path path_;
  std::unique_ptr<catalog::Catalog> catalog_;
  std::unique_ptr<catalog::NotificationBook> book_;
  Numbers numbers_;
  std::unique_ptr<Notifier> notifier_;
  std::string report_id_;
};

TEST_F(NotifierTest, sends_once_of_what_was_missed_while_nothing_ran) {
  const auto delivery = add_hourly();
  clock_->set(WallTime(Millis(kStart + 5 * kHour + 1'234)));
  start();
  wait_until([&] { return (*book_->delivery(delivery.id))->failures == 1; }, "the notice");
  const auto made = notices(catalog::NoticeSource::delivery, delivery.id);
  ASSERT_EQ(made.size(), 1U);
  EXPECT_EQ(made[0].due_ms, kStart + 5 * kHour);
  EXPECT_EQ(made[0].id, "msg_" + delivery.id + "_" + std::to_string(kStart + 5 * kHour));
  EXPECT_EQ((*book_->delivery(delivery.id))->next_due_ms, kStart + 6 * kHour);
}

TEST_F(NotifierTest, refuses_this_machine_s_own_address_and_does_not_try_again) {
  const auto delivery = add_hourly();
  start();
  clock_->advance(Millis(kHour));
  wait_until([&] { return (*book_->delivery(delivery.id))->failures == 1; }, "the notice");
  const auto notice = notices(catalog::NoticeSource::delivery, delivery.id).at(0);
  EXPECT_EQ(notice.status, catalog::Notice::Status::failed);
  EXPECT_EQ(notice.tries, 1);
  EXPECT_NE(notice.error.find("127.0.0.1, which is no public address"), std::string::npos) << notice.error;
}

TEST_F(NotifierTest, pauses_a_delivery_after_failures_in_a_row_and_says_why) {
  const auto delivery = add_hourly();
  start();
  for (int i = 1; i <= 3; ++i) {
    clock_->advance(Millis(kHour));
    wait_until([&] { return (*book_->delivery(delivery.id))->failures == i; }, "a failure");
  }
  const auto paused = **book_->delivery(delivery.id);
  EXPECT_TRUE(paused.is_paused);
  EXPECT_NE(paused.pause_reason.find("3 in a row"), std::string::npos) << paused.pause_reason;
  clock_->advance(Millis(5 * kHour));
  // What is sent by hand is, and counts for nothing.
  ASSERT_TRUE(notifier_->send_now(paused));
  wait_until([&] { return notices(catalog::NoticeSource::delivery, delivery.id).front().tries == 1; }, "the test");
  EXPECT_EQ(notices(catalog::NoticeSource::delivery, delivery.id).size(), 4U);
  EXPECT_EQ((*book_->delivery(delivery.id))->failures, 3);
}

TEST_F(NotifierTest, makes_one_notice_of_each_change_of_an_alert_also_over_restarts) {
  numbers_.value = 20;
  const auto alert = book_->add(
      catalog::Alert{
          .name = "few",
          .site_id = "campus",
          .rule =
              R"({"site":"campus","metric":"clicks","condition":"below","threshold":10,"window":"1h","every":"1m"})",
          .url = "http://10.0.0.1/",
          .owner = "ana",
          .next_check_ms = kStart},
      "test");
  ASSERT_TRUE(alert) << alert.error().message;
  const auto checked = [&] { return read_alert_state((*book_->alert(alert->id))->state).checked_ms; };
  const auto check = [&](double value) {
    numbers_.value = value;
    clock_->advance(Millis(60'000));
    start();
    wait_until([&] { return checked() == clock_->now().time_since_epoch().count(); }, "a check");
    notifier_.reset();
  };
  std::vector<std::size_t> made;
  for (const double value : {20.0, 5.0, 5.0, 0.0, 15.0, 15.0, 3.0}) {
    check(value);
    made.push_back(notices(catalog::NoticeSource::alert, alert->id).size());
  }
  EXPECT_EQ(made, (std::vector<std::size_t>{0, 1, 1, 1, 2, 2, 3}));
  EXPECT_EQ(notices(catalog::NoticeSource::alert, alert->id).at(1).event, "alert.resolved");
  numbers_.is_away = true;
  check(30);
  EXPECT_EQ(notices(catalog::NoticeSource::alert, alert->id).size(), 3U);
  const auto state = read_alert_state((*book_->alert(alert->id))->state);
  EXPECT_TRUE(state.is_firing);
  EXPECT_EQ(state.error, "the store is away");
}

TEST_F(NotifierTest, plans_a_due_time_once_however_often_it_is_asked_to) {
  const auto delivery = add_hourly();
  const catalog::Notice notice{.id = "msg_x", .source_id = delivery.id, .event = "report.due", .due_ms = kStart};
  for (int i = 0; i < 2; ++i) EXPECT_EQ(*book_->plan(delivery, notice, kStart + 2 * kHour, 5), catalog::Edit::done);
  EXPECT_EQ(notices(catalog::NoticeSource::delivery, delivery.id).size(), 1U);
  auto next = notice;
  next.id = "msg_y";
  EXPECT_EQ(*book_->plan(delivery, next, kStart + 3 * kHour, 5), catalog::Edit::done);
  EXPECT_EQ((*book_->delivery(delivery.id))->failures, 1);  // The first was overtaken.
  EXPECT_EQ(book_->due_notices(kStart + 9 * kHour, 9)->size(), 1U);
  auto changed = delivery;
  EXPECT_EQ(*book_->replace(changed, delivery.changed_ms, "test"), catalog::Edit::done);
  EXPECT_EQ(*book_->plan(delivery, notice, kStart, 5), catalog::Edit::changed);
  EXPECT_TRUE(book_->due_notices(kStart + 9 * kHour, 9)->empty());
  EXPECT_EQ(*catalog_->remove_saved_report(report_id_, std::nullopt, "test"), catalog::Edit::in_use);
  EXPECT_EQ(*book_->remove_delivery(delivery.id, delivery.changed_ms, "test"), catalog::Edit::changed);
  EXPECT_EQ(*book_->remove_delivery(delivery.id, changed.changed_ms, "test"), catalog::Edit::done);
  EXPECT_EQ(*catalog_->remove_saved_report(report_id_, std::nullopt, "test"), catalog::Edit::done);
}

TEST_F(NotifierTest, makes_one_report_at_a_time_and_holds_up_no_alert_by_it) {
  std::vector<catalog::Delivery> deliveries;
  for (int i = 0; i < 6; ++i) deliveries.push_back(add_hourly());
  const auto alert = book_->add(
      catalog::Alert{
          .name = "few",
          .site_id = "campus",
          .rule =
              R"({"site":"campus","metric":"clicks","condition":"below","threshold":10,"window":"1h","every":"1d"})",
          .url = "http://10.0.0.1/",
          .owner = "ana",
          .next_check_ms = kStart + 100 * kHour},
      "test");
  ASSERT_TRUE(alert) << alert.error().message;
  numbers_.is_slow = true;
  start();
  clock_->advance(Millis(kHour));
  wait_until([&] { return numbers_.asked == 1; }, "a report to be asked for");
  ASSERT_TRUE(notifier_->send_test(*alert));
  wait_until([&] { return notices(catalog::NoticeSource::alert, alert->id).at(0).tries == 1; }, "the alert's notice");
  EXPECT_EQ(numbers_.asked, 1);
  numbers_.is_slow = false;
  wait_until(
      [&] {
        return std::ranges::all_of(deliveries,
                                   [&](const auto& one) { return (*book_->delivery(one.id))->failures == 1; });
      },
      "all deliveries");
  EXPECT_EQ(numbers_.asked, 6);
}

TEST_F(NotifierTest, tells_of_an_alert_in_the_order_of_its_changes) {
  using catalog::NoticeSource;
  catalog::Notice firing{
      .id = "msg_1", .source = NoticeSource::alert, .source_id = "a", .event = "alert.firing", .due_ms = 1};
  ASSERT_TRUE(book_->add(firing));
  firing.tries = 1;
  firing.next_try_ms = 100;  // It was not taken, and is tried again later.
  ASSERT_TRUE(book_->record_try(firing, 5, false));
  ASSERT_TRUE(book_->add(catalog::Notice{
      .id = "msg_2", .source = NoticeSource::alert, .source_id = "a", .event = "alert.resolved", .due_ms = 2}));
  ASSERT_TRUE(book_->add(catalog::Notice{
      .id = "msg_3", .source = NoticeSource::alert, .source_id = "a", .event = "alert.test", .due_ms = 3}));
  const auto due = [&](std::int64_t now) {
    std::vector<std::string> ids;
    const auto found = book_->due_notices(now, 9);
    for (const auto& notice : *found) ids.push_back(notice.id);
    return ids;
  };
  EXPECT_EQ(due(50), (std::vector<std::string>{"msg_3"}));
  EXPECT_EQ(due(100), (std::vector<std::string>{"msg_3", "msg_1"}));
  firing.status = catalog::Notice::Status::sent;
  ASSERT_TRUE(book_->record_try(firing, 5, false));
  EXPECT_EQ(due(50), (std::vector<std::string>{"msg_2", "msg_3"}));
}

TEST_F(NotifierTest, keeps_any_bytes_to_be_sent) {
  std::string bytes;
  for (int i = 0; i < 1000; ++i) bytes += static_cast<char>(i % 256);
  catalog::Notice notice{.id = "msg_x", .source_id = "d", .event = "report.due", .next_try_ms = 1};
  ASSERT_TRUE(book_->add(notice));
  notice.body = bytes;
  ASSERT_TRUE(book_->set_content(notice));
  EXPECT_EQ(*book_->body("msg_x"), bytes);
  notice.status = catalog::Notice::Status::sent;
  ASSERT_TRUE(book_->record_try(notice, 5, false));
  EXPECT_EQ(*book_->body("msg_x"), "");
}

}  // namespace
}  // namespace marquee::notify
