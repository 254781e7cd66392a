#include "autobreaker/tools/breakerctl/targets.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace autobreaker::breakerctl {
namespace {

std::vector<std::string> AddressesOf(std::vector<std::string> given) {
  Command command;
  command.addresses = std::move(given);
  std::vector<std::string> addresses;
  for (const Target& target : FindTargets(command)) {
    EXPECT_EQ(target.server_name, "");
    addresses.push_back(target.address);
  }
  return addresses;
}

TEST(FindTargets, WhatIsForGrpcIsLeftToIt) {
  const std::vector<std::string> given = {
      "127.0.0.1:1", "[::1]:2", "unix:/run/a.sock",      "dns:///a:3",
      "a",           ":4",      "no-such-host.invalid:5"};
  EXPECT_EQ(AddressesOf(given), given);
}

TEST(FindTargets, OneThatIsNamedTwiceIsAskedOnce) {
  EXPECT_EQ(AddressesOf({"127.0.0.1:1", "[::1]:2", "127.0.0.1:1"}),
            (std::vector<std::string>{"127.0.0.1:1", "[::1]:2"}));
}

// It has an address of each family.
TEST(FindTargets, LocalhostIsOneHost) {
  EXPECT_EQ(AddressesOf({"localhost:1"}),
            std::vector<std::string>{"localhost:1"});
}

TEST(FindTargets, TheServersNameIsTheOneThatIsGiven) {
  Command command;
  command.addresses = {"127.0.0.1:1"};
  command.security.server_name = "shop.example";
  EXPECT_EQ(FindTargets(command)[0].server_name, "shop.example");
}

}  // namespace
}  // namespace autobreaker::breakerctl
