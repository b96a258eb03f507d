// Sender and receiver connected: the rules of docs/protocol.md.
#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <map>
#include <set>

#include "base/random.h"
#include "monitor/v1/ingest.pb.h"
#include "stream/receiver.h"
#include "stream/sender.h"

namespace monitor::stream {
namespace {

Hello example_hello() { return {"agent-001", std::string(16, 'i'), "1.2.3", "host"}; }

// Gives out batches with the ids 1, 2, 3 ..., whose bytes are the id as text.
class FakeSource final : public BatchSource {
 public:
  explicit FakeSource(uint64_t count = 0) { add(count); }
  void add(uint64_t count) {
    while (count-- > 0) waiting_.push_back(++last_);
  }
  std::optional<Outgoing> next() override {
    if (waiting_.empty()) return std::nullopt;
    const uint64_t id = waiting_.front();
    waiting_.pop_front();
    bytes_ = std::to_string(id);
    return Outgoing{id, bytes_};
  }
  void log_named(std::string_view log) override { logs.emplace_back(std::to_string(acked.size()) + " " += log); }
  void acknowledged(uint64_t id) override { EXPECT_TRUE(acked.insert(id).second) << "acknowledged twice: " << id; }
  void rejected(uint64_t id, RejectedBy by, std::string_view why) override {
    EXPECT_EQ(by, RejectedBy::kServer);
    rejects[id] = std::string(why);
  }
  void returned(uint64_t id) override { waiting_.push_front(id); }
  size_t waiting() const { return waiting_.size(); }

  std::set<uint64_t> acked;
  std::map<uint64_t, std::string> rejects;
  std::vector<std::string> logs;  // how many batches were acknowledged before, and the name

 private:
  std::deque<uint64_t> waiting_;
  uint64_t last_ = 0;
  std::string bytes_;
};

struct Pair {
  explicit Pair(uint64_t batches, uint64_t window = 1024)
      : source(batches), sender(example_hello(), source), receiver({"0.1.0", window, {}}) {}

  // Passes all messages in both directions; received batches are kept by token.
  void exchange() {
    bool moved = true;
    while (moved) {
      moved = false;
      while (const auto message = sender.next()) {
        moved = true;
        const auto event = receiver.receive(*message);
        ASSERT_TRUE(event) << event.error().to_string();
        if (event->kind == Receiver::Event::Kind::kBatch) arrived[event->token] = std::string(event->batch);
      }
      while (const auto message = receiver.next()) {
        moved = true;
        const Status s = sender.receive(*message);
        ASSERT_TRUE(s) << s.error().to_string();
      }
    }
  }

