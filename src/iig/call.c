/* SPDX-License-Identifier: MIT
 *
 * call - see call.h.
 *
 * The rules that a caller keeps, whoever implements the method:
 *   C1  an array with a count above its size is refused, kIOReturnOverrun;
 *   C2  what comes back through a pointer is written only when the call succeeded;
 *   C3  a count that comes back is never above the one that went in;
 *   C4  pointers to scalars may be NULL, pointers to object pointers may not;
 *   C5  strings are cut to the size of their type.
 * A void method has no way to say so and returns without a call.
 */
#include "iig/call.h"

#include <string.h>

#include "iig/write.h"

static void write_refusal(const struct dx_method *method, const char *condition, const char *code,
			  struct dx_text *out)
{
	dx_text_printf(out, "\tif (%s) {\n", condition);
	if (dx_method_is_void(method)) {
		dx_text_puts(out, "\t\treturn;\n\t}\n");
	} else if (method->returns_status) {
		dx_text_printf(out, "\t\treturn %s;\n\t}\n", code);
	} else {
		dx_text_puts(out, "\t\treturn {};\n\t}\n");
	}
}

static void write_check(const struct dx_method *method, const struct dx_param *param,
			struct dx_text *out)
{
	struct dx_arena *arena = out->arena;
	switch (param->transport) {
	case DX_OBJECT_OUT:
		write_refusal(method, dx_arena_printf(arena, "%s == nullptr", param->name),
			      "kIOReturnBadArgument", out);
		break;
	case DX_ARRAY_COUNT:
		write_refusal(
			method,
			dx_arena_printf(arena, "%s > %llu", param->name, param->array->array_size),
			"kIOReturnOverrun", out);
		write_refusal(method,
			      dx_arena_printf(arena, "%s == nullptr && %s > 0", param->array->name,
					      param->name),
			      "kIOReturnBadArgument", out);
		break;
	case DX_ARRAY_COUNT_IO:
		write_refusal(method,
			      dx_arena_printf(arena, "%s == nullptr || %s == nullptr", param->name,
					      param->array->name),
			      "kIOReturnBadArgument", out);
		write_refusal(
			method,
			dx_arena_printf(arena, "*%s > %llu", param->name, param->array->array_size),
			"kIOReturnOverrun", out);
		break;
	default:
		break;
	}
	if (param->is_target) {
		write_refusal(method, dx_arena_printf(arena, "%s == nullptr", param->name),
			      "kIOReturnBadArgument", out);
	}
}

static void write_copy(const struct dx_param *param, struct dx_text *out)
{
	const char *name = param->name;
	switch (param->transport) {
	case DX_SCALAR_OUT:
		dx_text_printf(out, "\t%s iig_%s = %s != nullptr ? *%s : %s();\n", param->pointee,
			       name, name, name, param->pointee);
		break;
	case DX_ARRAY_COUNT_IO:
		dx_text_printf(out, "\t%s iig_%s = *%s;\n", param->pointee, name, name);
		break;
	case DX_OBJECT_OUT:
		dx_text_puts(out, "\t");
		dx_write_declarator(out, param->pointee,
				    dx_arena_printf(out->arena, "iig_%s = nullptr;\n", name));
		break;
	case DX_STRING_OUT:
		dx_text_printf(out, "\tchar iig_%s[%llu] = {};\n", name, param->array_size);
		break;
	case DX_STRING_IN:
		dx_text_printf(out,
			       "\tchar iig_%s[%llu];\n"
			       "\tOSMessageCopyString(iig_%s, sizeof(iig_%s), %s);\n",
			       name, param->array_size, name, name, name);
		break;
	default:
		break;
	}
}

/* What goes into the message. */
static void write_field(const struct dx_param *param, struct dx_text *out)
{
	switch (param->transport) {
	case DX_SCALAR_OUT:
	case DX_ARRAY_COUNT_IO:
	case DX_OBJECT_OUT:
		dx_text_printf(out, "\t\t&iig_%s,\n", param->name);
		break;
	case DX_STRING_IN:
		dx_text_printf(out, "\t\t%s == nullptr ? nullptr : iig_%s,\n", param->name,
			       param->name);
		break;
	case DX_STRING_OUT:
		dx_text_printf(out, "\t\tiig_%s,\n", param->name);
		break;
	default:
		dx_text_printf(out, "\t\t%s,\n", param->name);
	}
}

