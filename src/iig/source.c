/* SPDX-License-Identifier: MIT
 *
 * source - reads and splits the input; see source.h.
 *
 * Trust: the file is anybody's. Offsets stay inside because the text ends with a NUL, which no
 *        token contains and every loop stops at.
 */
#include "iig/source.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "iig/arena.h"
#include "iig/text.h"

static int read_all(FILE *file, struct dx_text *text)
{
	char piece[4096];
	for (;;) {
		size_t len = fread(piece, 1, sizeof(piece), file);
		dx_text_append(text, piece, len);
		if (len < sizeof(piece)) {
			return ferror(file) ? -EIO : 0;
		}
	}
}

static size_t skip_line(const char *text, size_t i)
{
	for (; text[i] != '\0' && text[i] != '\n'; i++) {
		if (text[i] == '\\' && text[i + 1] == '\n') {
			i++;
		}
	}
	return i;
}

static size_t skip_block_comment(const char *text, size_t i)
{
	const char *end = strstr(text + i + 2, "*/");
	return end == NULL ? i + strlen(text + i) : (size_t)(end - text) + 2;
}

/* A directive ends with its line, but a comment in it may go on. */
static size_t skip_directive(const char *text, size_t i)
{
	while (text[i] != '\0' && text[i] != '\n') {
		if (text[i] == '/' && text[i + 1] == '*') {
			i = skip_block_comment(text, i);
		} else if (text[i] == '/' && text[i + 1] == '/') {
			return skip_line(text, i);
		} else {
			i += text[i] == '\\' && text[i + 1] != '\0' ? 2 : 1;
		}
	}
	return i;
}

static size_t skip_string(const char *text, size_t i)
{
	char quote = text[i++];
	while (text[i] != '\0' && text[i] != quote && text[i] != '\n') {
		i += text[i] == '\\' && text[i + 1] != '\0' ? 2 : 1;
	}
	return text[i] == quote ? i + 1 : i;
}

static bool is_word(char c)
{
	return isalnum((unsigned char)c) || c == '_' || c == '$' || (unsigned char)c >= 0x80;
}

static size_t skip_token(const char *text, size_t i, bool at_line_start, enum dx_token_kind *kind)
{
	if (text[i] == '#' && at_line_start) {
		*kind = DX_TOKEN_DIRECTIVE;
		return skip_directive(text, i);
	}
	if (text[i] == '/' && text[i + 1] == '/') {
		*kind = DX_TOKEN_COMMENT;
		return skip_line(text, i);
	}
	if (text[i] == '/' && text[i + 1] == '*') {
		*kind = DX_TOKEN_COMMENT;
		return skip_block_comment(text, i);
	}
	if (text[i] == '"' || text[i] == '\'') {
		*kind = DX_TOKEN_STRING;
		return skip_string(text, i);
	}
	if (is_word(text[i])) {
		*kind = DX_TOKEN_WORD;
		while (is_word(text[i])) {
			i++;
		}
		return i;
	}
	*kind = DX_TOKEN_PUNCT;
	if (strncmp(text + i, "...", 3) == 0) {
		return i + 3;
	}
	return i + (strncmp(text + i, "::", 2) == 0 ? 2 : 1);
}

size_t dx_source_start(const struct dx_source *source)
{
	return strncmp(source->text, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
}

static void split(struct dx_source *source, struct dx_arena *arena)
{
	/* At most one token for each byte, and the end. */
	source->tokens = dx_arena_alloc(arena, (source->len + 1) * sizeof(*source->tokens));
	bool at_line_start = true;
	size_t i = dx_source_start(source);
	while (source->text[i] != '\0') {
		if (isspace((unsigned char)source->text[i])) {
			at_line_start = at_line_start || source->text[i] == '\n';
			i++;
			continue;
		}
		struct dx_token *token = &source->tokens[source->nr_tokens++];
		token->offset = i;
		i = skip_token(source->text, i, at_line_start, &token->kind);
		token->len = i - token->offset;
		at_line_start = false;
	}
	source->tokens[source->nr_tokens++] =
		(struct dx_token){.kind = DX_TOKEN_END, .offset = i, .len = 0};
}

int dx_source_load(struct dx_source *source, struct dx_arena *arena, const char *path)
{
	FILE *file = fopen(path, "re");
	if (file == NULL) {
		return -errno;
	}
	struct dx_text text = {.arena = arena};
	int ret = read_all(file, &text);
	(void)fclose(file); /* only read */
	if (ret < 0) {
		return ret;
	}
	const char *slash = strrchr(path, '/');
	dx_text_puts(&text, ""); /* an empty file has text, too */
	*source = (struct dx_source){
		.path = path,
		.name = slash == NULL ? path : slash + 1,
		.text = text.data,
		.len = strlen(text.data), /* a NUL byte ends the text */
	};
	split(source, arena);
	return 0;
}

unsigned int dx_source_line(const struct dx_source *source, size_t offset)
{
	unsigned int line = 1;
	for (size_t i = 0; i < offset && i < source->len; i++) {
		line += source->text[i] == '\n';
	}
	return line;
}

unsigned int dx_source_column(const struct dx_source *source, size_t offset)
{
	size_t start = offset;
	while (start > 0 && source->text[start - 1] != '\n') {
		start--;
	}
	return (unsigned int)(offset - start) + 1;
}

size_t dx_source_token_at(const struct dx_source *source, size_t offset)
{
	size_t i = 0;
	while (source->tokens[i].kind != DX_TOKEN_END &&
	       source->tokens[i].offset + source->tokens[i].len <= offset) {
		i++;
	}
	return i;
}

bool dx_source_token_is(const struct dx_source *source, size_t index, const char *text)
{
	const struct dx_token *token = &source->tokens[index];
	return token->kind != DX_TOKEN_END && strlen(text) == token->len &&
	       memcmp(source->text + token->offset, text, token->len) == 0;
}

static bool is_code(const struct dx_source *source, size_t index)
{
	return source->tokens[index].kind != DX_TOKEN_COMMENT &&
	       source->tokens[index].kind != DX_TOKEN_DIRECTIVE;
}

size_t dx_source_next(const struct dx_source *source, size_t index)
{
	while (source->tokens[index].kind != DX_TOKEN_END) {
		index++;
		if (is_code(source, index)) {
			break;
		}
	}
	return index;
}

size_t dx_source_previous(const struct dx_source *source, size_t index)
{
	while (index > 0) {
		index--;
		if (is_code(source, index)) {
			break;
		}
	}
	return index;
}

size_t dx_source_matching(const struct dx_source *source, size_t index)
{
	size_t depth = 0;
	for (; source->tokens[index].kind != DX_TOKEN_END; index = dx_source_next(source, index)) {
		if (source->tokens[index].kind != DX_TOKEN_PUNCT) {
			continue;
		}
		char c = source->text[source->tokens[index].offset];
		if (strchr("([{", c) != NULL) {
			depth++;
		} else if (strchr(")]}", c) != NULL && --depth == 0) {
			break;
		}
	}
	return index;
}

void dx_source_copy(const struct dx_source *source, size_t from, size_t to, struct dx_text *text)
{
	bool is_first = true;
	size_t last_end = 0;
	for (size_t i = from; i < to; i++) {
		const struct dx_token *token = &source->tokens[i];
		if (!is_code(source, i)) {
			continue;
		}
		if (!is_first && token->offset > last_end) {
			dx_text_puts(text, " ");
		}
		dx_text_append(text, source->text + token->offset, token->len);
		last_end = token->offset + token->len;
		is_first = false;
	}
}
