#include "autobreaker/examples/shop/flaky_shop.h"

#include <grpcpp/security/server_credentials.h>
#include <grpcpp/server_builder.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>

#include "absl/strings/str_cat.h"

namespace autobreaker::demo {

FlakyShop::FlakyShop() {
  grpc::ServerBuilder builder;
  int port = 0;
  builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(),
                           &port);
  builder.RegisterService(this);
  server_ = builder.BuildAndStart();
  if (server_ == nullptr) {
    std::fputs("cannot start a server on 127.0.0.1\n", stderr);
    std::exit(EXIT_FAILURE);
  }
  address_ = absl::StrCat("127.0.0.1:", port);
}

FlakyShop::~FlakyShop() { server_->Shutdown(std::chrono::system_clock::now()); }

grpc::Status FlakyShop::GetPrice(grpc::ServerContext*,
                                 const shop::PriceRequest*,
                                 shop::PriceReply* reply) {
  reply->set_cents(1999);
  return Answer();
}

grpc::Status FlakyShop::PlaceOrder(grpc::ServerContext*,
                                   const shop::OrderRequest*,
                                   shop::OrderReply* reply) {
  reply->set_order_id("1");
  return Answer();
}

grpc::Status FlakyShop::Answer() {
  calls_.fetch_add(1);
  return failing_.load()
             ? grpc::Status(grpc::StatusCode::UNAVAILABLE, "the shop is closed")
             : grpc::Status::OK;
}

}  // namespace autobreaker::demo
