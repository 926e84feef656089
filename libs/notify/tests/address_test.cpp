#include "marquee/notify/address.h"

#include <gtest/gtest.h>

namespace marquee::notify {
namespace {

bool is_public_text(const char* text) { return is_public(boost::asio::ip::make_address(text)); }

TEST(Address, is_not_public_where_it_is_of_this_machine_or_network) {
  for (const char* text : {"0.0.0.0",
                           "0.1.2.3",
                           "10.0.0.1",
                           "10.255.255.255",
                           "100.64.0.1",
                           "100.100.100.200",
                           "100.127.255.255",
                           "127.0.0.1",
                           "127.255.0.1",
                           "169.254.169.254",
                           "169.254.0.1",
                           "172.16.0.1",
                           "172.31.255.255",
                           "192.0.0.192",
                           "192.0.2.1",
                           "192.88.99.1",
                           "192.168.0.1",
                           "198.18.0.1",
                           "198.19.255.255",
                           "198.51.100.7",
                           "203.0.113.1",
                           "224.0.0.1",
                           "239.255.255.255",
                           "240.0.0.1",
                           "255.255.255.255",
                           "::",
                           "::1",
                           "::ffff:127.0.0.1",
                           "::ffff:8.8.8.8",
                           "::8.8.8.8",
                           "64:ff9b::8.8.8.8",
                           "64:ff9b:1::1",
                           "100::1",
                           "2001::1",
                           "2001:2::1",
                           "2001:10::1",
                           "2001:1ff::1",
                           "2001:db8::1",
                           "2002:7f00:1::",
                           "3fff::1",
                           "3fff:fff::1",
                           "5f00::1",
                           "fc00::1",
                           "fd00:ec2::254",
                           "fe80::1",
                           "febf::1",
                           "fec0::1",
                           "ff02::1"})
    EXPECT_FALSE(is_public_text(text)) << text;
}

TEST(Address, is_public_where_anyone_on_the_internet_may_be_meant) {
  for (const char* text :
       {"1.1.1.1",        "8.8.8.8",         "9.255.255.255",   "11.0.0.0",        "100.63.255.255",
        "100.128.0.0",    "126.255.255.255", "128.0.0.1",       "169.253.255.255", "169.255.0.0",
        "172.15.255.255", "172.32.0.0",      "192.0.1.1",       "192.167.255.255", "192.169.0.0",
        "198.17.255.255", "198.20.0.0",      "223.255.255.255", "2001:200::1",     "2001:4860:4860::8888",
        "2003::1",        "2606:4700::1111", "2a00:1450::1",    "3ffe::1"})
    EXPECT_TRUE(is_public_text(text)) << text;
}

TEST(Address, is_taken_apart_as_a_webhook_s) {
  const auto whole = parse_webhook_url("https://hooks.example.com:8443/a/b?c=d&e=%20");
  ASSERT_TRUE(whole) << whole.error().message;
  EXPECT_TRUE(whole->is_tls);
  EXPECT_EQ(whole->host, "hooks.example.com");
  EXPECT_EQ(whole->port, 8443);
  EXPECT_EQ(whole->header, "hooks.example.com:8443");
  EXPECT_EQ(whole->target, "/a/b?c=d&e=%20");
  const auto short_one = parse_webhook_url("http://example.com?x");
  ASSERT_TRUE(short_one);
  EXPECT_EQ(short_one->port, 80);
  EXPECT_EQ(short_one->target, "/?x");
  const auto v6 = parse_webhook_url("https://[2001:db8::1]:9/");
  ASSERT_TRUE(v6);
  EXPECT_EQ(v6->host, "2001:db8::1");
  EXPECT_EQ(v6->port, 9);
}

TEST(Address, is_refused_where_it_could_be_read_in_two_ways) {
  for (const char* text : {"",
                           "example.com",
                           "ftp://example.com/",
                           "file:///etc/passwd",
                           "https://",
                           "https:///x",
                           "https://user@example.com/",
                           "https://example.com@127.0.0.1/",
                           "https://example.com:0/",
                           "https://example.com:65536/",
                           "https://example.com:/",
                           "https://example.com:8o/",
                           "https://example.com/#x",
                           "https://exa mple.com/",
                           "https://example.com/\r\nX: y",
                           "https://example.com\\@127.0.0.1/",
                           "https://[::1/",
                           "https://::1]/",
                           "https://[fe80::1%25eth0]/",
                           "https://ex\xC3\xA4mple.com/"}) {
    const auto url = parse_webhook_url(text);
    ASSERT_FALSE(url) << text;
    EXPECT_TRUE(url.error().message.starts_with("url: ")) << url.error().message;
  }
  EXPECT_FALSE(parse_webhook_url("https://example.com/" + std::string(2000, 'x')));
}

}  // namespace
}  // namespace marquee::notify
