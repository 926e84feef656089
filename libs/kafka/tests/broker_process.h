// A real Kafka broker for tests: deploy/kafka/broker in a directory of its own.
#pragma once

#include <sys/types.h>

#include <string>

#include "marquee/kafka/cluster.h"

namespace marquee::kafka::testing {

/// Killed, and its directory removed, when it goes.
class BrokerProcess {
 public:
  BrokerProcess();
  ~BrokerProcess();
  BrokerProcess(const BrokerProcess&) = delete;
  BrokerProcess& operator=(const BrokerProcess&) = delete;

  [[nodiscard]] Cluster cluster() const;
  void start();
  void kill_now();
  void pause();
  void resume();

 private:
  std::string directory_;
  int port_;
  int controller_port_;
  pid_t pid_ = 0;
};

}  // namespace marquee::kafka::testing
