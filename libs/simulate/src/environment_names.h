// What topics, pages and words of the environments are called.
#pragma once

#include <array>
#include <string_view>

#include "marquee/simulate/environment.h"

namespace marquee::simulate {

struct Topic {
  std::string_view name;
  std::array<std::string_view, 4> words;  ///< The last one belongs to another topic, too.
};

inline constexpr std::array<Topic, kTopics> kTopicNames = {
    {{"law", {"law", "court", "contract", "rights"}},
     {"medicine", {"anatomy", "nursing", "clinic", "care"}},
     {"computing", {"python", "network", "laptop", "internship"}},
     {"business", {"finance", "marketing", "startup", "contract"}},
     {"design", {"poster", "fashion", "drawing", "laptop"}},
     {"languages", {"english", "grammar", "translation", "exchange"}},
     {"sport", {"football", "gym", "tournament", "clinic"}},
     {"music", {"concert", "guitar", "choir", "tickets"}},
     {"travel", {"flight", "hostel", "visa", "exchange"}},
     {"housing", {"flat", "roommate", "rent", "hostel"}},
     {"jobs", {"internship", "resume", "interview", "startup"}},
     {"food", {"canteen", "recipe", "delivery", "tickets"}}}};
inline constexpr std::array<std::string_view, 5> kFillers = {"", "best", "near", "exam", "cheap"};
inline constexpr std::array<std::string_view, 3> kDevices = {"phone", "desktop", "tablet"};
inline constexpr std::uint32_t kPagesOfTopic = 3, kEnvironmentPrograms = 12, kColleges = 8, kYears = 5,
                               kEnvironmentCities = 6;

}  // namespace marquee::simulate
