/* SPDX-License-Identifier: MIT
 *
 * ast - small wrappers around libclang; see ast.h.
 */
#include "iig/ast.h"

#include <string.h>

#include "iig/text.h"

const char *dx_ast_string(struct dx_arena *arena, CXString string)
{
	const char *text = clang_getCString(string);
	const char *copy = dx_arena_strdup(arena, text == NULL ? "" : text);
	clang_disposeString(string);
	return copy;
}

const char *dx_ast_name(struct dx_arena *arena, CXCursor cursor)
{
	return dx_ast_string(arena, clang_getCursorSpelling(cursor));
}

const char *dx_ast_type_name(struct dx_arena *arena, CXType type)
{
	return dx_ast_string(arena, clang_getTypeSpelling(type));
}

static bool has_name(CXCursor cursor, const char *name)
{
	CXString string = clang_getCursorSpelling(cursor);
	const char *text = clang_getCString(string);
	bool is_same = text != NULL && strcmp(text, name) == 0;
	clang_disposeString(string);
	return is_same;
}

size_t dx_ast_offset(CXSourceLocation location, CXFile *ret_file)
{
	unsigned int offset = 0;
	clang_getFileLocation(location, ret_file, NULL, NULL, &offset);
	return offset;
}

struct dx_place dx_ast_place(struct dx_arena *arena, CXSourceLocation location)
{
	CXFile file = NULL;
	struct dx_place place = {0};
	clang_getFileLocation(location, &file, &place.line, &place.column, NULL);
	place.path = file == NULL ? NULL : dx_ast_string(arena, clang_getFileName(file));
	return place;
}

static enum CXChildVisitResult take_base(CXCursor cursor, CXCursor parent, CXClientData data)
{
	(void)parent;
	if (clang_getCursorKind(cursor) != CXCursor_CXXBaseSpecifier) {
		return CXChildVisit_Continue;
	}
	*(CXCursor *)data = clang_getCursorDefinition(
		clang_getTypeDeclaration(clang_getCanonicalType(clang_getCursorType(cursor))));
	return CXChildVisit_Break;
}

CXCursor dx_ast_super(CXCursor record)
{
	CXCursor base = clang_getNullCursor();
	clang_visitChildren(record, take_base, &base);
	return base;
}

bool dx_ast_is_os_class(CXCursor record)
{
	for (CXCursor at = dx_ast_super(record); !clang_Cursor_isNull(at); at = dx_ast_super(at)) {
		if (has_name(at, DX_ROOT_CLASS)) {
			return true;
		}
	}
	return false;
}

struct search {
	const char *name;
	CXCursor found;
};

static enum CXChildVisitResult match_class(CXCursor cursor, CXCursor parent, CXClientData data)
{
	(void)parent;
	struct search *search = data;
	enum CXCursorKind kind = clang_getCursorKind(cursor);
	if ((kind == CXCursor_ClassDecl || kind == CXCursor_StructDecl) &&
	    clang_isCursorDefinition(cursor) && has_name(cursor, search->name)) {
		search->found = cursor;
		return CXChildVisit_Break;
	}
	return kind == CXCursor_LinkageSpec ? CXChildVisit_Recurse : CXChildVisit_Continue;
}

CXCursor dx_ast_find_class(CXTranslationUnit unit, const char *name)
{
	struct search search = {name, clang_getNullCursor()};
	clang_visitChildren(clang_getTranslationUnitCursor(unit), match_class, &search);
	return search.found;
}

static enum CXChildVisitResult match_method(CXCursor cursor, CXCursor parent, CXClientData data)
{
	(void)parent;
	struct search *search = data;
	if (clang_getCursorKind(cursor) == CXCursor_CXXMethod && has_name(cursor, search->name)) {
		search->found = cursor;
		return CXChildVisit_Break;
	}
	return CXChildVisit_Continue;
}

CXCursor dx_ast_find_method(CXCursor record, const char *name)
{
	struct search search = {name, clang_getNullCursor()};
	while (!clang_Cursor_isNull(record) && clang_Cursor_isNull(search.found)) {
		clang_visitChildren(record, match_method, &search);
		record = dx_ast_super(record);
	}
	return search.found;
}

CXCursor dx_ast_root_method(CXCursor method)
{
	for (;;) {
		CXCursor *overridden = NULL;
		unsigned int nr = 0;
		clang_getOverriddenCursors(method, &overridden, &nr);
		if (nr == 0) {
			return method;
		}
		method = overridden[0];
		clang_disposeOverriddenCursors(overridden);
	}
}

