/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Texts with a form: what the RFCs give as examples, and what they forbid; the patterns of ECMA-262; remainders. */
#include "nebula-test.h"

#include "nebula-json-schema-private.h"
#include "nebula-text-forms-internal.h"

namespace
{

struct FormCase {
  const char *form;
  const char *text;
  bool fits;
};

class Form : public testing::TestWithParam<FormCase>
{
};

TEST_P (Form, Fits)
{
  const FormCase &c = GetParam ();
  NebulaTextForm form = nebula_text_form_find (c.form);

  ASSERT_NE (form, nullptr) << c.form;
  EXPECT_EQ (form (c.text, strlen (c.text)), c.fits) << c.form << ": " << c.text;
}

const FormCase forms[] = {
    /* RFC 3339, section 5.8 */
    {"date-time", "1985-04-12T23:20:50.52Z", true},
    {"date-time", "1996-12-19T16:39:57-08:00", true},
    {"date-time", "1990-12-31T23:59:60Z", true},
    {"date-time", "1990-12-31T15:59:60-08:00", true},
    {"date-time", "1937-01-01T12:00:27.87+00:20", true},
    {"date-time", "1990-12-31T23:58:60Z", false},
    {"date-time", "1990-02-31T15:59:59Z", false},
    {"date-time", "1990-12-31 15:59:59Z", false},
    {"date-time", "1990-12-31T15:59:59", false},
    {"date-time", "1990-12-31T24:00:00Z", false},
    {"date-time", "1990-12-31T15:59:59.Z", false},
    {"date-time", "1990-12-31T15:59:59+24:00", false},
    {"date", "2024-02-29", true},
    {"date", "2023-02-29", false},
    {"date", "0000-02-29", true},
    {"date", "2024-13-01", false},
    {"date", "2024-04-31", false},
    {"date", "2024-4-1", false},
    {"date", "2024-04-01 ", false},
    {"time", "08:30:06.283185Z", true},
    {"time", "08:30:06+00:20", true},
    {"time", "23:59:60Z", true},
    {"time", "08:30:06", false},
    {"time", "08:60:06Z", false},
    {"time", "01:29:60+01:30", true},
    /* ISO 8601, RFC 3339 appendix A */
    {"duration", "P3Y6M4DT12H30M5S", true},
    {"duration", "PT36H", true},
    {"duration", "P1DT12H", true},
    {"duration", "P2W", true},
    {"duration", "P", false},
    {"duration", "PT", false},
    {"duration", "P1D2H", false},
    {"duration", "P2D1Y", false},
    {"duration", "P1WT1H", false},
    {"duration", "PT1D", false},
    {"duration", "4DT12H30M5S", false},
    /* RFC 5321, RFC 5322 */
    {"email", "joe.bloggs@example.com", true},
    {"email", "te~st@example.com", true},
    {"email", "\"joe bloggs\"@example.com", true},
    {"email", "\"joe..bloggs\"@example.com", true},
    {"email", "\"joe@bloggs\"@example.com", true},
    {"email", "joe.bloggs@[127.0.0.1]", true},
    {"email", "joe.bloggs@[IPv6:::1]", true},
    {"email", "user+mailbox/department=shipping@example.com", true},
    {"email", ".test@example.com", false},
    {"email", "test.@example.com", false},
    {"email", "te..st@example.com", false},
    {"email", "2962", false},
    {"email", "joe.bloggs@invalid=domain.com", false},
    {"email", "joe.bloggs@[127.0.0.300]", false},
    {"email", "joe bloggs@example.com", false},
    {"email", "用户@例子.广告", false},
    {"idn-email", "用户@例子.广告", true},
    {"idn-email", "a b@例子.广告", false},
    /* RFC 1123 */
    {"hostname", "www.example.com", true},
    {"hostname", "xn--4gbwdl.xn--wgbh1c", true},
    {"hostname", "1host", true},
    {"hostname", "-a-host-name-that-starts-with--", false},
    {"hostname", "not_a_valid_host_name", false},
    {"hostname", "ends-.com", false},
    {"hostname", "a..b", false},
    {"hostname", "", false},
    {"hostname", "a-vvvvvvvvvvvvvvvveeeeeeeeeeeeeeeerrrrrrrrrrrrrrrryyyyyyyyyyyyyyyy-long-host-name", false},
    {"idn-hostname", "例子.广告", true},
    {"idn-hostname", "", false},
    /* RFC 2673, RFC 4291 section 2.2 */
    {"ipv4", "192.168.0.1", true},
    {"ipv4", "127.0.0.0.1", false},
    {"ipv4", "256.256.256.256", false},
    {"ipv4", "127.0", false},
    {"ipv4", "087.10.0.1", false},
    {"ipv4", "0x7f000001", false},
    {"ipv6", "2001:DB8:0:0:8:800:200C:417A", true},
    {"ipv6", "FF01::101", true},
    {"ipv6", "::", true},
    {"ipv6", "::FFFF:129.144.52.38", true},
    {"ipv6", "12345::", false},
    {"ipv6", "::abef%eth0", false},
    {"ipv6", "1:2::3::4", false},
    /* RFC 3986, section 1.1.2; RFC 3987 */
    {"uri", "ftp://ftp.is.co.za/rfc/rfc1808.txt", true},
    {"uri", "http://www.ietf.org/rfc/rfc2396.txt", true},
    {"uri", "ldap://[2001:db8::7]/c=GB?objectClass?one", true},
    {"uri", "mailto:John.Doe@example.com", true},
    {"uri", "news:comp.infosystems.www.servers.unix", true},
    {"uri", "tel:+1-816-555-1212", true},
    {"uri", "telnet://192.0.2.16:80/", true},
    {"uri", "urn:oasis:names:specification:docbook:dtd:xml:4.1.2", true},
    {"uri", "//foo.bar/?baz=qux#quux", false},
    {"uri", "/abc", false},
    {"uri", "http:// shouldfail.com", false},
    {"uri", "http://foo.bar/%zz", false},
    {"uri", "http://foo.bar/a[b]", false},
    {"uri", "http://[::1", false},
    {"uri", "http://a:b", false},
    {"uri", "a#b#c", false},
    {"uri", "http://ƒøø.ßår/", false},
    {"uri-reference", "../../abc?x#y", true},
    {"uri-reference", "#fragment", true},
    {"uri-reference", "", true},
    {"uri-reference", "1a:b", false},
    {"uri-reference", "\\\\WINDOWS\\fileshare", false},
    {"iri", "http://ƒøø.ßår/?∂éœ=πîx#πîüx", true},
    {"iri", "/abc", false},
    {"iri-reference", "/âππ", true},
    {"url", "https://example.com/a?b", true},
    {"url", "ftp://example.com", false},
    {"url", "https:///a", false},
    /* RFC 6570, section 1.2 */
    {"uri-template", "http://example.com/~{username}/", true},
    {"uri-template", "{+path:6}/here{?q,lang*}", true},
    {"uri-template", "X{#var,x}{;a.b%20}", true},
    {"uri-template", "http://example.com/{term", false},
    {"uri-template", "{}", false},
    {"uri-template", "{a:0}", false},
    {"uri-template", "a}", false},
    {"uri-template", "%z", false},
    /* RFC 6901, section 5 */
    {"json-pointer", "", true},
    {"json-pointer", "/a~1b", true},
    {"json-pointer", "/m~0n", true},
    {"json-pointer", "/ ", true},
    {"json-pointer", "/a~", false},
    {"json-pointer", "a", false},
    {"json-pointer", "/~2", false},
    {"relative-json-pointer", "0#", true},
    {"relative-json-pointer", "2/highly/nested/objects", true},
    {"relative-json-pointer", "01/a", false},
    {"relative-json-pointer", "/a", false},
    {"relative-json-pointer", "0##", false},
    /* RFC 9562 */
    {"uuid", "f81d4fae-7dec-11d0-a765-00a0c91e6bf6", true},
    {"uuid", "F81D4FAE-7DEC-11D0-A765-00A0C91E6BF6", true},
    {"uuid", "f81d4fae7dec-11d0-a765-00a0c91e6bf6a", false},
    {"uuid", "f81d4fae-7dec-11d0-a765-00a0c91e6bg6", false},
    {"regex", "^a(b|c)+[^d]$", true},
    {"regex", "a(", false},
    {"regex", "\\Z", false},
    /* RFC 4648, section 10 */
    {"base64", "Zm9vYmFy", true},
    {"base64", "Zm9vYg==", true},
    {"base64", "Zm9vYmE=", true},
    {"base64", "Zm9vYg", false},
    {"base64", "Zm9v_g==", false},
    {"base64", "Z===", false},
    {"hex", "666F6F", true},
    {"hex", "666", false},
    {"hex", "6g", false},
    {"json", "{\"a\":[1]}", true},
    {"json", "{a:1}", false},
    {"xml", "<?xml version='1.0'?><a b='c'><!-- d --><e/></a>", true},
    {"xml", "<a><b></a>", false},
    {"mac", "00:1B:44:11:3A:B7", true},
    {"mac", "00-1b-44-11-3a-b7", true},
    {"mac", "00:1B-44:11:3A:B7", false},
    {"mac", "00:1B:44:11:3A", false},
    {"port", "65535", true},
    {"port", "0", false},
    {"port", "65536", false},
    {"port", "080", false},
    /* semver.org */
    {"semver", "1.0.0-alpha.1+001", true},
    {"semver", "1.0.0--", true},
    {"semver", "1.0", false},
    {"semver", "01.0.0", false},
    {"semver", "1.0.0-01", false},
    {"semver", "1.0.0-", false},
    {"slug", "a-good-slug-2", true},
    {"slug", "Bad Slug", false},
    {"slug", "a--b", false},
    {"slug", "-a", false},
    {"iban", "GB82 WEST 1234 5698 7654 32", true},
    {"iban", "DE89370400440532013000", true},
    {"iban", "DE89370400440532013001", false},
    {"iban", "de89370400440532013000", false},
    {"iban", "DE89", false},
    {"credit-card", "4111 1111 1111 1111", true},
    {"credit-card", "378282246310005", true},
    {"credit-card", "4111 1111 1111 1112", false},
    {"credit-card", "4111", false},
    {"credit-card", "4111x111111111111", false},
    {"phone", "+39 06 698 12345", true},
    {"phone", "+1 (816) 555-1212", true},
    {"phone", "0039 06 69812345", false},
    {"phone", "+1", false},
    {"phone", "+1234567890123456", false},
};

INSTANTIATE_TEST_SUITE_P (All, Form, testing::ValuesIn (forms));

TEST (Form, KnowsTextsWithZeros)
{
  EXPECT_FALSE (nebula_text_is_ipv4 ("127.0.0.1\0", 10));
  EXPECT_FALSE (nebula_text_is_uri ("a:\0b", 4));
  EXPECT_FALSE (nebula_text_is_hostname ("a\0b", 3));
  EXPECT_FALSE (nebula_text_is_semver ("1.0.0\0", 6));
  EXPECT_FALSE (nebula_text_is_date ("2024-02-29\0", 11));
  EXPECT_FALSE (nebula_text_is_phone ("+390669812\0", 11));
  EXPECT_FALSE (nebula_text_is_idn_hostname ("a\0b", 3));
  EXPECT_FALSE (nebula_text_is_uri_template ("a\0b", 3));
  EXPECT_EQ (nebula_text_form_find ("no-such-form"), nullptr);
}

struct PatternCase {
  const char *pattern;
  const char *text;
  int matches; /* -1: the pattern is refused */
};

class EcmaRegex : public testing::TestWithParam<PatternCase>
{
};

TEST_P (EcmaRegex, Matches)
{
  const PatternCase &c = GetParam ();
  nebula::Error error;
  GRegex *regex = _nebula_ecma_regex_new (c.pattern, strlen (c.pattern), error.out ());

  EXPECT_EQ (regex != nullptr, c.matches >= 0) << c.pattern << error.message ();
  if (!regex) {
    EXPECT_TRUE (nebula::has_error (error, NEBULA_ERROR_REGEX));
    return;
  }
  EXPECT_EQ (g_regex_match (regex, c.text, GRegexMatchFlags (0), nullptr), c.matches) << c.pattern << " on " << c.text;
  g_regex_unref (regex);
}

const PatternCase patterns[] = {
    {"^\\d$", "߀", 0},
    {"^\\d$", "0", 1},
    {"^\\D$", "߀", 1},
    {"^\\w$", "é", 0},
    {"^\\W$", "é", 1},
    {"^[\\w-]+$", "a_b-c", 1},
    {"^[\\d]$", "߀", 0},
    {"^a$", "a\n", 0},
    {"^\\u0061\\u{62}$", "ab", 1},
    {"^\\uD83D\\uDC32$", "🐲", 1},
    {"^[\\uD83D\\uDC32]$", "🐲", 1},
    {"^\\p{Letter}+$", "Ünï", 1},
    {"^\\p{General_Category=Uppercase_Letter}$", "Ü", 1},
    {"^\\P{Lu}$", "Ü", 0},
    {"^\\p{Script=Greek}$", "π", 1},
    {"[]", "a", 0},
    {"^[^]$", "\n", 1},
    {"^[[:alpha:]]$", "a", 0},
    {"^[[]$", "[", 1},
    {"a{2,3}", "aa", 1},
    {"(?<y>\\d{4})", "2024", 1},
    {"\\u{zz}", "", -1},
    {"\\uZZZZ", "", -1},
    {"[a", "", -1},
    {"a\\", "", -1},
    {"(*UTF)", "", -1},
    {"(?R)", "", -1},
    {"\\a", "", -1},
};

INSTANTIATE_TEST_SUITE_P (All, EcmaRegex, testing::ValuesIn (patterns));

TEST (Multiple, IsExact)
{
  struct {
    const char *number;
    const char *of;
    bool is;
  } cases[] = {
      {"0.0075", "0.0001", true},
      {"0.00751", "0.0001", false},
      {"1e308", "0.5", true},
      {"1e308", "0.123456789", false},
      {"12391239123", "1e-8", true},
      {"19.99", "0.01", true},
      {"4.5", "1.5", true},
      {"-4.5", "1.5", true},
      {"7", "2", false},
      {"0", "3", true},
      {"-9223372036854775808", "7", false},
      {"123456789012345678901234567890", "10", true},
      {"123456789012345678901234567891", "10", false},
      {"1.5", "10", false},
  };
  for (const auto &c : cases) {
    nebula::Value number = nebula::json (c.number);
    nebula::Value of = nebula::json (c.of);

    EXPECT_EQ (_nebula_number_is_multiple (number.get (), of.get ()), c.is) << c.number << " of " << c.of;
  }
}

} // namespace
