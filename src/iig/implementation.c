/* SPDX-License-Identifier: MIT
 *
 * implementation - writes the generated implementation; see write.h and <DriverKit/OSMetaClass.h>.
 *
 * Names that start with iig_ are the generator's, so that parameters may have any other.
 */
#include "iig/write.h"

#include <string.h>

#include "iig/ast.h"
#include "iig/call.h"

/* The method that takes the message apart. */
static const char *invoker_of(struct dx_text *out, const struct dx_class *class,
			      const struct dx_method *method)
{
	if (method->type_method != NULL) {
		return dx_arena_printf(out->arena, "%s::%s", method->type_class,
				       method->type_method);
	}
	return dx_arena_printf(out->arena, "%s::%s",
			       method->is_override ? method->root_class : class->name,
			       method->name);
}

/* --- Records --------------------------------------------------------------------------------- */

static void write_flags(const struct dx_method *method, struct dx_text *out)
{
	const struct {
		bool is_set;
		const char *name;
	} flags[] = {
		{method->category == DX_REMOTE_KERNEL, "kOSMethodKernel"},
		{method->is_override, "kOSMethodOverride"},
		{method->is_static, "kOSMethodStatic"},
		{method->category == DX_REMOTE_TARGET, "kOSMethodPure"},
		{dx_method_is_void(method), "kOSMethodVoid"},
	};
	const char *separator = "";
	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
		if (flags[i].is_set) {
			dx_text_printf(out, "%s%s", separator, flags[i].name);
			separator = " | ";
		}
	}
	if (separator[0] == '\0') {
		dx_text_puts(out, "0");
	}
}

static void write_method_record(const struct dx_class *class, const struct dx_method *method,
				struct dx_text *out)
{
	dx_text_printf(out, "\t{\n\t\t%s_%s_ID,\n",
		       method->is_override ? method->root_class : class->name, method->name);
	if (method->type_method != NULL) {
		dx_text_printf(out, "\t\t%s_%s_ID,\n", method->type_class, method->type_method);
	} else {
		dx_text_puts(out, "\t\t0,\n");
	}
	dx_text_printf(out, "\t\t\"%s\",\n", method->name);
	if (method->attributes.queue_name != NULL) {
		dx_text_printf(out, "\t\t\"%s\",\n", method->attributes.queue_name);
	} else {
		dx_text_puts(out, "\t\tnullptr,\n");
	}
	if (dx_method_has_message(method)) {
		dx_text_printf(out, "\t\tsizeof(%s_%s_Msg),\n\t\t", class->name, method->name);
	} else {
		dx_text_puts(out, "\t\t0,\n\t\t");
	}
	write_flags(method, out);
	dx_text_puts(out, ",\n\t},\n");
}

static unsigned int count_records(const struct dx_class *class)
{
	unsigned int nr = 0;
	for (const struct dx_method *method = class->methods; method != NULL;
	     method = method->next) {
		nr += dx_method_is_local(method) ? 0 : 1;
	}
	return nr;
}

static void write_class_record(const char *name, const char *super, const char *methods,
			       unsigned int nr_methods, const char *flags, struct dx_text *out)
{
	dx_text_printf(out,
		       "static OSMetaClass %s_MetaClass(&%s_Class);\n"
		       "OSMetaClass *g%sMetaClass = &%s_MetaClass;\n\n"
		       "const OSClassLoadInformation %s_Class = {\n"
		       "\tkOSClassVersion,\n\tsizeof(%s),\n\t\"%s\",\n",
		       name, name, name, name, name, name, name);
	if (strcmp(super, DX_ROOT_CLASS) == 0) {
		dx_text_puts(out, "\tnullptr,\n");
	} else {
		dx_text_printf(out, "\t&%s_Class,\n", super);
	}
	dx_text_printf(out,
		       "\t&%s_MetaClass,\n\t%s,\n\t%u,\n\t%s,\n\t&OSClassNew<%s>::New,\n};\n\n"
		       "__attribute__((constructor)) static void %s_Register()\n{\n"
		       "\tOSClassRegister(&%s_Class);\n}\n",
		       name, methods, nr_methods, flags, name, name, name);
}

static void write_records(const struct dx_class *class, struct dx_text *out)
{
	unsigned int nr = count_records(class);
	const char *table = "nullptr";
	if (nr > 0) {
		table = dx_arena_printf(out->arena, "%s_MethodTable", class->name);
		dx_text_printf(out, "static const OSMethodInformation %s[] = {\n", table);
		for (const struct dx_method *method = class->methods; method != NULL;
		     method = method->next) {
			if (!dx_method_is_local(method)) {
				write_method_record(class, method, out);
			}
		}
		dx_text_puts(out, "};\n\n");
	}
	const char *flags = "0";
	if (class->attributes.localonly) {
		flags = "kOSClassLocalOnly";
	} else if (class->attributes.kernel) {
		flags = "kOSClassCanRemote";
	}
	write_class_record(class->name, class->super_name, table, nr, flags, out);
}

/* --- Dispatch -------------------------------------------------------------------------------- */

static void write_case(const struct dx_class *class, const struct dx_method *method,
		       struct dx_text *out)
{
	dx_text_printf(out, "\tcase %s_%s_ID:\n\t\treturn %s_Invoke(rpc, self,\n\t\t\t[](",
		       method->is_override ? method->root_class : class->name, method->name,
		       invoker_of(out, class, method));
	dx_write_params(out, method, "OSMetaClassBase *iig_self");
	dx_text_printf(out, ") -> %s {\n\t\t\t\treturn static_cast<%s *>(iig_self)->%s_Impl(",
		       method->result, class->name, method->name);
	dx_write_arguments(out, method);
	dx_text_puts(out, ");\n\t\t\t});\n");
}

