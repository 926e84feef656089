// Who in a consumer group has which partitions.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "handle.h"
#include "marquee/log/event_log.h"

namespace marquee::kafka {

/// Partitions of the topic that members of the group have; none where the group has no member. nullopt where that is
/// not known: the group is being balanced, its coordinator does not answer in time, or it may not be described.
[[nodiscard]] std::optional<std::set<log::Partition>> followed_partitions(rd_kafka_t* client, const std::string& group,
                                                                          std::string_view topic, Millis wait);

/// Adds the topic's partitions in a member's assignment, as Kafka's consumer protocol writes it
/// (ConsumerProtocolAssignment, any version). False where the bytes are none.
[[nodiscard]] bool add_assigned(std::string_view assignment, std::string_view topic, std::set<log::Partition>& to);

}  // namespace marquee::kafka
