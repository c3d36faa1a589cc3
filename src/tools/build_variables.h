/* SPDX-License-Identifier: MIT
 *
 * build_variables - build variables in a property list: $(NAME), ${NAME}, $(NAME:modifier);
 *                   in a template: @NAME@.
 *
 * Place:      tools; `dext build`.
 * Invariants:
 *   V1  the text of a list changes only where a variable stands: lines keep their numbers.
 *   V2  a value may name other variables, DEPTH levels deep; a circle is an error.
 *   V3  in XML a value cannot end the element that it stands in: & < > are written as entities.
 */
#ifndef DX_TOOLS_BUILD_VARIABLES_H
#define DX_TOOLS_BUILD_VARIABLES_H

#include "words.h"

struct dx_variables {
	struct dx_words names;
	struct dx_words values; /* at the same index */
};

/* What is wrong, and where. */
struct dx_variables_error {
	unsigned line; /* from 1 */
	char key[128]; /* the property list key before it, "" if there is none */
	char text[256];
};

/* Sets or replaces. */
void dx_variables_set(struct dx_variables *variables, const char *name, const char *value);
/* "NAME=VALUE". @return 0; -EINVAL without a plain name. */
int dx_variables_set_pair(struct dx_variables *variables, const char *pair);
const char *dx_variables_get(const struct dx_variables *variables, const char *name);
/*
 * Expands a property list in XML form.
 * @return 0 with malloc'd text; -EINVAL with *ret_error filled; -ENOMEM.
 */
int dx_variables_expand(const struct dx_variables *variables, const char *text, char **ret_text,
			struct dx_variables_error *ret_error);
/* The same for a template, in which a variable is @NAME@. */
int dx_variables_expand_template(const struct dx_variables *variables, const char *text,
				 char **ret_text, struct dx_variables_error *ret_error);
/* The same for one value, without XML: *ret_error has no line and key. */
int dx_variables_expand_value(const struct dx_variables *variables, const char *text,
			      char **ret_text, struct dx_variables_error *ret_error);
void dx_variables_fini(struct dx_variables *variables);

#endif
