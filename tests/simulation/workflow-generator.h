/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Random workflows for the simulation: every construct, at every depth that makes sense. */
#pragma once

#include <glib.h>
#include <random>
#include <set>
#include <sstream>
#include <string>
#include <vector>

namespace nebula
{

class Generator
{
public:
  explicit Generator (std::mt19937_64 &rng) : rng_ (rng)
  {
  }

  std::string workflow ()
  {
    std::ostringstream out;
    static const char *const modes[] = {"fail", "finish", "continue"};

    out << "name: sim\nsettings: { on-error: " << modes[pick (3)]
        << (pick (3) ? "" : ", concurrency: { limit: 1 }") << " }\nnodes:\n";
    nodes (out, 2, "n", 2 + pick (8), 0);
    loops (out);
    return out.str ();
  }

  unsigned pick (unsigned n)
  {
    return (unsigned) (rng_ () % n);
  }

private:
  /* Connections that lead back: from any node to itself or to one that comes before it. */
  void loops (std::ostringstream &out)
  {
    unsigned n = pick (3) ? 0 : 1 + pick (2);

    if (n > 0)
      out << "connections:\n";
    for (unsigned i = 0; i < n; i++) {
      unsigned from = pick ((unsigned) upstream_.size ());
      unsigned to = from;

      for (unsigned k = pick (4); k > 0 && !upstream_[to].empty (); k--)
        to = *std::next (upstream_[to].begin (), pick ((unsigned) upstream_[to].size ()));
      if (!loops_.insert ({from, to}).second)
        continue;
      out << "  - { from: n" << from << ", to: n" << to << ", loop: true, max: "
          << 1 + pick (4) << (pick (2) ? ", when: random() < 0.5" : "") << " }\n";
    }
  }

  void action (std::ostringstream &out, unsigned depth)
  {
    static const char *const invoked[] = {"test.effect", "test.read", "test.idempotent",
                                          "test.pure"};
    unsigned choice = pick (depth < 2 ? 15 : 10);

    if (choice < 2 && pick (3) == 0)
      large (out);
    else if (choice < 2)
      out << "action: data.set, with: { v: " << pick (100) << " }";
    else if (choice < 3 && pick (3) == 0)
      out << "action: flow.cancel, with: { region: \"{{ 'r' + '" << pick (2) << "' }}\", keep: "
          << (pick (2) ? "true" : "false") << " }";
    else if (choice < 3)
      out << "action: flow.no-op";
    else if (choice < 4)
      out << "action: flow.wait, with: { duration: " << 1 + pick (5000) << "ms }";
    else if (choice < 5)
      out << "action: flow.fail, with: { message: planned }";
    else if (choice < 6)
      out << "action: flow.wait, with: { signal: s" << pick (2) << ", duration: 10s }";
    else if (choice < 10)
      out << "action: " << invoked[pick (4)] << ", with: { v: " << pick (100)
          << (pick (4) == 0 ? ", fail: sometimes, fail-until: 2" : "") << " }"
          << (pick (5) == 0 ? ", undo: { action: test.effect, with: { back: \"{{ $json.v }}\" } }" : "");
    else if (choice < 12)
      loop (out, depth);
    else if (choice < 14)
      guard (out, depth);
    else
      race (out, depth);
    if (pick (6) == 0)
      out << ", lock: l";
    if (pick (5) == 0)
      out << ", region: r" << pick (2);
    if (pick (4) == 0)
      out << ", retry: { attempts: 3, initial: 100ms, jitter: true }";
    if (pick (8) == 0)
      out << ", on-unknown: retry";
  }

  /* Above what stays in facts and state. */
  void large (std::ostringstream &out)
  {
    out << "action: " << (pick (2) ? "data.set" : "test.effect")
        << ", with: { v: \"{{ repeat ('" << (char) ('a' + pick (3)) << "', "
        << 66000 + pick (4) << ") }}\", w: \"{{ type_of ($json) }}\" }";
  }

