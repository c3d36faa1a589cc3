/* SPDX-License-Identifier: MIT
 *
 * ast - questions to libclang that more than one file asks.
 */
#ifndef DX_IIG_AST_H
#define DX_IIG_AST_H

#include <clang-c/Index.h>
#include <stdbool.h>
#include <stddef.h>

#include "iig/model.h"

/* The root of all classes that iig knows. */
#define DX_ROOT_CLASS "OSMetaClassBase"

/* Moves the string to the arena. Never NULL. */
const char *dx_ast_string(struct dx_arena *arena, CXString string);
const char *dx_ast_name(struct dx_arena *arena, CXCursor cursor);
const char *dx_ast_type_name(struct dx_arena *arena, CXType type);

/* Where a declaration stands; macros count as where they are used. */
size_t dx_ast_offset(CXSourceLocation location, CXFile *ret_file);
struct dx_place dx_ast_place(struct dx_arena *arena, CXSourceLocation location);

/* The definition of the only base class; a null cursor when there is none. */
CXCursor dx_ast_super(CXCursor record);
/* Whether a class derives from the root of all classes. */
bool dx_ast_is_os_class(CXCursor record);
/* The class of that name, defined at file scope; or a null cursor. */
CXCursor dx_ast_find_class(CXTranslationUnit unit, const char *name);
/* The method of a class or of the nearest above it that has the name; or a null cursor. */
CXCursor dx_ast_find_method(CXCursor record, const char *name);
/* What the method overrides in the end: itself if nothing. */
CXCursor dx_ast_root_method(CXCursor method);
/* "void (OSAction *, unsigned long)": canonical types, for comparing. */
const char *dx_ast_signature(struct dx_arena *arena, CXCursor method);
/* "virtual kern_return_t Start(IOService *provider)", for messages. */
const char *dx_ast_declaration(struct dx_arena *arena, CXCursor method);

/* Reads the annotations of a class, method or parameter. */
struct dx_attributes dx_ast_attributes(struct dx_arena *arena, CXCursor cursor);

#endif
