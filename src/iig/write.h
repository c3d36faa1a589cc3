/* SPDX-License-Identifier: MIT
 *
 * write - the pieces that the generated header and implementation have in common.
 */
#ifndef DX_IIG_WRITE_H
#define DX_IIG_WRITE_H

#include "iig/model.h"
#include "iig/text.h"

void dx_write_header(const struct dx_model *model, struct dx_text *out);
void dx_write_implementation(const struct dx_model *model, const char *include,
			     struct dx_text *out);

/* "type name", without a space after a star. */
void dx_write_declarator(struct dx_text *out, const char *type, const char *name);
/* The parameters; separated by ", ", after `first` if there is a first one. */
void dx_write_params(struct dx_text *out, const struct dx_method *method, const char *first);
/* Their names, separated by ", ". */
void dx_write_arguments(struct dx_text *out, const struct dx_method *method);

/* The text between '@iig implementation' and '@iig end' in comments. */
void dx_write_implementation_blocks(const struct dx_model *model, struct dx_text *out);
/* The source [from, to) with includes of .iig files turned into those of .h files. */
void dx_write_verbatim(const struct dx_model *model, size_t from, size_t to, struct dx_text *out);
/* Reports '@iig implementation' without '@iig end'. @return 0 or -EINVAL. */
int dx_write_check_blocks(struct dx_model *model);

#endif
