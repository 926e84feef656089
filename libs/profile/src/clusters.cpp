#include "marquee/profile/clusters.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <random>
#include <set>
#include <tuple>

namespace marquee::profile {
namespace {

constexpr std::size_t kMostPlaces = 512;  ///< Topics that are looked at: those that most users have.
constexpr int kRounds = 30;
constexpr double kLeastOfCentre = 0.25;  ///< A topic lighter than this part of the heaviest is not in a name.
constexpr std::size_t kTopicsOfName = 3;

/// What interests are, and how much a count of each tells: a word is soon typed.
struct Kind {
  TopicKind kind;
  float worth;
};
constexpr std::array<Kind, 3> kKinds = {
    {{TopicKind::category, 1}, {TopicKind::course, 0.5F}, {TopicKind::search_word, 0.5F}}};

std::uint64_t key_of(TopicKind kind, Topic topic) { return static_cast<std::uint64_t>(kind) << 32 | topic; }

template <class Visit>
void for_each_interest(const Profile& profile, Seconds now, Visit visit) {
  const Seconds at = std::max(now, profile.last_seen());
  for (const auto& [kind, worth] : kKinds)
    for (const Interest& one : profile.interests(kind, at))
      visit(kind, one.topic, worth * static_cast<float>(one.weight));
}

}  // namespace

Clusters::Clusters(std::span<const Profile> sample, Seconds now, const ClusterOptions& options)
    : least_likeness_(static_cast<float>(options.least_likeness)) {
  choose_places(sample, now);
  std::vector<Vector> vectors;
  for (const Profile& profile : sample)
    if (auto vector = vector_of(profile, now); !vector.empty()) vectors.push_back(std::move(vector));
  if (vectors.size() < options.least_users || options.most == 0) return;
  begin(vectors, options);
  std::vector<std::size_t> assigned(vectors.size(), groups_.size());
  for (int round = 0; round < kRounds && move_centres(vectors, assigned); ++round) continue;
  finish(vectors, options);
}

void Clusters::choose_places(std::span<const Profile> sample, Seconds now) {
  std::unordered_map<std::uint64_t, std::pair<MainTopic, std::size_t>> counted;
  for (const Profile& profile : sample)
    for_each_interest(profile, now, [&](TopicKind kind, Topic topic, float) {
      auto& [of, users] = counted[key_of(kind, topic)];
      of = {.kind = kind, .topic = topic};
      ++users;
    });
  std::vector<std::pair<MainTopic, std::size_t>> all;
  for (const auto& [key, one] : counted) all.push_back(one);
  std::ranges::sort(all, [](const auto& a, const auto& b) {
    return a.second != b.second ? a.second > b.second
                                : key_of(a.first.kind, a.first.topic) < key_of(b.first.kind, b.first.topic);
  });
  for (const auto& [topic, users] : all) {
    if (users < 2 || topics_.size() == kMostPlaces) break;
    places_.emplace(key_of(topic.kind, topic.topic), static_cast<std::uint32_t>(topics_.size()));
    topics_.push_back(topic);
  }
}

Clusters::Vector Clusters::vector_of(const Profile& profile, Seconds now) const {
  Vector vector;
  float square = 0;
  for_each_interest(profile, now, [&](TopicKind kind, Topic topic, float weight) {
    const auto place = places_.find(key_of(kind, topic));
    if (place == places_.end()) return;
    vector.emplace_back(place->second, weight);
    square += weight * weight;
  });
  if (square <= 0) return {};
  for (auto& [place, weight] : vector) weight /= std::sqrt(square);
  return vector;
}

Clusters::Nearest Clusters::nearest(const Vector& vector) const {
  Nearest best{.group = groups_.size(), .likeness = 0};
  for (std::size_t g = 0; g < groups_.size(); ++g) {
    float likeness = 0;
    for (const auto& [place, weight] : vector) likeness += weight * groups_[g].centre[place];
    if (likeness > best.likeness) best = {.group = g, .likeness = likeness};
  }
  return best;
}

/// Centres are users that are unlike those before: each with the chance of its squared distance.
void Clusters::begin(const std::vector<Vector>& vectors, const ClusterOptions& options) {
  std::mt19937_64 random(options.seed);
  const auto chance = [&] { return static_cast<double>(random() >> 11) / static_cast<double>(1ULL << 53); };
  std::size_t next = random() % vectors.size();
  std::vector<double> distances(vectors.size());
  while (groups_.size() < std::min(options.most, vectors.size() / options.least_users)) {
    Group& group = groups_.emplace_back();
    group.centre.assign(topics_.size(), 0);
    for (const auto& [place, weight] : vectors[next]) group.centre[place] = weight;
    double sum = 0;
    for (std::size_t i = 0; i < vectors.size(); ++i) {
      const double apart = 1 - static_cast<double>(nearest(vectors[i]).likeness);
      sum += distances[i] = std::max(apart, 0.0) * std::max(apart, 0.0);
    }
    if (sum <= 0) return;
    double at = chance() * sum;
    for (next = 0; next + 1 < vectors.size() && at >= distances[next]; ++next) at -= distances[next];
  }
}

/// Each centre to the middle of its users; false where nobody changed.
bool Clusters::move_centres(const std::vector<Vector>& vectors, std::vector<std::size_t>& assigned) {
  bool has_changed = false;
  for (std::size_t i = 0; i < vectors.size(); ++i) {
    const auto group = nearest(vectors[i]).group;
    has_changed = has_changed || group != assigned[i];
    assigned[i] = group;
  }
  for (std::size_t g = 0; g < groups_.size(); ++g) {
    auto& centre = groups_[g].centre;
    std::vector<float> sum(centre.size(), 0);
    for (std::size_t i = 0; i < vectors.size(); ++i)
      if (assigned[i] == g)
        for (const auto& [place, weight] : vectors[i]) sum[place] += weight;
    double square = 0;
    for (const float one : sum) square += static_cast<double>(one) * static_cast<double>(one);
    if (square <= 0) continue;
    for (std::size_t place = 0; place < sum.size(); ++place)
      centre[place] = sum[place] / static_cast<float>(std::sqrt(square));
  }
  return has_changed;
}

void Clusters::count_users(const std::vector<Vector>& vectors) {
  for (Group& group : groups_) group.users = 0;
  for (const auto& vector : vectors)
    if (const auto one = nearest(vector); one.group < groups_.size() && one.likeness >= least_likeness_)
      ++groups_[one.group].users;
  std::ranges::sort(groups_, [](const Group& a, const Group& b) {
    return a.users > b.users || (a.users == b.users && a.centre < b.centre);
  });
}

void Clusters::finish(const std::vector<Vector>& vectors, const ClusterOptions& options) {
  count_users(vectors);
  std::vector<Group> kept;
  for (Group& group : groups_) {
    const auto is_alike = [&](const Group& other) {
      return std::inner_product(group.centre.begin(), group.centre.end(), other.centre.begin(), 0.0F) >
             static_cast<float>(options.most_alike);
    };
    if (std::ranges::none_of(kept, is_alike)) kept.push_back(std::move(group));
  }
  groups_ = std::move(kept);
  count_users(vectors);  // Who was in one that went is in another, or in none.
  std::erase_if(groups_, [&](const Group& group) { return group.users < options.least_users; });
  for (Group& group : groups_) {
    for (std::size_t place = 0; place < topics_.size(); ++place) {
      if (group.centre[place] <= 0) continue;
      group.topics.push_back(topics_[place]);
      group.topics.back().weight = static_cast<double>(group.centre[place]);
    }
    std::ranges::sort(group.topics, {},
                      [](const MainTopic& one) { return std::tuple(-one.weight, one.kind, one.topic); });
  }
}

std::optional<std::size_t> Clusters::of(const Profile& profile, Seconds now) const {
  if (groups_.empty()) return std::nullopt;
  const auto one = nearest(vector_of(profile, now));
  return one.group < groups_.size() && one.likeness >= least_likeness_ ? std::optional(one.group) : std::nullopt;
}

std::vector<std::string> names_of(const Clusters& clusters, const TopicText& text) {
  std::vector<std::string> names;
  std::set<std::string> taken;
  for (std::size_t cluster = 0; cluster < clusters.size(); ++cluster) {
    const auto& topics = clusters.topics(cluster);
    std::vector<std::string> texts;
    for (const auto& one : topics) {
      if (one.weight < kLeastOfCentre * topics.front().weight || texts.size() == kTopicsOfName) break;
      if (auto found = text(one.kind, one.topic); !found.empty() && std::ranges::find(texts, found) == texts.end())
        texts.push_back(std::move(found));
    }
    std::string name;
    for (std::size_t i = 0; i < texts.size() && (name.empty() || taken.contains(name)); ++i)
      name += (i == 0 ? "" : ", ") + texts[i];
    const std::string whole = name;
    for (int number = 2; !name.empty() && taken.contains(name); ++number) name = whole + " " + std::to_string(number);
    taken.insert(name);
    names.push_back(std::move(name));
  }
  return names;
}

}  // namespace marquee::profile
