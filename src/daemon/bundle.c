/* SPDX-License-Identifier: MIT
 *
 * bundle - find, read and check a driver bundle; see bundle.h.
 *
 * Place:   daemon.
 */
#include "daemon/bundle.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/check.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/pathutil.h"
#include "base/plist.h"

/* Where a refusal is written. */
struct report {
	char *text;
	size_t size;
};

__attribute__((format(printf, 3, 4))) static int refuse(const struct report *report, int code,
							const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	if (report->size > 0) {
		(void)vsnprintf(report->text, report->size, format, arguments);
	}
	va_end(arguments);
	return code;
}

static bool is_there(const char *directory, const char *name)
{
	DX_CLEANUP_FREE char *path = dx_path_join(directory, name);

	return path != NULL && access(path, F_OK) == 0;
}

bool dx_bundle_is_at(const char *path)
{
	char *plain = strdup(path);
	bool is = false;

	if (plain == NULL) {
		return false;
	}
	for (size_t length = strlen(plain); length > 1 && plain[length - 1] == '/'; length--) {
		plain[length - 1] = '\0';
	}
	is = dx_path_has_suffix(plain, ".dext") || is_there(plain, "Info.plist") ||
	     is_there(plain, "Contents/Info.plist");
	free(plain);
	return is;
}

/* Resolves the bundle directory itself, so that hosts get an absolute path without links. */
static int bundle_directory(const char *path, const struct report *report, char **ret_path)
{
	struct stat status = {0};
	DX_CLEANUP_FREE char *resolved = realpath(path, NULL);

	if (resolved == NULL) {
		int code = -errno;

		return refuse(report, code, "%s: %s", path, strerror(-code));
	}
	if (stat(resolved, &status) < 0 || !S_ISDIR(status.st_mode)) {
		return refuse(report, -ENOTDIR, "%s: is not a bundle directory", path);
	}
	*ret_path = dx_take_ptr(&resolved);
	return 0;
}

static int read_info(const char *path, const struct report *report, struct dx_dict **ret_info)
{
	DX_CLEANUP_FREE void *bytes = NULL;
	size_t length = 0;
	unsigned line = 0;
	void *value = NULL;
	int r = dx_file_read(path, DX_MAX_PLIST_BYTES, &bytes, &length);

	if (r == -EFBIG) {
		return refuse(report, r, "%s: longer than %u bytes", path, DX_MAX_PLIST_BYTES);
	}
	if (r < 0) {
		return refuse(report, r, "%s: %s", path, strerror(-r));
	}
	r = dx_plist_decode(bytes, length, &value, &line);
	if (r == -E2BIG) {
		return refuse(report, -EPROTO, "%s: nested deeper than %u levels", path,
			      DX_MAX_PLIST_DEPTH);
	}
	if (r == -EPROTO && line > 0) {
		return refuse(report, r, "%s:%u: is not a property list", path, line);
	}
	if (r < 0) {
		return refuse(report, r, "%s: %s", path,
			      r == -EPROTO ? "is not a property list" : strerror(-r));
	}
	if (!dx_object_is_kind(value, &dx_dict_class)) {
		dx_object_unref(value);
		return refuse(report, -EPROTO, "%s: the top of it is not a dictionary", path);
	}
	*ret_info = value;
	return 0;
}

/* A string that must be there (fallback NULL) or may be missing. */
static int get_text(const struct dx_dict *dict, const char *key, const char *fallback,
		    const char *where, const struct report *report, const char **ret_text)
{
	const void *value = dx_dict_get(dict, key);

	if (value == NULL && fallback != NULL) {
		*ret_text = fallback;
		return 0;
	}
	if (value == NULL) {
		return refuse(report, -EPROTO, "%s: key %s is missing", where, key);
	}
	if (!dx_object_is_kind(value, &dx_string_class) || dx_string_length(value) == 0 ||
	    dx_string_length(value) >= DX_MAX_NAME) {
		return refuse(report, -EPROTO, "%s: key %s must be a string of 1 to %u bytes",
			      where, key, DX_MAX_NAME - 1);
	}
	*ret_text = dx_string_get(value);
	return 0;
}

