/* SPDX-License-Identifier: MIT
 *
 * sleepers - an application and a driver that never spin: each wait of either is a sleep and a wake-up.
 *
 * Who is allowed one core only has nothing to gain from spinning and has no budget for it. Here the
 * application has one core and the driver another, from before either starts: the broker and its
 * driver are a second system, and the application is a child that has not used libIOKit before.
 */
#ifndef DX_BENCH_SLEEPERS_H
#define DX_BENCH_SLEEPERS_H

struct sleepers_slice {
	double call_ns;       /* median */
	double driver_sleeps; /* voluntary context switches of the driver, for each call */
};

/* Forks the application, which starts the rest. To be called before this program uses libIOKit or has
 * threads. Ends the program when it fails. */
void sleepers_start(void);
void sleepers_stop(void);
/* Calls one after the other, over about ms milliseconds. */
struct sleepers_slice sleepers_call(unsigned ms);

#endif
