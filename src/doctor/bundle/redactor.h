// Redactor: removes secrets from text before it leaves this host. It knows the values of this host's secret files, and
// recognizes what usually is a secret by its name or form. Not thread-safe.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <string_view>

namespace monitor::doctor {

inline constexpr std::string_view kRemoved = "[removed]";

class Redactor {
 public:
  // A value that must not appear, also in its JSON form. Values below four bytes are ignored: they are no secrets, and
  // would take half of a text with them.
  void add_secret(std::string_view value);
  // The content of a secret file: the whole text, each of its lines, and the values of NAME=VALUE and NAME: VALUE
  // lines. Kafka settings that are no secrets (security.protocol=SASL_SSL, linger.ms=1000) stay.
  void add_secret_file(std::string_view text);

  // Replaces known secrets, and then, line by line:
  //  - private keys in PEM
  //  - the values of Authorization and Cookie headers, and what follows Bearer and Basic
  //  - user and password in URLs
  //  - our own tokens, by their prefix (mjt1_, monitor-token-)
  //  - the value of a name that contains password, passwd, passphrase, secret, token, credential, jaas, api_key or
  //    private_key, in the forms name=value, name: value and "name": "value"; not of one that ends in file, folder or
  //    location, and not what is no value: "token: it is empty", "/etc/monitor/token: mode 0600", "secret": true
  std::string clean(std::string_view text);
  // Replacements so far.
  uint64_t removed() const { return removed_; }

 private:
  std::string clean_line(std::string_view line);

  // Longest first, so that no part of a secret stays.
  struct Longer {
    bool operator()(const std::string& a, const std::string& b) const {
      return a.size() != b.size() ? a.size() > b.size() : a < b;
    }
  };
  std::set<std::string, Longer> secrets_;
  uint64_t removed_ = 0;
};

}  // namespace monitor::doctor
