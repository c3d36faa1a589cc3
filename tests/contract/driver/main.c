/* SPDX-License-Identifier: MIT
 *
 * main - the classes of the test driver and the record of what happened to its objects.
 *
 * The record is one for the process and not one per object, because what happens after an
 * object's end is part of what is tested.
 */
#include <pthread.h>

#include "driver.h"

static pthread_mutex_t record_lock = PTHREAD_MUTEX_INITIALIZER; /* guards record, record_length */
static char record[CONTRACT_TEXT_BYTES];
static size_t record_length;

void contract_log(const char *format, ...)
{
	va_list arguments;
	int length;

	(void)pthread_mutex_lock(&record_lock);
	va_start(arguments, format);
	length = vsnprintf(record + record_length, sizeof(record) - record_length, format,
			   arguments);
	va_end(arguments);
	/* What does not fit is left out as a whole. */
	if (length > 0 && record_length + (size_t)length + 1 < sizeof(record)) {
		record_length += (size_t)length;
		record[record_length++] = '\n';
	}
	record[record_length] = '\0';
	(void)pthread_mutex_unlock(&record_lock);
}

void contract_log_take(char *text, size_t capacity)
{
	(void)pthread_mutex_lock(&record_lock);
	(void)snprintf(text, capacity, "%s", record);
	record_length = 0;
	record[0] = '\0';
	(void)pthread_mutex_unlock(&record_lock);
}

const OSDriverClass *const OpenDextDriverClasses[] = {
	&ContractServiceClass,		&ContractUsbClass,
	&ContractClientClass,		&ContractQueuedClientClass,
	&ContractUsbClientClass,	&ContractBareClientClass,
	&ContractStartFailsClientClass, &ContractInitFailsClientClass,
	NULL,
};
