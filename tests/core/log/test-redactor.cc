/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string>
#include <thread>
#include <vector>

#include "nebula-redactor.h"
#include "nebula-test.h"

using testing::HasSubstr;
using testing::Not;

namespace
{

using Bytes = nebula::Owned<GBytes, g_bytes_unref>;

Bytes
bytes (const std::string &text)
{
  return Bytes (g_bytes_new (text.data (), text.size ()));
}

class Redactor : public testing::Test
{
protected:
  void add (const std::string &secret)
  {
    EXPECT_TRUE (nebula_redactor_add (redactor_.get (), bytes (secret).get ()));
  }
  std::string redact (const std::string &text)
  {
    char *redacted = nebula_redactor_redact (redactor_.get (), text.c_str ());
    std::string result = redacted ? redacted : text;
    g_free (redacted);
    return result;
  }
  nebula::Ref<NebulaRedactor> redactor_{ nebula_redactor_new () };
};

std::string
base64 (const std::string &text)
{
  char *encoded = g_base64_encode ((const guchar *) text.data (), text.size ());
  std::string result (encoded);
  g_free (encoded);
  return result;
}

std::string
base64url (std::string text, bool is_padded)
{
  text = base64 (text);
  for (char &letter : text)
    letter = letter == '+' ? '-' : letter == '/' ? '_' : letter;
  while (!is_padded && !text.empty () && text.back () == '=')
    text.pop_back ();
  return text;
}

std::string
hex (const std::string &text, const char *digits)
{
  std::string result;
  for (unsigned char byte : text)
    (result += digits[byte >> 4]) += digits[byte & 15];
  return result;
}

std::string
percent (const std::string &text, const char *digits, bool is_form, bool is_all)
{
  std::string result;
  for (unsigned char byte : text)
    if (byte == ' ' && is_form)
      result += '+';
    else if (!is_all && (g_ascii_isalnum (byte) || strchr ("-._~", byte)))
      result += (char) byte;
    else
      ((result += '%') += digits[byte >> 4]) += digits[byte & 15];
  return result;
}

std::string
json_text (const std::string &text, bool is_ascii)
{
  std::string result;
  for (const char *at = text.c_str (); *at; at = g_utf8_next_char (at)) {
    gunichar character = g_utf8_get_char (at);
    char escape[16];
    if (character == '"' || character == '\\' || (is_ascii && character == '/'))
      (result += '\\') += (char) character;
    else if (character == '\n')
      result += "\\n";
    else if (character >= 0x10000 && is_ascii) {
      g_snprintf (escape, sizeof escape, "\\u%04x\\u%04X", 0xd800 + ((character - 0x10000) >> 10),
                  0xdc00 + ((character - 0x10000) & 0x3ff));
      result += escape;
    } else if (character < 0x20 || (is_ascii && character > 0x7e)) {
      g_snprintf (escape, sizeof escape, "\\u%04X", character);
      result += escape;
    } else
      result.append (at, (size_t) (g_utf8_next_char (at) - at));
  }
  return result;
}

/* Every form of a secret that the redactor promises to find. */
std::vector<std::string>
forms (const std::string &secret)
{
  static const char lower[] = "0123456789abcdef", upper[] = "0123456789ABCDEF";
  std::vector<std::string> all = { secret, hex (secret, lower), hex (secret, upper) };
  for (const char *before : { "", "u", "us", "user:", "user1:", "longer name:" })
    for (const char *after : { "", "!", "!!", "!!!" }) {
      std::string whole = before + secret + after;
      all.push_back (base64 (whole));
      all.push_back (base64url (whole, true));
      all.push_back (base64url (whole, false));
      all.push_back (percent (base64 (whole), upper, false, false));
      all.push_back (json_text (base64 (whole), true));
    }
  for (const char *digits : { lower, upper })
    for (bool is_form : { true, false })
      for (bool is_all : { true, false })
        all.push_back (percent (secret, digits, is_form, is_all));
  for (bool is_ascii : { true, false }) {
    std::string once = json_text (secret, is_ascii), twice = json_text (once, is_ascii);
    all.insert (all.end (), { once, twice, json_text (twice, is_ascii), percent (once, upper, true, false),
                              json_text (percent (secret, upper, true, false), is_ascii),
                              percent (percent (secret, lower, false, false), lower, false, false) });
  }
  return all;
}

} // namespace

TEST_F (Redactor, FindsEveryEncoding)
{
  const char *secrets[] = { "hunter2-Hunter2", "p@ss w0rd/+?=&\"\\", "t0p~s\u00e9cr\u00e8t \U0001f511 key",
                            "a\nb\nc d", "100%25off!%", "\\n\\u0041%41", "\x01\x7f bell" };
  for (const char *secret : secrets)
    for (const std::string &form : forms (secret)) {
      redactor_ = nebula::Ref<NebulaRedactor> (nebula_redactor_new ());
      add (secret);
      std::string text = redact ("before <" + form + "> after");
      EXPECT_THAT (text, HasSubstr (NEBULA_REDACTED)) << secret << " as " << form;
      EXPECT_THAT (text, testing::StartsWith ("before <"));
      EXPECT_THAT (text, testing::EndsWith ("> after"));
      EXPECT_THAT (text, Not (HasSubstr (form)));
    }
}

