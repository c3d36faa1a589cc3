/* SPDX-License-Identifier: MIT
 *
 * limits - every bound on what a peer, device or file can make us keep.
 *
 * Place:   base. Over a limit is an error for the one who asked, never for others.
 */
#ifndef DX_BASE_LIMITS_H
#define DX_BASE_LIMITS_H

/* Public API, fixed by Apple's interface. */
#define DX_MAX_SCALARS		 16u
#define DX_MAX_INLINE_BYTES	 4096u
#define DX_MAX_ASYNC_REFERENCES	 8u
#define DX_MAX_ASYNC_ARGUMENTS	 16u
#define DX_MAX_NAME		 128u /* io_name_t, terminating NUL included */
#define DX_MAX_PATH		 512u /* io_string_t, terminating NUL included */
#define DX_MAX_SEGMENTS		 32u
#define DX_MAX_ITERATOR_BACKLOG	 1024u

/* One connection between an application and a driver. */
#define DX_MAX_CALL_SLOTS	     16u	 /* calls in flight; further threads wait */
#define DX_MAX_NOTIFY_BACKLOG	     65536u	 /* undelivered completions, then disconnect */
#define DX_MAX_ASYNC_ACTIONS	     65536u	 /* live completion actions */
#define DX_MAX_MAPPINGS_PER_CLIENT   4096u
#define DX_MAX_MAPPED_BYTES	     (1ull << 36)
#define DX_MAX_GRANTS_PER_CLIENT     1024u	 /* application memory given to the driver */

/* One dext process. */
#define DX_MAX_CONNECTIONS_PER_HOST  8192u
#define DX_MAX_DESCRIPTORS_PER_HOST  8192u	 /* memory descriptors, one memfd each */
#define DX_MAX_TRANSFERS_PER_PIPE    1024u
#define DX_MAX_BUFFER_BYTES	     (1ull << 34)
#define DX_MAX_OUTBOX_BYTES	     (32u << 20) /* for a broker that does not read; then it is left */

/* Broker. */
#define DX_MAX_MESSAGE_BYTES	     65536u	 /* one control message with its payload */
#define DX_MAX_PLIST_BYTES	     (1u << 20)	 /* a property list file */
#define DX_MAX_PLIST_DEPTH	     32u
#define DX_MAX_PLIST_EXPANDED_BYTES  (16u << 20) /* what its values may take in memory, about */
#define DX_MAX_VALUE_DEPTH	     64u	 /* of containers in containers, when copied */
#define DX_MAX_REMOVE_DEPTH	     32u	 /* of directories in a private one */
#define DX_MAX_CLIENTS		     8192u
#define DX_MAX_WATCHES_PER_CLIENT    256u
#define DX_MAX_REGISTRY_ENTRIES	     65536u
#define DX_MAX_RESTARTS		     10u	 /* of one driver that keeps dying */

/* One client of a USB/IP server. */
#define DX_MAX_EXPORT_DEVICES	     127u
#define DX_MAX_EXPORT_CLIENTS	     64u	 /* of one server */
#define DX_MAX_EXPORT_BYTES	     (64u << 20) /* of requests and answers */
#define DX_MAX_EXPORT_REQUESTS	     16384u

#endif
