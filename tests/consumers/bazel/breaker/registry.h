// The bakery's electrical breakers: a header, a source file and a class named
// like ones of AutoBreaker.
#ifndef BREAKER_REGISTRY_H_
#define BREAKER_REGISTRY_H_

#include <set>
#include <string>

namespace bakery {

class BreakerRegistry {
 public:
  void Add(const std::string& name);
  bool Has(const std::string& name) const;

 private:
  std::set<std::string> names_;
};

}  // namespace bakery

#endif  // BREAKER_REGISTRY_H_
