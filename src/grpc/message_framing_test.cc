#include "grpc/message_framing.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

namespace monitor::grpc {
namespace {

using testing::ElementsAre;

std::string all(SendQueue& queue) {
  std::string out(queue.front(queue.size()));
  queue.pop(queue.size());
  return out;
}

TEST(SendQueueTest, AddsPrefixesAndReturnsPiecesOfAnySize) {
  SendQueue queue;
  queue.push_message("abc");
  queue.push_message("");
  EXPECT_EQ(queue.size(), 13U);
  EXPECT_EQ(queue.front(6), std::string_view("\0\0\0\0\3a", 6));
  queue.pop(6);
  queue.push_message(std::string(70'000, 'x'));
  EXPECT_EQ(queue.front(7), std::string_view("bc\0\0\0\0\0", 7));
  queue.pop(7);
  EXPECT_EQ(queue.front(5), std::string_view("\0\0\1\x11\x70", 5));
  EXPECT_EQ(all(queue).size(), 70'005U);
  EXPECT_TRUE(queue.empty());
}

TEST(DeframerTest, ReadsMessagesFromPiecesOfAnySize) {
  SendQueue queue;
  for (const auto& text : {std::string("one"), std::string(), std::string(300, 'x')}) queue.push_message(text);
  const std::string bytes = all(queue);
  for (size_t piece = 1; piece <= bytes.size(); ++piece) {
    Deframer deframer(1000);
    std::vector<std::string> messages;
    for (size_t at = 0; at < bytes.size(); at += piece) {
      std::string_view input = std::string_view(bytes).substr(at, piece);
      while (deframer.next(input) == Deframer::Next::kMessage) messages.emplace_back(deframer.message());
      EXPECT_TRUE(input.empty());
    }
    EXPECT_THAT(messages, ElementsAre("one", "", std::string(300, 'x')));
    EXPECT_TRUE(deframer.between_messages());
  }
}

TEST(DeframerTest, DoesNotCopyWholeMessages) {
  const std::string_view bytes("\0\0\0\0\3abc", 8);
  std::string_view input = bytes;
  Deframer deframer(10);
  ASSERT_EQ(deframer.next(input), Deframer::Next::kMessage);
  EXPECT_EQ(deframer.message().data(), bytes.data() + 5);
}

TEST(DeframerTest, ReportsLongAndCompressedMessages) {
  std::string_view at_limit("\0\0\0\0\3abc", 8);
  EXPECT_EQ(Deframer(3).next(at_limit), Deframer::Next::kMessage);
  std::string_view long_message("\0\0\0\0\4", 5);
  Deframer deframer(3);
  EXPECT_EQ(deframer.next(long_message), Deframer::Next::kTooLong);
  EXPECT_EQ(deframer.length(), 4U);
  std::string_view compressed("\1\0\0\0\0", 5);
  EXPECT_EQ(Deframer(3).next(compressed), Deframer::Next::kCompressed);
  std::string_view part("\0\0\0", 3);
  Deframer begun(3);
  EXPECT_EQ(begun.next(part), Deframer::Next::kNeedMore);
  EXPECT_FALSE(begun.between_messages());
}

TEST(ReceiveWindowTest, AutomaticReturnsBytesAtOnce) {
  ReceiveWindow window(100, false);
  EXPECT_EQ(window.received(30, 25, 25), 30U);
  EXPECT_EQ(window.delivered(25), 0U);
  EXPECT_EQ(window.consumed(25), 0U);
}

TEST(ReceiveWindowTest, ManualReturnsConfirmedBytes) {
  ReceiveWindow window(100, true);
  EXPECT_EQ(window.received(25, 20, 20), 5U);  // the prefix
  window.delivered(20);
  EXPECT_EQ(window.consumed(8), 8U);
  EXPECT_EQ(window.consumed(50), 12U);  // never more than was received
  EXPECT_EQ(window.consumed(1), 0U);
}

TEST(ReceiveWindowTest, AdmitsALargeMessageOnceEarlierOnesAreConfirmed) {
  ReceiveWindow window(100, true);
  EXPECT_EQ(window.received(25, 20, 20), 5U);
  window.delivered(20);
  EXPECT_EQ(window.received(65, 60, 300), 5U);  // waits for the confirmation of the first message
  EXPECT_EQ(window.consumed(20), 20U + 60U);
  EXPECT_EQ(window.received(100, 100, 300), 100U);
  EXPECT_EQ(window.received(140, 140, 300), 140U);
  window.delivered(300);
  EXPECT_EQ(window.received(25, 20, 20), 5U);  // later messages are withheld again
  window.delivered(20);
  EXPECT_EQ(window.consumed(300), 0U);  // was returned while the message arrived
  EXPECT_EQ(window.consumed(20), 20U);
}

}  // namespace
}  // namespace monitor::grpc
