/* SPDX-License-Identifier: MIT
 *
 * cf_block - blocks that a run loop runs once.
 *
 * Place:      client, beside cf_runloop.c. As in dispatch.c a block is a pointer to a structure with
 *             its function in it, so that the compiler of this file need not know blocks.
 * Invariant:
 *   L1  a block is run by the loop in the order of the calls, among those of one mode; one that was
 *       added by a block waits for the next round.
 */
#include <stdlib.h>

#include "client/cf.h"
#include "client/runloop.h"

/* The head of every block. */
struct block {
	void *isa;
	int flags;
	int reserved;
	void (*invoke)(struct block *self);
};

struct waiting {
	struct dx_list node;
	const void *modes; /* counted: a name, or an array of names */
	struct block *block;
};

void *_Block_copy(const void *block) __attribute__((weak));
void _Block_release(const void *block) __attribute__((weak));
/* For programs; declared in the header only where blocks are known. */
void CFRunLoopPerformBlock(CFRunLoopRef rl, CFTypeRef mode, void *block);

static void waiting_free(struct waiting *waiting)
{
	_Block_release(waiting->block);
	(void)dx_object_unref(waiting->modes); /* always NULL */
	free(waiting);
}

static struct waiting *waiting_new(const void *modes, const void *block)
{
	struct waiting *waiting = calloc(1, sizeof(*waiting));

	if (waiting == NULL) {
		return NULL;
	}
	waiting->block = _Block_copy(block);
	if (waiting->block == NULL) {
		free(waiting);
		return NULL;
	}
	waiting->modes = dx_object_ref(modes);
	return waiting;
}

void CFRunLoopPerformBlock(CFRunLoopRef rl, CFTypeRef mode, void *block)
{
	if (_Block_copy == NULL || _Block_release == NULL) {
		(void)fputs("CFRunLoopPerformBlock: the program is not linked with the blocks runtime\n",
			    stderr); /* the program ends here */
		abort();
	}
	if (rl == NULL || mode == NULL || block == NULL) {
		return;
	}
	struct waiting *waiting = waiting_new(mode, block);
	if (waiting == NULL) {
		return;
	}
	dx_list_init(&waiting->node);
	dx_mutex_lock(&dx_run_loop_lock);
	dx_list_push_back(&rl->blocks, &waiting->node);
	dx_mutex_unlock(&dx_run_loop_lock);
}

static bool is_mode(const void *name, CFRunLoopMode mode)
{
	return dx_value_equal(name == kCFRunLoopCommonModes ? kCFRunLoopDefaultMode : name, mode);
}

static bool is_for(const struct waiting *waiting, CFRunLoopMode mode)
{
	bool found = false;

	if (!dx_object_is_kind(waiting->modes, &dx_array_class)) {
		return is_mode(waiting->modes, mode);
	}
	for (size_t i = 0; i < dx_array_count(waiting->modes) && !found; i++) {
		found = is_mode(dx_array_get(waiting->modes, i), mode);
	}
	return found;
}

bool dx_run_loop_has_block_locked(struct __CFRunLoop *loop, CFRunLoopMode mode)
{
	dx_list_for_each(node, &loop->blocks) {
		if (is_for(dx_list_entry(node, struct waiting, node), mode)) {
			return true;
		}
	}
	return false;
}

bool dx_run_loop_run_blocks(struct __CFRunLoop *loop, CFRunLoopMode mode)
{
	struct dx_list taken = DX_LIST_INIT(taken);
	bool any = false;

	dx_mutex_lock(&dx_run_loop_lock);
	dx_list_for_each_safe(node, &loop->blocks) {
		if (is_for(dx_list_entry(node, struct waiting, node), mode)) {
			dx_list_remove(node);
			dx_list_push_back(&taken, node);
		}
	}
	dx_mutex_unlock(&dx_run_loop_lock);
	for (struct dx_list *node = dx_list_pop_front(&taken); node != NULL;
	     node = dx_list_pop_front(&taken)) {
		struct waiting *waiting = dx_list_entry(node, struct waiting, node);

		waiting->block->invoke(waiting->block);
		waiting_free(waiting);
		any = true;
	}
	return any;
}

void dx_run_loop_drop_blocks(struct __CFRunLoop *loop)
{
	struct dx_list dropped = DX_LIST_INIT(dropped);

	dx_mutex_lock(&dx_run_loop_lock);
	dx_list_splice_back(&dropped, &loop->blocks);
	dx_mutex_unlock(&dx_run_loop_lock);
	for (struct dx_list *node = dx_list_pop_front(&dropped); node != NULL;
	     node = dx_list_pop_front(&dropped)) {
		waiting_free(dx_list_entry(node, struct waiting, node));
	}
}
