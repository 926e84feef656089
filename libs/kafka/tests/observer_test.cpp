// Looking at a topic while its partitions have no leader, by librdkafka's own mock of a cluster, which errs when it is
// told to.
#include "observer.h"

#include <gtest/gtest.h>
#include <librdkafka/rdkafka_mock.h>

#include <vector>

namespace marquee::kafka {
namespace {

constexpr std::int16_t kListOffsets = 2;  ///< The protocol's number of that request.

class ObserverTest : public ::testing::Test {
 protected:
  ObserverTest() {
    cluster_ = rd_kafka_mock_cluster_new(host_.get(), 1);
    rd_kafka_mock_topic_create(cluster_, "events", 1, 1);
    options_.cluster.brokers = rd_kafka_mock_cluster_bootstraps(cluster_);
    options_.topic = "events";
    options_.group = "loaders";
    auto opened = Observer::open(options_);
    EXPECT_TRUE(opened) << opened.error().message;
    observer_ = std::move(*opened);
  }
  ~ObserverTest() override {
    observer_.reset();
    rd_kafka_mock_cluster_destroy(cluster_);
  }

  /// The next `count` requests for offsets are refused like this.
  void refuse(rd_kafka_resp_err_t code, std::size_t count) {
    const std::vector<rd_kafka_resp_err_t> codes(count, code);
    rd_kafka_mock_push_request_errors_array(cluster_, kListOffsets, codes.size(), codes.data());
  }

  Handle host_{rd_kafka_new(RD_KAFKA_PRODUCER, rd_kafka_conf_new(), nullptr, 0)};
  rd_kafka_mock_cluster_t* cluster_ = nullptr;
  KafkaLogOptions options_;
  std::unique_ptr<Observer> observer_;
};

TEST_F(ObserverTest, asks_again_while_the_leader_is_being_found) {
  refuse(RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION, 4);
  const auto range = observer_->range(0, Millis(10'000));
  ASSERT_TRUE(range) << range.error().message;
  EXPECT_EQ(range->begin, 0U);
  EXPECT_EQ(range->end, 0U);

  refuse(RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION, 3);
  const auto offset = observer_->offset_at(0, WallTime(Millis(1'000)));
  ASSERT_TRUE(offset) << offset.error().message;
  EXPECT_EQ(*offset, 0U);
}

TEST_F(ObserverTest, says_that_there_is_no_leader_when_the_time_is_over) {
  refuse(RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION, 1'000);
  const auto begin = std::chrono::steady_clock::now();
  const auto range = observer_->range(0, Millis(400));
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(5));
  ASSERT_FALSE(range);
  EXPECT_EQ(range.error().action, Action::retry);
  EXPECT_NE(range.error().message.find("Not leader for partition"), std::string::npos) << range.error().message;
}

TEST_F(ObserverTest, does_not_ask_again_what_is_refused_for_good) {
  refuse(RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED, 2);  // One is asked for each end.
  const auto range = observer_->range(0, Millis(10'000));
  ASSERT_FALSE(range);
  EXPECT_EQ(range.error().action, Action::reject);
}

}  // namespace
}  // namespace marquee::kafka
