#include "marquee/learning/priors.h"

#include <algorithm>
#include <cmath>

namespace marquee::learning {

Rate Priors::rate(const PriorPath& path) const {
  Rate rate{options_.site_rate, options_.site_clicks};
  const auto descend = [&](std::uint64_t key, double prior_clicks) {
    const auto at = nodes_.find(key);
    const Node node = at == nodes_.end() ? Node{} : at->second;
    const double mean = (node.clicks + prior_clicks) / (node.exposure + prior_clicks / rate.mean);
    rate = {std::clamp(mean, 1e-6, 0.999), node.clicks + prior_clicks};
  };
  descend(path.site, options_.site_clicks);
  descend(path.category, options_.category_clicks);
  descend(path.campaign, options_.campaign_clicks);
  descend(path.ad, options_.ad_clicks);
  return rate;
}

void Priors::add(const PriorPath& path, double clicks, double exposure) {
  for (const auto key : {path.site, path.category, path.campaign, path.ad}) {
    auto& node = nodes_[key];
    node.clicks += clicks;
    node.exposure += exposure;
  }
}

void Priors::decay(double keep) {
  for (auto& [key, node] : nodes_) {
    node.clicks *= keep;
    node.exposure *= keep;
  }
}

void Priors::clear_exposure() {
  for (auto& [key, node] : nodes_) node.exposure = 0;
}

}  // namespace marquee::learning
