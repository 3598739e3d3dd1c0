/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "nebula-catalog.h"

#include <glib/gi18n-lib.h>
#include <string.h>

#include "nebula-error.h"
#include "nebula-mo-private.h"

#define CHAIN_MAX 8
#define LANGUAGES_MAX 64

/* A language as it is asked for, and the files that answer, the best first. */
typedef struct
{
  char *language;
  NebulaMo *chain[CHAIN_MAX];
} Answer;

/* What readers see: replaced as a whole, and the old one kept until the end, so that reading needs no lock. */
typedef struct _Snapshot
{
  struct _Snapshot *older;
  gsize n_answers;
  Answer *answers[LANGUAGES_MAX];
} Snapshot;

/**
 * NebulaCatalog:
 *
 * The translations of one text domain into any language, in any thread, without locales and without the process's
 * language. A text that has no translation is given back as it is, and counted.
 *
 * Thread: any.
 *
 * Since: 1.0
 */
struct _NebulaCatalog
{
  GObject parent_instance;

  char *directory;
  char *domain;
  gsize n_missing; /* atomic */

  GMutex lock;       /* guards the rest; snapshot may be read without it */
  GHashTable *files; /* language → NebulaMo; NULL if there is none */
  Snapshot *snapshot;
};

G_DEFINE_FINAL_TYPE (NebulaCatalog, nebula_catalog, G_TYPE_OBJECT)

static void
mo_free0 (gpointer mo)
{
  if (mo)
    _nebula_mo_free (mo);
}

static void
nebula_catalog_finalize (GObject *object)
{
  NebulaCatalog *self = NEBULA_CATALOG (object);

  for (gsize i = 0; self->snapshot && i < self->snapshot->n_answers; i++) {
    g_free (self->snapshot->answers[i]->language);
    g_free (self->snapshot->answers[i]);
  }
  while (self->snapshot) {
    Snapshot *older = self->snapshot->older;

    g_free (self->snapshot);
    self->snapshot = older;
  }
  g_hash_table_unref (self->files);
  g_mutex_clear (&self->lock);
  g_free (self->directory);
  g_free (self->domain);
  G_OBJECT_CLASS (nebula_catalog_parent_class)->finalize (object);
}

static void
nebula_catalog_class_init (NebulaCatalogClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = nebula_catalog_finalize;
}

static void
nebula_catalog_init (NebulaCatalog *self)
{
  g_mutex_init (&self->lock);
  self->files = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, mo_free0);
}

/* A language that may be part of a path: letters, digits, `_`, `-`, `@`. */
static gboolean
is_language (const char *language)
{
  gsize length = strlen (language);

  return length >= 2 && length <= 32 && g_ascii_isalpha (language[0])
         && strspn (language, G_CSET_a_2_z G_CSET_A_2_Z G_CSET_DIGITS "_-@") == length;
}

static NebulaMo *
load_file (NebulaCatalog *self, const char *language)
{
  g_autofree char *name = g_strconcat (self->domain, ".mo", NULL);
  g_autofree char *path = NULL;
  g_autoptr (GMappedFile) file = NULL;
  g_autoptr (GBytes) bytes = NULL;
  g_autoptr (GError) error = NULL;
  NebulaMo *mo = NULL;

  if (!self->directory)
    return NULL;
  path = g_build_filename (self->directory, language, "LC_MESSAGES", name, NULL);
  file = g_mapped_file_new (path, FALSE, NULL);
  if (!file)
    return NULL;
  bytes = g_mapped_file_get_bytes (file);
  mo = _nebula_mo_new (bytes, &error);
  if (!mo)
    g_warning ("catalogue %s: %s", path, error->message);
  return mo;
}

/* With the lock held. */
static NebulaMo *
get_file (NebulaCatalog *self, const char *language)
{
  gpointer mo = NULL;

  if (!is_language (language))
    return NULL;
  if (g_hash_table_lookup_extended (self->files, language, NULL, &mo))
    return mo;
  mo = load_file (self, language);
  /* What is not there is remembered too, as long as nobody makes names up. */
  if (mo || g_hash_table_size (self->files) < 4 * LANGUAGES_MAX)
    g_hash_table_insert (self->files, g_strdup (language), mo);
  return mo;
}

