/* SPDX-License-Identifier: MIT
 *
 * parse - see parse.h.
 *
 * The input is parsed as C++ with __IIG defined, so that the attribute macros of
 * <DriverKit/OSMetaClass.h> become annotations. libclang finds its own headers beside its library.
 */
#include "iig/parse.h"

#include <errno.h>
#include <string.h>

#include "iig/ast.h"
#include "iig/diagnose.h"
#include "iig/method.h"

struct collecting {
	struct dx_model *model;
	struct dx_class **tail;
};

static bool is_class(enum CXCursorKind kind)
{
	return kind == CXCursor_ClassDecl || kind == CXCursor_StructDecl;
}

static enum CXChildVisitResult count_base(CXCursor cursor, CXCursor parent, CXClientData data)
{
	(void)parent;
	unsigned int *nr_bases = data;
	if (clang_getCursorKind(cursor) == CXCursor_CXXBaseSpecifier) {
		*nr_bases += clang_isVirtualBase(cursor) ? 2 : 1;
	}
	return CXChildVisit_Continue;
}

static bool check_bases(struct dx_model *model, CXCursor cursor, const struct dx_class *class)
{
	unsigned int nr_bases = 0;
	clang_visitChildren(cursor, count_base, &nr_bases);
	if (nr_bases == 1) {
		return true;
	}
	dx_report_error(&model->report, class->place,
			"class '%s' must have one base class and no virtual one; derive from '%s' "
			"alone and hold the other in 'ivars'",
			class->name, class->super_name);
	return false;
}

static void check_class_attributes(struct dx_model *model, const struct dx_class *class)
{
	const struct dx_attributes *attributes = &class->attributes;
	if (attributes->unsupported != NULL) {
		dx_report_error(&model->report, class->place,
				"'%s' is for the system's own classes; remove it",
				attributes->unsupported);
	} else if (attributes->unknown != NULL) {
		dx_report_error(&model->report, class->place,
				"unknown attribute '%s' of class '%s'; %s", attributes->unknown,
				class->name, DX_KNOWN_ATTRIBUTES);
	}
}

static void add_class(struct collecting *collecting, CXCursor cursor)
{
	struct dx_model *model = collecting->model;
	struct dx_arena *arena = &model->arena;
	const struct dx_source *source = &model->source;
	CXSourceRange range = clang_getCursorExtent(cursor);
	CXFile file = NULL;
	struct dx_class *class = dx_arena_alloc(arena, sizeof(*class));
	class->cursor = cursor;
	class->place = dx_ast_place(arena, clang_getCursorLocation(cursor));
	class->name = dx_ast_name(arena, cursor);
	class->super_name = dx_ast_name(arena, dx_ast_super(cursor));
	class->attributes = dx_ast_attributes(arena, cursor);
	class->start = dx_ast_offset(clang_getRangeStart(range), &file);
	size_t end = dx_source_token_at(source, dx_ast_offset(clang_getRangeEnd(range), &file));
	if (source->tokens[end].kind == DX_TOKEN_COMMENT) {
		end = dx_source_next(source, end);
	}
	if (!dx_source_token_is(source, end, ";")) {
		dx_report_error(&model->report, class->place,
				"write ';' right after the '}' of class '%s'", class->name);
		return;
	}
	class->end = source->tokens[end].offset + source->tokens[end].len;
	class->first_line = dx_source_line(source, class->start);
	class->last_line = dx_source_line(source, class->end);
	if (!check_bases(model, cursor, class)) {
		return;
	}
	check_class_attributes(model, class);
	dx_method_read_all(model, class);
	*collecting->tail = class;
	collecting->tail = &class->next;
}

