// How to reach a Kafka cluster.
#pragma once

#include <map>
#include <string>

namespace marquee::kafka {

/// Not checked before it is used.
struct Cluster {
  std::string brokers = "127.0.0.1:9092";  ///< host:port, separated by commas.
  std::string client_id = "marquee";
  /// Further properties of librdkafka for every client: security.protocol, sasl.*, ssl.*.
  std::map<std::string, std::string> properties;
};

}  // namespace marquee::kafka
