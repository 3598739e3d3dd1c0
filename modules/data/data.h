/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <nebula/nebula-sdk.h>

G_BEGIN_DECLS

GType nebula_data_set_get_type (void);
GType nebula_data_template_get_type (void);
GType nebula_data_filter_get_type (void);
GType nebula_data_map_get_type (void);
GType nebula_data_sort_get_type (void);
GType nebula_data_limit_get_type (void);
GType nebula_data_dedupe_get_type (void);
GType nebula_data_group_get_type (void);
GType nebula_data_aggregate_get_type (void);
GType nebula_data_parse_get_type (void);
GType nebula_data_format_get_type (void);

/* The array parameter `items`, which is required; borrowed. NULL with error. */
NebulaValue *nebula_data_get_items (const NebulaArguments *arguments, GError **error);
/* The late expression of a required parameter; borrowed. NULL with error. */
NebulaExpression *nebula_data_get_expression (const NebulaArguments *arguments, const char *name, GError **error);
NebulaParameter *nebula_data_add_items (NebulaActionClass *action);

/* How separated values look. */
typedef struct
{
  char delimiter;
  gboolean header;     /* the first row names the columns */
  NebulaValue *columns; /* array of names, or NULL; borrowed */
  const char *comment;  /* lines that begin with it are left out; NULL: none */
} NebulaDataTable;

/* Text of separated values (RFC 4180) to an array of objects, or of arrays where nothing names the columns. */
NebulaValue *nebula_data_csv_read (const char *text, gsize length, const NebulaDataTable *table, GError **error);
/* An array of objects or arrays to text; lines end with a line feed. */
char *nebula_data_csv_write (NebulaValue *rows, const NebulaDataTable *table, GError **error);

/* XML to an object with one member, its root element; see data-xml-read.c for what becomes what. NULL with error. */
NebulaValue *nebula_data_xml_read (const char *text, gsize length, GError **error);
/* Such an object to XML. NULL with error. */
char *nebula_data_xml_write (NebulaValue *value, gboolean is_pretty, GError **error);

/* Parameters that parsing and formatting share. */
void nebula_data_add_table_parameters (NebulaActionClass *action);
gboolean nebula_data_read_table (const NebulaArguments *arguments, const char *format, NebulaDataTable *ret_table, GError **error);

G_END_DECLS