static void
add_to_chain (NebulaCatalog *self, Answer *answer, const char *language)
{
  NebulaMo *mo = get_file (self, language);

  for (guint i = 0; mo && i < CHAIN_MAX; i++) {
    if (answer->chain[i] == mo)
      return;
    if (!answer->chain[i]) {
      answer->chain[i] = mo;
      return;
    }
  }
}

/* `pt-BR` and `pt_BR.UTF-8` are asked for as `pt_BR`, then as `pt`. */
static void
add_language (NebulaCatalog *self, Answer *answer, const char *language)
{
  g_autofree char *name = g_strndup (language, strcspn (language, "."));

  g_strdelimit (name, "-", '_');
  while (TRUE) {
    char *last = NULL;

    add_to_chain (self, answer, name);
    last = strrchr (name, '_');
    if (!last)
      last = strrchr (name, '@');
    if (!last)
      return;
    *last = '\0';
  }
}

static void
fill_answer (NebulaCatalog *self, Answer *answer, const char *language)
{
  g_auto (GStrv) languages = g_strsplit (language, ":", CHAIN_MAX);

  for (guint i = 0; languages[i]; i++)
    add_language (self, answer, languages[i]);
}

static const Answer *
find_answer (const Snapshot *snapshot, const char *language)
{
  for (gsize i = 0; snapshot && i < snapshot->n_answers; i++)
    if (strcmp (snapshot->answers[i]->language, language) == 0)
      return snapshot->answers[i];
  return NULL;
}

/* Finds or makes the answer for a language; when there are too many it is made in the caller's scratch instead. */
static const Answer *
get_answer (NebulaCatalog *self, const char *language, Answer *scratch)
{
  const Answer *found = find_answer (g_atomic_pointer_get (&self->snapshot), language);
  g_autoptr (GMutexLocker) locker = NULL;
  Snapshot *old = NULL, *fresh = NULL;
  Answer *answer = NULL;

  if (found)
    return found;
  locker = g_mutex_locker_new (&self->lock);
  old = self->snapshot;
  found = find_answer (old, language);
  if (found)
    return found;
  if ((old && old->n_answers == LANGUAGES_MAX) || strlen (language) > 255) {
    fill_answer (self, scratch, language);
    return scratch;
  }
  answer = g_new0 (Answer, 1);
  answer->language = g_strdup (language);
  fill_answer (self, answer, language);
  fresh = g_new0 (Snapshot, 1);
  if (old)
    *fresh = *old;
  fresh->older = old;
  fresh->answers[fresh->n_answers++] = answer;
  g_atomic_pointer_set (&self->snapshot, fresh);
  return answer;
}

static const char *
translate (NebulaCatalog *self, const char *language, const char *key, const char *plural, gulong number)
{
  Answer scratch = { 0 };
  const Answer *answer = NULL;

  if (!language || !*language || strcmp (language, "en") == 0 || strcmp (language, "C") == 0)
    return NULL;
  answer = get_answer (self, language, &scratch);
  for (guint i = 0; i < CHAIN_MAX && answer->chain[i]; i++) {
    const char *text = plural ? _nebula_mo_find_plural (answer->chain[i], key, number)
                              : _nebula_mo_find (answer->chain[i], key);

    if (text)
      return text;
  }
  g_atomic_pointer_add (&self->n_missing, 1);
  return NULL;
}

/**
 * nebula_catalog_new:
 * @directory: (nullable) (type filename): where `LANGUAGE/LC_MESSAGES/DOMAIN.mo` lie; %NULL for none
 * @domain: the text domain
 *
 * Makes a catalogue. Files are read when their language is first asked for.
 *
 * Returns: (transfer full): the catalogue
 *
 * Since: 1.0
 */
