/* SPDX-License-Identifier: MIT
 *
 * model - what the generator knows about the classes of one input file.
 *
 * Filled by parse and method from libclang and the source, checked by check, written by header and
 * implementation. Everything lives in one arena.
 */
#ifndef DX_IIG_MODEL_H
#define DX_IIG_MODEL_H

#include <clang-c/Index.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "iig/arena.h"
#include "iig/report.h"
#include "iig/source.h"

/* What the annotations of a declaration say. */
struct dx_attributes {
	bool kernel;
	bool local;
	bool localonly;
	bool target;
	const char *type;        /* "Class::Method" or "Method"; NULL: none */
	const char *queue_name;  /* NULL: none */
	const char *unsupported; /* an attribute that only the OS itself uses */
	const char *unknown;
};

/* How a parameter of a remote method travels. */
enum dx_transport {
	DX_BY_VALUE,       /* the caller's value or pointer itself */
	DX_SCALAR_OUT,     /* pointer to a scalar: through a copy, NULL allowed, back on success */
	DX_OBJECT_OUT,     /* pointer to an object pointer: through a copy, NULL refused */
	DX_STRING_IN,      /* const char[N]: cut to N */
	DX_STRING_OUT,     /* char[N]: through an array of N */
	DX_ARRAY,          /* T[N] with a count */
	DX_ARRAY_COUNT,    /* that count: at most N */
	DX_ARRAY_COUNT_IO, /* pointer to that count: lowered to what the method reported */
};

struct dx_param {
	struct dx_param *next;
	struct dx_place place;
	const char *name;         /* invented when there is none */
	const char *text;         /* "const char * name": no attributes, arrays as pointers */
	const char *type;         /* canonical, for comparing */
	const char *pointee;      /* what it points to, as the source spells it; NULL: no pointer */
	const char *object_class; /* DX_OBJECT_OUT of a class whose metaclass is known; else NULL */
	const char *unsupported;  /* why a remote method cannot have it; NULL: it can */
	bool is_count;            /* an integer */
	bool is_count_pointer;    /* a pointer to one */
	unsigned long long array_size; /* 0: no array */
	enum dx_transport transport;
	struct dx_param *array; /* of the two counts: the array counted */
	bool is_target;
	const char *target_type; /* TYPE() of the parameter */
	bool has_default;
};

enum dx_category {
	DX_REMOTE,        /* a new remote method, implemented as M_Impl */
	DX_REMOTE_KERNEL, /* a new remote method that the runtime implements */
	DX_REMOTE_TARGET, /* a new prototype for TYPE(): calls go to an action */
	DX_REMOTE_STATIC, /* static, with a number */
	DX_OVERRIDE,      /* overrides a remote method or a callback */
	DX_CALLBACK,      /* TYPE() */
	DX_LOCAL_VIRTUAL,
	DX_LOCAL, /* neither virtual nor remote */
};

struct dx_method {
	struct dx_method *next;
	struct dx_class *owner;
	struct dx_place place;
	CXCursor cursor;
	CXCursor root; /* the declaration it overrides in the end; itself when new */
	const char *name;
	const char *result;      /* "kern_return_t" */
	bool returns_status;     /* kern_return_t, under whatever name */
	const char *result_type; /* canonical */
	const char *text;        /* the declaration without attributes and semicolon */
	const char *signature;   /* "void (OSAction *, unsigned long)", canonical */
	struct dx_param *params;
	struct dx_attributes attributes;
	enum dx_category category;
	bool is_virtual, is_pure, is_static, is_const, is_override;
	bool says_override;
	const char *root_class;  /* the class of root */
	const char *type_class;  /* TYPE(): of this method or of root; the declaring class */
	const char *type_method; /* NULL: no callback */
	uint64_t msgid;          /* for new ones */
};

struct dx_class {
	struct dx_class *next;
	struct dx_place place;
	CXCursor cursor;
	const char *name;
	const char *super_name;
	struct dx_attributes attributes;
	size_t start, end; /* offsets of the text, with its semicolon */
	unsigned int first_line, last_line;
	struct dx_method *methods;
};

struct dx_model {
	struct dx_arena arena;
	struct dx_report report;
	struct dx_source source;
	struct dx_class *classes; /* as in the file */
};

static inline struct dx_place dx_source_place(const struct dx_source *source, size_t offset)
{
	return (struct dx_place){source->path, dx_source_line(source, offset),
				 dx_source_column(source, offset)};
}

static inline bool dx_method_is_local(const struct dx_method *method)
{
	return method->category == DX_LOCAL_VIRTUAL || method->category == DX_LOCAL;
}

static inline bool dx_method_is_void(const struct dx_method *method)
{
	return strcmp(method->result_type, "void") == 0;
}

/* Whether the message has a place for the result, beside the status of the call. */
static inline bool dx_method_has_result(const struct dx_method *method)
{
	return !dx_method_is_void(method) && !method->returns_status;
}

/* Whether the method has a number and a message of its own. */
static inline bool dx_method_has_message(const struct dx_method *method)
{
	return method->category == DX_REMOTE || method->category == DX_REMOTE_KERNEL ||
	       method->category == DX_REMOTE_TARGET;
}

/* Whether the class implements it as M_Impl, so that _Dispatch has a case for it. */
static inline bool dx_method_has_impl(const struct dx_method *method)
{
	return method->category == DX_REMOTE || method->category == DX_OVERRIDE ||
	       method->category == DX_CALLBACK;
}

#endif
