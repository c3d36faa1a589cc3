/* SPDX-License-Identifier: MIT
 *
 * opendext/iolib.h - memory, locks, time and log lines for drivers.
 */
#ifndef OPENDEXT_IOLIB_H
#define OPENDEXT_IOLIB_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <IOKit/IOReturn.h>
#include <IOKit/IOTypes.h>
#include <mach/mach_time.h>

#pragma GCC visibility push(default)

/* --- Log lines ------------------------------------------------------------------------------- */

/*!
 * Writes one line to the driver's standard error, with the driver's name before it. A newline is
 * added when the text has none.
 * @return number of characters, without name and newline.
 * Threads: any; a line is one write.
 */
int IOLog(const char *format, ...) __attribute__((format(printf, 1, 2)));
/*! IOLog() with a list of arguments. */
int IOLogv(const char *format, va_list arguments) __attribute__((format(printf, 1, 0)));
/*! Writes bytes in hexadecimal, 16 in a line, with the title before each. */
void IOLogBuffer(const char *title, const void *buffer, size_t size);

typedef uint8_t os_log_type_t;
#define OS_LOG_TYPE_DEFAULT ((os_log_type_t)0x00)
#define OS_LOG_TYPE_INFO    ((os_log_type_t)0x01)
#define OS_LOG_TYPE_DEBUG   ((os_log_type_t)0x02)
#define OS_LOG_TYPE_ERROR   ((os_log_type_t)0x10)
#define OS_LOG_TYPE_FAULT   ((os_log_type_t)0x11)

typedef struct os_log_s *os_log_t;
#define OS_LOG_DEFAULT ((os_log_t)0)

/*! Like IOLog(), and takes modifiers in braces, "%{public}s": they are left out; nothing is hidden. */
void OSLogWithType(os_log_t log, os_log_type_t type, const char *format, ...);

#define os_log_with_type(log, type, format, ...) \
	OSLogWithType((log), (type), "" format, ##__VA_ARGS__)
#define os_log(log, format, ...) \
	os_log_with_type(log, OS_LOG_TYPE_DEFAULT, format, ##__VA_ARGS__)
#define os_log_info(log, format, ...) \
	os_log_with_type(log, OS_LOG_TYPE_INFO, format, ##__VA_ARGS__)
#define os_log_debug(log, format, ...) \
	os_log_with_type(log, OS_LOG_TYPE_DEBUG, format, ##__VA_ARGS__)
#define os_log_error(log, format, ...) \
	os_log_with_type(log, OS_LOG_TYPE_ERROR, format, ##__VA_ARGS__)
#define os_log_fault(log, format, ...) \
	os_log_with_type(log, OS_LOG_TYPE_FAULT, format, ##__VA_ARGS__)

/* --- Memory ---------------------------------------------------------------------------------- */

/*! NULL for size 0 or without memory. */
void *IOMalloc(size_t size);
/*! Zeroed. */
void *IOMallocZero(size_t size);
/*! @param length  as given to IOMalloc(). NULL is allowed. */
void IOFree(void *address, size_t length);

/*! Room for count objects of a type, NULL on overflow or without memory. */
#define IONew(type, count)                                                        \
	__extension__({                                                           \
		size_t io_new_size_ = 0;                                          \
		__builtin_mul_overflow(sizeof(type), (size_t)(count), &io_new_size_) \
			? (type *)NULL                                            \
			: (type *)IOMalloc(io_new_size_);                         \
	})
#define IONewZero(type, count)                                                    \
	__extension__({                                                           \
		size_t io_new_size_ = 0;                                          \
		__builtin_mul_overflow(sizeof(type), (size_t)(count), &io_new_size_) \
			? (type *)NULL                                            \
			: (type *)IOMallocZero(io_new_size_);                     \
	})
#define IODelete(pointer, type, count) IOFree((pointer), sizeof(type) * (size_t)(count))
#define IOSafeDeleteNULL(pointer, type, count)           \
	do {                                             \
		if ((pointer) != NULL) {                 \
			IODelete(pointer, type, count);  \
			(pointer) = NULL;                \
		}                                        \
	} while (0)

/* --- Time ------------------------------------------------------------------------------------ */

#ifndef NSEC_PER_SEC
#define NSEC_PER_SEC 1000000000ull
#endif

/*! Waits; other queues of the driver go on. */
void IOSleep(uint64_t milliseconds);
/*! Waits without giving the processor away; for a few microseconds. */
void IODelay(uint64_t microseconds);

/* --- Locks ----------------------------------------------------------------------------------- */

/* Waiting for a lock stops the calling queue only. A lock is released by the thread that took it, and
 * not held across IODispatchQueueSleep(). */
typedef struct IOLock IOLock;
typedef struct IORecursiveLock IORecursiveLock;
typedef struct IORWLock IORWLock;

typedef enum { kIOLockAssertOwned = 1, kIOLockAssertNotOwned = 2 } IOLockAssertState;

/*! A mutual exclusion. NULL without memory. */
IOLock *IOLockAlloc(void);
/*! Nobody may hold it. */
void IOLockFree(IOLock *lock);
/*! Waits until the lock is free and takes it; not twice by one thread. */
void IOLockLock(IOLock *lock);
/*! Takes it if it is free. @return whether it did. */
bool IOLockTryLock(IOLock *lock);
/*! By the thread that took it. */
void IOLockUnlock(IOLock *lock);
/*! Ends the process with one line when the lock is not in that state. */
void IOLockAssert(IOLock *lock, IOLockAssertState state);

/*! A lock that its holder may take again. NULL without memory. */
IORecursiveLock *IORecursiveLockAlloc(void);
/*! Nobody may hold it. */
void IORecursiveLockFree(IORecursiveLock *lock);
/*! Each one needs an unlock. */
void IORecursiveLockLock(IORecursiveLock *lock);
/*! Takes it if no other thread has it. @return whether it did. */
bool IORecursiveLockTryLock(IORecursiveLock *lock);
/*! Undoes one lock. */
void IORecursiveLockUnlock(IORecursiveLock *lock);
/*! Whether the calling thread holds it. */
bool IORecursiveLockHaveLock(const IORecursiveLock *lock);

/*! A lock for many readers or one writer. NULL without memory. */
IORWLock *IORWLockAlloc(void);
/*! Nobody may hold it. */
void IORWLockFree(IORWLock *lock);
/*! Waits until no one writes; other readers may hold it too. */
void IORWLockRead(IORWLock *lock);
/*! Waits until no one else holds it. */
void IORWLockWrite(IORWLock *lock);
/*! Ends a read or a write. */
void IORWLockUnlock(IORWLock *lock);

#define IOLockFreeZero(lock) do { IOLockFree(lock); (lock) = NULL; } while (0)
#define IORecursiveLockFreeZero(lock) do { IORecursiveLockFree(lock); (lock) = NULL; } while (0)
#define IORWLockFreeZero(lock) do { IORWLockFree(lock); (lock) = NULL; } while (0)

/* --- Small things ---------------------------------------------------------------------------- */

/*! CRC-32 as zlib counts it; start with 0. */
uint32_t crc32(uint32_t crc, const void *buffer, size_t size);
/*! A full memory barrier. */
void OSSynchronizeIO(void);
/*! 16.16 fixed point. The quotient of a division by 0 is the largest number of the right sign. */
IOFixed IOFixedMultiply(IOFixed a, IOFixed b);
/*! a / b, in 16.16 fixed point. */
IOFixed IOFixedDivide(IOFixed a, IOFixed b);
/*! Bytes of a page. */
extern uint64_t IOVMPageSize;

#pragma GCC visibility pop

#endif
