#include "marquee/log/erasable.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <future>
#include <set>
#include <thread>

#include "marquee/log/local_log.h"
#include "marquee/log/memory_log.h"

namespace marquee::log {
namespace {

namespace fs = std::filesystem;

class ErasableLogTest : public ::testing::Test {
 protected:
  ErasableLogTest() {
    std::string pattern = (fs::temp_directory_path() / "marquee-erasable-XXXXXX").string();
    options.directory = ::mkdtemp(pattern.data());
    options.min_free_disk_bytes = 0;
    open();
  }
  ~ErasableLogTest() override {
    log.reset();
    fs::remove_all(options.directory);
  }

  void open() {
    log.reset();
    auto opened = open_local_log(options);
    ASSERT_TRUE(opened) << opened.error().message;
    log = std::move(*opened);
  }
  void append_group(const std::vector<std::string>& records) {
    std::vector<Batch> batches;
    batches.emplace_back(0);
    for (const auto& record : records) batches.back().add(record);
    std::promise<Result<void>> done;
    log->append(std::move(batches), [&](Result<void> result) { done.set_value(std::move(result)); });
    const auto appended = done.get_future().get();
    ASSERT_TRUE(appended) << appended.error().message;
  }
  std::vector<std::string> all() {
    const auto records = log->read(0, log->begin(0), 1'000'000, std::size_t{1} << 30);
    EXPECT_TRUE(records) << (records ? "" : records.error().message);
    if (!records) return {};
    return {records->records.begin(), records->records.end()};
  }
  ErasedRecords erase(Offset before, const ErasableLog::IsWanted& is_wanted) {
    const auto erased = erase_records(*log, 0, before, is_wanted);
    EXPECT_TRUE(erased) << (erased ? "" : erased.error().message);
    return erased.value_or(ErasedRecords{});
  }
  /// Files below the log's directory that hold the bytes.
  std::set<std::string> files_with(const std::string& bytes) const {
    std::set<std::string> found;
    for (const auto& entry : fs::recursive_directory_iterator(options.directory)) {
      if (!entry.is_regular_file()) continue;
      std::ifstream file(entry.path(), std::ios::binary);
      const std::string content{std::istreambuf_iterator<char>(file), {}};
      if (content.find(bytes) != std::string::npos) found.insert(entry.path().filename().string());
    }
    return found;
  }

  LocalLogOptions options;
  std::unique_ptr<EventLog> log;
};

constexpr const char* kAna = "\xD0\x91 ana \x07\xFF";

bool is_of_ana(std::string_view record) { return record.starts_with(kAna); }

TEST_F(ErasableLogTest, leaves_a_mark_at_each_offset_and_every_other_record_as_it_was) {
  append_group({"one", std::string(kAna) + " 1", "three"});
  append_group({"four"});
  append_group({std::string(kAna) + " 2", std::string(kAna) + " 3"});
  EXPECT_FALSE(files_with(kAna).empty());
  EXPECT_EQ(erase(5, is_of_ana).records, 2U);  // Not the one at 5.
  const std::vector<std::string> left = {"one",  std::string(kErasedRecord), "three",
                                         "four", std::string(kErasedRecord), std::string(kAna) + " 3"};
  EXPECT_EQ(all(), left);
  open();
  EXPECT_EQ(all(), left);
  EXPECT_EQ(log->end(0), 6U);
  EXPECT_EQ(erase(6, is_of_ana).records, 1U);
  EXPECT_EQ(erase(6, is_of_ana).records, 0U);  // Marks are not counted again.
}

TEST_F(ErasableLogTest, no_file_has_the_bytes_when_it_returns) {
  options.recent_bytes = 1;  // So that it is read from the files as well.
  open();
  for (int i = 0; i < 200; ++i) append_group({"other " + std::to_string(i), std::string(kAna) + std::to_string(i)});
  open();  // Half in tables, half in the write-ahead log.
  for (int i = 0; i < 200; ++i) append_group({std::string(kAna) + std::to_string(i), "other " + std::to_string(i)});
  EXPECT_FALSE(files_with(kAna).empty());
  EXPECT_EQ(erase(log->end(0), is_of_ana).records, 400U);
  EXPECT_EQ(files_with(kAna), std::set<std::string>());
  EXPECT_EQ(all().size(), 800U);
}

TEST_F(ErasableLogTest, no_file_has_what_was_let_go_of_before) {
  options.keep_confirmed_ms = 0;
  open();
  for (int i = 0; i < 20; ++i) append_group({std::string(kAna) + std::to_string(i) + std::string(200'000, 'x')});
  append_group({"stays"});
  ASSERT_TRUE(log->confirm(0, 20));
  for (int i = 0; i < 100 && log->begin(0) == 0; ++i) std::this_thread::sleep_for(std::chrono::milliseconds(100));
  ASSERT_GT(log->begin(0), 0U);
  erase(log->end(0), is_of_ana);
  EXPECT_EQ(files_with(kAna), std::set<std::string>());
  EXPECT_EQ(all().back(), "stays");
}

TEST_F(ErasableLogTest, is_right_while_others_append_and_read) {
  std::atomic<bool> is_over = false;
  std::thread appends([&] {
    for (int i = 0; i < 300; ++i) append_group({"other " + std::to_string(i), std::string(kAna) + std::to_string(i)});
    is_over = true;
  });
  while (!is_over) {
    const auto end = log->end(0);
    erase(end, is_of_ana);
    const auto records = log->read(0, 0, end, std::size_t{1} << 30);
    ASSERT_TRUE(records) << records.error().message;
    for (std::size_t i = 0; i < records->records.size() && i < end; ++i)
      ASSERT_EQ(is_erased(records->records[i]), i % 2 == 1) << i;
  }
  appends.join();
  erase(log->end(0), is_of_ana);
  EXPECT_EQ(all().size(), 600U);
  EXPECT_EQ(files_with(kAna), std::set<std::string>());
}

TEST(Erasable, refuses_a_log_whose_files_are_not_its_own) {
  const auto log = open_memory_log(1);
  const auto erased = erase_records(*log, 0, 0, is_of_ana);
  ASSERT_FALSE(erased);
  EXPECT_EQ(erased.error().action, Action::reject);
}

}  // namespace
}  // namespace marquee::log
