#include "marquee/privacy/person.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <cstring>

#include "marquee/event/event.h"
#include "marquee/event/person.h"

namespace marquee::privacy {
namespace {

constexpr event::HashKey kHashKey = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};

std::uint64_t hash(std::string_view user_id) { return event::hash_user(kHashKey, user_id); }

std::string record_of(std::string_view site, std::uint64_t user_key, std::int64_t received_ms) {
  event::Event event;
  event.site_id = site;
  event.user_key = user_key;
  event.received_time_ms = received_ms;
  event.type = event::Type::search;
  event.search_query = "data science";
  std::string bytes;
  event::encode(event, bytes);
  return bytes;
}

TEST(Person, has_events_of_the_same_site_and_key_that_came_by_then) {
  const Person ana{"campus", hash("ana")};
  EXPECT_TRUE(is_event_of(record_of("campus", hash("ana"), 100), ana, 100));
  EXPECT_FALSE(is_event_of(record_of("campus", hash("ana"), 101), ana, 100));
  EXPECT_FALSE(is_event_of(record_of("moodle", hash("ana"), 100), ana, 100));
  EXPECT_FALSE(is_event_of(record_of("campus", hash("bob"), 100), ana, 100));
  EXPECT_FALSE(is_event_of("no event", ana, 100));
}

TEST(Person, has_letters_that_are_its_events_and_those_that_name_it_in_any_form) {
  const Person ana{"campus", hash("ana@campus.example")};
  EXPECT_TRUE(is_letter_of(record_of("campus", ana.user_key, 1), ana, hash));
  EXPECT_FALSE(is_letter_of(record_of("moodle", ana.user_key, 1), ana, hash));
  EXPECT_FALSE(is_letter_of(record_of("campus", hash("bob"), 1), ana, hash));
  const auto cut = record_of("campus", ana.user_key, 1);
  EXPECT_TRUE(is_letter_of(cut.substr(0, cut.size() - 3), ana, hash));  // As an event has it.
  std::string raw(sizeof ana.user_key, '\0');
  std::memcpy(raw.data(), &ana.user_key, sizeof ana.user_key);
  EXPECT_TRUE(is_letter_of("\x01\x02" + raw + "x", ana, hash));
  EXPECT_TRUE(is_letter_of(std::string("\x01") + std::string(raw.rbegin(), raw.rend()), ana, hash));
  EXPECT_TRUE(is_letter_of(fmt::format("user={:016x};", ana.user_key), ana, hash));
  EXPECT_TRUE(is_letter_of(fmt::format("{{\"user_key\":{}}}", ana.user_key), ana, hash));
  for (const char* text :
       {R"({"user_id":"ana@campus.example","type":"clack"})", "1;ana@campus.example;2", "ana@campus.example"})
    EXPECT_TRUE(is_letter_of(text, ana, hash)) << text;
  for (const char* text : {R"({"user_id":"bob@campus.example"})", "", "xana@campus.example", "ana @campus.example"})
    EXPECT_FALSE(is_letter_of(text, ana, hash)) << text;
}

TEST(Person, has_letters_whose_id_stands_in_quotes_with_whatever_characters) {
  const Person ana{"campus", hash("Ana / \xC3\x89tudiante #7")};
  EXPECT_TRUE(is_letter_of("{\"a\":\"b\",\"user\":\"Ana / \xC3\x89tudiante #7\"}", ana, hash));
  EXPECT_FALSE(is_letter_of("{\"a\":\"b\",\"user\":\"Ana / \xC3\x89tudiante #8\"}", ana, hash));
}

TEST(Person, is_found_in_any_bytes_and_reads_none_beyond_them) {
  rc::check("bytes around a key", [](const std::string& before, const std::string& after, std::uint64_t key) {
    RC_PRE(key != 0);
    const Person person{"campus", key};
    std::string raw(sizeof key, '\0');
    std::memcpy(raw.data(), &key, sizeof key);
    RC_ASSERT(is_letter_of("?" + before + raw + after, person, hash));
    static_cast<void>(is_letter_of(before, person, hash));
    static_cast<void>(is_event_of(before, person, 0));
  });
}

}  // namespace
}  // namespace marquee::privacy