TEST_F (Redactor, LeavesNoBitsAtTheEdges)
{
  add ("SECRET-SECRET");
  for (const char *before : { "", "a", "ab", "abc" })
    for (const char *after : { "", "x", "xy", "xyz" }) {
      std::string text = redact (base64 (std::string (before) + "SECRET-SECRET" + after));
      gsize at = text.find (NEBULA_REDACTED);
      ASSERT_NE (at, std::string::npos);
      /* What is left in front decodes to no more than what stood in front. */
      EXPECT_LE (at * 6 / 8, strlen (before));
      EXPECT_LE (at * 6, strlen (before) * 8);
    }
}

TEST_F (Redactor, KeepsAllOtherText)
{
  add ("hunter2");
  add ("hunter2hunter3");
  EXPECT_EQ (redact ("hunter hunter1 %zz \\q %"), "hunter hunter1 %zz \\q %");
  EXPECT_EQ (redact (""), "");
  EXPECT_EQ (redact ("hun"), "hun");
  EXPECT_EQ (redact ("a=hunter2&b=%20&c"), "a=" NEBULA_REDACTED "&b=%20&c");
  EXPECT_EQ (redact ("hunter2hunter3"), NEBULA_REDACTED);
  EXPECT_EQ (redact ("hunter2 hunter2"), NEBULA_REDACTED " " NEBULA_REDACTED);
  EXPECT_EQ (redact ("hunter2\\u00"), NEBULA_REDACTED "\\u00");
  EXPECT_EQ (redact ("\\ud83dhunter2"), "\\ud83d" NEBULA_REDACTED);
}

TEST_F (Redactor, TakesOnlyWhatIsLongEnough)
{
  EXPECT_FALSE (nebula_redactor_add (redactor_.get (), bytes ("abc").get ()));
  EXPECT_EQ (redact ("abc"), "abc");
  add ("abcd");
  EXPECT_EQ (redact ("xabcdx"), "x" NEBULA_REDACTED "x");
}

TEST_F (Redactor, ForgetsWhatIsRemovedAsOftenAsItWasAdded)
{
  Bytes secret = bytes ("hunter2");
  add ("hunter2");
  add ("hunter2");
  EXPECT_EQ (nebula_redactor_get_n_secrets (redactor_.get ()), 1u);
  nebula_redactor_remove (redactor_.get (), secret.get ());
  EXPECT_EQ (redact ("hunter2"), NEBULA_REDACTED);
  nebula_redactor_remove (redactor_.get (), secret.get ());
  nebula_redactor_remove (redactor_.get (), secret.get ());
  EXPECT_EQ (redact ("hunter2"), "hunter2");
  EXPECT_EQ (nebula_redactor_get_n_secrets (redactor_.get ()), 0u);
}

TEST_F (Redactor, FindsTheLinesOfAKey)
{
  add ("-----BEGIN KEY-----\r\nMIIEvQIBADANBgkq\r\nhkiG9w0BAQEFAASC\nxx\n-----END KEY-----\n");
  EXPECT_EQ (redact ("line: MIIEvQIBADANBgkq."), "line: " NEBULA_REDACTED ".");
  EXPECT_EQ (redact ("line: hkiG9w0BAQEFAASC."), "line: " NEBULA_REDACTED ".");
  EXPECT_EQ (redact ("-----BEGIN KEY-----"), "-----BEGIN KEY-----");
}

TEST_F (Redactor, FindsBytesThatAreNoText)
{
  std::string secret ("\xff\xfe\x00\x01\x02zz", 7);
  add (secret);
  EXPECT_EQ (redact (hex (secret, "0123456789abcdef")), NEBULA_REDACTED);
  EXPECT_EQ (redact (base64 (secret)), NEBULA_REDACTED);
  EXPECT_EQ (redact ("%ff%fe%00%01%02zz"), NEBULA_REDACTED);
}

TEST_F (Redactor, KnowsManySecretsAndThreads)
{
  std::vector<std::thread> threads;
  for (int n = 0; n < 4; n++)
    threads.emplace_back ([this, n] {
      for (int i = 0; i < 100; i++) {
        std::string secret = "secret-" + std::to_string (n) + "-" + std::to_string (i) + "-end";
        nebula_redactor_add (redactor_.get (), bytes (secret).get ());
        EXPECT_EQ (redact ("<" + secret + ">"), "<" NEBULA_REDACTED ">");
        if (i % 2)
          nebula_redactor_remove (redactor_.get (), bytes (secret).get ());
      }
    });
  for (std::thread &thread : threads)
    thread.join ();
  EXPECT_EQ (nebula_redactor_get_n_secrets (redactor_.get ()), 200u);
  EXPECT_EQ (redact ("secret-3-98-end secret-3-99-end"), NEBULA_REDACTED " secret-3-99-end");
}

TEST (DefaultRedactor, IsOne)
{
  EXPECT_EQ (nebula_redactor_get_default (), nebula_redactor_get_default ());
}
