/* SPDX-License-Identifier: MIT
 *
 * driver - what the files of the test driver share.
 */
#ifndef DX_TESTS_CONTRACT_DRIVER_H
#define DX_TESTS_CONTRACT_DRIVER_H

#include <opendext/driver.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "contract.h"

#define CONTRACT_MAX_GRANTS 64u

struct contract_client {
	IODispatchQueue *queue;		 /* of FIRE_FROM_QUEUE */
	IODispatchQueue *method_queue;	 /* QUEUED only */
	IOTimerDispatchSource *timer;
	OSAction *timer_action;
	OSAction *kept[CONTRACT_MAX_KEPT];
	uint32_t nr_kept;
	uint64_t later[5];		 /* index, status, nr of arguments, -, base */
	IOBufferMemoryDescriptor *shared;
	IOBufferMemoryDescriptor *read_only;
	IOBufferMemoryDescriptor *odd;
	IOBufferMemoryDescriptor *first;
	IOBufferMemoryDescriptor *dynamic;
	IOBufferMemoryDescriptor *switched;
	IOMemoryDescriptor *sub;
	IOMemoryDescriptor *composed;
	uint64_t nr_copies;
	bool switched_read_only;
	IOMemoryDescriptor *grants[CONTRACT_MAX_GRANTS];
	IOMemoryMap *grant_maps[CONTRACT_MAX_GRANTS];
	IOMemoryDescriptor *structs[2];
	IOMemoryMap *struct_maps[2];
};

struct contract_pipe {
	IOUSBHostPipe *pipe;
	IOBufferMemoryDescriptor *buffer;
	uint8_t address;
	bool ring;
};

struct contract_usb {
	IOUSBHostDevice *device;
	IOUSBHostInterface *interface;
	struct contract_pipe pipes[2]; /* in, out */
	bool open;
};

extern const OSDriverClass ContractServiceClass, ContractUsbClass, ContractClientClass,
	ContractQueuedClientClass, ContractUsbClientClass, ContractBareClientClass,
	ContractStartFailsClientClass, ContractInitFailsClientClass;

/* main.c: the record of what happened, for all objects of the process. */
void contract_log(const char *format, ...) __attribute__((format(printf, 1, 2)));
void contract_log_take(char *text, size_t capacity);

/* service.c */
kern_return_t contract_new_user_client(IOService *self, uint32_t type, IOUserClient **client);

/* methods.c, async.c, memory.c, application_memory.c, about.c, tests.c */
typedef kern_return_t (*contract_method_fn)(IOUserClient *self, struct contract_client *client,
					    IOUserClientMethodArguments *arguments);
const IOUserClientMethodDispatch *contract_row(uint64_t selector);
uint64_t contract_nr_calls(void);
void contract_count_call(void);
struct contract_client *contract_client_of(OSObject *target);
struct contract_usb *contract_usb_of(IOUserClient *client);
const IOUserClientMethodDispatch *contract_usb_row(uint64_t selector);
IOBufferMemoryDescriptor *contract_usb_buffer(IOUserClient *client, uint64_t type);

#define METHOD(method)                                                                  \
	kern_return_t method(OSObject *target, void *reference,                         \
			     IOUserClientMethodArguments *arguments)

METHOD(contract_keep);
METHOD(contract_fire);
METHOD(contract_fire_inside);
METHOD(contract_fire_from_queue);
METHOD(contract_fire_later);
METHOD(contract_release);
METHOD(contract_cancel);
METHOD(contract_fail_async);
METHOD(contract_peek);
METHOD(contract_poke);
METHOD(contract_allocate);
METHOD(contract_set_length);
METHOD(contract_drop);
METHOD(contract_read_only);
METHOD(contract_nr_copies);
METHOD(contract_grant);
METHOD(contract_grant_peek);
METHOD(contract_grant_poke);
METHOD(contract_grant_fill);
METHOD(contract_grant_release);
METHOD(contract_keep_structs);
METHOD(contract_kept_peek);
METHOD(contract_kept_poke);
METHOD(contract_take_log);
METHOD(contract_pid);
METHOD(contract_registry_id);
METHOD(contract_set_name);
METHOD(contract_set_property);
METHOD(contract_remove_property);
METHOD(contract_adjust_busy);
METHOD(contract_terminate);
METHOD(contract_terminate_client);
METHOD(contract_crash);
METHOD(contract_entitlements);
METHOD(contract_test_memory);
METHOD(contract_test_queues);
METHOD(contract_test_timers);
METHOD(contract_test_actions);
METHOD(contract_test_collections);
METHOD(contract_test_service);
METHOD(contract_test_library);

/* Hands text out as the structure of the call. */
kern_return_t contract_return_text(IOUserClientMethodArguments *arguments, const char *text);
/* The structure input as text. @return false when it does not fit. */
bool contract_read_text(const IOUserClientMethodArguments *arguments, char *text, size_t capacity);

void contract_client_fini_async(struct contract_client *client);
void contract_client_fini_memory(struct contract_client *client);
void contract_client_fini_application_memory(struct contract_client *client);
kern_return_t contract_copy_client_memory(IOUserClient *self, uint64_t type, uint64_t *options,
					  IOMemoryDescriptor **memory);

#endif
