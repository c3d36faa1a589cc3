/* SPDX-License-Identifier: MIT
 *
 * header - writes the generated header; see write.h and <DriverKit/OSMetaClass.h>.
 *
 * The text between classes is copied. A class is written twice: as it stands in the input, for
 * documentation and for other .iig files that include the header, and as what C++ compiles.
 */
#include "iig/write.h"

#include <inttypes.h>
#include <string.h>

void dx_write_declarator(struct dx_text *out, const char *type, const char *name)
{
	size_t len = strlen(type);
	dx_text_printf(out, "%s%s%s", type, len > 0 && type[len - 1] == '*' ? "" : " ", name);
}

void dx_write_params(struct dx_text *out, const struct dx_method *method, const char *first)
{
	dx_text_puts(out, first);
	const char *separator = first[0] == '\0' ? "" : ", ";
	for (const struct dx_param *param = method->params; param != NULL; param = param->next) {
		dx_text_printf(out, "%s%s", separator, param->text);
		separator = ", ";
	}
}

void dx_write_arguments(struct dx_text *out, const struct dx_method *method)
{
	for (const struct dx_param *param = method->params; param != NULL; param = param->next) {
		dx_text_printf(out, "%s%s", param == method->params ? "" : ", ", param->name);
	}
}

static bool is_local_class(const struct dx_class *class)
{
	return class->attributes.localonly;
}

static void write_args(const struct dx_class *class, const struct dx_method *method,
		       struct dx_text *out)
{
	dx_text_printf(out, "#define %s_%s_Args", class->name, method->name);
	for (const struct dx_param *param = method->params; param != NULL; param = param->next) {
		dx_text_printf(out, "%s \\\n\t%s", param == method->params ? "" : ",", param->text);
	}
	dx_text_puts(out, "\n");
}

/* A const on a result that is no pointer could not be stored. */
static const char *result_member(const struct dx_method *method)
{
	bool is_const = strncmp(method->result, "const ", 6) == 0 &&
			strncmp(method->result_type, "const ", 6) == 0 &&
			strchr(method->result_type, '*') == NULL;
	return is_const ? method->result + 6 : method->result;
}

static void write_message(const struct dx_class *class, const struct dx_method *method,
			  struct dx_text *out)
{
	dx_text_printf(out, "struct OS_MESSAGE %s_%s_Msg {\n", class->name, method->name);
	for (const struct dx_param *param = method->params; param != NULL; param = param->next) {
		dx_text_printf(out, "\t%s;\n", param->text);
	}
	if (dx_method_has_result(method)) {
		dx_text_puts(out, "\t");
		dx_write_declarator(out, result_member(method), "iig_result");
		dx_text_puts(out, ";\n");
	}
	dx_text_puts(out, "};\n");
}

static void write_numbers(const struct dx_class *class, struct dx_text *out)
{
	for (const struct dx_method *method = class->methods; method != NULL;
	     method = method->next) {
		if (!dx_method_is_local(method) && !method->is_override) {
			dx_text_printf(out, "#define %s_%s_ID 0x%016" PRIx64 "ULL\n", class->name,
				       method->name, method->msgid);
		}
	}
	for (const struct dx_method *method = class->methods; method != NULL;
	     method = method->next) {
		if (!dx_method_is_local(method)) {
			dx_text_puts(out, "\n");
			write_args(class, method, out);
		}
	}
	for (const struct dx_method *method = class->methods; method != NULL;
	     method = method->next) {
		if (dx_method_has_message(method)) {
			dx_text_puts(out, "\n");
			write_message(class, method, out);
		}
	}
}

/* A local method stays as it was written; `override` is added where it was left out. */
static void write_local(const struct dx_method *method, struct dx_text *out)
{
	const char *pure = method->is_pure ? strrchr(method->text, '=') : NULL;
	if (!method->is_override || method->says_override) {
		dx_text_printf(out, "\t%s;\n", method->text);
	} else if (pure == NULL) {
		dx_text_printf(out, "\t%s override;\n", method->text);
	} else {
		dx_text_printf(out, "\t%.*soverride %s;\n", (int)(pure - method->text),
			       method->text, pure);
	}
}

static void write_caller(const struct dx_method *method, struct dx_text *out)
{
	dx_text_puts(out, "\t");
	dx_write_declarator(out, method->result, method->name);
	dx_text_puts(out, "(");
	dx_write_params(out, method, "");
	dx_text_printf(out, "%sOSDispatchMethod supermethod = NULL)%s;\n",
		       method->params == NULL ? "" : ", ", method->is_const ? " const" : "");
}

static void write_method(const struct dx_class *class, const struct dx_method *method,
			 struct dx_text *out)
{
	if (dx_method_is_local(method)) {
		write_local(method, out);
		return;
	}
	if (method->category == DX_REMOTE_STATIC) {
		dx_text_puts(out, "\tstatic ");
		dx_write_declarator(out, method->result, method->name);
		dx_text_printf(out, "(%s_%s_Args);\n", class->name, method->name);
		return;
	}
	if (dx_method_has_message(method)) {
		write_caller(method, out);
	}
	if (method->category == DX_CALLBACK) {
		dx_text_printf(out,
			       "\tkern_return_t CreateAction%s(size_t referenceSize, OSAction "
			       "**action);\n",
			       method->name);
	}
	if (dx_method_has_impl(method)) {
		const char *impl = dx_arena_printf(out->arena, "%s_Impl", method->name);
		dx_text_puts(out, "\t");
		dx_write_declarator(out, method->result, impl);
		dx_text_printf(out, "(%s_%s_Args)%s;\n", class->name, method->name,
			       method->is_const ? " const" : "");
	}
	if (dx_method_has_message(method)) {
		dx_text_printf(out, "\ttypedef %s (*%s_Handler)(", method->result, method->name);
		dx_write_params(out, method, "OSMetaClassBase *iig_target");
		dx_text_printf(out,
			       ");\n\tstatic kern_return_t %s_Invoke(const IORPC rpc, "
			       "OSMetaClassBase *target, %s_Handler func);\n",
			       method->name, method->name);
	}
}