static void write_dispatch(const struct dx_class *class, struct dx_text *out)
{
	const char *name = class->name;
	dx_text_printf(out,
		       "\nkern_return_t\n%s::Dispatch(const IORPC rpc)\n{\n"
		       "\treturn _Dispatch(this, rpc);\n}\n\n"
		       "kern_return_t\n%s::_Dispatch(OSMetaClassBase *self, const IORPC rpc)\n{\n"
		       "\tswitch (rpc.msgid) {\n",
		       name, name);
	for (const struct dx_method *method = class->methods; method != NULL;
	     method = method->next) {
		if (dx_method_has_impl(method)) {
			write_case(class, method, out);
		}
	}
	dx_text_printf(out,
		       "\tdefault:\n\t\treturn super::_Dispatch(static_cast<%s *>(self), rpc);\n"
		       "\t}\n}\n",
		       name);
}

static void write_create_action(const struct dx_class *class, const struct dx_method *method,
				struct dx_text *out)
{
	dx_text_printf(out,
		       "\nkern_return_t\n%s::CreateAction%s(size_t referenceSize, OSAction "
		       "**action)\n{\n"
		       "\treturn OSActionCreateTyped(OSTypeID(OSAction_%s_%s), this, %s_%s_ID,\n"
		       "\t\t%s_%s_ID, referenceSize, action);\n}\n",
		       class->name, method->name, class->name, method->name, class->name,
		       method->name, method->type_class, method->type_method);
}

static void write_invoke_arguments(const struct dx_method *method, struct dx_text *out)
{
	dx_text_puts(out, "func(target");
	for (const struct dx_param *param = method->params; param != NULL; param = param->next) {
		dx_text_printf(out, ", iig_message->%s", param->name);
	}
	dx_text_puts(out, ")");
}

static void write_invoke(const struct dx_class *class, const struct dx_method *method,
			 struct dx_text *out)
{
	dx_text_printf(out,
		       "\nkern_return_t\n%s::%s_Invoke(const IORPC rpc, OSMetaClassBase *target, "
		       "%s_Handler func)\n{\n",
		       class->name, method->name, method->name);
	if (method->params != NULL || dx_method_has_result(method)) {
		dx_text_printf(out,
			       "\t%s_%s_Msg *iig_message = static_cast<%s_%s_Msg "
			       "*>(rpc.message);\n",
			       class->name, method->name, class->name, method->name);
	} else {
		dx_text_puts(out, "\t(void)rpc;\n");
	}
	dx_text_puts(out, "\t");
	if (method->returns_status) {
		dx_text_puts(out, "return ");
	} else if (dx_method_has_result(method)) {
		dx_text_puts(out, "iig_message->iig_result = ");
	}
	write_invoke_arguments(method, out);
	dx_text_puts(out, method->returns_status ? ";\n}\n" : ";\n\treturn kIOReturnSuccess;\n}\n");
}

/* --- The file -------------------------------------------------------------------------------- */

static void write_methods(const struct dx_class *class, struct dx_text *out)
{
	for (const struct dx_method *method = class->methods; method != NULL;
	     method = method->next) {
		if (method->category == DX_REMOTE || method->category == DX_REMOTE_TARGET) {
			dx_call_write(class, method, out);
		}
		if (dx_method_has_message(method)) {
			write_invoke(class, method, out);
		}
		if (method->category == DX_CALLBACK) {
			write_create_action(class, method, out);
		}
	}
}

static void write_actions(const struct dx_class *class, struct dx_text *out)
{
	for (const struct dx_method *method = class->methods; method != NULL;
	     method = method->next) {
		if (method->category == DX_CALLBACK) {
			const char *name = dx_arena_printf(out->arena, "OSAction_%s_%s",
							   class->name, method->name);
			dx_text_puts(out, "\n");
			write_class_record(name, "OSAction", "nullptr", 0, "kOSClassAction", out);
		}
	}
}

void dx_write_implementation(const struct dx_model *model, const char *include, struct dx_text *out)
{
	dx_text_printf(out,
		       "/* Generated by iig from %s. */\n\n"
		       "#undef IIG_IMPLEMENTATION\n#define IIG_IMPLEMENTATION %s\n\n"
		       "#include <DriverKit/DriverKit.h>\n#include <DriverKit/IOReturn.h>\n"
		       "#include <DriverKit/OSAction.h>\n#include "
		       "<DriverKit/OSMetaClass.h>\n#include %s\n\n",
		       model->source.name, model->source.name, include);
	struct dx_text blocks = {.arena = out->arena};
	dx_write_implementation_blocks(model, &blocks);
	if (blocks.len > 0) {
		dx_text_printf(out, "/* @iig implementation */\n%s/* @iig end */\n\n",
			       dx_text_string(&blocks));
	}
	for (const struct dx_class *class = model->classes; class != NULL; class = class->next) {
		dx_text_printf(out, "/* --- %s --- */\n\n", class->name);
		write_records(class, out);
		if (!class->attributes.localonly) {
			write_dispatch(class, out);
		}
		write_methods(class, out);
		write_actions(class, out);
		dx_text_puts(out, class->next == NULL ? "" : "\n");
	}
}
