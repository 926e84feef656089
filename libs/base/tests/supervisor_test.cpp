#include "marquee/base/supervisor.h"

#include <gtest/gtest.h>
#include <signal.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <thread>

namespace marquee {
namespace {

bool eventually(const std::function<bool()>& condition) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));  // Between two looks, not instead of one.
  }
  return true;
}

SupervisorOptions options(std::vector<std::string> command) {
  SupervisorOptions options;
  options.name = "child";
  options.command = std::move(command);
  options.is_alive = [] { return true; };
  options.check_ms = 20;
  options.most_pause_ms = 50;
  return options;
}

bool exists(pid_t pid) { return ::kill(pid, 0) == 0; }

TEST(Supervisor, starts_a_child_again_that_was_killed) {
  Supervisor supervisor(options({"/bin/sleep", "600"}));
  supervisor.start();
  ASSERT_TRUE(eventually([&] { return supervisor.status().pid != 0; }));
  const pid_t first = supervisor.status().pid;
  ::kill(first, SIGKILL);
  ASSERT_TRUE(eventually([&] { return supervisor.status().pid != 0 && supervisor.status().pid != first; }));
  EXPECT_EQ(supervisor.status().last_status, -SIGKILL);
  const pid_t second = supervisor.status().pid;
  supervisor.stop();
  EXPECT_FALSE(exists(second));
  EXPECT_EQ(supervisor.status().pid, 0);
}

TEST(Supervisor, kills_a_child_that_hangs) {
  auto hanging = options({"/bin/sleep", "600"});
  std::atomic<bool> answers = true;
  hanging.is_alive = [&] { return answers.load(); };
  hanging.hang_ms = 200;
  Supervisor supervisor(std::move(hanging));
  supervisor.start();
  ASSERT_TRUE(eventually([&] { return supervisor.status().pid != 0; }));
  const pid_t first = supervisor.status().pid;
  std::this_thread::sleep_for(std::chrono::milliseconds(100));  // It has been alive.
  answers = false;
  ASSERT_TRUE(eventually([&] { return supervisor.status().hangs >= 1; }));
  answers = true;
  ASSERT_TRUE(eventually([&] { return supervisor.status().pid != 0 && supervisor.status().pid != first; }));
  EXPECT_FALSE(exists(first));
}

TEST(Supervisor, goes_on_trying_a_child_that_does_not_start) {
  auto failing = options({"/bin/sh", "-c", "exit 7"});
  failing.is_alive = [] { return false; };
  Supervisor supervisor(std::move(failing));
  supervisor.start();
  ASSERT_TRUE(eventually([&] { return supervisor.status().failed_starts >= 3; }));
  EXPECT_EQ(supervisor.status().last_status, 7);
}

TEST(Supervisor, gives_the_environment_and_kills_what_does_not_end) {
  auto stubborn =
      options({"/bin/sh", "-c", "[ \"$SECRET\" = right ] || exit 1; trap '' TERM; while :; do sleep 0.05; done"});
  stubborn.environment["SECRET"] = "right";
  Supervisor supervisor(std::move(stubborn));
  supervisor.start();
  ASSERT_TRUE(eventually([&] { return supervisor.status().pid != 0; }));
  const pid_t child = supervisor.status().pid;
  std::this_thread::sleep_for(std::chrono::milliseconds(200));  // For the trap to be set.
  EXPECT_EQ(supervisor.status().starts, 1U);
  supervisor.stop(100);
  EXPECT_FALSE(exists(child));
  EXPECT_EQ(supervisor.status().last_status, -SIGKILL);
}

}  // namespace
}  // namespace marquee
