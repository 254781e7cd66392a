// The service can be found out about by reflection, as grpcurl does. Its
// messages are written and read by field number, since those of the plugin are
// linked already.
#include <google/protobuf/descriptor.pb.h>
#include <google/protobuf/unknown_field_set.h>
#include <grpcpp/completion_queue.h>
#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/slice.h>

#include <memory>
#include <string>
#include <vector>

#include "autobreaker/tests/admin/admin_server.h"
#include "autobreaker/tests/support/watchdog.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace autobreaker {
namespace {

using google::protobuf::UnknownFieldSet;

// Of ServerReflectionRequest.
constexpr int kFileContainingSymbol = 4;
constexpr int kListServices = 7;
// Of ServerReflectionResponse, and of what is in it.
constexpr int kFileDescriptorResponse = 4;
constexpr int kFileDescriptorProto = 1;
constexpr int kListServicesResponse = 6;
constexpr int kService = 1;
constexpr int kName = 1;

// What the field of that number holds, each time it is there.
std::vector<std::string> FieldsOf(const std::string& message, int number) {
  UnknownFieldSet fields;
  EXPECT_TRUE(fields.ParseFromString(message));
  std::vector<std::string> values;
  for (int i = 0; i < fields.field_count(); ++i) {
    if (fields.field(i).number() != number) continue;
    values.emplace_back(fields.field(i).length_delimited());
  }
  return values;
}

std::string FieldOf(const std::string& message, int number) {
  const std::vector<std::string> values = FieldsOf(message, number);
  EXPECT_EQ(values.size(), 1u);
  return values.empty() ? "" : values[0];
}

class BreakerAdminReflection : public testing::Test {
 protected:
  // Asks the server by one field of a request.
  std::string Ask(int number, const std::string& value) {
    UnknownFieldSet fields;
    fields.AddLengthDelimited(number, value);
    std::string request;
    EXPECT_TRUE(fields.SerializeToString(&request));
    const grpc::Slice slice(request);
    grpc::ByteBuffer response;

    grpc::CompletionQueue queue;
    const auto wait = [&queue] {
      void* tag;
      bool ok = false;
      return queue.Next(&tag, &ok) && ok;
    };
    const auto context = AdminContext();
    grpc::GenericStub stub(admin_->channel);
    const auto stream = stub.PrepareCall(
        context.get(),
        "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
        &queue);
    stream->StartCall(nullptr);
    EXPECT_TRUE(wait());
    stream->Write(grpc::ByteBuffer(&slice, 1), nullptr);
    EXPECT_TRUE(wait());
    stream->Read(&response, nullptr);
    EXPECT_TRUE(wait());
    stream->WritesDone(nullptr);
    EXPECT_TRUE(wait());
    grpc::Status status;
    stream->Finish(&status, nullptr);
    EXPECT_TRUE(wait());
    EXPECT_TRUE(status.ok()) << status.error_message();

    std::vector<grpc::Slice> slices;
    EXPECT_TRUE(response.Dump(&slices).ok());
    std::string bytes;
    for (const grpc::Slice& part : slices) {
      bytes.append(reinterpret_cast<const char*>(part.begin()), part.size());
    }
    return bytes;
  }

  void SetUp() override {
    grpc::reflection::InitProtoReflectionServerBuilderPlugin();
    admin_ = std::make_unique<AdminServer>();
  }

  Watchdog watchdog_{"a call of the reflection service"};
  std::unique_ptr<AdminServer> admin_;
};

TEST_F(BreakerAdminReflection, TheServiceIsListed) {
  std::vector<std::string> names;
  for (const std::string& service : FieldsOf(
           FieldOf(Ask(kListServices, "*"), kListServicesResponse), kService)) {
    names.push_back(FieldOf(service, kName));
  }
  EXPECT_THAT(names, testing::Contains("autobreaker.v1.BreakerAdmin"));
}

TEST_F(BreakerAdminReflection, ItsMethodsAreDescribed) {
  const std::string response =
      Ask(kFileContainingSymbol, "autobreaker.v1.BreakerAdmin");
  std::vector<std::string> methods;
  for (const std::string& bytes : FieldsOf(
           FieldOf(response, kFileDescriptorResponse), kFileDescriptorProto)) {
    google::protobuf::FileDescriptorProto file;
    ASSERT_TRUE(file.ParseFromString(bytes));
    for (const auto& service : file.service()) {
      for (const auto& method : service.method()) {
        methods.push_back(method.name());
        EXPECT_EQ(method.server_streaming(), method.name() == "Watch");
      }
    }
  }
  EXPECT_THAT(methods, testing::ElementsAre("List", "Get", "Watch", "Update",
                                            "SetMode", "Reset"));
}

}  // namespace
}  // namespace autobreaker
