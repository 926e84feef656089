#include "group_description.h"

#include <algorithm>

namespace marquee::kafka {
namespace {

using GroupList = Owned<const rd_kafka_group_list, rd_kafka_group_list_destroy>;

/// Reads big-endian numbers and what they count from bytes; anything beyond the end makes it fail for good.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : left_(bytes) {}
  [[nodiscard]] bool has_failed() const { return has_failed_; }
  std::string_view take(std::int64_t count) {
    if (count < 0 || static_cast<std::uint64_t>(count) > left_.size()) {
      has_failed_ = true;
      left_ = {};
      return {};
    }
    const auto taken = left_.substr(0, static_cast<std::size_t>(count));
    left_.remove_prefix(static_cast<std::size_t>(count));
    return taken;
  }
  std::int32_t number(int size) {
    std::uint32_t value = 0;
    for (const char byte : take(size)) value = value << 8U | static_cast<unsigned char>(byte);
    return size == 2 ? static_cast<std::int16_t>(value) : static_cast<std::int32_t>(value);
  }

 private:
  std::string_view left_;
  bool has_failed_ = false;
};

}  // namespace

bool add_assigned(std::string_view assignment, std::string_view topic, std::set<log::Partition>& to) {
  // A member that was given nothing yet has no bytes.
  if (assignment.empty()) return true;
  Reader reader(assignment);
  reader.number(2);  // Version; newer ones only add to the end.
  for (std::int32_t topics = reader.number(4); topics > 0 && !reader.has_failed(); --topics) {
    const auto name = reader.take(reader.number(2));
    for (std::int32_t count = reader.number(4); count > 0 && !reader.has_failed(); --count) {
      const std::int32_t partition = reader.number(4);
      if (name == topic && !reader.has_failed()) to.insert(static_cast<log::Partition>(partition));
    }
  }
  return !reader.has_failed();
}

// Not by the admin client's DescribeConsumerGroups: a connection that ends while its coordinator is looked up ends the
// process with an assertion (confluentinc/librdkafka#5397, in 2.0.2 and still in 2.15).
std::optional<std::set<log::Partition>> followed_partitions(rd_kafka_t* client, const std::string& group,
                                                            std::string_view topic, Millis wait) {
  const rd_kafka_group_list* listed = nullptr;
  const auto code = rd_kafka_list_groups(client, group.c_str(), &listed, to_timeout(wait));
  const GroupList groups(listed);
  // Partial: a broker did not answer, but the group's coordinator did.
  if (code != RD_KAFKA_RESP_ERR_NO_ERROR && code != RD_KAFKA_RESP_ERR__PARTIAL) return std::nullopt;
  std::set<log::Partition> have;
  if (!groups || groups->group_cnt == 0) return code == RD_KAFKA_RESP_ERR_NO_ERROR ? std::optional(have) : std::nullopt;
  const rd_kafka_group_info& one = groups->groups[0];
  if (one.err != RD_KAFKA_RESP_ERR_NO_ERROR) return std::nullopt;
  const std::string_view state = one.state == nullptr ? "" : one.state;
  if (state == "Dead" || state == "Empty") return have;
  if (state != "Stable") return std::nullopt;
  for (int i = 0; i < one.member_cnt; ++i) {
    const rd_kafka_group_member_info& member = one.members[i];
    const std::string_view assignment(static_cast<const char*>(member.member_assignment),
                                      static_cast<std::size_t>(std::max(0, member.member_assignment_size)));
    if (!add_assigned(assignment, topic, have)) return std::nullopt;
  }
  return have;
}

}  // namespace marquee::kafka
