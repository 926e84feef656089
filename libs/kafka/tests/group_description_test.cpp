#include "group_description.h"

#include <gtest/gtest.h>

#include <string>

namespace marquee::kafka {
namespace {

using Partitions = std::set<log::Partition>;

std::string number(std::uint32_t value, int size) {
  std::string bytes;
  for (int shift = 8 * (size - 1); shift >= 0; shift -= 8) bytes.push_back(static_cast<char>(value >> shift & 0xFFU));
  return bytes;
}

std::string topic(const std::string& name, const Partitions& partitions) {
  std::string bytes = number(static_cast<std::uint32_t>(name.size()), 2) + name;
  bytes += number(static_cast<std::uint32_t>(partitions.size()), 4);
  for (const auto partition : partitions) bytes += number(partition, 4);
  return bytes;
}

/// As ConsumerProtocolAssignment.json of Kafka says: version, topics, what the member was told beside them.
const std::string kAssignment =
    number(1, 2) + number(2, 4) + topic("other", {7}) + topic("events", {0, 3, 300}) + number(0xFFFFFFFFU, 4);

TEST(AssignedPartitions, are_those_of_the_topic) {
  Partitions found = {9};
  EXPECT_TRUE(add_assigned(kAssignment, "events", found));
  EXPECT_EQ(found, (Partitions{0, 3, 9, 300}));
  EXPECT_TRUE(add_assigned(kAssignment, "event", found));
  EXPECT_EQ(found.size(), 4U);
}

TEST(AssignedPartitions, of_a_member_without_any_are_none) {
  Partitions found;
  EXPECT_TRUE(add_assigned("", "events", found));
  EXPECT_TRUE(add_assigned(number(0, 2) + number(0, 4), "events", found));
  EXPECT_TRUE(found.empty());
}

TEST(AssignedPartitions, of_bytes_that_end_too_soon_are_refused) {
  const std::size_t needed = kAssignment.size() - 4;  // Without what follows the topics.
  for (std::size_t length = 1; length < needed; ++length) {
    Partitions found;
    EXPECT_FALSE(add_assigned(std::string_view(kAssignment).substr(0, length), "events", found)) << length;
  }
  Partitions found;
  EXPECT_FALSE(add_assigned(number(0, 2) + number(0x7FFFFFFFU, 4), "events", found));
  EXPECT_FALSE(add_assigned(number(0, 2) + number(1, 4) + number(0xFFFFU, 2) + "x", "events", found));
}

}  // namespace
}  // namespace marquee::kafka
