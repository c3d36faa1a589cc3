/* SPDX-License-Identifier: MIT
 *
 * source - the input file as text and as tokens.
 *
 * libclang says what the declarations mean; how they are written (names of typedefs, parameters,
 * the text between classes) is taken from here. The tokens are those of the file as it stands,
 * with no macro expanded and comments and preprocessor lines among them.
 */
#ifndef DX_IIG_SOURCE_H
#define DX_IIG_SOURCE_H

#include <stdbool.h>
#include <stddef.h>

struct dx_arena;
struct dx_text;

enum dx_token_kind {
	DX_TOKEN_WORD,   /* identifier, keyword, number */
	DX_TOKEN_STRING, /* with its quotes, either kind */
	DX_TOKEN_PUNCT,  /* one character, but :: and ... are one token */
	DX_TOKEN_COMMENT,
	DX_TOKEN_DIRECTIVE, /* a line that starts with #, with its continuations */
	DX_TOKEN_END,       /* after the last one */
};

struct dx_token {
	enum dx_token_kind kind;
	size_t offset;
	size_t len;
};

struct dx_source {
	const char *path; /* as given */
	const char *name; /* its last component */
	char *text;       /* NUL-terminated */
	size_t len;
	struct dx_token *tokens; /* the last one is DX_TOKEN_END */
	size_t nr_tokens;        /* with DX_TOKEN_END */
};

/* @return 0 or a negative errno. */
int dx_source_load(struct dx_source *source, struct dx_arena *arena, const char *path);

/* Where the text begins: after a byte order mark, if there is one. */
size_t dx_source_start(const struct dx_source *source);
unsigned int dx_source_line(const struct dx_source *source, size_t offset);
unsigned int dx_source_column(const struct dx_source *source, size_t offset);

/* Index of the first token that ends after offset. */
size_t dx_source_token_at(const struct dx_source *source, size_t offset);
bool dx_source_token_is(const struct dx_source *source, size_t index, const char *text);
/* The next one that is no comment and no directive. */
size_t dx_source_next(const struct dx_source *source, size_t index);
/* The previous one of that sort; 0 when there is none. */
size_t dx_source_previous(const struct dx_source *source, size_t index);
/* From an opening bracket to its closing one, or to the end. */
size_t dx_source_matching(const struct dx_source *source, size_t index);
/* Appends tokens [from, to) with one space where the file has space, without comments. */
void dx_source_copy(const struct dx_source *source, size_t from, size_t to, struct dx_text *text);

#endif
