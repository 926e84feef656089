// A real Kafka broker for tests: deploy/kafka/broker in a directory of its own.
#pragma once

#include <sys/types.h>

#include <string>

#include "marquee/kafka/cluster.h"

namespace marquee::kafka::testing {

/// Killed, and its directory removed, when it goes.
class BrokerProcess {
 public:
  /// The broker is silent as long as this lives, or until it is told to answer again.
  class Silence {
   public:
    explicit Silence(pid_t pid) : pid_(pid) {}
    ~Silence() { end(); }
    Silence(const Silence&) = delete;
    Silence& operator=(const Silence&) = delete;
    void end();

   private:
    pid_t pid_;
  };

  BrokerProcess();
  ~BrokerProcess();
  BrokerProcess(const BrokerProcess&) = delete;
  BrokerProcess& operator=(const BrokerProcess&) = delete;

  [[nodiscard]] Cluster cluster() const;
  void start();
  void kill_now();
  /// No thread of the broker runs any more when it returns.
  [[nodiscard]] Silence silence() const;

 private:
  std::string directory_;
  int port_;
  int controller_port_;
  pid_t pid_ = 0;
};

}  // namespace marquee::kafka::testing
