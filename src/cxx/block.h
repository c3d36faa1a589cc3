/* SPDX-License-Identifier: MIT
 *
 * block - blocks as function and context, for the core.
 */
#ifndef DX_CXX_BLOCK_H
#define DX_CXX_BLOCK_H

#include <Block.h>

namespace dx {

typedef void (^Block)(void);

/* Runs a copied block once and gives the copy back. */
inline void run_block(void *context)
{
	Block block = reinterpret_cast<Block>(context);

	block();
	Block_release(block);
}

/* A copy as context; NULL for NULL. */
template <class B> void *copy_block(B block)
{
	return block == nullptr ? nullptr : static_cast<void *>(Block_copy(block));
}

/* For handlers that may be NULL: calls function(handler, context) of the core, and gives the copy back
 * when it was refused. */
template <class Call> int with_handler(Block block, Call call)
{
	void *context = copy_block(block);
	int status = call(context == nullptr ? nullptr : run_block, context);

	if (status != 0 && context != nullptr) {
		Block_release(reinterpret_cast<Block>(context));
	}
	return status;
}

} // namespace dx

#endif
