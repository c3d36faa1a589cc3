/* SPDX-License-Identifier: MIT
 *
 * contract - what the test driver and the tests have agreed on: types, selectors, structures.
 *
 * The driver is there twice, here in C and below tests/cxx/contract in C++: what one answers the other
 * answers.
 *
 * Place:   tests. Only public headers: driver and tests are an ordinary driver and application.
 */
#ifndef DX_TESTS_CONTRACT_H
#define DX_TESTS_CONTRACT_H

#include <stdint.h>

#define CONTRACT_SERVICE     "ContractService"	   /* on IOUserResources */
#define CONTRACT_USB	     "ContractUsb"	   /* on the device 0525:a4a0 */
#define CONTRACT_IDENTIFIER  "org.opendext.test.contract"
#define CONTRACT_MAX_KEPT    4096u
#define CONTRACT_PAGE	     4096u
#define CONTRACT_TEXT_BYTES  4096u

/* The type of IOServiceOpen(). */
enum contract_open {
	CONTRACT_OPEN = 0,		/* ContractClient, or ContractUsbClient */
	CONTRACT_OPEN_BUSY = 1,		/* NewUserClient fails with kIOReturnBusy */
	CONTRACT_OPEN_NULL = 2,		/* NewUserClient succeeds without a client */
	CONTRACT_OPEN_START_FAILS = 3,	/* Start of the client fails with kIOReturnNoPower */
	CONTRACT_OPEN_INIT_FAILS = 4,	/* init of the client returns false */
	CONTRACT_OPEN_INHERITED = 5,	/* NewUserClient of the root class */
	CONTRACT_OPEN_QUEUED = 6,	/* external methods on a queue of their own */
	CONTRACT_OPEN_NO_PROPERTIES = 7, /* IOServiceCreate with a key that does not exist */
	CONTRACT_OPEN_BARE = 8,		/* a client that overrides nothing */
};