const char *dx_ast_signature(struct dx_arena *arena, CXCursor method)
{
	struct dx_text text = {.arena = arena};
	CXType result = clang_getCanonicalType(clang_getCursorResultType(method));
	dx_text_printf(&text, "%s (", dx_ast_type_name(arena, result));
	CXType type = clang_getCanonicalType(clang_getCursorType(method));
	int nr_args = clang_getNumArgTypes(type);
	for (int i = 0; i < nr_args; i++) {
		CXType arg = clang_getCanonicalType(clang_getArgType(type, (unsigned int)i));
		dx_text_printf(&text, "%s%s", i == 0 ? "" : ", ", dx_ast_type_name(arena, arg));
	}
	dx_text_printf(&text, ")%s", clang_CXXMethod_isConst(method) ? " const" : "");
	return dx_text_string(&text);
}

const char *dx_ast_declaration(struct dx_arena *arena, CXCursor method)
{
	struct dx_text text = {.arena = arena};
	dx_text_printf(&text, "%s%s%s %s(", clang_CXXMethod_isVirtual(method) ? "virtual " : "",
		       clang_CXXMethod_isStatic(method) ? "static " : "",
		       dx_ast_type_name(arena, clang_getCursorResultType(method)),
		       dx_ast_name(arena, method));
	int nr_args = clang_Cursor_getNumArguments(method);
	for (int i = 0; i < nr_args; i++) {
		CXCursor arg = clang_Cursor_getArgument(method, (unsigned int)i);
		const char *type = dx_ast_type_name(arena, clang_getCursorType(arg));
		const char *name = dx_ast_name(arena, arg);
		size_t len = strlen(type);
		const char *space = name[0] == '\0' || (len > 0 && type[len - 1] == '*') ? "" : " ";
		dx_text_printf(&text, "%s%s%s%s", i == 0 ? "" : ", ", type, space, name);
	}
	dx_text_printf(&text, ")%s", clang_CXXMethod_isConst(method) ? " const" : "");
	return dx_text_string(&text);
}

struct annotations {
	struct dx_arena *arena;
	struct dx_attributes attributes;
};

static const char *value_of(struct dx_arena *arena, const char *text, const char *key)
{
	size_t len = strlen(key);
	if (strncmp(text, key, len) != 0) {
		return NULL;
	}
	char *value = dx_arena_strdup(arena, text + len);
	size_t kept = 0;
	for (size_t i = 0; value[i] != '\0'; i++) {
		if (value[i] != ' ') {
			value[kept++] = value[i];
		}
	}
	value[kept] = '\0';
	return value;
}

static void read_annotation(struct annotations *to, const char *text)
{
	static const char *const ignored[] = {
		"native",
		"remote",
		"localhost",
		"serializable",
		"concrete",
		"MACH_MSG_TYPE_MAKE_SEND",
		"MACH_MSG_TYPE_COPY_SEND",
	};
	struct dx_attributes *attributes = &to->attributes;
	const char *type = value_of(to->arena, text, "type=");
	const char *queue = value_of(to->arena, text, "queuename=");
	if (type != NULL) {
		attributes->type = type;
		return;
	}
	if (queue != NULL) {
		attributes->queue_name = queue;
		return;
	}
	for (size_t i = 0; i < sizeof(ignored) / sizeof(ignored[0]); i++) {
		if (strcmp(text, ignored[i]) == 0) {
			return;
		}
	}
	if (strcmp(text, "kernel") == 0) {
		attributes->kernel = true;
	} else if (strcmp(text, "local") == 0) {
		attributes->local = true;
	} else if (strcmp(text, "localonly") == 0) {
		attributes->localonly = true;
	} else if (strcmp(text, "target") == 0) {
		attributes->target = true;
	} else if (strcmp(text, "reply") == 0) {
		attributes->unsupported = "REPLY";
	} else if (strcmp(text, "invokereply") == 0) {
		attributes->unsupported = "INVOKEREPLY";
	} else if (strncmp(text, "extends=", 8) == 0) {
		attributes->unsupported = "EXTENDS";
	} else {
		attributes->unknown = text;
	}
}

static enum CXChildVisitResult take_annotation(CXCursor cursor, CXCursor parent, CXClientData data)
{
	(void)parent;
	struct annotations *annotations = data;
	if (clang_getCursorKind(cursor) == CXCursor_AnnotateAttr) {
		read_annotation(annotations, dx_ast_name(annotations->arena, cursor));
	}
	return CXChildVisit_Continue;
}

struct dx_attributes dx_ast_attributes(struct dx_arena *arena, CXCursor cursor)
{
	struct annotations annotations = {.arena = arena};
	clang_visitChildren(cursor, take_annotation, &annotations);
	return annotations.attributes;
}
