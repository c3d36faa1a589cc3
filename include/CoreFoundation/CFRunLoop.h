/* SPDX-License-Identifier: MIT
 *
 * CFRunLoop - one thread waits for many things and calls back for each.
 *
 * Every thread has one run loop. A run waits in one epoll for the sources and timers of one mode.
 */
#ifndef OPENDEXT_COREFOUNDATION_CFRUNLOOP_H
#define OPENDEXT_COREFOUNDATION_CFRUNLOOP_H

#include <CoreFoundation/CFBase.h>
#include <CoreFoundation/CFDate.h>
#include <CoreFoundation/CFString.h>

CF_EXTERN_C_BEGIN

/*! A run loop; something that calls back when signalled; something that calls back in time. */
typedef struct __CFRunLoop *CFRunLoopRef;
typedef struct __CFRunLoopSource *CFRunLoopSourceRef;
typedef struct __CFRunLoopTimer *CFRunLoopTimerRef;

/*! Names a set of sources and timers. */
typedef CFStringRef CFRunLoopMode;

/*! The usual mode; in CFRunLoopAdd*(): all modes that are common, which is the usual one. */
CF_EXPORT const CFRunLoopMode kCFRunLoopDefaultMode;
CF_EXPORT const CFRunLoopMode kCFRunLoopCommonModes;

/*! Why CFRunLoopRunInMode() returned. */
typedef SInt32 CFRunLoopRunResult;
enum {
	kCFRunLoopRunFinished = 1,
	kCFRunLoopRunStopped = 2,
	kCFRunLoopRunTimedOut = 3,
	kCFRunLoopRunHandledSource = 4
};

/*! What a source does. version is 0; perform is called on the run loop's thread. */
typedef struct {
	CFIndex version;
	void *info;
	const void *(*retain)(const void *info);
	void (*release)(const void *info);
	CFStringRef (*copyDescription)(const void *info);
	Boolean (*equal)(const void *info1, const void *info2);
	CFHashCode (*hash)(const void *info);
	void (*schedule)(void *info, CFRunLoopRef rl, CFRunLoopMode mode);
	void (*cancel)(void *info, CFRunLoopRef rl, CFRunLoopMode mode);
	void (*perform)(void *info);
} CFRunLoopSourceContext;

/*! What goes with a timer. version is 0. */
typedef struct {
	CFIndex version;
	void *info;
	const void *(*retain)(const void *info);
	void (*release)(const void *info);
	CFStringRef (*copyDescription)(const void *info);
} CFRunLoopTimerContext;

/*! What a timer calls. */
typedef void (*CFRunLoopTimerCallBack)(CFRunLoopTimerRef timer, void *info);

/*! @return the type number of run loops. Threads: any. */
CF_EXPORT CFTypeID CFRunLoopGetTypeID(void);
/*! @return the type number of sources. Threads: any. */
CF_EXPORT CFTypeID CFRunLoopSourceGetTypeID(void);
/*! @return the type number of timers. Threads: any. */
CF_EXPORT CFTypeID CFRunLoopTimerGetTypeID(void);

/*!
 * The run loop of this thread, made on first use and gone when the thread ends.
 * @return borrowed; NULL without memory or file descriptors.
 */
CF_EXPORT CFRunLoopRef CFRunLoopGetCurrent(void);

/*!
 * The run loop of the thread that runs main().
 * @return borrowed.
 * Threads: any.
 */
CF_EXPORT CFRunLoopRef CFRunLoopGetMain(void);

/*!
 * The mode in which a run loop runs.
 * @param rl  a run loop.
 * @return +1; NULL when it does not run.
 */
CF_EXPORT CFRunLoopMode CFRunLoopCopyCurrentMode(CFRunLoopRef rl);

/*!
 * Runs the usual mode until CFRunLoopStop(), or until it has no sources and timers left.
 * Blocks: until then.
 * Differs: a port all of whose connections were ended by their drivers, and that has no subscriptions,
 *          counts as none: nothing can come to it. See <opendext/client.h>.
 * Threads: runs the loop of the calling thread; callbacks may run it again inside.
 */