/* Selectors of ContractClient and ContractUsbClient. in, out: scalars. */
enum contract_selector {
	/* calls */
	CONTRACT_ECHO_SCALARS = 0,  /* any in, any out: the same values */
	CONTRACT_ECHO_STRUCT,	    /* any structure in; the same bytes out */
	CONTRACT_DESCRIBE,	    /* anything in; struct contract_seen out */
	CONTRACT_FAIL,		    /* in: code. Sets outputs, then returns the code */
	CONTRACT_SET_OUTPUT,	    /* in: bytes of structureOutput, scalarOutputCount */
	CONTRACT_LEAVE_OUTPUT,	    /* anything; success without touching the outputs */
	CONTRACT_ADD,		    /* exactly 2 in, 1 out */
	CONTRACT_CHECK_ASYNC,	    /* completion must be there */
	CONTRACT_CHECK_SYNC,	    /* completion must not be there */
	CONTRACT_CHECK_STRUCTS,	    /* 24 bytes in, 40 out */
	CONTRACT_CHECK_LARGE,	    /* 8192 bytes in and out */
	CONTRACT_NO_FUNCTION,	    /* a row without function */
	CONTRACT_NO_FUNCTION_CHECKED, /* the same with one scalar in */
	CONTRACT_COUNT_CALLS,	    /* out: calls that reached a function of the table */
	/* waiting */
	CONTRACT_BLOCK,		    /* until CONTRACT_UNBLOCK of any connection */
	CONTRACT_UNBLOCK,
	CONTRACT_NR_BLOCKED,	    /* out */
	CONTRACT_SLEEP_MS,	    /* in: milliseconds */
	/* completions */
	CONTRACT_KEEP,		    /* async: keeps the completion; out: its index */
	CONTRACT_FIRE,		    /* in: index, status, nr of arguments, times, base */
	CONTRACT_FIRE_INSIDE,	    /* async; in: status, nr of arguments, times, base */
	CONTRACT_FIRE_FROM_QUEUE,   /* as FIRE, on a queue of the driver */
	CONTRACT_FIRE_LATER,	    /* as FIRE without times, by a timer; in[3]: milliseconds */
	CONTRACT_RELEASE,	    /* in: index */
	CONTRACT_CANCEL,	    /* in: index; OSActionCancel */
	CONTRACT_FAIL_ASYNC,	    /* async: keeps the completion, returns kIOReturnNoSpace */
	/* memory of the driver */
	CONTRACT_PEEK,		    /* in: type, offset; out: byte there */
	CONTRACT_POKE,		    /* in: type, offset, byte */
	CONTRACT_ALLOCATE,	    /* in: bytes, alignment: new memory of type DYNAMIC; out: address */
	CONTRACT_SET_LENGTH,	    /* in: bytes, of DYNAMIC */
	CONTRACT_DROP,		    /* gives up the driver's reference on DYNAMIC */
	CONTRACT_READ_ONLY,	    /* in: 0 or 1: how SWITCHED is handed out */
	CONTRACT_NR_COPIES,	    /* out: calls of CopyClientMemoryForType so far */
	/* memory of the application */
	CONTRACT_GRANT,		    /* struct contract_grant in; out: number */
	CONTRACT_GRANT_PEEK,	    /* in: number, offset; out: byte */
	CONTRACT_GRANT_POKE,	    /* in: number, offset, byte */
	CONTRACT_GRANT_FILL,	    /* in: number, byte: all of it */
	CONTRACT_GRANT_RELEASE,	    /* in: number */
	CONTRACT_KEEP_STRUCTS,	    /* keeps the large descriptors of this call */
	CONTRACT_KEPT_PEEK,	    /* in: 0 input 1 output, offset; out: byte */
	CONTRACT_KEPT_POKE,	    /* in: 0 input 1 output, offset, byte */
	/* the service */
	CONTRACT_LOG,		    /* struct out: text of what happened since the last time */
	CONTRACT_PID,		    /* out */
	CONTRACT_REGISTRY_ID,	    /* out: of the service */
	CONTRACT_SET_NAME,	    /* struct in: text */
	CONTRACT_SET_PROPERTY,	    /* struct in: key=text */
	CONTRACT_REMOVE_PROPERTY,   /* struct in: key */
	CONTRACT_ADJUST_BUSY,	    /* in: difference */
	CONTRACT_TERMINATE,	    /* the service ends itself */
	CONTRACT_TERMINATE_CLIENT,  /* the user client ends itself: this connection only */
	CONTRACT_CRASH,		    /* in: 0 abort, 1 SIGKILL, 2 SIGSEGV */
	CONTRACT_ENTITLEMENTS,	    /* struct out: IOUserClientCreator; out: administrator */
	/* checks that run in the driver; struct out: text of the first failure, empty when none */
	CONTRACT_TEST_MEMORY,
	CONTRACT_TEST_QUEUES,
	CONTRACT_TEST_TIMERS,
	CONTRACT_TEST_ACTIONS,
	CONTRACT_TEST_COLLECTIONS,
	CONTRACT_TEST_SERVICE,
	CONTRACT_TEST_LIBRARY,
	CONTRACT_NR_GENERAL,

