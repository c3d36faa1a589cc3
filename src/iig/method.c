/* SPDX-License-Identifier: MIT
 *
 * method - from a cursor and the tokens of its declaration to struct dx_method; see method.h.
 */
#include "iig/method.h"

#include <string.h>

#include "iig/ast.h"
#include "iig/param.h"
#include "iig/text.h"

struct reading {
	struct dx_model *model;
	struct dx_class *class;
	struct dx_method **tail;
};

/* The tokens of one declaration, [first, end) with its name and the brackets of its parameters. */
struct extent {
	size_t first, open, close, end;
};

static bool find_extent(const struct dx_source *source, CXCursor cursor, struct extent *ret)
{
	CXFile file = NULL;
	size_t start = dx_ast_offset(clang_getRangeStart(clang_getCursorExtent(cursor)), &file);
	size_t name =
		dx_source_token_at(source, dx_ast_offset(clang_getCursorLocation(cursor), &file));
	struct extent extent = {.first = dx_source_token_at(source, start),
				.open = dx_source_next(source, name)};
	if (!dx_source_token_is(source, extent.open, "(")) {
		return false;
	}
	extent.close = dx_source_matching(source, extent.open);
	extent.end = extent.close;
	while (source->tokens[extent.end].kind != DX_TOKEN_END &&
	       !dx_source_token_is(source, extent.end, ";")) {
		extent.end = dx_source_next(source, extent.end);
	}
	*ret = extent;
	return true;
}

static struct dx_attributes merge_target(struct dx_attributes attributes,
					 const struct dx_param *params)
{
	for (const struct dx_param *param = params; param != NULL; param = param->next) {
		attributes.target = attributes.target || param->is_target;
	}
	return attributes;
}

/* Where a root method is declared decides how its overrides are called. */
static bool root_is_local(struct dx_arena *arena, CXCursor root)
{
	CXCursor record = clang_getCursorSemanticParent(root);
	return strcmp(dx_ast_name(arena, record), DX_ROOT_CLASS) == 0 ||
	       dx_ast_attributes(arena, root).localonly ||
	       dx_ast_attributes(arena, record).localonly;
}

static enum dx_category decide(struct dx_arena *arena, const struct dx_method *method)
{
	const struct dx_attributes *own = &method->attributes;
	const struct dx_attributes *class = &method->owner->attributes;
	if (method->is_override) {
		return root_is_local(arena, method->root) ? DX_LOCAL_VIRTUAL : DX_OVERRIDE;
	}
	bool is_local = own->localonly || class->localonly;
	if (method->is_static) {
		return is_local ? DX_LOCAL : DX_REMOTE_STATIC;
	}
	if (own->type != NULL && !is_local) {
		return DX_CALLBACK;
	}
	if (is_local || !method->is_virtual) {
		return method->is_virtual ? DX_LOCAL_VIRTUAL : DX_LOCAL;
	}
	if (own->kernel) {
		return DX_REMOTE_KERNEL;
	}
	if (own->target) {
		return DX_REMOTE_TARGET;
	}
	return class->kernel && !own->local ? DX_REMOTE_KERNEL : DX_REMOTE;
}

/* FNV-1a, so that numbers stay the same as long as the declaration does. */
static uint64_t make_msgid(const struct dx_method *method)
{
	const char *parts[] = {method->owner->name, "::", method->name, " ", method->signature};
	uint64_t hash = 0xcbf29ce484222325u;
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		for (const char *c = parts[i]; *c != '\0'; c++) {
			hash = (hash ^ (unsigned char)*c) * 0x100000001b3u;
		}
	}
	const uint64_t kernel_bit = UINT64_C(1) << 63;
	return method->category == DX_REMOTE_KERNEL ? hash | kernel_bit : hash & ~kernel_bit;
}

/* TYPE(Class::Method) or TYPE(Method) of the method or of what it overrides, as two names. */
static void split_type(struct dx_arena *arena, struct dx_method *method)
{
	const char *type = method->attributes.type;
	const char *class = method->owner->name;
	if (method->is_override) {
		type = dx_ast_attributes(arena, method->root).type;
		class = method->root_class;
	}
	if (type == NULL) {
		return;
	}
	const char *colons = strstr(type, "::");
	method->type_class =
		colons == NULL ? class : dx_arena_strndup(arena, type, (size_t)(colons - type));
	method->type_method = colons == NULL ? type : colons + 2;
}

/* The declaration without attributes: for local methods it is repeated in the header. */
static const char *copy_declaration(struct dx_model *model, const struct extent *extent)
{
	struct dx_text text = {.arena = &model->arena};
	dx_param_copy_tokens(&model->source, extent->first, extent->end, &text);
	return dx_text_string(&text);
}

/* kern_return_t and names for it; a plain int is a result like others. */
static bool is_status(struct dx_arena *arena, CXType type)
{
	while (type.kind == CXType_Typedef) {
		if (strcmp(dx_ast_type_name(arena, type), "kern_return_t") == 0) {
			return true;
		}
		type = clang_getTypedefDeclUnderlyingType(clang_getTypeDeclaration(type));
	}
	return false;
}