NebulaCatalog *
nebula_catalog_new (const char *directory, const char *domain)
{
  NebulaCatalog *self = NULL;

  g_return_val_if_fail (domain != NULL, NULL);

  self = g_object_new (NEBULA_TYPE_CATALOG, NULL);
  self->directory = g_strdup (directory);
  self->domain = g_strdup (domain);
  return self;
}

/**
 * nebula_catalog_add:
 * @self: a catalogue
 * @language: a language, such as `de` or `pt_BR`
 * @bytes: what a .mo file holds
 * @error: where to put an error
 *
 * Adds a language from memory. A language must be added before it is first asked for.
 *
 * Errors, all terminal: %NEBULA_ERROR_INVALID_DATA, %NEBULA_ERROR_INVALID_ARGUMENT for what is no language,
 * %NEBULA_ERROR_EXISTS.
 *
 * Returns: whether it was added
 *
 * Since: 1.0
 */
gboolean
nebula_catalog_add (NebulaCatalog *self, const char *language, GBytes *bytes, GError **error)
{
  g_autoptr (NebulaMo) mo = NULL;
  g_autoptr (GMutexLocker) locker = NULL;

  g_return_val_if_fail (NEBULA_IS_CATALOG (self), FALSE);
  g_return_val_if_fail (language != NULL && bytes != NULL, FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  if (!is_language (language)) {
    g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_INVALID_ARGUMENT,
                 _ ("“%s” is not a language; write it like de or pt_BR."), language);
    return FALSE;
  }
  mo = _nebula_mo_new (bytes, error);
  if (!mo)
    return FALSE;
  locker = g_mutex_locker_new (&self->lock);
  if (g_hash_table_contains (self->files, language)) {
    g_set_error (error, NEBULA_ERROR, NEBULA_ERROR_EXISTS, _ ("The language “%s” is in use already."), language);
    return FALSE;
  }
  g_hash_table_insert (self->files, g_strdup (language), g_steal_pointer (&mo));
  return TRUE;
}

static gint
compare_names (gconstpointer a, gconstpointer b)
{
  return strcmp (*(const char *const *) a, *(const char *const *) b);
}

/**
 * nebula_catalog_list_languages:
 * @self: a catalogue
 *
 * Lists the languages that there are translations for.
 *
 * Returns: (transfer full) (array zero-terminated=1): languages in order
 *
 * Since: 1.0
 */
char **
nebula_catalog_list_languages (NebulaCatalog *self)
{
  g_autoptr (GPtrArray) names = NULL;
  g_autoptr (GMutexLocker) locker = NULL;
  g_autoptr (GDir) dir = NULL;
  const char *name = NULL;
  GHashTableIter iter;
  gpointer key = NULL, value = NULL;

  g_return_val_if_fail (NEBULA_IS_CATALOG (self), NULL);

  names = g_ptr_array_new_with_free_func (g_free);
  locker = g_mutex_locker_new (&self->lock);
  dir = self->directory ? g_dir_open (self->directory, 0, NULL) : NULL;
  while (dir && (name = g_dir_read_name (dir)) != NULL)
    get_file (self, name);
  g_hash_table_iter_init (&iter, self->files);
  while (g_hash_table_iter_next (&iter, &key, &value))
    if (value)
      g_ptr_array_add (names, g_strdup (key));
  g_ptr_array_sort (names, compare_names);
  g_ptr_array_add (names, NULL);
  return (char **) g_ptr_array_free (g_steal_pointer (&names), FALSE);
}

static double
read_quality (const char *range)
{
  const char *quality = strstr (range, ";q=");

  return quality ? g_ascii_strtod (quality + 3, NULL) : 1.0;
}

/**
 * nebula_catalog_negotiate:
 * @self: a catalogue
 * @accept_language: (nullable): an `Accept-Language` header, such as `de-AT, fr;q=0.8`
 *
 * Picks the language to answer in: of those that somebody takes, the most wanted one that there are translations for.
 *
 * Returns: (transfer full): a language; `en` if none fits
 *
 * Since: 1.0
 */