  FakeSource source;
  Sender sender;
  Receiver receiver;
  std::map<uint64_t, std::string> arrived;
};

TEST(Reject, ReasonStartsWithTheLedgersWord) {
  EXPECT_EQ(reject_word("too_large: 3 bytes, limit 2"), "too_large");
  EXPECT_EQ(reject_word("invalid: odd"), "invalid");
  EXPECT_EQ(reject_word("too_large"), "too_large");
  EXPECT_EQ(reject_word("too_large_indeed: x"), "invalid");
  EXPECT_EQ(reject_word(""), "invalid");
}

TEST(Messages, AreReadableByProtobuf) {
  v1::ClientMessage client;
  ASSERT_TRUE(client.ParseFromString(encode(Publish{7, "payload"})));
  EXPECT_EQ(client.publish().number(), 7U);
  EXPECT_EQ(client.publish().batch(), "payload");
  v1::ServerMessage server;
  ASSERT_TRUE(server.ParseFromString(encode(HelloReply{"1.0.0", 5, {1, 2, 3, 4, 5, 6}})));
  EXPECT_EQ(server.hello().limits().value_bytes(), 6U);
  ASSERT_TRUE(server.ParseFromString(encode(Reject{3, "too large"})));
  EXPECT_EQ(server.reject().reason(), "too large");
  ASSERT_TRUE(server.ParseFromString(encode(Drain{})));
  EXPECT_TRUE(server.has_drain());
}

TEST(Messages, CanBeEncodedByProtobuf) {
  v1::ServerMessage message;
  message.mutable_rewind()->set_to(9);
  const auto parsed = parse_server_message(message.SerializeAsString());
  ASSERT_TRUE(parsed);
  EXPECT_EQ(std::get<Rewind>(*parsed).to, 9U);
}

TEST(Stream, AcknowledgesNothingBeforeItIsStored) {
  Pair pair(3);
  pair.exchange();
  EXPECT_EQ(pair.arrived.size(), 3U);
  EXPECT_TRUE(pair.source.acked.empty());
  pair.receiver.stored(2);
  pair.exchange();
  EXPECT_TRUE(pair.source.acked.empty()) << "2 is stored, 1 is not: the prefix is empty";
  pair.receiver.stored(1);
  pair.exchange();
  EXPECT_EQ(pair.source.acked, (std::set<uint64_t>{1, 2}));
  EXPECT_EQ(pair.sender.in_flight(), 1U);
}

TEST(Stream, NamesTheLogBeforeAcknowledging) {
  Pair pair(6);
  pair.exchange();
  EXPECT_TRUE(pair.source.logs.empty()) << "the log is unknown at Hello";
  pair.receiver.set_log("sqlite:a");
  pair.receiver.stored(1);
  pair.exchange();
  pair.receiver.stored(2);
  pair.exchange();
  pair.receiver.set_log("sqlite:a");
  pair.receiver.stored(3);
  pair.receiver.set_log("sqlite:b");
  pair.receiver.stored(4);
  pair.exchange();
  EXPECT_EQ(pair.source.logs, (std::vector<std::string>{"0 sqlite:a", "3 sqlite:b"}))
      << "batch 3 is in the previous log";
  EXPECT_EQ(pair.source.acked.size(), 4U);
}

TEST(Stream, NamesTheLogInHelloIfItIsKnown) {
  FakeSource source(1);
  Sender sender(example_hello(), source);
  Receiver receiver({"0.2.0", 1024, {}, "kafka:c/t"});
  ASSERT_TRUE(receiver.receive(*sender.next()));
  ASSERT_TRUE(sender.receive(*receiver.next()));
  EXPECT_EQ(source.logs, (std::vector<std::string>{"0 kafka:c/t"}));
  ASSERT_TRUE(receiver.receive(*sender.next()));
  receiver.stored(1);
  const auto ack = parse_server_message(*receiver.next());
  ASSERT_TRUE(ack);
  EXPECT_EQ(std::get<Ack>(*ack).log, "") << "said already";
}

TEST(Stream, AcceptsAnOlderServerThatNamesNoLog) {
  Pair pair(2);
  pair.exchange();
  pair.receiver.stored(1);
  pair.exchange();
  pair.receiver.stored(2);
  pair.exchange();
  EXPECT_EQ(pair.source.logs, (std::vector<std::string>{"0 "}));
}

TEST(Stream, RespectsTheWindow) {
  Pair pair(100, 5);
  pair.exchange();
  EXPECT_EQ(pair.arrived.size(), 5U) << "five batches of one byte";
  pair.receiver.stored(1);
  pair.exchange();
  EXPECT_EQ(pair.arrived.size(), 6U);
}

TEST(Stream, RejectsOneBatchAndContinues) {
  Pair pair(3);
  pair.exchange();
  pair.receiver.reject(2, "too large");
  pair.receiver.stored(3);
  pair.receiver.stored(1);
  pair.exchange();
  EXPECT_EQ(pair.source.acked, (std::set<uint64_t>{1, 3}));
  EXPECT_EQ(pair.source.rejects, (std::map<uint64_t, std::string>{{2, "too large"}}));
}

TEST(Stream, RewindSendsAgainFromTheBatch) {
  Pair pair(4);
  pair.exchange();
  pair.receiver.stored(1);
  pair.receiver.retry(2);
  pair.receiver.stored(3);  // too late to matter: 3 is sent again, and readers remove the duplicate
  pair.exchange();
  EXPECT_EQ(pair.arrived.size(), 7U);
  EXPECT_EQ(pair.arrived[5], "2");
  for (const uint64_t token : {5, 6, 7}) pair.receiver.stored(token);
  pair.exchange();
  EXPECT_EQ(pair.source.acked, (std::set<uint64_t>{1, 2, 3, 4}));
}

TEST(Stream, IgnoresPublishesFromBeforeARewind) {
  Pair pair(3);
  FakeSource source(5);
  Sender sender(example_hello(), source);
  Receiver receiver({"0.1.0", 1024, {}});
  ASSERT_TRUE(receiver.receive(*sender.next()));
  ASSERT_TRUE(sender.receive(*receiver.next()));
  std::vector<std::string> wire;
  while (auto message = sender.next()) wire.push_back(*message);
  ASSERT_TRUE(receiver.receive(wire[0]));
  receiver.retry(1);
  for (size_t i = 1; i < wire.size(); ++i) {
    const auto event = receiver.receive(wire[i]);
    ASSERT_TRUE(event);
    EXPECT_EQ(event->kind, Receiver::Event::Kind::kNothing);
  }
  ASSERT_TRUE(sender.receive(*receiver.next()));
  EXPECT_EQ(source.waiting(), 5U);
}

TEST(Stream, DrainEndsOnceEverythingIsAnswered) {
  Pair pair(2);
  pair.exchange();
  pair.receiver.drain();
  pair.exchange();
  pair.source.add(1);
  pair.exchange();
  EXPECT_TRUE(pair.sender.draining());
  EXPECT_FALSE(pair.sender.finished());
  pair.receiver.stored(1);
  pair.receiver.stored(2);
  pair.exchange();
  EXPECT_TRUE(pair.sender.finished());
  EXPECT_TRUE(pair.receiver.finished());
  EXPECT_EQ(pair.source.waiting(), 1U);
}

TEST(Stream, CloseReturnsBatchesInOrder) {
  FakeSource source(3);
  Sender sender(example_hello(), source);
  Receiver receiver({"0.1.0", 1024, {}});
  ASSERT_TRUE(receiver.receive(*sender.next()));
  ASSERT_TRUE(sender.receive(*receiver.next()));
  while (sender.next()) {
  }
  sender.close();
  EXPECT_EQ(source.next()->id, 1U);
}

TEST(Stream, ViolationsEndTheStream) {
  FakeSource source(1);
  Sender sender(example_hello(), source);
  EXPECT_FALSE(sender.receive(encode(Ack{1}))) << "before HelloReply";
  EXPECT_TRUE(sender.receive(encode(HelloReply{"1", 10, {}})));
  EXPECT_FALSE(sender.receive(encode(HelloReply{"1", 10, {}})));
  EXPECT_FALSE(sender.receive(encode(Ack{1}))) << "nothing was sent";
  EXPECT_FALSE(sender.receive(encode(Rewind{0})));
  EXPECT_FALSE(sender.receive("\xFF\xFF"));

  Receiver receiver({"0.1.0", 1024, {}});
  EXPECT_FALSE(receiver.receive(encode(Publish{1, "x"}))) << "before Hello";
  EXPECT_FALSE(receiver.receive(encode(Hello{"bad/id", std::string(16, 'i'), "1", "h"})));
  EXPECT_FALSE(receiver.receive(encode(Hello{"good", "short", "1", "h"})));
  EXPECT_TRUE(receiver.receive(encode(example_hello())));
  EXPECT_FALSE(receiver.receive(encode(example_hello())));
  EXPECT_FALSE(receiver.receive(encode(Publish{2, "x"}))) << "number 1 is missing";
}

TEST(Stream, IgnoresUnknownMessages) {
  FakeSource source(1);
  Sender sender(example_hello(), source);
  EXPECT_TRUE(sender.receive("\x7A\x01x")) << "field 15, of a newer server";
  Receiver receiver({"0.1.0", 1024, {}});
  const auto event = receiver.receive("\x7A\x01x");
  ASSERT_TRUE(event);
  EXPECT_EQ(event->kind, Receiver::Event::Kind::kNothing);
}

// Random outcomes in random order, with messages in flight in both directions. In the end every batch must be
// acknowledged or rejected exactly once, and none may be acknowledged without being stored.
TEST(Stream, RandomWalkEndsComplete) {
  for (uint64_t seed = 0; seed < 300; ++seed) {
    SeededRandom random(seed);
    constexpr uint64_t kBatches = 60;
    FakeSource source(kBatches);
    Sender sender(example_hello(), source);
    Receiver receiver({"0.1.0", 1 + random.below(20), {}});
    std::deque<std::string> to_server;
    std::deque<std::string> to_agent;
    std::vector<std::pair<uint64_t, std::string>> open;
    std::set<std::string> stored;
    const auto settled = [&] { return source.acked.size() + source.rejects.size() == kBatches; };
    for (int step = 0; step < 100'000 && !settled(); ++step) {
      switch (random.below(5)) {
        case 0:
          if (auto message = sender.next()) to_server.push_back(*message);
          break;
        case 1:
          if (auto message = receiver.next()) to_agent.push_back(*message);
          break;
        case 2:
          if (to_server.empty()) break;
          {
            const auto event = receiver.receive(to_server.front());
            ASSERT_TRUE(event) << seed << ": " << event.error().to_string();
            if (event->kind == Receiver::Event::Kind::kBatch) open.emplace_back(event->token, event->batch);
          }
          to_server.pop_front();
          break;
        case 3:
          if (to_agent.empty()) break;
          ASSERT_TRUE(sender.receive(to_agent.front())) << seed;
          to_agent.pop_front();
          for (const uint64_t id : source.acked) ASSERT_TRUE(stored.contains(std::to_string(id))) << seed;
          break;
        default:
          if (open.empty()) break;
          {
            const size_t pick = random.below(open.size());
            const auto [token, bytes] = open[pick];
            open.erase(open.begin() + static_cast<std::ptrdiff_t>(pick));
            const uint64_t outcome = random.below(20);
            if (outcome == 0) {
              receiver.retry(token);
            } else if (outcome == 1) {
              receiver.retry_all();
            } else if (outcome == 2 && !stored.contains(bytes)) {
              receiver.reject(token, "invalid");
            } else {
              stored.insert(bytes);
              receiver.stored(token);
            }
          }
      }
    }
    ASSERT_TRUE(settled()) << "seed " << seed;
    for (const auto& [id, why] : source.rejects) ASSERT_FALSE(source.acked.contains(id)) << seed;
  }
}

TEST(Notice, IsReadAndDoesNotAffectTheStream) {
  const auto parsed = parse_server_message(encode(Notice{"agent_id_conflict", "host\n" + std::string(2000, 'x')}));
  ASSERT_TRUE(parsed.ok());
  const auto* notice = std::get_if<Notice>(&*parsed);
  ASSERT_NE(notice, nullptr);
  EXPECT_EQ(notice->code, "agent_id_conflict");
  EXPECT_LE(notice->text.size(), Notice::kMaxBytes + 8);
  EXPECT_EQ(notice->text.find('\n'), std::string::npos) << "it may end up in logs and terminals";
  EXPECT_FALSE(parse_server_message(std::string("\x32\x02\x0A\x05", 4)).ok()) << "cut";
}

}  // namespace
}  // namespace monitor::stream