static bool says_override(const struct dx_source *source, const struct extent *extent)
{
	for (size_t i = extent->close; i < extent->end; i = dx_source_next(source, i)) {
		if (dx_source_token_is(source, i, "override")) {
			return true;
		}
	}
	return false;
}

static void add_method(struct reading *reading, CXCursor cursor)
{
	struct dx_model *model = reading->model;
	struct dx_arena *arena = &model->arena;
	struct dx_place place = dx_ast_place(arena, clang_getCursorLocation(cursor));
	struct extent extent;
	if (!find_extent(&model->source, cursor, &extent)) {
		dx_report_error(&model->report, place,
				"iig cannot read a method that a macro declares; write it out");
		return;
	}
	struct dx_method *method = dx_arena_alloc(arena, sizeof(*method));
	*method = (struct dx_method){
		.owner = reading->class,
		.place = place,
		.cursor = cursor,
		.root = dx_ast_root_method(cursor),
		.name = dx_ast_name(arena, cursor),
		.result = dx_ast_type_name(arena, clang_getCursorResultType(cursor)),
		.returns_status = is_status(arena, clang_getCursorResultType(cursor)),
		.result_type = dx_ast_type_name(
			arena, clang_getCanonicalType(clang_getCursorResultType(cursor))),
		.text = copy_declaration(model, &extent),
		.signature = dx_ast_signature(arena, cursor),
		.params = dx_param_read_all(model, cursor, extent.open, extent.close),
		.is_virtual = clang_CXXMethod_isVirtual(cursor) != 0,
		.is_pure = clang_CXXMethod_isPureVirtual(cursor) != 0,
		.is_static = clang_CXXMethod_isStatic(cursor) != 0,
		.is_const = clang_CXXMethod_isConst(cursor) != 0,
		.says_override = says_override(&model->source, &extent),
	};
	method->attributes = merge_target(dx_ast_attributes(arena, cursor), method->params);
	method->is_override = !clang_equalCursors(method->root, cursor);
	method->root_class = dx_ast_name(arena, clang_getCursorSemanticParent(method->root));
	method->category = decide(arena, method);
	split_type(arena, method);
	method->msgid = make_msgid(method);
	*reading->tail = method;
	reading->tail = &method->next;
}

/* What to write instead of a member that is no method; NULL for members that do no harm. */
static const char *advice(CXCursor cursor)
{
	switch (clang_getCursorKind(cursor)) {
	case CXCursor_FieldDecl:
		return "a data member; put it into the struct behind 'ivars', in the .cpp file";
	case CXCursor_VarDecl:
		return "a static data member; write a 'static' variable in the .cpp file, or a "
		       "constant outside the class";
	case CXCursor_Constructor:
		return "a constructor; write 'virtual bool init() override;'";
	case CXCursor_Destructor:
		return "a destructor; write 'virtual void free() override;'";
	case CXCursor_ConversionFunction:
		return "a conversion operator; write a LOCALONLY method with a name";
	case CXCursor_FunctionTemplate:
		return "a template; write it as a function of the .cpp file";
	case CXCursor_ClassDecl:
	case CXCursor_StructDecl:
	case CXCursor_UnionDecl:
	case CXCursor_EnumDecl:
	case CXCursor_TypedefDecl:
	case CXCursor_TypeAliasDecl:
	case CXCursor_TypeAliasTemplateDecl:
	case CXCursor_ClassTemplate:
		return "a nested type; declare it before the class";
	case CXCursor_FriendDecl:
		return "a friend; remove it, everything in the generated class is public";
	case CXCursor_UsingDeclaration:
		return "a using declaration; remove it";
	default:
		return NULL;
	}
}

static enum CXChildVisitResult read_member(CXCursor cursor, CXCursor parent, CXClientData data)
{
	(void)parent;
	struct reading *reading = data;
	struct dx_model *model = reading->model;
	struct dx_place place = dx_ast_place(&model->arena, clang_getCursorLocation(cursor));
	const char *refusal = advice(cursor);
	if (refusal != NULL) {
		dx_report_error(&model->report, place, "class '%s' must not have %s",
				reading->class->name, refusal);
		return CXChildVisit_Continue;
	}
	if (clang_getCursorKind(cursor) != CXCursor_CXXMethod) {
		return CXChildVisit_Continue;
	}
	const char *name = dx_ast_name(&model->arena, cursor);
	if (strncmp(name, "operator", 8) == 0 && strchr("=+-*/<>![](&|^~%, ", name[8]) != NULL) {
		dx_report_error(&model->report, place,
				"class '%s' must not have an operator; write a LOCALONLY method "
				"with a name",
				reading->class->name);
	} else if (clang_isCursorDefinition(cursor)) {
		dx_report_error(
			&model->report, place,
			"'%s' must not have its body in the class; end the declaration with "
			"';' and write the body in the .cpp file",
			name);
	} else {
		add_method(reading, cursor);
	}
	return CXChildVisit_Continue;
}

void dx_method_read_all(struct dx_model *model, struct dx_class *class)
{
	struct reading reading = {.model = model, .class = class, .tail = &class->methods};
	clang_visitChildren(class->cursor, read_member, &reading);
}
