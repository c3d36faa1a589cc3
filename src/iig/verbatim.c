/* SPDX-License-Identifier: MIT
 *
 * verbatim - what is copied from the input: text between classes, and implementation blocks.
 */
#include "iig/write.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static const char start_mark[] = "@iig implementation";
static const char end_mark[] = "@iig end";

static const char *find(const char *from, const char *end, const char *what)
{
	size_t len = strlen(what);
	for (; from + len <= end; from++) {
		if (memcmp(from, what, len) == 0) {
			return from;
		}
	}
	return NULL;
}

/* `#include <X.iig>` or "X.iig": everything up to `iig`, and the closing character. */
static bool is_iig_include(const char *line, size_t len, size_t *ret_stem)
{
	const char *end = line + len;
	const char *at = line;
	while (at < end && (*at == ' ' || *at == '\t' || *at == '#')) {
		at++;
	}
	bool is_include =
		end - at > 7 && (memcmp(at, "include", 7) == 0 || memcmp(at, "import ", 7) == 0);
	const char *suffix = is_include ? find(at, end, ".iig") : NULL;
	if (suffix == NULL || suffix + 4 >= end || (suffix[4] != '>' && suffix[4] != '"')) {
		return false;
	}
	*ret_stem = (size_t)(suffix - line) + 1;
	return true;
}

static void write_directive(const char *line, size_t len, struct dx_text *out)
{
	size_t stem = 0;
	if (!is_iig_include(line, len, &stem)) {
		dx_text_append(out, line, len);
		return;
	}
	dx_text_append(out, line, stem);
	dx_text_printf(out, "h%c  /* .iig include */", line[stem + 3]);
	dx_text_append(out, line + stem + 4, len - stem - 4);
}

void dx_write_verbatim(const struct dx_model *model, size_t from, size_t to, struct dx_text *out)
{
	const struct dx_source *source = &model->source;
	size_t at = from;
	for (size_t i = dx_source_token_at(source, from); source->tokens[i].offset < to; i++) {
		const struct dx_token *token = &source->tokens[i];
		if (token->kind == DX_TOKEN_END) {
			break;
		}
		if (token->kind != DX_TOKEN_DIRECTIVE) {
			continue;
		}
		dx_text_append(out, source->text + at, token->offset - at);
		write_directive(source->text + token->offset, token->len, out);
		at = token->offset + token->len;
	}
	if (at < to) {
		dx_text_append(out, source->text + at, to - at);
	}
}

/* The lines from one mark to the other; those of // comments without their slashes. */
static void write_block(const char *from, const char *to, struct dx_text *out)
{
	while (from < to) {
		const char *end = memchr(from, '\n', (size_t)(to - from));
		end = end == NULL ? to : end + 1;
		if (end == to && find(from, to, "\n") == NULL) {
			break; /* what stands before '@iig end' on its line */
		}
		const char *at = from;
		while (at < end && (*at == ' ' || *at == '\t')) {
			at++;
		}
		from = end - at >= 2 && at[0] == '/' && at[1] == '/' ? at + 2 : from;
		dx_text_append(out, from, (size_t)(end - from));
		from = end;
	}
}

/* Where the run of comments that starts at a token ends: // comments may follow each other. */
static size_t comments_end(const struct dx_source *source, size_t index)
{
	while (source->tokens[index].kind == DX_TOKEN_COMMENT &&
	       source->tokens[index + 1].kind == DX_TOKEN_COMMENT) {
		index++;
	}
	return index;
}

/* Calls take(block) for each block; stops at the first one without an end. @return its offset. */
static const char *each_block(const struct dx_source *source, struct dx_text *out)
{
	for (size_t i = 0; i < source->nr_tokens; i++) {
		if (source->tokens[i].kind != DX_TOKEN_COMMENT) {
			continue;
		}
		size_t last = comments_end(source, i);
		const char *at = source->text + source->tokens[i].offset;
		const char *end =
			source->text + source->tokens[last].offset + source->tokens[last].len;
		for (;;) {
			const char *start = find(at, end, start_mark);
			if (start == NULL) {
				break;
			}
			const char *stop = find(start, end, end_mark);
			if (stop == NULL) {
				return start;
			}
			const char *line = memchr(start, '\n', (size_t)(stop - start));
			if (out != NULL && line != NULL) {
				write_block(line + 1, stop, out);
			}
			at = stop;
		}
		i = last;
	}
	return NULL;
}

void dx_write_implementation_blocks(const struct dx_model *model, struct dx_text *out)
{
	(void)each_block(&model->source, out);
}

int dx_write_check_blocks(struct dx_model *model)
{
	const struct dx_source *source = &model->source;
	const char *open = each_block(source, NULL);
	if (open == NULL) {
		return 0;
	}
	dx_report_error(&model->report, dx_source_place(source, (size_t)(open - source->text)),
			"'%s' has no '%s'; write it in the same comment", start_mark, end_mark);
	return -EINVAL;
}
