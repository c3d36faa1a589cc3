/* SPDX-License-Identifier: MIT
 *
 * stack_names - the function and line of an address in a file, by its debugging information or, in
 *               want of that, its symbols. See stack.h.
 */
#include <dwarf.h>
#include <elfutils/libdw.h>
#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/pathutil.h"
#include "stack.h"

/* Of the C++ runtime, which has no header for C. */
char *__cxa_demangle(const char *name, char *buffer, size_t *length, int *status);

#define MAX_SCOPES 8 /* of a class in classes in namespaces */

struct place {
	const char *file; /* NULL: unknown */
	int line;
};

static void print_place(const struct place *place, const char *path, FILE *out)
{
	if (place->file != NULL && place->line > 0) {
		(void)fprintf(out, " at %s:%d\n", place->file, place->line);
	} else if (place->file != NULL) { /* what the compiler adds has no line */
		(void)fprintf(out, " at %s\n", place->file);
	} else {
		(void)fprintf(out, " in %s\n", dx_path_base(path));
	}
}

/* --- Names ----------------------------------------------------------------------------------- */

/* The entry that an attribute refers to. @return false: there is none. */
static bool follow(Dwarf_Die *die, unsigned attribute, Dwarf_Die *ret_die)
{
	Dwarf_Attribute found;

	return dwarf_attr(die, attribute, &found) != NULL &&
	       dwarf_formref_die(&found, ret_die) != NULL;
}

static bool is_scope(Dwarf_Die *die)
{
	int tag = dwarf_tag(die);

	return tag == DW_TAG_class_type || tag == DW_TAG_structure_type || tag == DW_TAG_namespace;
}

/* Class and namespace are around the declaration, which may be elsewhere. */
static void print_name(Dwarf_Die *function, FILE *out)
{
	Dwarf_Die declaration = *function;
	Dwarf_Die other;
	Dwarf_Die *scopes = NULL;
	const char *names[MAX_SCOPES];
	int nr_names = 0;
	const char *name = NULL;

	if (follow(&declaration, DW_AT_abstract_origin, &other)) {
		declaration = other;
	}
	if (follow(&declaration, DW_AT_specification, &other)) {
		declaration = other;
	}
	int nr_scopes = dwarf_getscopes_die(&declaration, &scopes);
	for (int i = 1; i < nr_scopes && nr_names < MAX_SCOPES; i++) {
		name = is_scope(&scopes[i]) ? dwarf_diename(&scopes[i]) : NULL;
		if (name != NULL) {
			names[nr_names++] = name;
		}
	}
	while (nr_names > 0) {
		(void)fprintf(out, "%s::", names[--nr_names]);
	}
	free(scopes);
	name = dwarf_diename(&declaration);
	(void)fputs(name == NULL ? "a function without a name" : name, out);
}

/* Where an inlined function was called. */
static struct place call_place(Dwarf_Die *unit, Dwarf_Die *inlined)
{
	struct place place = {NULL, 0};
	Dwarf_Attribute attribute;
	Dwarf_Word file = 0;
	Dwarf_Word line = 0;
	Dwarf_Files *files = NULL;
	size_t nr_files = 0;

	if (dwarf_formudata(dwarf_attr(inlined, DW_AT_call_file, &attribute), &file) == 0 &&
	    dwarf_formudata(dwarf_attr(inlined, DW_AT_call_line, &attribute), &line) == 0 &&
	    dwarf_getsrcfiles(unit, &files, &nr_files) == 0 && file < nr_files) {
		place.file = dwarf_filesrc(files, file, NULL, NULL);
		place.line = (int)line;
	}
	return place;
}

/* --- Debugging information ------------------------------------------------------------------- */

static bool find_unit(Dwarf *dwarf, Dwarf_Addr address, Dwarf_Die *ret_unit)
{
	Dwarf_CU *unit = NULL;
	Dwarf_Die die;

	/* Not by the table of addresses, which clang does not write. */
	while (dwarf_get_units(dwarf, unit, &unit, NULL, NULL, &die, NULL) == 0) {
		if (dwarf_haspc(&die, address) == 1) {
			*ret_unit = die;
			return true;
		}
	}
	return false;
}

static struct place line_of(Dwarf_Die *unit, Dwarf_Addr address)
{
	struct place place = {NULL, 0};
	Dwarf_Line *line = dwarf_getsrc_die(unit, address);

	if (line != NULL) {
		place.file = dwarf_linesrc(line, NULL, NULL);
		(void)dwarf_lineno(line, &place.line);
	}
	return place;
}