CF_EXPORT void CFRunLoopRun(void);

/*!
 * Runs one mode.
 * @param mode                      which; kCFRunLoopCommonModes is no mode to run.
 * @param seconds                   longest wait; 0 handles what is ready and returns.
 * @param returnAfterSourceHandled  true: return after one round that handled a source.
 * @return kCFRunLoopRunFinished when the mode is empty (see CFRunLoopRun()), ...Stopped, ...TimedOut,
 *         ...HandledSource. Timers do not count as sources.
 * Blocks: as the arguments say; CFRunLoopStop() and CFRunLoopWakeUp() from any thread end a wait.
 */
CF_EXPORT CFRunLoopRunResult CFRunLoopRunInMode(CFRunLoopMode mode, CFTimeInterval seconds,
						Boolean returnAfterSourceHandled);

/*!
 * Tells whether a run loop sleeps.
 * @param rl  a run loop.
 * @return true while its thread waits.
 */
CF_EXPORT Boolean CFRunLoopIsWaiting(CFRunLoopRef rl);

/*!
 * Makes a run loop look at its sources again.
 * @param rl  a run loop.
 * Threads: any.
 */
CF_EXPORT void CFRunLoopWakeUp(CFRunLoopRef rl);

/*!
 * Ends the innermost run of a run loop, or its next one if it does not run.
 * @param rl  a run loop.
 * Threads: any.
 */
CF_EXPORT void CFRunLoopStop(CFRunLoopRef rl);

#ifdef __BLOCKS__
/*!
 * Runs a block once on the thread of a run loop, in its next round. Follow it with CFRunLoopWakeUp()
 * when that loop may be asleep.
 * @param rl     a run loop.
 * @param mode   a mode, or a CFArray of modes in any of which it may run.
 * @param block  copied; needs the blocks runtime. Without memory nothing happens.
 * Threads: any.
 */
CF_EXPORT void CFRunLoopPerformBlock(CFRunLoopRef rl, CFTypeRef mode, void (^block)(void));
#endif

/*!
 * Adds a source to a mode; adding it twice counts once.
 * @param rl      a run loop.
 * @param source  retained; an invalidated one is ignored.
 * @param mode    any name; it comes into being.
 * Threads: any.
 */
CF_EXPORT void CFRunLoopAddSource(CFRunLoopRef rl, CFRunLoopSourceRef source, CFRunLoopMode mode);

/*!
 * Takes a source out of a mode.
 * @param rl      a run loop.
 * @param source  the source.
 * @param mode    the mode.
 * Threads: any.
 */
CF_EXPORT void CFRunLoopRemoveSource(CFRunLoopRef rl, CFRunLoopSourceRef source, CFRunLoopMode mode);

/*!
 * Tells whether a source is in a mode.
 * @param rl      a run loop.
 * @param source  the source.
 * @param mode    the mode.
 * @return true if so.
 * Threads: any.
 */
CF_EXPORT Boolean CFRunLoopContainsSource(CFRunLoopRef rl, CFRunLoopSourceRef source,
					  CFRunLoopMode mode);

/*!
 * Adds a timer to a mode.
 * @param rl     a run loop.
 * @param timer  retained; an invalidated one is ignored.
 * @param mode   any name.
 * Threads: any.
 */
CF_EXPORT void CFRunLoopAddTimer(CFRunLoopRef rl, CFRunLoopTimerRef timer, CFRunLoopMode mode);

/*!
 * Takes a timer out of a mode.
 * @param rl     a run loop.
 * @param timer  the timer.
 * @param mode   the mode.
 * Threads: any.
 */
CF_EXPORT void CFRunLoopRemoveTimer(CFRunLoopRef rl, CFRunLoopTimerRef timer, CFRunLoopMode mode);

