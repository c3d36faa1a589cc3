/* SPDX-License-Identifier: MIT
 *
 * param - see param.h.
 *
 * Two sources: the tokens for the text, so that names of typedefs and function pointers stay as
 * they were written, and libclang for what the type is. Arrays are written as pointers, for that
 * is what they are in the header, and their size is kept for the checks of the caller.
 */
#include "iig/param.h"

#include <string.h>

#include "iig/ast.h"
#include "iig/text.h"

/* Of __attribute__((...)) only annotate is iig's; the others stay. */
static size_t skip_annotation(const struct dx_source *source, size_t index, size_t close)
{
	for (size_t i = index; i < close; i++) {
		if (dx_source_token_is(source, i, "annotate")) {
			return close + 1;
		}
	}
	return index;
}

/* The attribute that starts at a token ends before the index returned; index itself: none does. */
static size_t skip_attribute(const struct dx_source *source, size_t index)
{
	static const char *const plain[] = {
		"KERNEL",           "LOCAL",
		"LOCALONLY",        "NATIVE",
		"REMOTE",           "LOCALHOST",
		"INVOKEREPLY",      "REPLY",
		"TARGET",           "PORTMAKESEND",
		"PORTCOPYSEND",     "IIG_KERNEL",
		"IIG_LOCAL",        "IIG_LOCALONLY",
		"IIG_NATIVE",       "IIG_REMOTE",
		"IIG_LOCALHOST",    "IIG_INVOKEREPLY",
		"IIG_REPLY",        "IIG_TARGET",
		"IIG_CONCRETE",     "IIG_PORTMAKESEND",
		"IIG_PORTCOPYSEND", "IIG_SERIALIZABLE",
	};
	static const char *const with_argument[] = {"TYPE", "QUEUENAME", "IIG_TYPE",
						    "IIG_QUEUENAME"};
	for (size_t i = 0; i < sizeof(plain) / sizeof(plain[0]); i++) {
		if (dx_source_token_is(source, index, plain[i])) {
			return index + 1;
		}
	}
	for (size_t i = 0; i < sizeof(with_argument) / sizeof(with_argument[0]); i++) {
		size_t open = dx_source_next(source, index);
		if (dx_source_token_is(source, index, with_argument[i]) &&
		    dx_source_token_is(source, open, "(")) {
			return dx_source_matching(source, open) + 1;
		}
	}
	size_t open = dx_source_next(source, index);
	if (dx_source_token_is(source, index, "__attribute__") &&
	    dx_source_token_is(source, open, "(")) {
		return skip_annotation(source, index, dx_source_matching(source, open));
	}
	return index;
}

void dx_param_copy_tokens(const struct dx_source *source, size_t from, size_t to,
			  struct dx_text *text)
{
	size_t start = from;
	bool is_first = true;
	for (size_t i = from; i <= to;) {
		size_t after = i < to ? skip_attribute(source, i) : i;
		if (i < to && after == i) {
			i++;
			continue;
		}
		if (i > start) {
			struct dx_text piece = {.arena = text->arena};
			dx_source_copy(source, start, i, &piece);
			dx_text_printf(text, "%s%s", is_first || piece.len == 0 ? "" : " ",
				       dx_text_string(&piece));
			is_first = is_first && piece.len == 0;
		}
		if (i >= to) {
			break;
		}
		start = i = after;
	}
}

static bool is_integer(CXType type)
{
	return (type.kind >= CXType_Char_U && type.kind <= CXType_UInt128) ||
	       (type.kind >= CXType_Char_S && type.kind <= CXType_Int128);
}

static bool is_scalar(CXType type)
{
	return type.kind == CXType_Enum || type.kind == CXType_Float ||
	       type.kind == CXType_Double || type.kind == CXType_Bool || is_integer(type);
}

/* A pointer to one of these may as well point to many. */
static bool is_byte(CXType type)
{
	return type.kind == CXType_Char_U || type.kind == CXType_UChar ||
	       type.kind == CXType_Char_S || type.kind == CXType_SChar;
}

/* The class of T ** if its metaclass will be known in the generated implementation. */
static const char *metaclass_of(struct dx_arena *arena, CXType record)
{
	CXCursor definition = clang_getCursorDefinition(clang_getTypeDeclaration(record));
	if (clang_Cursor_isNull(definition) || !dx_ast_is_os_class(definition)) {
		return NULL;
	}
	struct dx_place place = dx_ast_place(arena, clang_getCursorLocation(definition));
	size_t len = place.path == NULL ? 0 : strlen(place.path);
	if (len < 4 || strcmp(place.path + len - 4, ".iig") != 0) {
		return NULL;
	}
	return dx_ast_name(arena, definition);
}

static void read_pointer(struct dx_arena *arena, CXType type, struct dx_param *param)
{
	CXType pointee = clang_getPointeeType(type);
	CXType canonical = clang_getCanonicalType(pointee);
	if (clang_isConstQualifiedType(canonical)) {
		return;
	}
	if (is_scalar(canonical) && !is_byte(canonical)) {
		param->transport = DX_SCALAR_OUT;
		param->is_count_pointer = is_integer(canonical);
	} else if (canonical.kind == CXType_Pointer) {
		CXType record = clang_getCanonicalType(clang_getPointeeType(canonical));
		if (record.kind != CXType_Record || clang_isConstQualifiedType(record)) {
			return;
		}
		param->transport = DX_OBJECT_OUT;
		param->object_class = metaclass_of(arena, record);
	} else {
		return;
	}
	param->pointee = dx_ast_type_name(arena, pointee);
}

