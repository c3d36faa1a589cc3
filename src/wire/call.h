/* SPDX-License-Identifier: MIT
 *
 * call - what the numbers of a channel mean to libIOKit and to a host.
 *
 * Place:   wire, because client and driver both need it and meet nowhere else; the channel carries
 *          these numbers without looking at them.
 *
 * A call (struct dx_channel_request / dx_channel_call):
 *   kind        DX_CALL_METHOD
 *   flags       DX_CALL_*
 *   selector    of the external method
 *   tag         with DX_CALL_ASYNC: chosen by the application's library, never used again on this
 *               connection; every completion carries it
 *   max_scalars scalars asked for
 *   max_bytes   size of the output structure asked for: the inline room, or what the granted memory
 *               has; 0: none. With DX_CALL_VARIABLE ignored.
 *   in_address  with DX_CALL_IN_GRANT: id of the grant that holds the input structure;
 *   in_length   its length in bytes. The message DX_WIRE_C_GRANT was sent before the call.
 *   out_address, out_length   the same for the output structure (DX_CALL_OUT_GRANT)
 * The answer (struct dx_channel_answer):
 *   result      IOReturn; with an error nothing else counts
 *   scalars     at most max_scalars
 *   bytes       the output structure, if value has DX_ANSWER_STRUCTURE and no length in it
 *   value       DX_ANSWER_STRUCTURE: the driver set structureOutput; plus, when the bytes were
 *               written to memory asked for with DX_ASK_OUTPUT, their number
 * A question (struct dx_channel_ask) while the call is in progress:
 *   kind        DX_ASK_*
 *   id          goes into the grant
 *   address, length   the application's memory; address 0 for DX_ASK_OUTPUT
 * The application's library sends DX_WIRE_C_GRANT (with an fd) for it on the control socket first
 * and then replies with status 0; or replies with a negative errno and sends nothing. Ids of grants
 * that belong to calls have the top bit set, those of questions have not.
 */
#ifndef DX_WIRE_CALL_H
#define DX_WIRE_CALL_H

#include <stdint.h>

#define DX_CALL_METHOD      1u

#define DX_CALL_ASYNC       1u /* the driver gets a completion */
#define DX_CALL_VARIABLE    2u /* kIOConnectMethodVarOutputSize */
#define DX_CALL_IN_GRANT    4u /* input structure above DX_MAX_INLINE_BYTES */
#define DX_CALL_OUT_GRANT   8u /* output structure above DX_MAX_INLINE_BYTES */
#define DX_CALL_FLAGS       15u

#define DX_ANSWER_STRUCTURE (1ull << 63)

#define DX_ASK_MEMORY       1u /* address and length of the application, for good */
#define DX_ASK_OUTPUT       2u /* new memory of length bytes for a variable output structure */

/* flags of DX_ASK_MEMORY */
#define DX_ASK_WRITE     1u /* the driver wants to write: shared read-write */
#define DX_ASK_COPY      2u /* the driver's writes stay its own: only what is there now matters */

#define DX_GRANT_OF_CALL (1ull << 63)

#endif