/* The functions around the address, innermost first. @return whether there was one. */
static bool print_functions(Dwarf_Die *unit, Dwarf_Addr address, unsigned number, const char *path,
			    FILE *out)
{
	Dwarf_Die *innermost = NULL;
	Dwarf_Die *scopes = NULL;
	/* dwarf_getscopes() goes on with what is around the inlined function, not around its call. */
	int nr_scopes = dwarf_getscopes(unit, address, &innermost) > 0
				? dwarf_getscopes_die(&innermost[0], &scopes)
				: 0;
	struct place place = line_of(unit, address);
	bool is_inlined = true;
	bool found = false;

	for (int i = 0; i < nr_scopes && is_inlined; i++) {
		int tag = dwarf_tag(&scopes[i]);

		if (tag != DW_TAG_subprogram && tag != DW_TAG_inlined_subroutine) {
			continue;
		}
		is_inlined = tag == DW_TAG_inlined_subroutine;
		(void)fprintf(out, "    #%u ", number);
		print_name(&scopes[i], out);
		print_place(&place, path, out);
		place = call_place(unit, &scopes[i]);
		found = true;
	}
	free(innermost);
	free(scopes);
	return found;
}

/* --- Symbols --------------------------------------------------------------------------------- */

/* The nearest function at or below the address; size 0 is of any length. */
static void search_symbols(Elf *elf, Elf_Scn *section, const GElf_Shdr *header, GElf_Addr address,
			   const char **ret_name, GElf_Addr *ret_start)
{
	Elf_Data *data = elf_getdata(section, NULL);
	size_t nr = header->sh_entsize == 0 ? 0 : header->sh_size / header->sh_entsize;

	for (size_t i = 0; data != NULL && i < nr && i < INT32_MAX; i++) {
		GElf_Sym symbol;

		if (gelf_getsym(data, (int)i, &symbol) == NULL ||
		    GELF_ST_TYPE(symbol.st_info) != STT_FUNC || symbol.st_shndx == SHN_UNDEF ||
		    symbol.st_value > address || symbol.st_value < *ret_start ||
		    (symbol.st_size != 0 && address - symbol.st_value >= symbol.st_size)) {
			continue;
		}
		*ret_name = elf_strptr(elf, header->sh_link, symbol.st_name);
		*ret_start = symbol.st_value;
	}
}

static const char *find_symbol(Elf *elf, GElf_Addr address)
{
	Elf_Scn *section = NULL;
	const char *name = NULL;
	GElf_Addr start = 0;

	for (;;) {
		GElf_Shdr header;

		section = elf_nextscn(elf, section);
		if (section == NULL) {
			return name;
		}
		if (gelf_getshdr(section, &header) != NULL &&
		    (header.sh_type == SHT_SYMTAB || header.sh_type == SHT_DYNSYM)) {
			search_symbols(elf, section, &header, address, &name, &start);
		}
	}
}

static void print_symbol(const char *name, FILE *out)
{
	int status = 0;
	DX_CLEANUP_FREE char *plain = __cxa_demangle(name, NULL, NULL, &status);

	(void)fputs(plain == NULL ? name : plain, out);
}

/* --- A call ---------------------------------------------------------------------------------- */

static void print_from(Elf *elf, unsigned number, const struct dx_stack_call *call, FILE *out)
{
	Dwarf *dwarf = dwarf_begin_elf(elf, DWARF_C_READ, NULL);
	Dwarf_Die unit;
	bool found = dwarf != NULL && find_unit(dwarf, call->offset, &unit) &&
		     print_functions(&unit, call->offset, number, call->path, out);

	if (!found) {
		const char *name = find_symbol(elf, call->offset);
		const struct place nowhere = {NULL, 0};

		if (name == NULL) {
			(void)fprintf(out, "    #%u %s+%#" PRIx64 "\n", number, call->path,
				      call->offset);
		} else {
			(void)fprintf(out, "    #%u ", number);
			print_symbol(name, out);
			print_place(&nowhere, call->path, out);
		}
	}
	if (dwarf != NULL) {
		(void)dwarf_end(dwarf);
	}
}

void dx_stack_print_call(unsigned number, const struct dx_stack_call *call, FILE *out)
{
	DX_CLEANUP_FD int fd = open(call->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	Elf *elf = NULL;

	if (fd >= 0 && elf_version(EV_CURRENT) != EV_NONE) {
		elf = elf_begin(fd, ELF_C_READ_MMAP, NULL);
	}
	if (elf == NULL) {
		(void)fprintf(out, "    #%u %s+%#" PRIx64 "\n", number, call->path, call->offset);
		return;
	}
	print_from(elf, number, call, out);
	(void)elf_end(elf);
}
