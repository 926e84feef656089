// The topics that Marquee keeps, made and checked.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "marquee/base/result.h"
#include "marquee/base/time.h"
#include "marquee/kafka/cluster.h"

namespace marquee::kafka {

struct TopicWish {
  std::string name;
  std::uint32_t partitions = 1;
  std::uint16_t replication = 1;
  bool is_compacted = false;       ///< The newest record of a key is kept for ever; else records are kept by age.
  std::uint64_t retention_ms = 0;  ///< How long records are kept at least; where it is compacted it means nothing.
};

/// One topic as it is.
struct TopicState {
  std::string name;
  std::uint32_t partitions = 0;  ///< 0: it does not exist.
  std::uint16_t replication = 0;
  std::map<std::string, std::string> settings;
  std::vector<std::string>
      refusals;  ///< Why data would be lost or nothing could be written, one line each, with what to do.
};

/// The topics as the brokers describe them, each judged against its wish, in the wishes' order.
[[nodiscard]] Result<std::vector<TopicState>> describe_topics(const Cluster& cluster,
                                                              const std::vector<TopicWish>& wishes,
                                                              Millis wait = Millis(15'000));
/// Makes those that do not exist. Returns how many; one that another made meanwhile is no error.
[[nodiscard]] Result<std::size_t> make_topics(const Cluster& cluster, const std::vector<TopicWish>& wishes,
                                              Millis wait = Millis(30'000));

/// Why a topic of these settings would lose data; see TopicState::refusals.
[[nodiscard]] std::vector<std::string> refusals(const TopicWish& wish, const TopicState& state);

}  // namespace marquee::kafka
