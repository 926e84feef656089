// Writing to a topic on a real broker.
#include "marquee/kafka/topic_writer.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "broker_process.h"
#include "marquee/kafka/topics.h"

namespace marquee::kafka {
namespace {

class TopicWriterTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { broker = std::make_unique<testing::BrokerProcess>(); }
  static void TearDownTestSuite() { broker.reset(); }

  TopicWriterTest() { options = {.cluster = broker->cluster(), .topic = "letters", .acknowledge = Millis(5'000)}; }
  void SetUp() override {
    const auto made = make_topics(options.cluster, {{.name = "letters", .retention_ms = 86'400'000}});
    ASSERT_TRUE(made) << made.error().message;
  }

  static std::unique_ptr<testing::BrokerProcess> broker;
  TopicWriterOptions options;
};
std::unique_ptr<testing::BrokerProcess> TopicWriterTest::broker;

TEST_F(TopicWriterTest, says_of_each_message_whether_it_is_durable) {
  TopicWriter writer(options);
  const std::vector<Message> messages = {{"a", "1", {{"reason", "broken"}}},
                                         {"b", std::string(2'000'000, 'x'), {}},  // Beyond the topic's bound of 1 MiB.
                                         {"c", std::string("\0\xFF", 2), {}},
                                         {"d", "", {}}};
  // Compressed it would be small: the bound is of the batch as it is sent.
  auto large = messages;
  for (std::size_t i = 0; i < large[1].value.size(); ++i)
    large[1].value[i] = static_cast<char>(i * i * 2'654'435'761 >> 13);
  const auto outcomes = writer.write(large);
  ASSERT_EQ(outcomes.size(), 4U);
  EXPECT_TRUE(outcomes[0]) << outcomes[0].error().message;
  ASSERT_FALSE(outcomes[1]);
  EXPECT_EQ(outcomes[1].error().action, Action::reject) << outcomes[1].error().message;
  EXPECT_TRUE(outcomes[2]);
  EXPECT_TRUE(outcomes[3]);
  EXPECT_TRUE(writer.write({{"e", "2", {}}})[0]);
  EXPECT_TRUE(writer.write({}).empty());
}

TEST_F(TopicWriterTest, waits_for_a_silent_broker_as_long_as_it_is_told_and_goes_on_when_it_answers) {
  options.acknowledge = Millis(2'000);
  TopicWriter writer(options);
  ASSERT_TRUE(writer.write({{"a", "before", {}}})[0]);
  auto silence = broker->silence();
  const auto late = writer.write({{"a", "during", {}}})[0];
  silence.end();
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().action, Action::retry) << late.error().message;
  Result<void> after = late;
  for (int attempt = 0; attempt < 10 && !after; ++attempt) after = writer.write({{"a", "after", {}}})[0];
  EXPECT_TRUE(after) << after.error().message;
}

TEST_F(TopicWriterTest, names_a_topic_that_is_not_there) {
  options.topic = "nobody-made-it";
  TopicWriter writer(options);
  const auto refused = writer.write({{"a", "1", {}}})[0];
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().action, Action::reject);
  EXPECT_EQ(refused.error().message, "there is no topic nobody-made-it: run `marquee migrate up`");
}

}  // namespace
}  // namespace marquee::kafka