/* Whether all that is loaded lies in the file; the loader would die of a copy that was cut short. */
static bool is_whole(int fd, const Elf64_Ehdr *header, uint64_t length)
{
	if (header->e_phentsize != sizeof(Elf64_Phdr)) {
		return true; /* the loader refuses it */
	}
	for (unsigned i = 0; i < header->e_phnum; i++) {
		Elf64_Phdr segment = {0};
		uint64_t at = 0, end = 0;

		if (dx_add_overflow(header->e_phoff, i * sizeof(segment), &at) ||
		    pread(fd, &segment, sizeof(segment), (off_t)at) != sizeof(segment)) {
			return false;
		}
		if (segment.p_type == PT_LOAD &&
		    (dx_add_overflow(segment.p_offset, segment.p_filesz, &end) || end > length)) {
			return false;
		}
	}
	return true;
}

/* An ELF shared object with this machine's word size and byte order. named: by the property list. */
static int check_elf(const char *path, bool named, const struct report *report)
{
	const unsigned char class = sizeof(void *) == 8 ? ELFCLASS64 : ELFCLASS32;
	union {
		unsigned char ident[EI_NIDENT];
		Elf64_Ehdr header; /* e_type has the same place in both sizes */
	} elf = {{0}};
	struct stat status = {0};
	DX_CLEANUP_FD int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	ssize_t length = 0;

	if (fd < 0) {
		int code = -errno;

		return refuse(report, code, "%s: the driver's executable%s: %s", path,
			      named ? "" : " (no key CFBundleExecutable: the bundle's name counts)",
			      strerror(-code));
	}
	if (fstat(fd, &status) < 0 || !S_ISREG(status.st_mode)) {
		return refuse(report, -EPROTO, "%s: the driver's executable is not a file", path);
	}
	length = read(fd, &elf, sizeof(elf));
	if (length < (ssize_t)sizeof(elf) || memcmp(elf.ident, ELFMAG, SELFMAG) != 0) {
		return refuse(report, -EPROTO, "%s: the driver's executable is not an ELF file",
			      path);
	}
	if (elf.ident[EI_CLASS] != class || elf.header.e_type != ET_DYN) {
		return refuse(report, -EPROTO,
			      "%s: the driver's executable is not a shared object for this machine",
			      path);
	}
	if (class == ELFCLASS64 && !is_whole(fd, &elf.header, (uint64_t)status.st_size)) {
		return refuse(report, -EPROTO, "%s: the driver's executable is cut short", path);
	}
	return 0;
}

/* Name.dext -> Name. */
static char *default_executable(const char *bundle_path)
{
	char *name = strdup(dx_path_base(bundle_path));

	if (name != NULL && dx_path_has_suffix(name, ".dext")) {
		name[strlen(name) - strlen(".dext")] = '\0';
	}
	return name;
}

static char *executable_at(const char *bundle_path, const char *directory, const char *name)
{
	DX_CLEANUP_FREE char *inner = dx_path_join(bundle_path, directory);

	return inner == NULL ? NULL : dx_path_join(inner, name);
}

static int find_executable(struct dx_bundle *bundle, const char *info_path, bool flat,
			   const struct report *report)
{
	DX_CLEANUP_FREE char *fallback = default_executable(bundle->path);
	const char *name = NULL;
	int r = 0;

	if (fallback == NULL) {
		return refuse(report, -ENOMEM, "%s: %s", bundle->path, strerror(ENOMEM));
	}
	r = get_text(bundle->info, "CFBundleExecutable", fallback, info_path, report, &name);
	if (r < 0) {
		return r;
	}
	if (!dx_path_is_plain_name(name)) {
		return refuse(report, -EPROTO,
			      "%s: key CFBundleExecutable must be a plain file name", info_path);
	}
	bundle->executable = flat ? dx_path_join(bundle->path, name)
				  : executable_at(bundle->path, "Contents/MacOS", name);
	if (!flat && bundle->executable != NULL && access(bundle->executable, F_OK) < 0) {
		free(bundle->executable);
		bundle->executable = executable_at(bundle->path, "Contents", name);
	}
	if (bundle->executable == NULL) {
		return refuse(report, -ENOMEM, "%s: %s", bundle->path, strerror(ENOMEM));
	}
	return check_elf(bundle->executable, name != fallback, report);
}

static int read_personality(struct dx_bundle *bundle, const char *info_path, const char *name,
			    const void *value, const struct report *report,
			    struct dx_personality *personality)
{
	char where[PATH_MAX + 256];
	const char *provider = NULL;
	int r = 0;

