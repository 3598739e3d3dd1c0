/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "nebula-value.h"

G_BEGIN_DECLS

/*
 * Conditions over the other parameters of an action, as data: an object of operators. Where an object names several
 * operators or several parameters, all of them must hold.
 *
 *   {"equals": {"method": "POST"}}            the parameter has this value (also not-equals)
 *   {"set": "body"}                           it is there and not null; a name or an array of names
 *   {"empty": "headers"}                      not set, null, "", [] or {}
 *   {"true": "retry"}, {"false": "retry"}     it is this boolean
 *   {"greater": {"count": 3}}                 a number above (also less); order within one kind
 *   {"in-range": {"count": [1, 10]}}          both ends belong to it
 *   {"contains": {"tags": "x"}}               an array with this item, an object with this key, a text with this part
 *   {"starts-with": {"url": "https:"}}        a text (also ends-with)
 *   {"one-of": {"method": ["PUT", "PATCH"]}}  one of these values
 *   {"all": [C, …]}, {"any": [C, …]}, {"not": C}
 *
 * A parameter that is not set equals nothing, so `not-equals` holds for it. Conditions nest at most 16 deep.
 */

/* Whether @condition has this form; the error names the part that has not. */
gboolean _nebula_condition_check (NebulaValue *condition, GError **error);
/* Whether @condition holds over @values (an object); what has another form does not hold. */
gboolean _nebula_condition_holds (NebulaValue *condition, NebulaValue *values);

G_END_DECLS
