/* SPDX-License-Identifier: MIT
 *
 * Driver - what the files of the contract driver in C++ share. Not a .h: it needs the generated
 * Contract.h.
 */
#ifndef DX_TESTS_CXX_CONTRACT_DRIVER_HPP
#define DX_TESTS_CXX_CONTRACT_DRIVER_HPP

#include <DriverKit/DriverKit.h>
#include <USBDriverKit/USBDriverKit.h>

#include <stdio.h>
#include <string.h>

#include "Contract.h"
#include "contract/driver/contract.h"

enum { MAX_GRANTS = 64, RING_SIZE = 8 };

struct ContractService_IVars { };
struct ContractUsb_IVars { };
struct ContractQueuedClient_IVars { };
struct ContractStartFailsClient_IVars { };
struct ContractInitFailsClient_IVars { };
struct ContractBareClient_IVars { };

struct ContractClient_IVars {
	IODispatchQueue *queue; /* of FIRE_FROM_QUEUE */
	IODispatchQueue *method_queue; /* QUEUED only */
	IOTimerDispatchSource *timer;
	OSAction *timer_action;
	OSAction *kept[CONTRACT_MAX_KEPT];
	uint32_t nr_kept;
	uint64_t later[5]; /* index, status, nr of arguments, -, base */
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
	IOMemoryDescriptor *grants[MAX_GRANTS];
	IOMemoryMap *grant_maps[MAX_GRANTS];
	IOMemoryDescriptor *structs[2];
	IOMemoryMap *struct_maps[2];
};

struct ContractPipe {
	IOUSBHostPipe *pipe;
	IOBufferMemoryDescriptor *buffer;
	uint8_t address;
	bool ring;
};

struct ContractUsbClient_IVars {
	IOUSBHostDevice *device; /* borrowed: the provider's provider */
	IOUSBHostInterface *interface;
	ContractPipe pipes[2]; /* in, out */
	bool open;
};

/* An external method: a row of a table. */
#define METHOD(method)                                                                        \
	kern_return_t method([[maybe_unused]] OSObject *target, [[maybe_unused]] void *reference, \
			     [[maybe_unused]] IOUserClientMethodArguments *arguments)
#define CLIENT	   (static_cast<ContractClient *>(target))
#define USB_CLIENT (static_cast<ContractUsbClient *>(target))

/* Service.cpp: the record of what happened, for all objects of the process. */
void Log(const char *format, ...) __attribute__((format(printf, 1, 2)));
void TakeLog(char *text, size_t capacity);
kern_return_t MakeClient(IOService *service, uint32_t type, IOUserClient **client);

/* Methods.cpp */
const IOUserClientMethodDispatch *RowOf(uint64_t selector);
kern_return_t ReturnBytes(IOUserClientMethodArguments *arguments, const void *bytes, size_t length);
kern_return_t ReturnText(IOUserClientMethodArguments *arguments, const char *text);
bool ReadText(const IOUserClientMethodArguments *arguments, char *text, size_t capacity);

/* Usb.cpp */
const IOUserClientMethodDispatch *UsbRowOf(uint64_t selector);

/* Async.cpp, Memory.cpp, About.cpp */
METHOD(Keep);
METHOD(FireKept);
METHOD(FireInside);
METHOD(FireFromQueue);
METHOD(FireLater);
METHOD(ReleaseKept);
METHOD(CancelKept);
METHOD(FailAsync);
METHOD(Peek);
METHOD(Poke);
METHOD(Allocate);
METHOD(SetLength);
METHOD(Drop);
METHOD(SetReadOnly);
METHOD(NrCopies);
METHOD(Grant);
METHOD(GrantPeek);
METHOD(GrantPoke);
METHOD(GrantFill);
METHOD(GrantRelease);
METHOD(KeepStructs);
METHOD(KeptPeek);
METHOD(KeptPoke);
METHOD(GiveLog);
METHOD(Pid);
METHOD(RegistryId);
METHOD(SetServiceName);
METHOD(SetProperty);
METHOD(RemoveServiceProperty);
METHOD(AdjustServiceBusy);
METHOD(TerminateService);
METHOD(TerminateClient);
METHOD(Crash);
METHOD(Entitlements);

/* Isoch.cpp */
METHOD(UsbIsoch);
METHOD(UsbIsochAsync);
METHOD(UsbIsochAbort);
METHOD(UsbTest);

/* What free() of a client gives back, file by file. */
void FreeAsync(ContractClient_IVars *ivars);
void FreeMemory(ContractClient_IVars *ivars);
void FreeApplicationMemory(ContractClient_IVars *ivars);

#endif
