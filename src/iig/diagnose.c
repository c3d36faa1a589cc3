/* SPDX-License-Identifier: MIT
 *
 * diagnose - see diagnose.h.
 *
 * A misspelt attribute is a syntax error to clang, so those messages are replaced; the others are
 * kept and a note says what to write.
 */
#include "iig/diagnose.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "iig/ast.h"
#include "iig/text.h"

struct message {
	const char *text;
	struct dx_place place;
	bool is_here; /* in the input file, at offset */
	size_t offset;
	bool is_error;
};

static const char *const attribute_names[] = {
	"KERNEL", "LOCAL", "LOCALONLY", "NATIVE", "REMOTE", "TARGET", "TYPE", "QUEUENAME",
};

static const char *word_at(struct dx_model *model, size_t index)
{
	const struct dx_token *token = &model->source.tokens[index];
	return dx_arena_strndup(&model->arena, model->source.text + token->offset, token->len);
}

static size_t smaller(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* Number of letters to change, add or take away, without case; words of up to 31 letters. */
static size_t distance(const char *a, const char *b)
{
	size_t row[32];
	size_t len = strlen(b);
	if (len > 31) {
		return len;
	}
	for (size_t j = 0; j <= len; j++) {
		row[j] = j;
	}
	for (size_t i = 0; a[i] != '\0'; i++) {
		size_t diagonal = row[0];
		row[0] = i + 1;
		for (size_t j = 0; j < len; j++) {
			bool is_same = (a[i] | 0x20) == (b[j] | 0x20);
			size_t changed = diagonal + (is_same ? 0 : 1);
			diagonal = row[j + 1];
			row[j + 1] = smaller(changed, smaller(row[j], diagonal) + 1);
		}
	}
	return row[len];
}

static const char *nearest_attribute(const char *word)
{
	const char *best = NULL;
	size_t best_distance = 3; /* more is another word */
	for (size_t i = 0; i < sizeof(attribute_names) / sizeof(attribute_names[0]); i++) {
		size_t here = distance(word, attribute_names[i]);
		if (here < best_distance) {
			best = attribute_names[i];
			best_distance = here;
		}
	}
	return best;
}

static void report_attribute(struct dx_model *model, size_t token)
{
	const char *word = word_at(model, token);
	const char *best = nearest_attribute(word);
	struct dx_place place = dx_source_place(&model->source, model->source.tokens[token].offset);
	if (best != NULL && strcmp(best, word) == 0) {
		dx_report_error(&model->report, place,
				"'%s' is not defined here; include the .iig file of the base class",
				word);
	} else if (best != NULL) {
		dx_report_error(&model->report, place, "unknown attribute '%s'; did you mean '%s'?",
				word, best);
	} else {
		dx_report_error(&model->report, place, "unknown attribute '%s'; %s", word,
				DX_KNOWN_ATTRIBUTES);
	}
}

static bool is_word(const struct dx_source *source, size_t index)
{
	return source->tokens[index].kind == DX_TOKEN_WORD;
}

/* "class WORD Name :" is how a misspelt attribute of a class looks. */
static bool find_class_attribute(const struct dx_source *source, size_t at, size_t *ret_token)
{
	unsigned int line = dx_source_line(source, source->tokens[at].offset);
	for (size_t i = 0; source->tokens[i].kind != DX_TOKEN_END; i++) {
		if (dx_source_line(source, source->tokens[i].offset) != line ||
		    !dx_source_token_is(source, i, "class")) {
			continue;
		}
		size_t word = dx_source_next(source, i);
		size_t name = dx_source_next(source, word);
		if (is_word(source, word) && is_word(source, name) &&
		    !dx_source_token_is(source, name, "final")) {
			*ret_token = word;
			return true;
		}
	}
	return false;
}

static bool is_keyword(const struct dx_source *source, size_t index)
{
	static const char *const keywords[] = {
		"auto",     "bool",     "char",     "class",     "const",    "double", "enum",
		"final",    "float",    "friend",   "inline",    "int",      "long",   "noexcept",
		"operator", "override", "private",  "protected", "public",   "short",  "signed",
		"static",   "struct",   "template", "typedef",   "typename", "union",  "unsigned",
		"using",    "virtual",  "void",     "volatile",
	};
	for (size_t i = 0; i < sizeof(keywords) / sizeof(keywords[0]); i++) {
		if (dx_source_token_is(source, index, keywords[i])) {
			return true;
		}
	}
	return false;
}

static bool is_same_line(const struct dx_source *source, size_t a, size_t b)
{
	return dx_source_line(source, source->tokens[a].offset) ==
	       dx_source_line(source, source->tokens[b].offset);
}

/* Two words after each other are an attribute and another one, or a forgotten semicolon. */
static bool can_follow_attribute(const struct dx_source *source, size_t before, size_t at)
{
	size_t after = dx_source_next(source, at);
	return dx_source_token_is(source, after, ";") || dx_source_token_is(source, after, "(") ||
	       dx_source_token_is(source, after, ")") || dx_source_token_is(source, after, ",") ||
	       (is_word(source, after) && is_same_line(source, before, at));
}

/* Whether the message comes from a word that stands where only an attribute can. */
static bool find_attribute(struct dx_model *model, const struct message *message, size_t *ret_token)
{
	const struct dx_source *source = &model->source;
	if (!message->is_here) {
		return false;
	}
	size_t at = dx_source_token_at(source, message->offset);
	if (strstr(message->text, "class name") == NULL &&
	    find_class_attribute(source, at, ret_token)) {
		return true;
	}
	if (strstr(message->text, "expected ';'") == NULL &&
	    strstr(message->text, "expected ')'") == NULL) {
		return false;
	}
	if (!is_word(source, at)) {
		at = dx_source_next(source, at);
	}
	size_t before = dx_source_previous(source, at);
	bool after_method = dx_source_token_is(source, before, ")") ||
			    dx_source_token_is(source, before, "const") ||
			    dx_source_token_is(source, before, "override");
	bool after_param = is_word(source, before) && strstr(message->text, "expected ')'") != NULL;
	*ret_token = at;
	return is_word(source, at) && !is_keyword(source, at) &&
	       can_follow_attribute(source, before, at) && (after_method || after_param);
}

struct lookup {
	const struct message *message;
	CXCursor class;
	CXCursor method;
};

static enum CXChildVisitResult match_place(CXCursor cursor, CXCursor parent, CXClientData data)
{
	struct lookup *lookup = data;
	CXFile file = NULL;
	CXSourceLocation location = clang_getCursorLocation(cursor);
	if (!clang_Location_isFromMainFile(location)) {
		return CXChildVisit_Continue;
	}
	if (clang_getCursorKind(cursor) == CXCursor_CXXMethod &&
	    dx_ast_offset(location, &file) <= lookup->message->offset) {
		lookup->class = parent;
		lookup->method = cursor;
	}
	return CXChildVisit_Recurse;
}

/* The method that the message is about: it points at the name or at what follows. */
static struct lookup find_method_at(CXTranslationUnit unit, const struct message *message)
{
	struct lookup lookup = {message, clang_getNullCursor(), clang_getNullCursor()};
	clang_visitChildren(clang_getTranslationUnitCursor(unit), match_place, &lookup);
	return lookup;
}

static bool is_about_override(const struct message *message)
{
	return strstr(message->text, "does not override") != NULL ||
	       strstr(message->text, "can be marked 'override'") != NULL ||
	       strstr(message->text, "different return type") != NULL;
}

/* When the base class is unknown, which was reported, every `override` is wrong to clang. */
static bool follows_from_base(CXTranslationUnit unit, const struct message *message)
{
	if (!is_about_override(message)) {
		return false;
	}
	struct lookup lookup = find_method_at(unit, message);
	return !clang_Cursor_isNull(lookup.method) &&
	       clang_Cursor_isNull(dx_ast_super(lookup.class));
}

/* After "does not override": what the classes above have under this name. */
static void note_base_method(struct dx_model *model, CXTranslationUnit unit,
			     const struct message *message)
{
	struct lookup lookup = find_method_at(unit, message);
	if (clang_Cursor_isNull(lookup.method)) {
		return;
	}
	CXCursor super = dx_ast_super(lookup.class);
	const char *name = dx_ast_name(&model->arena, lookup.method);
	CXCursor base = dx_ast_find_method(super, name);
	if (clang_Cursor_isNull(base)) {
		dx_report_note(&model->report, message->place,
			       "'%s' and the classes above it have no method '%s'; remove "
			       "'override' to declare a new one",
			       dx_ast_name(&model->arena, super), name);
	} else if (clang_CXXMethod_isVirtual(base)) {
		dx_report_note(&model->report, message->place,
			       "'%s' has another signature in '%s'; write "
			       "'%s override;'",
			       name,
			       dx_ast_name(&model->arena, clang_getCursorSemanticParent(base)),
			       dx_ast_declaration(&model->arena, base));
	} else {
		dx_report_note(&model->report, message->place,
			       "'%s' cannot be overridden: '%s' does not declare it virtual", name,
			       dx_ast_name(&model->arena, clang_getCursorSemanticParent(base)));
	}
}

static const char *quoted(struct dx_model *model, const char *text)
{
	const char *start = strchr(text, '\'');
	const char *end = start == NULL ? NULL : strchr(start + 1, '\'');
	if (end == NULL) {
		return "it";
	}
	return dx_arena_strndup(&model->arena, start + 1, (size_t)(end - start) - 1);
}

static bool is_about_include(const struct message *message)
{
	return strstr(message->text, "file not found") != NULL;
}

/* The families that come with the headers; others are named "PCIDriverKit" and so on, too. */
static bool is_other_family(const char *path, size_t *ret_length)
{
	static const char *const families[] = {"DriverKit", "USBDriverKit", "HIDDriverKit"};
	static const char suffix[] = "DriverKit";
	size_t length = strcspn(path, "/");

	if (path[length] != '/' || length < strlen(suffix) ||
	    strncmp(path + length - strlen(suffix), suffix, strlen(suffix)) != 0) {
		return false;
	}
	for (size_t i = 0; i < sizeof(families) / sizeof(*families); i++) {
		if (strlen(families[i]) == length && strncmp(path, families[i], length) == 0) {
			return false;
		}
	}
	*ret_length = length;
	return true;
}

static void advise_include(struct dx_model *model, const struct message *message)
{
	const char *path = quoted(model, message->text);
	size_t length = 0;

	if (is_other_family(path, &length)) {
		dx_report_note(&model->report, message->place,
			       "there is no %.*s here; there are DriverKit, USBDriverKit and "
			       "declarations of HIDDriverKit",
			       (int)length, path);
		return;
	}
	dx_report_note(&model->report, message->place,
		       "name its directory with -I after '--'; the system's interfaces are "
		       "<DriverKit/Name.iig> and <USBDriverKit/Name.iig>");
}

static void add_advice(struct dx_model *model, CXTranslationUnit unit,
		       const struct message *message)
{
	const char *text = message->text;
	if (is_about_include(message)) {
		advise_include(model, message);
	} else if (is_about_override(message)) {
		note_base_method(model, unit, message);
	} else if (strstr(text, "unknown type name") != NULL) {
		const char *name = quoted(model, text);
		dx_report_note(&model->report, message->place,
			       "include the file that declares '%s', or write 'class %s;' before "
			       "the class",
			       name, name);
	} else if (strstr(text, "expected class name") != NULL ||
		   strstr(text, "unknown class name") != NULL ||
		   strstr(text, "base class has incomplete type") != NULL) {
		const char *name = message->is_here
					   ? word_at(model, dx_source_token_at(&model->source,
									       message->offset))
					   : "it";
		dx_report_note(&model->report, message->place,
			       "include the .iig file that declares the base class '%s'", name);
	}
}

static struct message read_message(struct dx_model *model, CXTranslationUnit unit,
				   CXDiagnostic diagnostic)
{
	CXSourceLocation location = clang_getDiagnosticLocation(diagnostic);
	CXFile file = NULL;
	struct message message = {
		.text = dx_ast_string(&model->arena, clang_getDiagnosticSpelling(diagnostic)),
		.place = dx_ast_place(&model->arena, location),
		.offset = dx_ast_offset(location, &file),
		.is_error = clang_getDiagnosticSeverity(diagnostic) >= CXDiagnostic_Error,
	};
	message.is_here =
		file != NULL && clang_File_isEqual(file, clang_getFile(unit, model->source.path));
	return message;
}

static void pass_notes(struct dx_model *model, CXTranslationUnit unit, CXDiagnostic diagnostic)
{
	CXDiagnosticSet notes = clang_getChildDiagnostics(diagnostic);
	for (unsigned int i = 0; i < clang_getNumDiagnosticsInSet(notes); i++) {
		CXDiagnostic note = clang_getDiagnosticInSet(notes, i);
		struct message message = read_message(model, unit, note);
		dx_report_note(&model->report, message.place, "%s", message.text);
		clang_disposeDiagnostic(note);
	}
}

/* How far what clang says is worth reading. */
enum progress {
	ALL_READABLE,
	INCLUDE_MISSING, /* only further missing files */
	ONLY_NOISE,      /* nothing; after an unknown attribute */
};

static enum progress pass_on(struct dx_model *model, CXTranslationUnit unit,
			     CXDiagnostic diagnostic, enum progress before)
{
	enum CXDiagnosticSeverity severity = clang_getDiagnosticSeverity(diagnostic);
	if (severity == CXDiagnostic_Ignored || severity == CXDiagnostic_Note) {
		return before;
	}
	struct message message = read_message(model, unit, diagnostic);
	size_t token = 0;
	if (before == INCLUDE_MISSING && message.is_error && !is_about_include(&message)) {
		return ONLY_NOISE;
	}
	if (message.is_error && find_attribute(model, &message, &token)) {
		report_attribute(model, token);
		return ONLY_NOISE;
	}
	if (message.is_error && model->report.nr_errors > 0 && follows_from_base(unit, &message)) {
		return before;
	}
	if (message.is_error) {
		dx_report_error(&model->report, message.place, "%s", message.text);
	} else {
		dx_report_warning(&model->report, message.place, "%s", message.text);
	}
	pass_notes(model, unit, diagnostic);
	add_advice(model, unit, &message);
	return message.is_error && is_about_include(&message) ? INCLUDE_MISSING : before;
}

int dx_diagnose(struct dx_model *model, CXTranslationUnit unit)
{
	unsigned int nr = clang_getNumDiagnostics(unit);
	enum progress progress = ALL_READABLE;
	for (unsigned int i = 0; i < nr && progress != ONLY_NOISE; i++) {
		CXDiagnostic diagnostic = clang_getDiagnostic(unit, i);
		progress = pass_on(model, unit, diagnostic, progress);
		clang_disposeDiagnostic(diagnostic);
	}
	return model->report.nr_errors == 0 ? 0 : -EINVAL;
}