  /* Long enough for its items and results to be kept in lists. */
  void long_loop (std::ostringstream &out)
  {
    out << "action: flow.for-each, with: { items: \"{{ range (0, " << 1001 + pick (400)
        << ") }}\", concurrency: " << 1 + pick (pick (8) ? 8 : 300)
        << ", batch: " << 1 + (pick (6) == 0) << " }, body: { nodes: { q" << counter_++
        << ": { action: " << (pick (4) ? "data.set" : "test.pure")
        << ", with: { v: \"{{ $item }}\" } } } }";
  }

  void loop (std::ostringstream &out, unsigned depth)
  {
    if (depth == 0 && pick (30) == 0) {
      long_loop (out);
      return;
    }
    out << "action: flow.for-each, with: { items: "
        << (pick (8) == 0
                ? "\"{{ range (0, 3) | map (x => repeat ('y', 30000 + x)) }}\""
                : "[1, 2, 3, 4]")
        << ", concurrency: " << 1 + pick (3);
    if (pick (3) == 0)
      out << ", done-when: $index >= " << 1 + pick (5)
          << (pick (2) ? ", rest: ignore" : "");
    out << " }";
    if (pick (3) == 0)
      out << ", on-error: collect";
    out << ", body: { nodes: {\n";
    inner (out, depth + 1);
    out << "} }";
  }

  void body (std::ostringstream &out, const std::string &name, unsigned depth)
  {
    out << name << ": { nodes: {\n";
    inner (out, depth + 1);
    out << "} }";
  }

  void guard (std::ostringstream &out, unsigned depth)
  {
    bool has_catch = pick (2);

    out << "action: flow.try, ";
    body (out, "body", depth);
    if (has_catch) {
      out << ", ";
      body (out, "catch", depth);
    }
    if (!has_catch || pick (2)) {
      out << ", ";
      body (out, "finally", depth);
    }
  }

  void race (std::ostringstream &out, unsigned depth)
  {
    unsigned n = 1 + pick (3);

    out << "action: flow.race, with: { success: " << (pick (2) ? "true" : "false")
        << " }, bodies: {";
    for (unsigned i = 0; i < n; i++) {
      out << (i ? ", " : " ");
      body (out, "r" + std::to_string (i), depth);
    }
    out << " }";
  }

  void inner (std::ostringstream &out, unsigned depth)
  {
    unsigned n = 1 + pick (3);
    unsigned prefix = counter_++;

    for (unsigned i = 0; i < n; i++) {
      out << "b" << prefix << "_" << i << ": { ";
      action (out, depth);
      if (i > 0)
        out << ", after: [b" << prefix << "_" << pick (i) << "]";
      out << " }" << (i + 1 < n ? "," : "") << "\n";
    }
  }

  void nodes (std::ostringstream &out,
              unsigned indent,
              const char *prefix,
              unsigned n,
              unsigned depth)
  {
    static const char *const needs[] = {"all", "any", "each", "1", "2"};

    for (unsigned i = 0; i < n; i++) {
      std::set<unsigned> before;

      out << std::string (indent, ' ') << prefix << i << ": { ";
      action (out, depth);
      for (unsigned k = 0; i > 0 && k < pick (4); k++)
        before.insert (pick (i));
      upstream_.push_back (before);
      if (!before.empty ()) {
        out << ", after: [";
        for (unsigned b : before)
          out << (b == *before.begin () ? "" : ", ") << prefix << b
              << (pick (5) == 0 ? ".error" : "");
        out << "]";
      }
      if (before.size () > 1 && pick (3) == 0)
        out << ", join: { need: " << needs[pick (before.size () > 2 ? 5 : 4)]
            << (pick (2) ? ", rest: cancel" : ", rest: ignore") << " }";
      out << " }\n";
    }
  }

  std::mt19937_64 &rng_;
  unsigned counter_ = 0;
  std::vector<std::set<unsigned>> upstream_; /* of the nodes of the workflow itself */
  std::set<std::pair<unsigned, unsigned>> loops_;
};

} // namespace nebula
