/* SPDX-License-Identifier: MIT
 *
 * file - whole files of bounded size, and private directories that go away again.
 *
 * Place:   base. Bundles, device descriptions, the socket directory of a private broker.
 * Trust:   the path is the caller's choice; what lies there is not, so type and size are checked
 *          on the open descriptor.
 */
#ifndef DX_BASE_FILE_H
#define DX_BASE_FILE_H

#include <stddef.h>

/*
 * Reads a regular file whole. One NUL that is not counted follows the bytes.
 * @return 0 and malloc'd bytes; -EFBIG longer than max_bytes; -EISDIR; -EINVAL neither file nor
 *         directory (a device, a pipe); the errno of open or read.
 */
int dx_file_read(const char *path, size_t max_bytes, void **ret_bytes, size_t *ret_length);

/* Writes all of it. @return 0; the errno of write, -EIO if it stops short without one. */
int dx_file_write_fd(int fd, const void *bytes, size_t length);

/*
 * A new directory of mode 0700 in $XDG_RUNTIME_DIR, $TMPDIR or /tmp, the first that is set and
 * lets us. Its name starts with prefix, which must be a plain name.
 * @return 0 and a malloc'd absolute path; a negative errno.
 */
int dx_private_dir_new(const char *prefix, char **ret_path);

/*
 * Removes a directory and all that is in it; follows no symbolic link, enters no other file system.
 * @return 0; the first error, after the rest has been removed as far as it goes. -ELOOP deeper
 *         than DX_MAX_REMOVE_DEPTH.
 */
int dx_private_dir_remove(const char *path);

#endif
