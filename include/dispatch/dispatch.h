/* SPDX-License-Identifier: MIT
 *
 * dispatch - serial queues and semaphores, as far as programs use them with IOKit.
 *
 * A queue runs functions or blocks one after the other, each on some thread of its own. The main
 * queue runs them on the main thread, while that is in dispatch_main() or in its run loop. Functions
 * that take blocks are there for compilers with blocks (clang -fblocks); the program links the
 * blocks runtime then. All functions may be called from any thread. Nothing here may be used in a
 * child after fork() without exec.
 */
#ifndef OPENDEXT_DISPATCH_DISPATCH_H
#define OPENDEXT_DISPATCH_DISPATCH_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/*! A queue, a semaphore, either of them. */
typedef struct dispatch_queue_s *dispatch_queue_t;
typedef struct dispatch_semaphore_s *dispatch_semaphore_t;
typedef void *dispatch_object_t;
/*! How a queue is made: one of the two below. */
typedef const struct dispatch_queue_attr_s *dispatch_queue_attr_t;
/*! What a queue runs. */
typedef void (*dispatch_function_t)(void *context);
#ifdef __BLOCKS__
typedef void (^dispatch_block_t)(void);
#endif
/*! A time of dispatch_time(): nanoseconds of the monotonic clock. */
typedef uint64_t dispatch_time_t;

extern const struct dispatch_queue_attr_s _dispatch_queue_attr_concurrent;

/*! One item at a time; several at a time. */
#define DISPATCH_QUEUE_SERIAL	  ((dispatch_queue_attr_t)NULL)
#define DISPATCH_QUEUE_CONCURRENT (&_dispatch_queue_attr_concurrent)

#define DISPATCH_TIME_NOW     ((dispatch_time_t)0)
#define DISPATCH_TIME_FOREVER (~(dispatch_time_t)0)

#ifndef NSEC_PER_SEC
#define NSEC_PER_SEC 1000000000ull
#endif
#ifndef NSEC_PER_MSEC
#define NSEC_PER_MSEC 1000000ull
#endif
#ifndef NSEC_PER_USEC
#define NSEC_PER_USEC 1000ull
#endif
#ifndef USEC_PER_SEC
#define USEC_PER_SEC 1000000ull
#endif

/*! Kinds of global queues; one queue serves all of them. */
#define DISPATCH_QUEUE_PRIORITY_HIGH	   2
#define DISPATCH_QUEUE_PRIORITY_DEFAULT	   0
#define DISPATCH_QUEUE_PRIORITY_LOW	   (-2)
#define DISPATCH_QUEUE_PRIORITY_BACKGROUND INT16_MIN

/*!
 * Makes a queue.
 * @param label  a name for people, copied; may be NULL.
 * @param attr   DISPATCH_QUEUE_SERIAL or DISPATCH_QUEUE_CONCURRENT.
 * @return the queue, +1; NULL without memory.
 * Owner: the caller, until dispatch_release(). What was put on it runs all the same.
 */
dispatch_queue_t dispatch_queue_create(const char *label, dispatch_queue_attr_t attr);

/*!
 * The queue of the main thread.
 * @return the queue, the same each time; counting it does nothing.
 */
dispatch_queue_t dispatch_get_main_queue(void);

/*!
 * A concurrent queue that is always there.
 * @param identifier  which; they are all one here.
 * @param flags       0.
 * @return the queue; NULL for other flags. Counting it does nothing.
 */
dispatch_queue_t dispatch_get_global_queue(intptr_t identifier, uintptr_t flags);

/*!
 * The name of a queue.
 * @param queue  the queue.
 * @return what it was made with, "" for none. Borrowed.
 */
const char *dispatch_queue_get_label(dispatch_queue_t queue);

/*!
 * Runs the main queue on the main thread.
 * Blocks: for ever. Call it from main() alone.
 */
void dispatch_main(void) __attribute__((noreturn));

/*!
 * Adds a reference.
 * @param object  a queue or a semaphore.
 */
void dispatch_retain(dispatch_object_t object);

/*!
 * Gives a reference back; the last one ends the object, a queue when it is empty.
 * @param object  a queue or a semaphore.
 */
void dispatch_release(dispatch_object_t object);

/*!
 * Runs work(context) on the queue, later.
 * @param queue    where.
 * @param context  for work.
 * @param work     what.
 * Differs: ends the program when there is no memory for it, or no thread.
 */
void dispatch_async_f(dispatch_queue_t queue, void *context, dispatch_function_t work);

/*!
 * Runs work(context) on the queue and waits for its end.
 * @param queue    where; not the queue that the caller runs on: that ends the program.
 * @param context  for work.
 * @param work     what.
 * Blocks: until all that was there before has run, and work.
 */
void dispatch_sync_f(dispatch_queue_t queue, void *context, dispatch_function_t work);

#ifdef __BLOCKS__
/*!
 * dispatch_async_f() for a block, which is copied.
 * @param queue  where.
 * @param block  what.
 */
void dispatch_async(dispatch_queue_t queue, dispatch_block_t block);

/*!
 * dispatch_sync_f() for a block.
 * @param queue  where.
 * @param block  what.
 */
void dispatch_sync(dispatch_queue_t queue, dispatch_block_t block);
#endif

/*!
 * A time from now, or from another.
 * @param when   DISPATCH_TIME_NOW or a result of this function.
 * @param delta  nanoseconds.
 * @return the time; DISPATCH_TIME_FOREVER if it is too late to be told.
 */
dispatch_time_t dispatch_time(dispatch_time_t when, int64_t delta);

/*!
 * Makes a counting semaphore.
 * @param value  where it starts.
 * @return +1; NULL below 0, or without memory.
 * Owner: the caller, until dispatch_release().
 */
dispatch_semaphore_t dispatch_semaphore_create(intptr_t value);

/*!
 * Takes one, waiting for it.
 * @param semaphore  the semaphore.
 * @param timeout    when to give up; DISPATCH_TIME_NOW does not wait.
 * @return 0; not 0 when the time is over.
 */
intptr_t dispatch_semaphore_wait(dispatch_semaphore_t semaphore, dispatch_time_t timeout);

/*!
 * Gives one.
 * @param semaphore  the semaphore.
 * @return not 0 when somebody waited.
 */
intptr_t dispatch_semaphore_signal(dispatch_semaphore_t semaphore);

#ifdef __cplusplus
}
#endif

#endif