static void read_array(struct dx_arena *arena, CXType type, struct dx_param *param)
{
	CXType canonical = clang_getCanonicalType(type);
	CXType element = clang_getArrayElementType(
		type.kind == CXType_ConstantArray || type.kind == CXType_IncompleteArray
			? type
			: canonical);
	CXType bare = clang_getCanonicalType(element);
	/* const may stand on the element or, through a typedef, on the array. */
	bool is_const = clang_isConstQualifiedType(bare) || clang_isConstQualifiedType(type) ||
			clang_isConstQualifiedType(canonical);
	param->text = dx_arena_printf(arena, "%s%s * %s",
				      is_const && !clang_isConstQualifiedType(bare) ? "const " : "",
				      dx_ast_type_name(arena, element), param->name);
	if (bare.kind == CXType_ConstantArray) {
		param->unsupported = "an array of arrays; pass a pointer to a struct";
		return;
	}
	if (canonical.kind != CXType_ConstantArray) {
		return;
	}
	param->array_size = (unsigned long long)clang_getArraySize(canonical);
	if (bare.kind == CXType_Char_S || bare.kind == CXType_Char_U) {
		param->transport = is_const ? DX_STRING_IN : DX_STRING_OUT;
	}
}

static void read_type(struct dx_arena *arena, CXType type, struct dx_param *param)
{
	CXType canonical = clang_getCanonicalType(type);
	param->type = dx_ast_type_name(arena, canonical);
	switch ((int)canonical.kind) {
	case CXType_Pointer:
		read_pointer(arena, canonical.kind == type.kind ? type : canonical, param);
		break;
	case CXType_ConstantArray:
	case CXType_IncompleteArray:
		read_array(arena, type, param);
		break;
	case CXType_LValueReference:
	case CXType_RValueReference:
		param->unsupported = "a reference; pass a pointer";
		break;
	default:
		param->is_count = is_integer(canonical);
	}
}

static bool ends_with_name(const struct dx_source *source, size_t from, size_t to, const char *name)
{
	for (size_t i = from; i < to; i++) {
		if (dx_source_token_is(source, i, name)) {
			return true;
		}
	}
	return false;
}

static struct dx_param *read_param(struct dx_model *model, CXCursor cursor, size_t from, size_t to,
				   int number)
{
	struct dx_arena *arena = &model->arena;
	struct dx_param *param = dx_arena_alloc(arena, sizeof(*param));
	param->place = dx_ast_place(arena, clang_getCursorLocation(cursor));
	param->name = dx_ast_name(arena, cursor);
	struct dx_attributes attributes = dx_ast_attributes(arena, cursor);
	param->is_target = attributes.target;
	param->target_type = attributes.type;
	for (size_t i = from; i < to; i++) {
		param->has_default =
			param->has_default || dx_source_token_is(&model->source, i, "=");
	}

	struct dx_text text = {.arena = arena};
	dx_param_copy_tokens(&model->source, from, to, &text);
	bool has_name =
		param->name[0] != '\0' && ends_with_name(&model->source, from, to, param->name);
	if (!has_name) {
		param->name = dx_arena_printf(arena, "arg%d", number);
		dx_text_printf(&text, " %s", param->name);
	}
	param->text = dx_text_string(&text);
	CXType type = clang_getCursorType(cursor);
	read_type(arena, type, param);
	if (!has_name && strchr(param->text, '(') != NULL) {
		param->unsupported = "a function pointer or block without a name; give it one";
	}
	return param;
}

/* The end of the parameter that starts at index: its comma or the closing bracket. */
static size_t end_of_param(const struct dx_source *source, size_t index, size_t close)
{
	size_t depth = 0; /* of template arguments */
	while (index < close && (depth > 0 || !dx_source_token_is(source, index, ","))) {
		if (dx_source_token_is(source, index, "(") ||
		    dx_source_token_is(source, index, "[") ||
		    dx_source_token_is(source, index, "{")) {
			index = dx_source_matching(source, index);
		} else if (dx_source_token_is(source, index, "<")) {
			depth++;
		} else if (dx_source_token_is(source, index, ">") && depth > 0) {
			depth--;
		}
		index = dx_source_next(source, index);
	}
	return index < close ? index : close;
}

static struct dx_param *find_param(struct dx_param *params, const char *name)
{
	while (params != NULL && strcmp(params->name, name) != 0) {
		params = params->next;
	}
	return params;
}

/* The count of the array x is called xCount. */
static void pair_counts(struct dx_arena *arena, struct dx_param *params)
{
	for (struct dx_param *array = params; array != NULL; array = array->next) {
		struct dx_param *count = NULL;
		if (array->array_size > 0) {
			count = find_param(params, dx_arena_printf(arena, "%sCount", array->name));
		}
		if (count == NULL || (!count->is_count && !count->is_count_pointer)) {
			continue;
		}
		array->transport = DX_ARRAY;
		count->transport = count->is_count ? DX_ARRAY_COUNT : DX_ARRAY_COUNT_IO;
		count->array = array;
	}
}

struct dx_param *dx_param_read_all(struct dx_model *model, CXCursor method, size_t open,
				   size_t close)
{
	struct dx_param *params = NULL;
	struct dx_param **tail = &params;
	int nr = clang_Cursor_getNumArguments(method);
	size_t from = dx_source_next(&model->source, open);
	for (int i = 0; i < nr; i++) {
		size_t to = end_of_param(&model->source, from, close);
		*tail = read_param(model, clang_Cursor_getArgument(method, (unsigned int)i), from,
				   to, i);
		tail = &(*tail)->next;
		from = to < close ? dx_source_next(&model->source, to) : close;
	}
	pair_counts(&model->arena, params);
	return params;
}