/*!
 * Tells whether a timer is in a mode.
 * @param rl     a run loop.
 * @param timer  the timer.
 * @param mode   the mode.
 * @return true if so.
 * Threads: any.
 */
CF_EXPORT Boolean CFRunLoopContainsTimer(CFRunLoopRef rl, CFRunLoopTimerRef timer,
					 CFRunLoopMode mode);

/*!
 * Makes a source that a program signals itself.
 * @param allocator  ignored.
 * @param order      lower ones are called first.
 * @param context    copied; version must be 0. info goes through retain and release.
 * @return +1; NULL without memory or for another version.
 */
CF_EXPORT CFRunLoopSourceRef CFRunLoopSourceCreate(CFAllocatorRef allocator, CFIndex order,
						   CFRunLoopSourceContext *context);

/*!
 * The order of a source.
 * @param source  a source.
 * @return as given at creation.
 */
CF_EXPORT CFIndex CFRunLoopSourceGetOrder(CFRunLoopSourceRef source);

/*!
 * Takes a source out of all run loops for good.
 * @param source  a source.
 * Threads: any; on the run loop's thread perform is not called afterwards.
 */
CF_EXPORT void CFRunLoopSourceInvalidate(CFRunLoopSourceRef source);

/*!
 * Tells whether a source has not been invalidated.
 * @param source  a source.
 * @return true if it can be used.
 */
CF_EXPORT Boolean CFRunLoopSourceIsValid(CFRunLoopSourceRef source);

/*!
 * Copies the context of a source.
 * @param source   a source.
 * @param context  receives it; version must be 0 on entry.
 */
CF_EXPORT void CFRunLoopSourceGetContext(CFRunLoopSourceRef source, CFRunLoopSourceContext *context);

/*!
 * Marks a source: the next round of its run loop calls perform once. Follow it with
 * CFRunLoopWakeUp() when that loop may be asleep.
 * @param source  a source.
 * Threads: any.
 */
CF_EXPORT void CFRunLoopSourceSignal(CFRunLoopSourceRef source);

/*!
 * Makes a timer.
 * @param allocator  ignored.
 * @param fireDate   when it fires first.
 * @param interval   seconds between firings; 0 or less: it fires once and is invalidated.
 * @param flags      0.
 * @param order      ignored.
 * @param callout    called on the run loop's thread.
 * @param context    copied; may be NULL.
 * @return +1; NULL without memory.
 */
CF_EXPORT CFRunLoopTimerRef CFRunLoopTimerCreate(CFAllocatorRef allocator, CFAbsoluteTime fireDate,
						 CFTimeInterval interval, CFOptionFlags flags,
						 CFIndex order, CFRunLoopTimerCallBack callout,
						 CFRunLoopTimerContext *context);

/*!
 * When a timer fires next.
 * @param timer  a timer.
 * @return the date.
 */
CF_EXPORT CFAbsoluteTime CFRunLoopTimerGetNextFireDate(CFRunLoopTimerRef timer);

/*!
 * Changes when a timer fires next.
 * @param timer     a timer.
 * @param fireDate  the date.
 * Threads: any.
 */
CF_EXPORT void CFRunLoopTimerSetNextFireDate(CFRunLoopTimerRef timer, CFAbsoluteTime fireDate);

/*!
 * Tells whether a timer fires again and again.
 * @param timer  a timer.
 * @return true if its interval is above 0.
 */
CF_EXPORT Boolean CFRunLoopTimerDoesRepeat(CFRunLoopTimerRef timer);

/*!
 * Takes a timer out of all run loops for good.
 * @param timer  a timer.
 * Threads: any.
 */
CF_EXPORT void CFRunLoopTimerInvalidate(CFRunLoopTimerRef timer);

/*!
 * Tells whether a timer has not been invalidated.
 * @param timer  a timer.
 * @return true if it can fire.
 */
CF_EXPORT Boolean CFRunLoopTimerIsValid(CFRunLoopTimerRef timer);

CF_EXTERN_C_END

#endif
