/* SPDX-License-Identifier: MIT
 *
 * iig - the interface generator: from an .iig file to a C++ header and its implementation.
 *
 * Place:   options -> source -> parse (libclang) -> method, param -> check -> header,
 *          implementation. The code it writes meets the C++ runtime in
 *          <DriverKit/OSMetaClass.h>, which says how calls run.
 * Trust:   the input is the developer's own; a wrong one gets messages, never half an output:
 *          files are written only when all is well, and replaced in one step.
 * Threads: one.
 * Exit:    0 done; 1 the input is wrong or a file cannot be read or written; 2 wrong use.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "iig/ast.h"
#include "iig/check.h"
#include "iig/options.h"
#include "iig/parse.h"
#include "iig/write.h"

static int write_all(const char *path, const char *text)
{
	FILE *file = fopen(path, "we");
	if (file == NULL) {
		return -errno;
	}
	bool is_written = fputs(text, file) >= 0;
	return fclose(file) == 0 && is_written ? 0 : -EIO;
}

static int replace_file(struct dx_model *model, const char *path, const struct dx_text *text)
{
	const char *temporary = dx_arena_printf(&model->arena, "%s.%ld", path, (long)getpid());
	int ret = write_all(temporary, dx_text_string(text));
	if (ret == 0 && rename(temporary, path) < 0) {
		ret = -errno;
	}
	if (ret < 0) {
		(void)unlink(temporary); /* may not exist */
		dx_report_error(&model->report, (struct dx_place){0}, "cannot write %s: %s", path,
				strerror(-ret));
	}
	return ret;
}

static const char *include_name(struct dx_model *model, const struct dx_options *options)
{
	const char *slash = strrchr(options->header, '/');
	const char *name = slash == NULL ? options->header : slash + 1;
	if (options->framework_name == NULL) {
		return dx_arena_printf(&model->arena, "\"%s\"", name);
	}
	return dx_arena_printf(&model->arena, "<%s/%s>", options->framework_name, name);
}

static const char *category_name(enum dx_category category)
{
	static const char *const names[] = {
		[DX_REMOTE] = "remote",
		[DX_REMOTE_KERNEL] = "remote, implemented by the runtime",
		[DX_REMOTE_TARGET] = "remote, sent to an action",
		[DX_REMOTE_STATIC] = "remote, static",
		[DX_OVERRIDE] = "override",
		[DX_CALLBACK] = "callback",
		[DX_LOCAL_VIRTUAL] = "local, virtual",
		[DX_LOCAL] = "local",
	};
	return names[category];
}

static void log_classes(const struct dx_model *model, const struct dx_options *options,
			struct dx_text *out)
{
	dx_text_printf(out, "input %s\ndeployment target %s\n", options->def,
		       options->deployment_target == NULL ? "none" : options->deployment_target);
	for (int i = 0; i < options->nr_clang_args; i++) {
		dx_text_printf(out, "option %s\n", options->clang_args[i]);
	}
	for (const struct dx_class *class = model->classes; class != NULL; class = class->next) {
		dx_text_printf(out, "class %s : %s\n", class->name, class->super_name);
		for (const struct dx_method *method = class->methods; method != NULL;
		     method = method->next) {
			dx_text_printf(out, "  %s: %s\n", method->name,
				       category_name(method->category));
		}
	}
}

static void add_path(struct dx_text *out, const char *path)
{
	dx_text_puts(out, " \\\n  ");
	for (; *path != '\0'; path++) {
		if (*path == ' ' || *path == '#') {
			dx_text_puts(out, "\\");
		}
		dx_text_puts(out, *path == '$' ? "$" : "");
		dx_text_append(out, path, 1);
	}
}

static void add_inclusion(CXFile file, CXSourceLocation *stack, unsigned int len, CXClientData data)
{
	(void)stack;
	(void)len;
	struct dx_text *out = data;
	add_path(out, dx_ast_string(out->arena, clang_getFileName(file)));
}

static int write_outputs(struct dx_model *model, const struct dx_options *options,
			 CXTranslationUnit unit)
{
	struct dx_text header = {.arena = &model->arena};
	struct dx_text implementation = {.arena = &model->arena};
	dx_write_header(model, &header);
	dx_write_implementation(model, include_name(model, options), &implementation);
	int ret = replace_file(model, options->header, &header);
	if (ret == 0) {
		ret = replace_file(model, options->impl, &implementation);
	}
	if (ret == 0 && options->log != NULL) {
		struct dx_text log = {.arena = &model->arena};
		log_classes(model, options, &log);
		ret = replace_file(model, options->log, &log);
	}
	if (ret == 0 && options->depfile != NULL) {
		struct dx_text rule = {.arena = &model->arena};
		dx_text_printf(&rule, "%s %s:", options->header, options->impl);
		clang_getInclusions(unit, add_inclusion, &rule);
		dx_text_puts(&rule, "\n");
		ret = replace_file(model, options->depfile, &rule);
	}
	return ret;
}

static int generate(struct dx_model *model, struct dx_parse *parse,
		    const struct dx_options *options)
{
	int ret = dx_source_load(&model->source, &model->arena, options->def);
	if (ret < 0) {
		dx_report_error(&model->report, (struct dx_place){0}, "cannot read %s: %s",
				options->def, strerror(-ret));
		return ret;
	}
	ret = dx_parse_run(parse, model, options->clang_args, options->nr_clang_args);
	if (ret == 0) {
		ret = dx_check(model, parse->unit);
	}
	if (ret == 0) {
		ret = dx_write_check_blocks(model);
	}
	return ret < 0 ? ret : write_outputs(model, options, parse->unit);
}

int main(int argc, char **argv)
{
	struct dx_options options = {0};
	if (dx_options_parse(&options, argc, argv) < 0) {
		return 2;
	}
	if (options.help) {
		dx_options_print_help();
		return 0;
	}
	if (options.version) {
		puts("iig (OpenDext) " DX_VERSION);
		return 0;
	}
	struct dx_model model = {0};
	struct dx_parse parse = {0};
	int ret = generate(&model, &parse, &options);
	dx_parse_fini(&parse);
	dx_arena_fini(&model.arena);
	return ret < 0 ? 1 : 0;
}
