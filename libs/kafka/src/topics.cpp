#include "marquee/kafka/topics.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <thread>

#include "handle.h"

namespace marquee::kafka {
namespace {

constexpr Millis kAskEvery{20};

using Event = Owned<rd_kafka_event_t, rd_kafka_event_destroy>;
using Options = Owned<rd_kafka_AdminOptions_t, rd_kafka_AdminOptions_destroy>;
using NewTopic = Owned<rd_kafka_NewTopic_t, rd_kafka_NewTopic_destroy>;
using ConfigResource = Owned<rd_kafka_ConfigResource_t, rd_kafka_ConfigResource_destroy>;

Options options_of(rd_kafka_t* client, rd_kafka_admin_op_t what, Millis wait) {
  Options options(rd_kafka_AdminOptions_new(client, what));
  std::array<char, 256> why{};
  (void)rd_kafka_AdminOptions_set_request_timeout(options.get(), to_timeout(wait), why.data(), why.size());
  if (what == RD_KAFKA_ADMIN_OP_CREATETOPICS)
    (void)rd_kafka_AdminOptions_set_operation_timeout(options.get(), to_timeout(wait), why.data(), why.size());
  return options;
}

Result<Event> answer(rd_kafka_queue_t* queue, Millis wait, const std::string& what) {
  Event event(rd_kafka_queue_poll(queue, to_timeout(wait + Millis(1'000))));
  if (!event) return Error::retry(what + ": Kafka does not answer");
  if (const auto code = rd_kafka_event_error(event.get()); code != RD_KAFKA_RESP_ERR_NO_ERROR)
    return Error::retry(fmt::format("{}: {}", what, rd_kafka_event_error_string(event.get())));
  return event;
}

/// Partitions and replication of those that exist.
Result<void> read_metadata(Inquirer& inquirer, std::vector<TopicState>& states, Millis wait) {
  const auto read = inquirer.metadata(nullptr, wait);
  if (!read) return read.error();
  const auto& metadata = *read;
  for (TopicState& state : states) {
    for (int i = 0; i < metadata->topic_cnt; ++i) {
      const auto& topic = metadata->topics[i];
      if (state.name != topic.topic || topic.err != RD_KAFKA_RESP_ERR_NO_ERROR) continue;
      state.partitions = static_cast<std::uint32_t>(topic.partition_cnt);
      if (topic.partition_cnt > 0) state.replication = static_cast<std::uint16_t>(topic.partitions[0].replica_cnt);
    }
  }
  return {};
}

Result<void> read_settings(rd_kafka_t* client, std::vector<TopicState>& states, Millis wait) {
  std::vector<ConfigResource> resources;
  std::vector<rd_kafka_ConfigResource_t*> raw;
  for (const TopicState& state : states) {
    if (state.partitions == 0) continue;
    resources.emplace_back(rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, state.name.c_str()));
    raw.push_back(resources.back().get());
  }
  if (raw.empty()) return {};
  const Queue queue(rd_kafka_queue_new(client));
  const auto options = options_of(client, RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS, wait);
  rd_kafka_DescribeConfigs(client, raw.data(), raw.size(), options.get(), queue.get());
  const auto event = answer(queue.get(), wait, "cannot read the topics' settings");
  if (!event) return event.error();
  std::size_t count = 0;
  const auto* described =
      rd_kafka_DescribeConfigs_result_resources(rd_kafka_event_DescribeConfigs_result(event->get()), &count);
  for (std::size_t i = 0; i < count; ++i) {
    if (const auto code = rd_kafka_ConfigResource_error(described[i]); code != RD_KAFKA_RESP_ERR_NO_ERROR)
      return error_of(code,
                      fmt::format("cannot read the settings of topic {}", rd_kafka_ConfigResource_name(described[i])));
    const auto state = std::ranges::find(states, rd_kafka_ConfigResource_name(described[i]), &TopicState::name);
    std::size_t settings = 0;
    const auto* entries = rd_kafka_ConfigResource_configs(described[i], &settings);
    for (std::size_t n = 0; n < settings && state != states.end(); ++n) {
      const char* value = rd_kafka_ConfigEntry_value(entries[n]);
      state->settings[rd_kafka_ConfigEntry_name(entries[n])] = value == nullptr ? "" : value;
    }
  }
  return {};
}

std::int64_t number(const TopicState& state, const std::string& name, std::int64_t otherwise) {
  const auto found = state.settings.find(name);
  std::int64_t value = otherwise;
  if (found != state.settings.end())
    std::from_chars(found->second.data(), found->second.data() + found->second.size(), value);
  return value;
}

std::string text(const TopicState& state, const std::string& name) {
  const auto found = state.settings.find(name);
  return found == state.settings.end() ? std::string() : found->second;
}

}  // namespace

std::vector<std::string> refusals(const TopicWish& wish, const TopicState& state) {
  std::vector<std::string> found;
  const auto refuse = [&](std::string why) { found.push_back(fmt::format("topic {}: {}", wish.name, why)); };
  const bool compacts = text(state, "cleanup.policy").find("compact") != std::string::npos;
  const bool deletes = text(state, "cleanup.policy").find("delete") != std::string::npos;
  if (wish.is_compacted && (!compacts || deletes))
    refuse(fmt::format("cleanup.policy is {}, which drops records that are still in force: set it to compact",
                       text(state, "cleanup.policy")));
  if (!wish.is_compacted) {
    if (compacts) refuse("cleanup.policy is compact, which drops events of the same user: set it to delete");
    const std::int64_t kept = number(state, "retention.ms", -1);
    if (kept >= 0 && static_cast<std::uint64_t>(kept) < wish.retention_ms)
      refuse(fmt::format("retention.ms is {}, less than the {} that an outage may last (log.retention)", kept,
                         wish.retention_ms));
    if (const std::int64_t bytes = number(state, "retention.bytes", -1); bytes >= 0)
      refuse(fmt::format("retention.bytes is {}, so events may go before they are loaded: set it to -1", bytes));
  }
  const std::int64_t in_sync = number(state, "min.insync.replicas", 1);
  if (in_sync > state.replication)
    refuse(fmt::format("min.insync.replicas is {} of {} replicas: nothing can be written", in_sync, state.replication));
  if (state.replication > 1 && in_sync < 2)
    refuse("min.insync.replicas is 1: a broker that fails may take acknowledged events with it; set it to 2");
  if (text(state, "unclean.leader.election.enable") == "true")
    refuse(
        "unclean.leader.election.enable is true: a replica that lags may take the lead and drop acknowledged events");
  if (state.replication < wish.replication)
    refuse(fmt::format("it has {} replicas, log.replication asks for {}", state.replication, wish.replication));
  return found;
}

Result<std::vector<TopicState>> describe_topics(const Cluster& cluster, const std::vector<TopicWish>& wishes,
                                                Millis wait) {
  const auto client = Inquirer::open(cluster);
  if (!client) return client.error();
  std::vector<TopicState> states;
  for (const TopicWish& wish : wishes) states.push_back({.name = wish.name, .settings = {}, .refusals = {}});
  if (auto read = read_metadata(**client, states, wait); !read) return read.error();
  if (auto read = read_settings((*client)->get(), states, wait); !read) return read.error();
  for (std::size_t i = 0; i < states.size(); ++i) {
    if (states[i].partitions != 0) states[i].refusals = refusals(wishes[i], states[i]);
  }
  return states;
}

namespace {

/// The controller says that it made them before the brokers tell their clients of them.
Result<void> wait_until_seen(Inquirer& client, std::vector<TopicState>& states, Millis wait) {
  const auto deadline = std::chrono::steady_clock::now() + wait;
  for (;;) {
    if (auto read = read_metadata(client, states, wait); !read) return read;
    if (std::ranges::all_of(states, [](const TopicState& state) { return state.partitions != 0; })) return {};
    if (std::chrono::steady_clock::now() > deadline)
      return Error::retry("the topics were made, but the brokers do not tell of them");
    std::this_thread::sleep_for(kAskEvery);
  }
}

}  // namespace

Result<std::size_t> make_topics(const Cluster& cluster, const std::vector<TopicWish>& wishes, Millis wait) {
  const auto client = Inquirer::open(cluster);
  if (!client) return client.error();
  std::vector<TopicState> states;
  for (const TopicWish& wish : wishes) states.push_back({.name = wish.name, .settings = {}, .refusals = {}});
  if (auto read = read_metadata(**client, states, wait); !read) return read.error();
  std::vector<NewTopic> topics;
  std::vector<rd_kafka_NewTopic_t*> raw;
  std::array<char, 512> why{};
  for (std::size_t i = 0; i < wishes.size(); ++i) {
    const TopicWish& wish = wishes[i];
    if (states[i].partitions != 0) continue;
    topics.emplace_back(rd_kafka_NewTopic_new(wish.name.c_str(), static_cast<int>(wish.partitions), wish.replication,
                                              why.data(), why.size()));
    if (!topics.back()) return Error::reject(fmt::format("topic {}: {}", wish.name, why.data()));
    raw.push_back(topics.back().get());
    const auto set = [&](const char* name, const std::string& value) {
      (void)rd_kafka_NewTopic_set_config(raw.back(), name, value.c_str());
    };
    set("cleanup.policy", wish.is_compacted ? "compact" : "delete");
    if (!wish.is_compacted) set("retention.ms", std::to_string(wish.retention_ms));
    set("retention.bytes", "-1");
    set("min.insync.replicas", wish.replication > 1 ? "2" : "1");
    set("unclean.leader.election.enable", "false");
  }
  if (raw.empty()) return std::size_t{0};
  const Queue queue(rd_kafka_queue_new((*client)->get()));
  const auto options = options_of((*client)->get(), RD_KAFKA_ADMIN_OP_CREATETOPICS, wait);
  rd_kafka_CreateTopics((*client)->get(), raw.data(), raw.size(), options.get(), queue.get());
  const auto event = answer(queue.get(), wait, "cannot make the topics");
  if (!event) return event.error();
  std::size_t count = 0;
  const auto* made = rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(event->get()), &count);
  for (std::size_t i = 0; i < count; ++i) {
    const auto code = rd_kafka_topic_result_error(made[i]);
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR || code == RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS) continue;
    return Error::reject(fmt::format("cannot make topic {}: {}", rd_kafka_topic_result_name(made[i]),
                                     rd_kafka_topic_result_error_string(made[i])));
  }
  if (auto seen = wait_until_seen(**client, states, wait); !seen) return seen.error();
  return raw.size();
}

}  // namespace marquee::kafka
