/* SPDX-License-Identifier: MIT
 *
 * ioreturn - the only table between negative errno values and IOReturn codes.
 *
 * Invariants:
 *   E1  several errno values may share a code; the first row of a code is its way back.
 */
#include "base/ioreturn.h"

#include <errno.h>
#include <stddef.h>

#include "base/check.h"

struct pair {
	int error;
	int32_t code;
};

static const struct pair pairs[] = {
	{ENOMEM, DX_IORETURN_NO_MEMORY},
	{ENOBUFS, DX_IORETURN_NO_RESOURCES},
	{EMFILE, DX_IORETURN_NO_RESOURCES},
	{ENFILE, DX_IORETURN_NO_RESOURCES},
	{EDQUOT, DX_IORETURN_NO_RESOURCES},
	{EPROTO, DX_IORETURN_IPC_ERROR},
	{ENODEV, DX_IORETURN_NO_DEVICE},
	{ENXIO, DX_IORETURN_NO_DEVICE},
	{EACCES, DX_IORETURN_NOT_PRIVILEGED},
	{EINVAL, DX_IORETURN_BAD_ARGUMENT},
	{E2BIG, DX_IORETURN_BAD_ARGUMENT},
	{ENAMETOOLONG, DX_IORETURN_BAD_ARGUMENT},
	{ERANGE, DX_IORETURN_BAD_ARGUMENT},
	{EEXIST, DX_IORETURN_EXCLUSIVE_ACCESS},
	{EADDRINUSE, DX_IORETURN_EXCLUSIVE_ACCESS},
	{EBADMSG, DX_IORETURN_BAD_MESSAGE_ID},
	{EOPNOTSUPP, DX_IORETURN_UNSUPPORTED},
	{ENOSYS, DX_IORETURN_UNSUPPORTED},
	{ENOTTY, DX_IORETURN_UNSUPPORTED},
	{EPROTONOSUPPORT, DX_IORETURN_UNSUPPORTED},
	{EFAULT, DX_IORETURN_VM_ERROR},
	{EIO, DX_IORETURN_IO_ERROR},
	{ENOLCK, DX_IORETURN_CANNOT_LOCK},
	{EBADF, DX_IORETURN_NOT_OPEN},
	{EROFS, DX_IORETURN_NOT_WRITABLE},
	{EALREADY, DX_IORETURN_STILL_OPEN},
	{EBUSY, DX_IORETURN_BUSY},
	{ETIMEDOUT, DX_IORETURN_TIMEOUT},
	{ECONNRESET, DX_IORETURN_OFFLINE},
	{EPIPE, DX_IORETURN_OFFLINE},
	{ECONNREFUSED, DX_IORETURN_OFFLINE},
	{EOWNERDEAD, DX_IORETURN_OFFLINE},
	{EAGAIN, DX_IORETURN_NOT_READY},
	{ENOTCONN, DX_IORETURN_NOT_ATTACHED},
	{ENOSPC, DX_IORETURN_NO_SPACE},
	{EFBIG, DX_IORETURN_NO_SPACE},
	{EMSGSIZE, DX_IORETURN_MESSAGE_TOO_LARGE},
	{EPERM, DX_IORETURN_NOT_PERMITTED},
	{EREMOTEIO, DX_IORETURN_UNDERRUN},
	{EOVERFLOW, DX_IORETURN_OVERRUN},
	{ECANCELED, DX_IORETURN_ABORTED},
	{EINTR, DX_IORETURN_ABORTED},
	{EHOSTDOWN, DX_IORETURN_NOT_RESPONDING},
	{ESHUTDOWN, DX_IORETURN_NOT_RESPONDING},
	{ENOENT, DX_IORETURN_NOT_FOUND},
	{ESRCH, DX_IORETURN_NOT_FOUND},
};

struct name {
	int32_t code;
	const char *text;
};

static const struct name names[] = {
	{DX_IORETURN_SUCCESS, "kIOReturnSuccess"},
#define DX_IORETURN_ROW(constant, name, number) {DX_IORETURN_##constant, "kIOReturn" #name},
	DX_IORETURN_CODES(DX_IORETURN_ROW)
#undef DX_IORETURN_ROW
	{DX_IORETURN_SEND_INVALID_DEST, "MACH_SEND_INVALID_DEST"},
	{DX_IORETURN_MIG_ARRAY_TOO_LARGE, "MIG_ARRAY_TOO_LARGE"},
	{DX_IORETURN_MIG_SERVER_DIED, "MIG_SERVER_DIED"},
	{DX_IORETURN_PIPE_STALLED, "kUSBHostReturnPipeStalled"},
};

int32_t dx_ioreturn_from_errno(int negative_errno)
{
	if (negative_errno >= 0) {
		return DX_IORETURN_SUCCESS;
	}
	for (size_t i = 0; i < DX_ARRAY_SIZE(pairs); i++) {
		if (pairs[i].error == -negative_errno) {
			return pairs[i].code;
		}
	}
	return DX_IORETURN_ERROR;
}

int dx_ioreturn_to_errno(int32_t code)
{
	if (code == DX_IORETURN_SUCCESS) {
		return 0;
	}
	for (size_t i = 0; i < DX_ARRAY_SIZE(pairs); i++) {
		if (pairs[i].code == code) {
			return -pairs[i].error;
		}
	}
	return -EIO;
}

const char *dx_ioreturn_name(int32_t code)
{
	for (size_t i = 0; i < DX_ARRAY_SIZE(names); i++) {
		if (names[i].code == code) {
			return names[i].text;
		}
	}
	return NULL;
}
