#include "marquee/notify/signature.h"

#include <gtest/gtest.h>

namespace marquee::notify {
namespace {

// Counted with Python's hmac; the first also stands in the tests of Standard Webhooks' own libraries.
TEST(Signature, is_that_of_standard_webhooks) {
  EXPECT_EQ(webhook_signature("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330,
                              R"({"test": 2432232314})"),
            "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
  EXPECT_EQ(webhook_signature("whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=", "msg_2KWPBgLlAfxdpx2AI54pPJ85f4W",
                              1674087231, "{\"type\":\"report.due\",\"n\":\"K\xC3\xA4se\"}"),
            "v1,IIkLEGp8dICXoxvYypgBoC/YH2OVEW6O+28zZ3bPJjI=");
}

TEST(Signature, has_a_secret_of_its_own_for_each_name) {
  EXPECT_EQ(webhook_secret("root", "webhook 0123456789abcdef"), "whsec_VglSPjlODHz5o9SN5CJiJeoen78jBu+FkUtYGTAh7g0=");
  EXPECT_NE(webhook_secret("root", "webhook 1123456789abcdef"), webhook_secret("root", "webhook 0123456789abcdef"));
  EXPECT_NE(webhook_secret("root2", "webhook 0123456789abcdef"), webhook_secret("root", "webhook 0123456789abcdef"));
}

}  // namespace
}  // namespace marquee::notify
