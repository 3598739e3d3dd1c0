/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "nebula-error.h"

G_BEGIN_DECLS

/* What the program says to whoever started it. */
typedef enum {
  NEBULA_EXIT_OK = 0,
  NEBULA_EXIT_FAILED = 1,      /* the work failed */
  NEBULA_EXIT_USAGE = 2,       /* wrong arguments, or an invalid workflow */
  NEBULA_EXIT_CANCELLED = 3,   /* cancelled or timed out */
  NEBULA_EXIT_ENVIRONMENT = 4, /* store, modules, files */
  NEBULA_EXIT_RESTART =
      75, /* the store was sealed: start again, recovery does the rest */
} NebulaExit;

/* One option. @value names its value in help; lower-case words between bars are a choice. */
typedef struct {
  const char *name;
  char letter; /* 0: none */
  GOptionArg kind;
  gsize offset; /* of its variable in the command's structure */
  const char *help;
  const char *value;
} NebulaOption;

/* Texts are taken as bytes, whatever the locale is: they are checked to be UTF-8 where they are used. */
#define NEBULA_OPTION_FLAG(type, member, name, letter, help)                             \
  {                                                                                      \
    name, letter, G_OPTION_ARG_NONE, G_STRUCT_OFFSET (type, member), help, NULL          \
  }
#define NEBULA_OPTION_TEXT(type, member, name, letter, help, value)                      \
  {                                                                                      \
    name, letter, G_OPTION_ARG_FILENAME, G_STRUCT_OFFSET (type, member), help, value     \
  }
#define NEBULA_OPTION_TEXTS(type, member, name, letter, help, value)                     \
  {                                                                                      \
    name, letter, G_OPTION_ARG_FILENAME_ARRAY, G_STRUCT_OFFSET (type, member), help,     \
        value                                                                            \
  }
#define NEBULA_OPTION_NUMBER(type, member, name, letter, help, value)                    \
  {                                                                                      \
    name, letter, G_OPTION_ARG_INT, G_STRUCT_OFFSET (type, member), help, value          \
  }

typedef enum {
  NEBULA_COMMAND_FLAGS_NONE = 0,
  NEBULA_COMMAND_FLAGS_EXPRESSIONS = 1 << 0, /* an argument may start with a minus */
} NebulaCommandFlags;

/* A command, written in the file of its name. The options' structure starts as zeros and is cleared after the run. */
typedef struct {
  const char *name; /* one or two words */
  const char *summary;
  const char *arguments; /* as shown in help */
  guint min_arguments;
  guint max_arguments;
  const char *details; /* paragraphs and examples; may be NULL */
  const NebulaOption *options;
  guint n_options;
  gsize options_size;
  NebulaCommandFlags flags;
  int (*run) (gpointer options, char **arguments);
  gboolean (*help_on) (const char *word); /* `--help WORD`; FALSE: it knows nothing of it; may be NULL */
} NebulaCommand;

extern const NebulaCommand nebula_command_completion;
extern const NebulaCommand nebula_command_config_describe;
extern const NebulaCommand nebula_command_config_get;
extern const NebulaCommand nebula_command_config_list;
extern const NebulaCommand nebula_command_config_set;
extern const NebulaCommand nebula_command_execution_break;
extern const NebulaCommand nebula_command_events;
extern const NebulaCommand nebula_command_execution_fork;
extern const NebulaCommand nebula_command_execution_rerun;
extern const NebulaCommand nebula_command_execution_step;
extern const NebulaCommand nebula_command_execution_cancel;
extern const NebulaCommand nebula_command_execution_history;
extern const NebulaCommand nebula_command_execution_list;
extern const NebulaCommand nebula_command_execution_resume;
extern const NebulaCommand nebula_command_execution_show;
extern const NebulaCommand nebula_command_execution_signal;
extern const NebulaCommand nebula_command_execution_answer;
extern const NebulaCommand nebula_command_execution_approve;
extern const NebulaCommand nebula_command_execution_pause;
extern const NebulaCommand nebula_command_execution_reject;
extern const NebulaCommand nebula_command_execution_terminate;
extern const NebulaCommand nebula_command_execution_why;
extern const NebulaCommand nebula_command_metrics;
extern const NebulaCommand nebula_command_queue_list;
extern const NebulaCommand nebula_command_queue_show;
extern const NebulaCommand nebula_command_expr;
extern const NebulaCommand nebula_command_inspect;
extern const NebulaCommand nebula_command_run;
extern const NebulaCommand nebula_command_validate;
extern const NebulaCommand nebula_command_system;
extern const NebulaCommand nebula_command_serve;
extern const NebulaCommand nebula_command_store_prune;
extern const NebulaCommand nebula_command_token_create;
extern const NebulaCommand nebula_command_token_list;
extern const NebulaCommand nebula_command_token_revoke;
extern const NebulaCommand nebula_command_workflow_graph;
extern const NebulaCommand nebula_command_workflow_deploy;
extern const NebulaCommand nebula_command_workflow_diff;
extern const NebulaCommand nebula_command_workflow_history;
extern const NebulaCommand nebula_command_workflow_label;
extern const NebulaCommand nebula_command_workflow_list;
extern const NebulaCommand nebula_command_workflow_rollback;
extern const NebulaCommand nebula_command_workflow_show;
/* Brought by bench*.c; absent in a build without them. */
extern const NebulaCommand nebula_command_bench __attribute__ ((weak));

typedef struct {
  const char *name;
  const char *summary;
} NebulaCommandGroup;

/* All commands, in the order in which help lists them. */
const NebulaCommand *const *nebula_commands_get (guint *ret_count);
const NebulaCommandGroup *nebula_commands_get_groups (guint *ret_count);
/* Runs the command that @argv names; @argv[0] is the program. */
int nebula_commands_main (int argc, char **argv);
/* Parses @argv (its [0] is ignored) and runs; usage errors are told here. */
int nebula_command_run_with (const NebulaCommand *self, int argc, char **argv);

NebulaExit nebula_exit_from_error (const GError *error);

G_END_DECLS
