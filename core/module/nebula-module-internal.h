/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <sys/stat.h>

#include "nebula-module-info.h"
#include "nebula-module.h"

G_BEGIN_DECLS

/* What names one state of one file; a changed file has another. */
typedef struct
{
  guint64 device;
  guint64 inode;
  guint64 size_bytes;
  gint64 mtime_nsec;
} NebulaModuleKey;

/* Opens a module file after all checks; the descriptor is the caller's. -1 with module-refused, module-abi or io. */
int nebula_module_file_open (const char *path, NebulaModuleKey *ret_key, GError **error);
/* Whether a file name ends as those of modules do; a script is one that does not end with `.so`. */
gboolean nebula_module_file_has_suffix (const char *name);
gboolean nebula_module_file_is_script (const char *path);
/* Whether a file name is one of a module: `[a-z0-9-]{1,64}.(so|py|js)`. */
gboolean nebula_module_file_is_name (const char *name);
/* The id that a file name stands for; full. */
char *nebula_module_file_get_id (const char *path);

/* What a file's catalogue looks like: the layout of NebulaModuleInfo and of one entry of the cache.
 * path, device, inode, size, mtime, status, error code, reason, id, version, title, type names,
 * actions (id, version, JSON of the catalogue's entry), functions (JSON of an array), services (name, title, type). */
#define NEBULA_MODULE_ENTRY_TYPE "(stttxyussssasa(sss)sa(sss))"

NebulaModuleInfo *nebula_module_info_new_ok (const char *path, const NebulaModuleKey *key, NebulaValue *catalogue, GError **error);
NebulaModuleInfo *nebula_module_info_new_failed (const char *path, const NebulaModuleKey *key, const GError *error);
NebulaModuleInfo *nebula_module_info_new_from_entry (GVariant *entry); /* borrowed, kept */
GVariant *nebula_module_info_get_entry (NebulaModuleInfo *self);       /* borrowed */
void nebula_module_info_get_key (NebulaModuleInfo *self, NebulaModuleKey *ret_key);
GStrv nebula_module_info_dup_types (NebulaModuleInfo *self);
/* Id and version of an action; borrowed, they live as long as the info. */
void nebula_module_info_get_action_name (NebulaModuleInfo *self, guint index, const char **ret_id, const char **ret_version);
/* The whole entry, read when first asked for; full. */
NebulaActionInfo *nebula_module_info_read_action (NebulaModuleInfo *self, guint index, GError **error);
gboolean nebula_module_info_set_error (NebulaModuleInfo *self, GError **error); /* why it cannot be used; always FALSE */

/* Runs the host program on an open module file; the catalogue, or an error that says what happened. */
NebulaValue *nebula_module_probe (const char *host, const char *path, int fd, gboolean is_shut_in, gint64 timeout_usec,
                                  GError **error);
/* The host program; full. */
char *nebula_module_find_host (void);
/* Whether a module's file lies where the library's own do. */
gboolean nebula_module_is_shipped (const char *path);
/* The program that hosts a module file, as the first arguments of a command; full. */
GStrv nebula_module_make_command (const char *host, const char *path);
/* What a host may have of our environment, and nothing that steers the linker; full. */
GStrv nebula_module_make_environment (void);

/* The cache: a set of infos by path. Never fails: what cannot be read counts as empty. */
typedef struct _NebulaModuleCache NebulaModuleCache;
NebulaModuleCache *nebula_module_cache_open (const char *file);
void nebula_module_cache_free (NebulaModuleCache *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (NebulaModuleCache, nebula_module_cache_free)
NebulaModuleInfo *nebula_module_cache_lookup (NebulaModuleCache *self, const char *path, const NebulaModuleKey *key); /* full */
GPtrArray *nebula_module_cache_list (NebulaModuleCache *self); /* all infos, in no order; full */
gboolean nebula_module_cache_write (const char *file, GPtrArray *infos, GError **error);

/* Loads a module into this process, once; its types are registered afterwards. Thread: any, locked. */
gboolean nebula_module_load (NebulaModuleInfo *info, GError **error);
/* A function of a module, which is loaded if need be. */
NebulaForeignCall nebula_module_load_function (NebulaModuleInfo *info, const char *name, GError **error);
/* What the catalogue says of its functions: an array; full. */
NebulaValue *nebula_module_info_dup_functions (NebulaModuleInfo *self);
NebulaModuleInfo *nebula_module_ref_loaded (const char *id); /* what is loaded under this id; full, may be NULL */

/* The registrar: what register_types () calls. */
struct _NebulaModuleRegistrar
{
  const char *module_id;
  GArray *types; /* GType of actions, in order */
  GArray *services; /* GType, in order */
  NebulaFunctionSet *functions;
  GHashTable *calls; /* name → NebulaForeignCall */
  GError *error; /* the first mistake */
};

/* What a module registered. */
typedef struct
{
  GArray *types; /* GType of actions, in order */
  GArray *services; /* GType, in order */
  NebulaFunctionSet *functions;
  GHashTable *calls; /* name → NebulaForeignCall */
} NebulaModuleRegistered;

void nebula_module_registered_clear (NebulaModuleRegistered *self);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (NebulaModuleRegistered, nebula_module_registered_clear)
/* Checks a descriptor and calls its register_types (). */
gboolean nebula_module_descriptor_check (const NebulaModuleDescriptor *descriptor, const char *id, GError **error);
/* Opens a verified file in this process, which may crash: for hosts alone. Never closed. */
const NebulaModuleDescriptor *nebula_module_open_here (const char *path, int fd, GError **error);
gboolean nebula_module_descriptor_register (const NebulaModuleDescriptor *descriptor, NebulaModuleRegistered *ret, GError **error);

G_END_DECLS