static void write_class(const struct dx_class *class, struct dx_text *out)
{
	const char *name = class->name;
	dx_text_printf(out,
		       "\nextern OSMetaClass *g%sMetaClass;\n"
		       "extern const OSClassLoadInformation %s_Class;\n\n"
		       "struct %s_IVars;\nstruct %s_LocalIVars;\n\n",
		       name, name, name, name);
	dx_text_printf(out,
		       "#ifndef %s_DECLARE_IVARS\n#define %s_DECLARE_IVARS \\\n"
		       "\tunion { \\\n\t\tstruct %s_IVars *ivars; \\\n"
		       "\t\tstruct %s_LocalIVars *lvars; \\\n\t};\n#endif\n\n",
		       name, name, name, name);
	dx_text_printf(out,
		       "class %s : public %s\n{\npublic:\n\t%s_DECLARE_IVARS\n"
		       "\tusing super = %s;\n"
		       "\tstatic OSMetaClass *sGetMetaClass() { return g%sMetaClass; }\n",
		       name, class->super_name, name, class->super_name, name);
	if (!is_local_class(class)) {
		dx_text_puts(out, "\tkern_return_t Dispatch(const IORPC rpc) override;\n"
				  "\tstatic kern_return_t _Dispatch(OSMetaClassBase *self, const "
				  "IORPC rpc);\n");
	}
	for (const struct dx_method *method = class->methods; method != NULL;
	     method = method->next) {
		dx_text_puts(out, "\n");
		write_method(class, method, out);
	}
	dx_text_puts(out, "};\n");
}

static void write_actions(const struct dx_class *class, struct dx_text *out)
{
	for (const struct dx_method *method = class->methods; method != NULL;
	     method = method->next) {
		if (method->category != DX_CALLBACK) {
			continue;
		}
		const char *name =
			dx_arena_printf(out->arena, "OSAction_%s_%s", class->name, method->name);
		dx_text_printf(out,
			       "\nextern OSMetaClass *g%sMetaClass;\n"
			       "extern const OSClassLoadInformation %s_Class;\n\n"
			       "class %s : public OSAction\n{\npublic:\n"
			       "\tusing super = OSAction;\n"
			       "\tstatic OSMetaClass *sGetMetaClass() { return g%sMetaClass; }\n"
			       "};\n",
			       name, name, name, name);
	}
}

static bool has_callback(const struct dx_class *class)
{
	for (const struct dx_method *method = class->methods; method != NULL;
	     method = method->next) {
		if (method->category == DX_CALLBACK) {
			return true;
		}
	}
	return false;
}

static void write_source_class(const struct dx_model *model, const struct dx_class *class,
			       struct dx_text *out)
{
	dx_text_printf(out, "\n/* source class %s %s:%u-%u */\n\n", class->name, model->source.name,
		       class->first_line, class->last_line);
	dx_text_puts(out, "#if defined(__IIG) || __DOCUMENTATION__\n"
			  "#ifndef __IIG\n#define KERNEL IIG_KERNEL\n#endif\n\n");
	dx_text_append(out, model->source.text + class->start, class->end - class->start);
	dx_text_puts(out, "\n\n#ifndef __IIG\n#undef KERNEL\n#endif\n"
			  "#else /* __DOCUMENTATION__ */\n#if !KERNEL\n\n");
	if (has_callback(class)) {
		dx_text_puts(out, "#include <DriverKit/OSAction.h>\n\n");
	}
	dx_text_printf(out, "class %s;\n\n", class->name);
	write_numbers(class, out);
	dx_text_puts(out, "\n#pragma GCC visibility push(default)\n");
	write_class(class, out);
	write_actions(class, out);
	dx_text_puts(out, "\n#pragma GCC visibility pop\n\n"
			  "#endif /* !KERNEL */\n#endif /* __DOCUMENTATION__ */\n");
}

/* A piece of the input, under a line that says where it comes from. */
static void write_piece(const struct dx_model *model, size_t from, size_t to, struct dx_text *out)
{
	const struct dx_source *source = &model->source;
	while (from < to && strchr(" \t\r\n", source->text[from]) != NULL) {
		from++;
	}
	while (to > from && strchr(" \t\r\n", source->text[to - 1]) != NULL) {
		to--;
	}
	if (from == to) {
		return;
	}
	dx_text_printf(out, "\n/* %s:%u-%u */\n", source->name, dx_source_line(source, from),
		       dx_source_line(source, to - 1));
	dx_write_verbatim(model, from, to, out);
	dx_text_puts(out, "\n");
}

void dx_write_header(const struct dx_model *model, struct dx_text *out)
{
	dx_text_printf(out, "/* Generated by iig from %s. */\n", model->source.name);
	size_t at = dx_source_start(&model->source);
	for (const struct dx_class *class = model->classes; class != NULL; class = class->next) {
		write_piece(model, at, class->start, out);
		write_source_class(model, class, out);
		at = class->end;
	}
	write_piece(model, at, model->source.len, out);
}