char *
nebula_catalog_negotiate (NebulaCatalog *self, const char *accept_language)
{
  g_auto (GStrv) ranges = NULL;
  g_autofree char *best = NULL;
  double best_quality = 0.0;

  g_return_val_if_fail (NEBULA_IS_CATALOG (self), NULL);

  ranges = g_strsplit (accept_language ? accept_language : "", ",", 32);
  for (guint i = 0; ranges[i]; i++) {
    const char *range = g_strstrip (ranges[i]);
    g_autofree char *language = g_strndup (range, strcspn (range, "; "));
    double quality = read_quality (range);
    gboolean is_english = g_ascii_strncasecmp (language, "en", 2) == 0 && !g_ascii_isalpha (language[2]);
    Answer scratch = { 0 };

    if (!(quality > best_quality))
      continue;
    if (!is_english) {
      g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

      add_language (self, &scratch, language);
    }
    if (!is_english && !scratch.chain[0])
      continue;
    best_quality = quality;
    g_strdelimit (language, "-", '_');
    g_free (best);
    best = is_english ? g_strdup ("en") : g_steal_pointer (&language);
  }
  return best ? g_steal_pointer (&best) : g_strdup ("en");
}

/**
 * nebula_catalog_translate:
 * @self: a catalogue
 * @language: (nullable): a language, or several with colons between them, the most wanted first; %NULL for English
 * @message: an English text
 *
 * Translates a text. `de_AT` falls back to `de`, then to the next language, then to English.
 *
 * Returns: the translation, which lives as long as @self, or @message itself
 *
 * Since: 1.0
 */
const char *
nebula_catalog_translate (NebulaCatalog *self, const char *language, const char *message)
{
  const char *text = NULL;

  g_return_val_if_fail (NEBULA_IS_CATALOG (self) && message != NULL, message);

  text = *message ? translate (self, language, message, NULL, 0) : NULL;
  return text ? text : message;
}

/**
 * nebula_catalog_translate_in:
 * @self: a catalogue
 * @language: (nullable): a language, as in nebula_catalog_translate()
 * @context: what tells equal English texts apart
 * @message: an English text
 *
 * Translates a short text whose meaning needs a context.
 *
 * Returns: the translation, which lives as long as @self, or @message itself
 *
 * Since: 1.0
 */
const char *
nebula_catalog_translate_in (NebulaCatalog *self, const char *language, const char *context, const char *message)
{
  g_autofree char *key = NULL;
  const char *text = NULL;

  g_return_val_if_fail (NEBULA_IS_CATALOG (self), message);
  g_return_val_if_fail (context != NULL && message != NULL, message);

  key = g_strconcat (context, "\004", message, NULL);
  text = translate (self, language, key, NULL, 0);
  return text ? text : message;
}

/**
 * nebula_catalog_translate_plural:
 * @self: a catalogue
 * @language: (nullable): a language, as in nebula_catalog_translate()
 * @singular: the English text for one
 * @plural: the English text for any other number
 * @number: how many
 *
 * Translates a text that depends on a number, by the language's own rule.
 *
 * Returns: the translation, which lives as long as @self, or one of the English texts itself
 *
 * Since: 1.0
 */
const char *
nebula_catalog_translate_plural (NebulaCatalog *self,
                                 const char *language,
                                 const char *singular,
                                 const char *plural,
                                 gulong number)
{
  const char *text = NULL;

  g_return_val_if_fail (NEBULA_IS_CATALOG (self), singular);
  g_return_val_if_fail (singular != NULL && plural != NULL, singular);

  text = translate (self, language, singular, plural, number);
  if (text)
    return text;
  return number == 1 ? singular : plural;
}

/**
 * nebula_catalog_get_n_missing:
 * @self: a catalogue
 *
 * Counts how often a translation was asked for that is not there.
 *
 * Returns: the count
 *
 * Since: 1.0
 */
guint64
nebula_catalog_get_n_missing (NebulaCatalog *self)
{
  g_return_val_if_fail (NEBULA_IS_CATALOG (self), 0);

  return (guint64) g_atomic_pointer_get (&self->n_missing);
}