static enum CXChildVisitResult visit(CXCursor cursor, CXCursor parent, CXClientData data)
{
	(void)parent;
	struct collecting *collecting = data;
	if (!clang_Location_isFromMainFile(clang_getCursorLocation(cursor))) {
		return CXChildVisit_Continue;
	}
	enum CXCursorKind kind = clang_getCursorKind(cursor);
	if (kind == CXCursor_Namespace || kind == CXCursor_LinkageSpec) {
		return CXChildVisit_Recurse;
	}
	if (!is_class(kind) || !clang_isCursorDefinition(cursor) || !dx_ast_is_os_class(cursor)) {
		return CXChildVisit_Continue;
	}
	enum CXCursorKind around = clang_getCursorKind(clang_getCursorSemanticParent(cursor));
	if (around != CXCursor_TranslationUnit) {
		struct dx_model *model = collecting->model;
		dx_report_error(&model->report,
				dx_ast_place(&model->arena, clang_getCursorLocation(cursor)),
				"class '%s' must be at file scope; move it out of the namespace",
				dx_ast_name(&model->arena, cursor));
		return CXChildVisit_Continue;
	}
	add_class(collecting, cursor);
	return CXChildVisit_Continue;
}

static bool has_option(const char *const *args, int nr_args, const char *prefix)
{
	for (int i = 0; i < nr_args; i++) {
		if (strncmp(args[i], prefix, strlen(prefix)) == 0) {
			return true;
		}
	}
	return false;
}

/* The command line for libclang: what every input needs around the caller's options. */
static const char **make_command(struct dx_arena *arena, const char *const *args, int nr_args,
				 int *ret_nr)
{
	static const char *const last[] = {
		"-Wno-pragma-once-outside-header",
		"-Wno-inconsistent-missing-override",
		"-Wno-unused-command-line-argument",
		"-fno-access-control",
		"-fno-exceptions",
		"-fno-rtti",
		"-idirafter",
		DX_IIG_INCLUDEDIR,
	};
	const int nr_last = sizeof(last) / sizeof(last[0]);
	const char **command =
		dx_arena_alloc(arena, ((size_t)nr_args + (size_t)nr_last + 8) * sizeof(*command));
	int nr = 0;
	command[nr++] = "clang++";
	command[nr++] = "-fblocks";
	if (!has_option(args, nr_args, "-x")) {
		command[nr++] = "-x";
		command[nr++] = "c++";
	}
	if (!has_option(args, nr_args, "-std=")) {
		command[nr++] = "-std=gnu++17";
	}
	if (!has_option(args, nr_args, "-D__IIG=")) {
		command[nr++] = "-D__IIG=1";
	}
	for (int i = 0; i < nr_args; i++) {
		command[nr++] = args[i];
	}
	for (int i = 0; i < nr_last; i++) {
		command[nr++] = last[i];
	}
	*ret_nr = nr;
	return command;
}

int dx_parse_run(struct dx_parse *parse, struct dx_model *model, const char *const *args,
		 int nr_args)
{
	int nr = 0;
	const char **command = make_command(&model->arena, args, nr_args, &nr);
	parse->index = clang_createIndex(0, 0);
	enum CXErrorCode code = clang_parseTranslationUnit2FullArgv(
		parse->index, model->source.path, command, nr, NULL, 0, CXTranslationUnit_KeepGoing,
		&parse->unit);
	if (code != CXError_Success || parse->unit == NULL) {
		dx_report_error(&model->report, (struct dx_place){model->source.path, 1, 1},
				"clang could not run; check the options after '--'");
		return -EINVAL;
	}
	if (dx_diagnose(model, parse->unit) < 0) {
		return -EINVAL;
	}
	struct collecting collecting = {.model = model, .tail = &model->classes};
	clang_visitChildren(clang_getTranslationUnitCursor(parse->unit), visit, &collecting);
	return model->report.nr_errors == 0 ? 0 : -EINVAL;
}

void dx_parse_fini(struct dx_parse *parse)
{
	if (parse->unit != NULL) {
		clang_disposeTranslationUnit(parse->unit);
	}
	if (parse->index != NULL) {
		clang_disposeIndex(parse->index);
	}
}
