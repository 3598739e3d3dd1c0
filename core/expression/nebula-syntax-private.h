/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Tokens, the syntax tree and its parser. */
#pragma once

#include "nebula-expression-private.h"

G_BEGIN_DECLS

typedef enum {
  NEBULA_TOKEN_END,
  NEBULA_TOKEN_INTEGER,
  NEBULA_TOKEN_FLOAT,
  NEBULA_TOKEN_STRING, /* single quotes; read by the parser */
  NEBULA_TOKEN_TEXT,   /* double quotes; read by the parser */
  NEBULA_TOKEN_NAME,
  NEBULA_TOKEN_VARIABLE,
  NEBULA_TOKEN_PUNCTUATION,
  NEBULA_TOKEN_TRIM_END, /* the `-` of `-}}` */
} NebulaTokenKind;

typedef struct {
  NebulaTokenKind kind;
  guint32 start;
  guint32 end;
  guint32 punctuation; /* its characters, first one in the low byte */
  guint64 integer;
  double number;
} NebulaToken;

#define NEBULA_PUNCTUATION(a, b, c)                                                      \
  ((guint32) (guchar) (a) | (guint32) (guchar) (b) << 8 | (guint32) (guchar) (c) << 16)

typedef enum {
  NEBULA_SYNTAX_LITERAL,
  NEBULA_SYNTAX_NAME,
  NEBULA_SYNTAX_VARIABLE,
  NEBULA_SYNTAX_MEMBER,
  NEBULA_SYNTAX_INDEX,
  NEBULA_SYNTAX_SLICE,
  NEBULA_SYNTAX_CALL,
  NEBULA_SYNTAX_METHOD,
  NEBULA_SYNTAX_UNARY,
  NEBULA_SYNTAX_BINARY,
  NEBULA_SYNTAX_AND,
  NEBULA_SYNTAX_OR,
  NEBULA_SYNTAX_COALESCE,
  NEBULA_SYNTAX_CHOICE,
  NEBULA_SYNTAX_ARRAY,
  NEBULA_SYNTAX_OBJECT,
  NEBULA_SYNTAX_ENTRY, /* a is the key, b the member */
  NEBULA_SYNTAX_SPREAD,
  NEBULA_SYNTAX_LAMBDA, /* first are the parameters (names), a the body */
  NEBULA_SYNTAX_TEXT,   /* first are the parts */
} NebulaSyntaxKind;

typedef struct _NebulaSyntax NebulaSyntax;
struct _NebulaSyntax {
  guint8 kind;
  guint8 op; /* of unary and binary ones: a NebulaOp */
  guint8 is_optional;
  guint8 is_constant; /* needs no environment and no lambda parameter */
  guint16 height;
  guint16 count; /* in the list */
  guint32 start;
  guint32 at;
  const char *name;
  NebulaCell literal; /* borrowed from the parser */
  NebulaSyntax *a, *b, *c;
  NebulaSyntax *first;
  NebulaSyntax *next;
};

typedef struct _NebulaArena NebulaArena;

typedef struct {
  const char *text;
  gsize length;
  gsize position; /* of the byte after the token */
  NebulaToken token;
  guint depth;
  gboolean is_template; /* `}}` and `-}}` end an expression */
  const NebulaExpressionLimits *limits;
  NebulaFunctionSet *functions; /* nullable */
  NebulaArena *arena;
  GPtrArray *values; /* of NebulaValue, those in literals */
  GError *error;
  gsize error_at; /* byte */
} NebulaParser;

/* nebula-lexer.c */
gboolean _nebula_lexer_advance (NebulaParser *parser);
gboolean _nebula_lexer_read_string (NebulaParser *parser,
                                    char quote,
                                    GString *text,
                                    gboolean *ret_is_hole);

/* nebula-parser.c */
void _nebula_parser_init (NebulaParser *self, const char *text, gsize length);
void _nebula_parser_clear (NebulaParser *self);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (NebulaParser, _nebula_parser_clear)
gboolean _nebula_parser_fail (NebulaParser *self,
                              NebulaError code,
                              gsize at,
                              const char *hint,
                              const char *format,
                              ...) G_GNUC_PRINTF (5, 6);
gboolean _nebula_parser_fail_unexpected (NebulaParser *self, const char *hint);
NebulaSyntax *
_nebula_parser_parse (NebulaParser *self); /* a whole expression, up to the end */
NebulaSyntax *_nebula_parser_parse_expression (NebulaParser *self);
NebulaSyntax *
_nebula_parser_parse_choice (NebulaParser *self); /* an expression without pipes */
NebulaSyntax *_nebula_parser_parse_operand (
    NebulaParser *self); /* nebula-parser-operand.c: primary and what follows */
NebulaSyntax *
_nebula_parser_parse_template (NebulaParser *self); /* nebula-parser-template.c */
gboolean _nebula_parser_parse_arguments (NebulaParser *self, NebulaSyntax *call);

NebulaSyntax *_nebula_parser_node (NebulaParser *self,
                                   NebulaSyntaxKind kind,
                                   guint32 start,
                                   guint32 at);
NebulaSyntax *_nebula_parser_literal (NebulaParser *self, NebulaCell cell, guint32 start);
NebulaSyntax *
_nebula_parser_string (NebulaParser *self, const char *text, gsize length, guint32 start);
gboolean
_nebula_parser_adopt (NebulaParser *self, NebulaSyntax *parent, NebulaSyntax *child);
void _nebula_parser_append (NebulaSyntax *parent, NebulaSyntax *child);
gboolean _nebula_parser_enter (NebulaParser *self);
char *_nebula_parser_slice (NebulaParser *self, gsize start, gsize end);
const char *_nebula_parser_name (NebulaParser *self, gsize start, gsize end);
gboolean
_nebula_parser_expect (NebulaParser *self, guint32 punctuation, const char *hint);
gboolean _nebula_parser_is_word (NebulaParser *self, const char *word);
gboolean _nebula_parser_is_reserved (const char *name);

static inline gboolean
_nebula_parser_is (NebulaParser *self, guint32 punctuation)
{
  return self->token.kind == NEBULA_TOKEN_PUNCTUATION &&
         self->token.punctuation == punctuation;
}

G_END_DECLS