	(void)snprintf(where, sizeof(where), "%s: IOKitPersonalities.%s", info_path, name);
	if (!dx_object_is_kind(value, &dx_dict_class)) {
		return refuse(report, -EPROTO, "%s: must be a dictionary", where);
	}
	personality->bundle = bundle;
	personality->dict = value;
	personality->one_process = dx_dict_get_bool(value, "IOUserServerOneProcess", false);
	personality->name = strdup(name);
	if (personality->name == NULL) {
		return refuse(report, -ENOMEM, "%s: %s", where, strerror(ENOMEM));
	}
	r = get_text(value, "IOProviderClass", NULL, where, report, &provider);
	if (r == 0) {
		r = get_text(value, "IOUserClass", NULL, where, report, &personality->user_class);
	}
	if (r == 0) {
		r = get_text(value, "IOUserServerName", bundle->identifier, where, report,
			     &personality->server);
	}
	if (r == 0) {
		r = get_text(value, "IOClass", "IOUserService", where, report,
			     &personality->kernel_class);
	}
	if (r == 0) {
		r = get_text(value, "IOMatchCategory", "IODefaultMatchCategory", where, report,
			     &personality->category);
	}
	return r;
}

static int read_personalities(struct dx_bundle *bundle, const char *info_path,
			      const struct report *report)
{
	const void *all = dx_dict_get(bundle->info, "IOKitPersonalities");
	const char *name = NULL;
	void *value = NULL;

	if (!dx_object_is_kind(all, &dx_dict_class) || dx_dict_count(all) == 0) {
		return refuse(report, -EPROTO, "%s: key IOKitPersonalities %s", info_path,
			      all == NULL ? "is missing"
					  : "must be a dictionary with a personality in it");
	}
	if (dx_dict_count(all) > DX_BUNDLE_MAX_PERSONALITIES) {
		return refuse(report, -EPROTO, "%s: key IOKitPersonalities holds more than %u",
			      info_path, DX_BUNDLE_MAX_PERSONALITIES);
	}
	bundle->personalities = calloc(dx_dict_count(all), sizeof(*bundle->personalities));
	if (bundle->personalities == NULL) {
		return refuse(report, -ENOMEM, "%s: %s", info_path, strerror(ENOMEM));
	}
	for (size_t i = 0; dx_dict_at(all, i, &name, &value); i++) {
		int r = 0;

		bundle->nr_personalities = i + 1; /* so that free() sees the half-built one */
		r = read_personality(bundle, info_path, name, value, report,
				     &bundle->personalities[i]);
		if (r < 0) {
			return r;
		}
	}
	return 0;
}

static int bundle_fill(struct dx_bundle *bundle, const char *path, const struct report *report)
{
	DX_CLEANUP_FREE char *info_path = NULL;
	bool flat = false;
	int r = bundle_directory(path, report, &bundle->path);

	if (r < 0) {
		return r;
	}
	flat = !is_there(bundle->path, "Contents/Info.plist");
	info_path = dx_path_join(bundle->path, flat ? "Info.plist" : "Contents/Info.plist");
	if (info_path == NULL) {
		return refuse(report, -ENOMEM, "%s: %s", path, strerror(ENOMEM));
	}
	r = read_info(info_path, report, &bundle->info);
	if (r == 0) {
		r = get_text(bundle->info, "CFBundleIdentifier", NULL, info_path, report,
			     &bundle->identifier);
	}
	if (r == 0) {
		r = read_personalities(bundle, info_path, report);
	}
	if (r == 0) {
		r = find_executable(bundle, info_path, flat, report);
	}
	return r;
}

int dx_bundle_load(const char *path, char *message, size_t message_size,
		   struct dx_bundle **ret_bundle)
{
	const struct report report = {message, message_size};
	struct dx_bundle *bundle = calloc(1, sizeof(*bundle));
	int r = 0;

	if (message_size > 0) {
		message[0] = '\0';
	}
	if (bundle == NULL) {
		return refuse(&report, -ENOMEM, "%s: %s", path, strerror(ENOMEM));
	}
	dx_list_init(&bundle->node);
	r = bundle_fill(bundle, path, &report);
	if (r < 0) {
		(void)dx_bundle_free(bundle);
		return r;
	}
	*ret_bundle = bundle;
	return 0;
}

struct dx_bundle *dx_bundle_free(struct dx_bundle *bundle)
{
	if (bundle != NULL) {
		for (size_t i = 0; i < bundle->nr_personalities; i++) {
			free(bundle->personalities[i].name);
		}
		free(bundle->personalities);
		dx_object_unref(bundle->info);
		free(bundle->path);
		free(bundle->executable);
		free(bundle);
	}
	return NULL;
}