static void write_send(const struct dx_class *class, const struct dx_method *method,
		       struct dx_text *out)
{
	dx_text_printf(out, "\t%s_%s_Msg iig_message = {\n", class->name, method->name);
	for (const struct dx_param *param = method->params; param != NULL; param = param->next) {
		write_field(param, out);
	}
	if (dx_method_has_result(method)) {
		dx_text_puts(out, "\t\t{},\n");
	}
	dx_text_printf(out, "\t};\n\tconst IORPC iig_rpc = {%s_%s_ID, &iig_message};\n",
		       class->name, method->name);
	const char *self = method->is_const ? dx_arena_printf(out->arena, "const_cast<%s *>(this)",
							      class->name)
					    : "this";
	for (const struct dx_param *param = method->params; param != NULL; param = param->next) {
		self = param->is_target ? param->name : self;
	}
	dx_text_printf(out,
		       "\tconst kern_return_t iig_status = supermethod != nullptr\n"
		       "\t\t? supermethod(%s, iig_rpc)\n\t\t: %s->Invoke(iig_rpc);\n",
		       self, self);
}

static void write_object_back(const struct dx_method *method, const struct dx_param *param,
			      struct dx_text *out)
{
	const char *name = param->name;
	if (param->object_class != NULL) {
		write_refusal(method,
			      dx_arena_printf(out->arena,
					      "iig_status == kIOReturnSuccess && iig_%s != nullptr "
					      "&&\n\t    OSDynamicCast(%s, iig_%s) == nullptr",
					      name, param->object_class, name),
			      "kIOReturnBadArgument", out);
	}
}

static void write_back(const struct dx_param *param, struct dx_text *out)
{
	const char *name = param->name;
	switch (param->transport) {
	case DX_SCALAR_OUT:
		dx_text_printf(out, "\t\tif (%s != nullptr) {\n\t\t\t*%s = iig_%s;\n\t\t}\n", name,
			       name, name);
		break;
	case DX_ARRAY_COUNT_IO:
		dx_text_printf(out, "\t\tif (iig_%s < *%s) {\n\t\t\t*%s = iig_%s;\n\t\t}\n", name,
			       name, name, name);
		break;
	case DX_OBJECT_OUT:
		dx_text_printf(out, "\t\t*%s = iig_%s;\n", name, name);
		break;
	case DX_STRING_OUT:
		dx_text_printf(out,
			       "\t\tif (%s != nullptr) {\n"
			       "\t\t\tOSMessageCopyString(%s, sizeof(iig_%s), iig_%s);\n\t\t}\n",
			       name, name, name, name);
		break;
	default:
		break;
	}
}

static bool comes_back(const struct dx_param *param)
{
	return param->transport == DX_SCALAR_OUT || param->transport == DX_ARRAY_COUNT_IO ||
	       param->transport == DX_OBJECT_OUT || param->transport == DX_STRING_OUT;
}

static void write_results(const struct dx_method *method, struct dx_text *out)
{
	bool has_back = false;
	for (const struct dx_param *param = method->params; param != NULL; param = param->next) {
		if (param->transport == DX_OBJECT_OUT) {
			write_object_back(method, param, out);
		}
		has_back = has_back || comes_back(param);
	}
	if (has_back) {
		dx_text_puts(out, "\tif (iig_status == kIOReturnSuccess) {\n");
		for (const struct dx_param *param = method->params; param != NULL;
		     param = param->next) {
			write_back(param, out);
		}
		dx_text_puts(out, "\t}\n");
	}
	if (dx_method_has_result(method)) {
		dx_text_puts(out, "\t(void)iig_status;\n\treturn iig_message.iig_result;\n");
	} else if (dx_method_is_void(method)) {
		dx_text_puts(out, "\t(void)iig_status;\n");
	} else {
		dx_text_puts(out, "\treturn iig_status;\n");
	}
}

void dx_call_write(const struct dx_class *class, const struct dx_method *method,
		   struct dx_text *out)
{
	dx_text_puts(out, "\n");
	dx_text_printf(out, "%s\n%s::%s(", method->result, class->name, method->name);
	dx_write_params(out, method, "");
	dx_text_printf(out, "%sOSDispatchMethod supermethod)%s\n{\n",
		       method->params == NULL ? "" : ", ", method->is_const ? " const" : "");
	for (const struct dx_param *param = method->params; param != NULL; param = param->next) {
		write_check(method, param, out);
	}
	for (const struct dx_param *param = method->params; param != NULL; param = param->next) {
		write_copy(param, out);
	}
	write_send(class, method, out);
	write_results(method, out);
	dx_text_puts(out, "}\n");
}
