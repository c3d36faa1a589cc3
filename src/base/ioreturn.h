/* SPDX-License-Identifier: MIT
 *
 * ioreturn - the only table between negative errno values and IOReturn codes.
 *
 * Place:   base. client, driver and usb translate at their public border with it. The numbers are
 *          those of the public <IOKit/IOReturn.h>, which this room must not include; a contract
 *          test compares the two.
 */
#ifndef DX_BASE_IORETURN_H
#define DX_BASE_IORETURN_H

#include <stdint.h>

/* X(constant, public name, number) for every common code but success. */
#define DX_IORETURN_CODES(X) \
	X(INVALID, Invalid, 0xE0000001u) \
	X(ERROR, Error, 0xE00002BCu) \
	X(NO_MEMORY, NoMemory, 0xE00002BDu) \
	X(NO_RESOURCES, NoResources, 0xE00002BEu) \
	X(IPC_ERROR, IPCError, 0xE00002BFu) \
	X(NO_DEVICE, NoDevice, 0xE00002C0u) \
	X(NOT_PRIVILEGED, NotPrivileged, 0xE00002C1u) \
	X(BAD_ARGUMENT, BadArgument, 0xE00002C2u) \
	X(LOCKED_READ, LockedRead, 0xE00002C3u) \
	X(LOCKED_WRITE, LockedWrite, 0xE00002C4u) \
	X(EXCLUSIVE_ACCESS, ExclusiveAccess, 0xE00002C5u) \
	X(BAD_MESSAGE_ID, BadMessageID, 0xE00002C6u) \
	X(UNSUPPORTED, Unsupported, 0xE00002C7u) \
	X(VM_ERROR, VMError, 0xE00002C8u) \
	X(INTERNAL_ERROR, InternalError, 0xE00002C9u) \
	X(IO_ERROR, IOError, 0xE00002CAu) \
	X(CANNOT_LOCK, CannotLock, 0xE00002CCu) \
	X(NOT_OPEN, NotOpen, 0xE00002CDu) \
	X(NOT_READABLE, NotReadable, 0xE00002CEu) \
	X(NOT_WRITABLE, NotWritable, 0xE00002CFu) \
	X(NOT_ALIGNED, NotAligned, 0xE00002D0u) \
	X(BAD_MEDIA, BadMedia, 0xE00002D1u) \
	X(STILL_OPEN, StillOpen, 0xE00002D2u) \
	X(RLD_ERROR, RLDError, 0xE00002D3u) \
	X(DMA_ERROR, DMAError, 0xE00002D4u) \
	X(BUSY, Busy, 0xE00002D5u) \
	X(TIMEOUT, Timeout, 0xE00002D6u) \
	X(OFFLINE, Offline, 0xE00002D7u) \
	X(NOT_READY, NotReady, 0xE00002D8u) \
	X(NOT_ATTACHED, NotAttached, 0xE00002D9u) \
	X(NO_CHANNELS, NoChannels, 0xE00002DAu) \
	X(NO_SPACE, NoSpace, 0xE00002DBu) \
	X(PORT_EXISTS, PortExists, 0xE00002DDu) \
	X(CANNOT_WIRE, CannotWire, 0xE00002DEu) \
	X(NO_INTERRUPT, NoInterrupt, 0xE00002DFu) \
	X(NO_FRAMES, NoFrames, 0xE00002E0u) \
	X(MESSAGE_TOO_LARGE, MessageTooLarge, 0xE00002E1u) \
	X(NOT_PERMITTED, NotPermitted, 0xE00002E2u) \
	X(NO_POWER, NoPower, 0xE00002E3u) \
	X(NO_MEDIA, NoMedia, 0xE00002E4u) \
	X(UNFORMATTED_MEDIA, UnformattedMedia, 0xE00002E5u) \
	X(UNSUPPORTED_MODE, UnsupportedMode, 0xE00002E6u) \
	X(UNDERRUN, Underrun, 0xE00002E7u) \
	X(OVERRUN, Overrun, 0xE00002E8u) \
	X(DEVICE_ERROR, DeviceError, 0xE00002E9u) \
	X(NO_COMPLETION, NoCompletion, 0xE00002EAu) \
	X(ABORTED, Aborted, 0xE00002EBu) \
	X(NO_BANDWIDTH, NoBandwidth, 0xE00002ECu) \
	X(NOT_RESPONDING, NotResponding, 0xE00002EDu) \
	X(ISO_TOO_OLD, IsoTooOld, 0xE00002EEu) \
	X(ISO_TOO_NEW, IsoTooNew, 0xE00002EFu) \
	X(NOT_FOUND, NotFound, 0xE00002F0u)

/* DX_IORETURN_BAD_ARGUMENT and so on, as int32_t values. */
enum dx_ioreturn {
	DX_IORETURN_SUCCESS = 0,
#define DX_IORETURN_ENUM(constant, name, number) DX_IORETURN_##constant = (int32_t)(number),
	DX_IORETURN_CODES(DX_IORETURN_ENUM)
#undef DX_IORETURN_ENUM
};

/* Codes outside the common range that applications can see. */
#define DX_IORETURN_SEND_INVALID_DEST ((int32_t)0x10000003) /* MACH_SEND_INVALID_DEST */
#define DX_IORETURN_MIG_ARRAY_TOO_LARGE (-307)
#define DX_IORETURN_MIG_SERVER_DIED   (-308)
#define DX_IORETURN_PIPE_STALLED      ((int32_t)0xE0005000) /* kUSBHostReturnPipeStalled */

/* 0 or positive -> kIOReturnSuccess; unknown errno -> kIOReturnError. */
int32_t dx_ioreturn_from_errno(int negative_errno);
/* The way back, for codes that the table holds; -EIO otherwise. 0 for success. */
int dx_ioreturn_to_errno(int32_t code);
/* "kIOReturnBadArgument", or NULL for a code that has no name here. */
const char *dx_ioreturn_name(int32_t code);

#endif