	/* ContractUsbClient only */
	CONTRACT_USB_BASE = 128,
	CONTRACT_USB_CONFIGURE = CONTRACT_USB_BASE, /* in: bConfigurationValue, 0: the one there is.
							 * Opens interface and pipes */
	CONTRACT_USB_IO,	/* in: 0 in 1 out, bytes, timeout ms; out: status, bytes */
	CONTRACT_USB_FILL,	/* in: 0 in 1 out, byte: the whole buffer */
	CONTRACT_USB_ASYNC,	/* async; in: 0 in 1 out, bytes, timeout ms, tag; completes with
				 * status, bytes, tag, timestamp */
	CONTRACT_USB_ABORT,	/* in: 0 in 1 out, synchronous */
	CONTRACT_USB_CLEAR,	/* in: 0 in 1 out, with request */
	CONTRACT_USB_STALL,	/* in: endpoint; SET_FEATURE(ENDPOINT_HALT) */
	CONTRACT_USB_CONTROL,	/* in: bmRequestType, bRequest, wValue, wIndex, wLength; out: status,
				 * bytes. struct: data stage */
	CONTRACT_USB_CONTROL_ASYNC, /* async; same; completes with status, bytes */
	CONTRACT_USB_ALTERNATE,	/* in: setting */
	CONTRACT_USB_SPEED,	/* out: speed, maximum packet size of the bulk pipes */
	CONTRACT_USB_NR_INTERFACES, /* out */
	CONTRACT_USB_BUNDLE,	/* async; in: 0 in 1 out, transfers, bytes each */
	CONTRACT_USB_TEST,	/* checks that run in the driver, as CONTRACT_TEST_... */
	CONTRACT_USB_CLOSE,	/* closes interface and session */
	CONTRACT_USB_BUFFER_ADDRESS, /* in: 0 in 1 out; out: address in the driver */
	CONTRACT_USB_ISOCH,	/* in: 0 in 1 out, frames, bytes each, lead in frames (0: any); out:
				 * status. struct out: the frame list */
	CONTRACT_USB_ISOCH_ASYNC, /* async; same; completes with status, bytes, good frames */
	CONTRACT_USB_ISOCH_ABORT, /* in: 0 in 1 out */
	CONTRACT_USB_RESET,	/* of the device: it comes back as another one */
	CONTRACT_USB_REPLACE_BUFFER, /* in: 0 in 1 out, options of CreateIOBuffer, bytes */
	CONTRACT_USB_END,
};

/* Memory types. Those of ContractUsbClient: the two transfer buffers. */
enum contract_memory {
	CONTRACT_MEMORY_SHARED = 0,   /* 3 pages, the same object each time */
	CONTRACT_MEMORY_READ_ONLY,    /* one page, kIOUserClientMemoryReadOnly */
	CONTRACT_MEMORY_INHERITED,    /* not known: super */
	CONTRACT_MEMORY_NULL,	      /* success without memory */
	CONTRACT_MEMORY_ERROR,	      /* kIOReturnNoPower */
	CONTRACT_MEMORY_FRESH,	      /* a new object each time */
	CONTRACT_MEMORY_SUB,	      /* bytes 100..5099 of SHARED */
	CONTRACT_MEMORY_ODD,	      /* 5001 bytes */
	CONTRACT_MEMORY_COMPOSED,     /* one page, then SHARED */
	CONTRACT_MEMORY_DYNAMIC,      /* of CONTRACT_ALLOCATE */
	CONTRACT_MEMORY_SWITCHED,     /* read-only or not, see CONTRACT_READ_ONLY */
	CONTRACT_MEMORY_USB_IN = 100,
	CONTRACT_MEMORY_USB_OUT = 101,
};
#define CONTRACT_USB_BUFFER_BYTES (256u * 1024u)

/* What the driver saw of a call. */
struct contract_seen {
	uint64_t version;
	uint64_t selector;
	uint64_t scalars[16];
	uint64_t structure_output_maximum;
	uint64_t structure_input_length;  /* OSData, or 0 */
	uint64_t input_descriptor_length; /* or 0 */
	uint64_t output_descriptor_length; /* or 0 */
	uint64_t structure_input_sum;	  /* of all bytes, wherever they came from */
	uint32_t nr_scalars_in;
	uint32_t nr_scalars_out;
	uint32_t has_completion;
	uint32_t has_structure_input;
	uint32_t has_input_descriptor;
	uint32_t has_output_descriptor;
	uint32_t has_dispatch_target_reference; /* anything but NULL came from outside */
	uint32_t output_scalars_are_zero;
};

#define CONTRACT_MAX_SEGMENTS 40u

struct contract_grant {
	uint64_t options;
	uint32_t nr_segments;
	uint32_t read_only_mapping;
	struct {
		uint64_t address;
		uint64_t length;
	} segments[CONTRACT_MAX_SEGMENTS];
};

#endif
