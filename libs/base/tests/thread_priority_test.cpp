#include "marquee/base/thread_priority.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <thread>

namespace marquee {
namespace {

TEST(GiveWay, concerns_the_calling_thread_alone) {
  const int before = ::getpriority(PRIO_PROCESS, 0);
  int other = before;
  std::thread([&] {
    give_way();
    other = ::getpriority(PRIO_PROCESS, 0);
  }).join();
  EXPECT_GE(other, 10);
  EXPECT_EQ(::getpriority(PRIO_PROCESS, 0), before);
}

}  // namespace
}  // namespace marquee
