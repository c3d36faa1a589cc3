/* SPDX-License-Identifier: MIT
 *
 * check - see check.h. Each rule reports and goes on, so that one run shows all mistakes.
 */
#include "iig/check.h"

#include <errno.h>
#include <string.h>

#include "iig/ast.h"
#include "iig/diagnose.h"

#define MAX_CLASS_NAME 95

static void check_attributes(struct dx_model *model, const struct dx_method *method)
{
	const struct dx_attributes *attributes = &method->attributes;
	if (attributes->unknown != NULL) {
		dx_report_error(&model->report, method->place, "unknown attribute '%s' of '%s'; %s",
				attributes->unknown, method->name, DX_KNOWN_ATTRIBUTES);
	}
	if (attributes->unsupported != NULL) {
		dx_report_error(&model->report, method->place,
				"'%s' is for the system's own classes; remove it",
				attributes->unsupported);
	}
	if (attributes->local && attributes->localonly) {
		dx_report_error(&model->report, method->place,
				"'%s' is both LOCAL and LOCALONLY; write one of them",
				method->name);
	}
	if (attributes->type != NULL && (dx_method_is_local(method) || method->is_static)) {
		dx_report_error(&model->report, method->place,
				"'%s' is called by an action, so it cannot be LOCALONLY or static; "
				"write 'virtual ... TYPE(%s);'",
				method->name, attributes->type);
	}
	if (attributes->queue_name != NULL && !dx_method_has_impl(method)) {
		dx_report_warning(&model->report, method->place,
				  "QUEUENAME has no effect on '%s': its callers run it themselves",
				  method->name);
	}
}

static void check_params(struct dx_model *model, const struct dx_method *method)
{
	if (dx_method_is_local(method)) {
		return;
	}
	for (const struct dx_param *param = method->params; param != NULL; param = param->next) {
		if (param->unsupported != NULL) {
			dx_report_error(&model->report, param->place,
					"parameter '%s' of the remote method '%s' is %s, or mark "
					"the method LOCALONLY",
					param->name, method->name, param->unsupported);
		}
		if (param->has_default) {
			dx_report_error(&model->report, param->place,
					"parameter '%s' of the remote method '%s' has a default; "
					"remove it, or mark the method LOCALONLY",
					param->name, method->name);
		}
		if (param->is_target && strncmp(param->type, "OSAction *", 10) != 0) {
			dx_report_error(&model->report, param->place,
					"TARGET parameter '%s' must be an 'OSAction *'",
					param->name);
		}
	}
	if (clang_Cursor_isVariadic(method->cursor)) {
		dx_report_error(&model->report, method->place,
				"the remote method '%s' has variable arguments; mark it LOCALONLY",
				method->name);
	}
	if (strchr(method->result_type, '&') != NULL) {
		dx_report_error(&model->report, method->place,
				"the remote method '%s' returns a reference; return a pointer, or "
				"mark the method LOCALONLY",
				method->name);
	}
}

/* An override is called like what it overrides, whose file was checked when it was generated. */
static void resolve_overridden_type(struct dx_model *model, CXTranslationUnit unit,
				    struct dx_method *method)
{
	CXCursor class = dx_ast_find_class(unit, method->type_class);
	CXCursor type = dx_ast_find_method(class, method->type_method);
	if (!clang_Cursor_isNull(type)) {
		method->type_class =
			dx_ast_name(&model->arena, clang_getCursorSemanticParent(type));
	}
}

static void check_type(struct dx_model *model, CXTranslationUnit unit, struct dx_method *method)
{
	struct dx_arena *arena = &model->arena;
	CXCursor class = dx_ast_find_class(unit, method->type_class);
	if (clang_Cursor_isNull(class)) {
		dx_report_error(&model->report, method->place,
				"TYPE(%s): there is no class '%s'; include the .iig file that "
				"declares it",
				method->attributes.type, method->type_class);
		return;
	}
	CXCursor type = dx_ast_find_method(class, method->type_method);
	if (clang_Cursor_isNull(type) || clang_equalCursors(type, method->cursor)) {
		dx_report_error(&model->report, method->place,
				"TYPE(%s): class '%s' has no method '%s'; name one that takes an "
				"OSAction, as TYPE(IOTimerDispatchSource::TimerOccurred)",
				method->attributes.type, method->type_class, method->type_method);
		return;
	}
	if (strcmp(dx_ast_signature(arena, type), method->signature) != 0) {
		dx_report_error(&model->report, method->place,
				"'%s' must have the signature of %s::%s: '%s'", method->name,
				method->type_class, method->type_method,
				dx_ast_declaration(arena, type));
	}
	method->type_class = dx_ast_name(arena, clang_getCursorSemanticParent(type));
}

/* New remote methods need a name of their own, in the class and among those above it. */
static void check_name(struct dx_model *model, const struct dx_class *class,
		       const struct dx_method *method)
{
	if (dx_method_is_local(method) || method->is_override) {
		return;
	}
	for (const struct dx_method *other = class->methods; other != method; other = other->next) {
		if (strcmp(other->name, method->name) == 0) {
			dx_report_error(&model->report, method->place,
					"a second method '%s' in class '%s'; give it another name, "
					"only LOCALONLY methods can share one",
					method->name, class->name);
			return;
		}
	}
	CXCursor base = dx_ast_find_method(dx_ast_super(class->cursor), method->name);
	if (clang_Cursor_isNull(base)) {
		return;
	}
	dx_report_error(
		&model->report, method->place,
		"'%s' already has a method '%s' with another signature; write '%s override;' "
		"or give the new one another name",
		dx_ast_name(&model->arena, clang_getCursorSemanticParent(base)), method->name,
		dx_ast_declaration(&model->arena, base));
}

static void check_class(struct dx_model *model, CXTranslationUnit unit,
			const struct dx_class *class)
{
	if (strlen(class->name) > MAX_CLASS_NAME) {
		dx_report_error(&model->report, class->place,
				"the class name has %zu characters; use at most %d",
				strlen(class->name), MAX_CLASS_NAME);
	}
	for (struct dx_method *method = class->methods; method != NULL; method = method->next) {
		check_attributes(model, method);
		check_params(model, method);
		if (method->category == DX_CALLBACK) {
			check_type(model, unit, method);
		} else if (method->type_method != NULL && method->is_override) {
			resolve_overridden_type(model, unit, method);
		}
		check_name(model, class, method);
	}
}

int dx_check(struct dx_model *model, CXTranslationUnit unit)
{
	for (const struct dx_class *class = model->classes; class != NULL; class = class->next) {
		check_class(model, unit, class);
	}
	return model->report.nr_errors == 0 ? 0 : -EINVAL;
}
