/* SPDX-License-Identifier: MIT
 *
 * drivers - implementations of the classes in good/, and what must be true of their calls.
 */
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "derived.h"
#include "driver.h"
#include "everything.h"
#include "runtime.h"
#include "styles.h"

static int nr_failed;
static int nr_blocks;

#define CHECK(condition)                                                                   \
	do {                                                                               \
		if (!(condition)) {                                                        \
			printf("%s:%d: not true: %s\n", __FILE__, __LINE__, #condition); \
			nr_failed++;                                                       \
		}                                                                          \
	} while (0)

/* --- driver.iig: both ways to write an implementation ---------------------------------------- */

struct Driver_IVars {
	int nr_ticks;
	uint64_t last_time;
};

bool Driver::init(void)
{
	if (!super::init()) {
		return false;
	}
	ivars = static_cast<Driver_IVars *>(calloc(1, sizeof(Driver_IVars)));
	return ivars != nullptr;
}

void Driver::free(void)
{
	::free(ivars);
	super::free();
}

kern_return_t IMPL(Driver, Start)
{
	return Start(provider, SUPERDISPATCH);
}

kern_return_t Driver::Stop_Impl(IOService *provider)
{
	return Stop(provider, SUPERDISPATCH);
}

kern_return_t IMPL(Driver, NewUserClient)
{
	if (type == 1) {
		*userClient = static_cast<IOUserClient *>(this);
		return kIOReturnSuccess;
	}
	*userClient = this;
	return NewUserClient(type, userClient, SUPERDISPATCH);
}

kern_return_t Driver::ExternalMethod(uint64_t selector, IOUserClientMethodArguments *arguments,
				     const IOUserClientMethodDispatch *dispatch, OSObject *target,
				     void *reference)
{
	if (selector == 7) {
		return StaticHandle(this, reference, arguments);
	}
	return super::ExternalMethod(selector, arguments, dispatch, target, reference);
}

kern_return_t Driver::Handle(IOUserClientMethodArguments *)
{
	return kIOReturnSuccess;
}

kern_return_t Driver::StaticHandle(OSObject *target, void *, IOUserClientMethodArguments *arguments)
{
	Driver *self = OSDynamicCast(Driver, target);
	return self == nullptr ? kIOReturnBadArgument : self->Handle(arguments);
}

void IMPL(Driver, Tick)
{
	CHECK(OSDynamicCast(OSAction_Driver_Tick, action) != nullptr);
	ivars->nr_ticks++;
	ivars->last_time = time;
}

static void check_driver()
{
	const OSClassLoadInformation *information = test_find_class("Driver");
	CHECK(information != nullptr && information->superClass == &IOUserClient_Class);
	Driver *driver = OSTypeAlloc(Driver);
	CHECK(driver->init());
	CHECK(strcmp(driver->GetClassName(), "Driver") == 0);
	CHECK(driver->Start(driver) == kIOReturnSuccess);
	CHECK(driver->Start(nullptr) == kIOReturnNoDevice);
	CHECK(driver->Stop(nullptr) == kIOReturnNoDevice);

	Driver *none = reinterpret_cast<Driver *>(16);
	IOUserClient *client = none;
	CHECK(driver->NewUserClient(0, nullptr) == kIOReturnBadArgument);
	CHECK(driver->NewUserClient(0, &client) == kIOReturnUnsupported && client == none);
	CHECK(driver->NewUserClient(1, &client) == kIOReturnSuccess && client == driver);
	CHECK(driver->ExternalMethod(0, nullptr, nullptr, nullptr, nullptr) == kIOReturnSuccess);
	CHECK(driver->ExternalMethod(1, nullptr, nullptr, nullptr, nullptr) == kIOReturnBadArgument);
	CHECK(driver->ExternalMethod(7, nullptr, nullptr, nullptr, nullptr) == kIOReturnSuccess);

	OSAction *action = nullptr;
	CHECK(driver->CreateActionTick(0, &action) == kIOReturnSuccess);
	IOTimerDispatchSource *timer = OSTypeAlloc(IOTimerDispatchSource);
	timer->TimerOccurred(action, 42);
	CHECK(driver->ivars->nr_ticks == 1 && driver->ivars->last_time == 42);
	timer->TimerOccurred(nullptr, 43);
	CHECK(driver->ivars->nr_ticks == 1);
	const IORPC unknown = {1, nullptr};
	CHECK(driver->Invoke(unknown) == kIOReturnUnsupported);
	timer->release();
	action->release();
	driver->release();
}

/* --- everything.iig -------------------------------------------------------------------------- */

struct Everything_IVars {
	uint32_t notified;
	uint32_t nr_published;
	uint32_t done;
	OSObject *other; /* no service */
	char label[64];
};

bool Everything::init()
{
	ivars = static_cast<Everything_IVars *>(calloc(1, sizeof(Everything_IVars)));
	ivars->other = OSTypeAlloc(OSObject);
	return super::init();
}

void Everything::free()
{
	ivars->other->release();
	::free(ivars);
	super::free();
}

kern_return_t IMPL(Everything, Start)
{
	return Start(arg0, SUPERDISPATCH);
}

kern_return_t IMPL(Everything, RegisterService)
{
	CHECK(strcmp(test_last_queue(), "Registry") == 0);
	return RegisterService(SUPERDISPATCH);
}

kern_return_t Everything::ExternalMethod(uint64_t, IOUserClientMethodArguments *,
					 const IOUserClientMethodDispatch *, OSObject *, void *)
{
	return kIOReturnNotReady;
}

uint32_t IMPL(Everything, GetNumber)
{
	return 0xfffffff0;
}

bool Everything::IsReady_Impl() const
{
	return true;
}

void IMPL(Everything, Notify)
{
	CHECK(strcmp(test_last_queue(), "Notifications") == 0);
	ivars->notified = what;
}

OSObject *Everything::GetObject_Impl()
{
	return this;
}

Point IMPL(Everything, GetPoint)
{
	return Point{from->y, colour == kGreen ? from->x : 0};
}

kern_return_t IMPL(Everything, GetSizes)
{
	*size = 5;
	*count = 6;
	*colour = kGreen;
	*flag = true;
	return ivars->notified == 1 ? kIOReturnError : kIOReturnSuccess;
}

kern_return_t IMPL(Everything, CopyObject)
{
	*object = this;
	*service = ivars->notified == 2 ? reinterpret_cast<IOService *>(ivars->other) : this;
	return kIOReturnSuccess;
}

kern_return_t IMPL(Everything, Fill)
{
	point->x = *in;
	buffer[1] = 9;
	return bytes == nullptr ? kIOReturnSuccess : kIOReturnError;
}

kern_return_t IMPL(Everything, Sum)
{
	*sum = 0;
	for (uint32_t i = 0; i < valuesCount; i++) {
		*sum += values[i];
	}
	return kIOReturnSuccess;
}

kern_return_t IMPL(Everything, Read)
{
	samples[0] = 1;
	*samplesCount = ivars->notified;
	return kIOReturnSuccess;
}

kern_return_t IMPL(Everything, ReadAll)
{
	samples[EVERYTHING_MAX - 1] = 3;
	return kIOReturnSuccess;
}

void IMPL(Everything, Publish)
{
	ivars->nr_published += bytes == nullptr ? 100 : bytesCount;
}

kern_return_t IMPL(Everything, Rename)
{
	snprintf(old, sizeof(Label), "%s", ivars->label);
	snprintf(ivars->label, sizeof(ivars->label), "%s", label == nullptr ? "none" : label);
	return kIOReturnSuccess;
}

kern_return_t IMPL(Everything, Apply)
{
	return function(context, 3);
}

kern_return_t IMPL(Everything, Later)
{
	block();
	return kIOReturnSuccess;
}

kern_return_t IMPL(Everything, Unnamed)
{
	return arg0 == 1 && arg1 == this && strcmp(arg2, "1234567") == 0 ? kIOReturnSuccess
									  : kIOReturnError;
}

void IMPL(Everything, Tick)
{
	CHECK(action != nullptr && time == 8 && strcmp(test_last_queue(), "Timers") == 0);
	ivars->done++;
}

void IMPL(Everything, Done)
{
	CHECK(action != nullptr && valuesCount == 2);
	point->x = values[1];
	ivars->done++;
}

kern_return_t IMPL(Everything, Untyped)
{
	return action == nullptr ? kIOReturnBadArgument : kIOReturnSuccess;
}

Point &Everything::Reference(Point &point, int a)
{
	point.x = static_cast<uint32_t>(a);
	return point;
}

int Everything::Overloaded(int) const
{
	return 1;
}

int Everything::Overloaded(const char *format, ...)
{
	va_list args;
	va_start(args, format);
	int number = va_arg(args, int);
	va_end(args);
	return number;
}

const char *Everything::Name(Colour colour)
{
	return colour == kRed ? "red" : "green";
}

OSObject *Everything::Virtual(int a[3])
{
	return a[2] == 0 ? nullptr : this;
}

int Everything::Unannotated(int number)
{
	return number;
}

int Everything::StaticUnannotated(int number)
{
	return -number;
}

static kern_return_t add(void *context, int number)
{
	*static_cast<int *>(context) += number;
	return kIOReturnSuccess;
}

static void check_results(Everything *object)
{
	CHECK(object->GetNumber() == 0xfffffff0);
	CHECK(object->GetNumber(&IOUserClient::_Dispatch) == 0);
	CHECK(object->IsReady());
	CHECK(object->GetObject() == object);
	const Point from = {1, 2};
	CHECK(object->GetPoint(&from, kGreen).x == 2 && object->GetPoint(&from, kGreen).y == 1);

	uint64_t size = 1;
	uint32_t count = 1;
	Colour colour = kRed;
	bool flag = false;
	object->Notify(1);
	CHECK(object->GetSizes(&size, &count, &colour, &flag) == kIOReturnError);
	CHECK(size == 1 && count == 1 && colour == kRed && !flag);
	object->Notify(0);
	CHECK(object->GetSizes(&size, nullptr, &colour, &flag) == kIOReturnSuccess);
	CHECK(size == 5 && count == 1 && colour == kGreen && flag);

	OSObject *copy = nullptr;
	IOService *service = nullptr;
	CHECK(object->CopyObject(&copy, nullptr) == kIOReturnBadArgument);
	CHECK(object->CopyObject(&copy, &service) == kIOReturnSuccess);
	CHECK(copy == object && service == object);
	CHECK(object->RegisterService() == kIOReturnSuccess);
	CHECK(object->SetName("x") == kIOReturnSuccess);
	CHECK(object->SetDispatchQueue("x", object) == kIOReturnSuccess);
}

/* An object of another class than the parameter says does not get out. */
static void check_wrong_class(Everything *object)
{
	OSObject *copy = object;
	IOService *service = object;
	object->Notify(2);
	CHECK(object->CopyObject(&copy, &service) == kIOReturnBadArgument);
	CHECK(copy == object && service == object);
	object->Notify(0);
}

static void check_arrays(Everything *object)
{
	const uint32_t values[5] = {1, 2, 3, 4, 5};
	uint64_t sum = 77;
	CHECK(object->Sum(values, 5, &sum) == kIOReturnOverrun && sum == 77);
	CHECK(object->Sum(nullptr, 1, &sum) == kIOReturnBadArgument && sum == 77);
	CHECK(object->Sum(values, 4, &sum) == kIOReturnSuccess && sum == 10);
	CHECK(object->Sum(nullptr, 0, &sum) == kIOReturnSuccess && sum == 0);

	uint16_t samples[EVERYTHING_MAX] = {};
	uint32_t count = EVERYTHING_MAX + 1;
	CHECK(object->Read(samples, &count) == kIOReturnOverrun && count == EVERYTHING_MAX + 1);
	CHECK(object->Read(samples, nullptr) == kIOReturnBadArgument);
	count = 4;
	object->Notify(3);
	CHECK(object->Read(samples, &count) == kIOReturnSuccess && count == 3 && samples[0] == 1);
	object->Notify(100);
	CHECK(object->Read(samples, &count) == kIOReturnSuccess && count == 3);
	object->Notify(0);
	CHECK(object->ReadAll(samples) == kIOReturnSuccess && samples[EVERYTHING_MAX - 1] == 3);

	const uint8_t bytes[5] = {};
	object->Publish(bytes, 5);
	object->Publish(nullptr, 1);
	CHECK(object->ivars->nr_published == 0);
	object->Publish(bytes, 4);
	CHECK(object->ivars->nr_published == 4);
}

static void check_strings(Everything *object)
{
	Label old = "unchanged";
	CHECK(object->Rename("0123456789abcdefgh", old) == kIOReturnSuccess && old[0] == '\0');
	CHECK(strcmp(object->ivars->label, "0123456789abcde") == 0);
	CHECK(object->Rename(nullptr, old) == kIOReturnSuccess);
	CHECK(strcmp(old, "0123456789abcde") == 0 && strcmp(object->ivars->label, "none") == 0);
	CHECK(object->Rename("x", nullptr) == kIOReturnSuccess);
	CHECK(object->Unnamed(1, object, "123456789") == kIOReturnSuccess);
}

static void check_callbacks(Everything *object)
{
	OSAction *tick = nullptr;
	OSAction *done = nullptr;
	CHECK(object->CreateActionTick(0, &tick) == kIOReturnSuccess);
	CHECK(object->CreateActionDone(0, &done) == kIOReturnSuccess);
	IOTimerDispatchSource *timer = OSTypeAlloc(IOTimerDispatchSource);
	timer->TimerOccurred(tick, 8);
	timer->TimerOccurred(done, 8);
	CHECK(object->ivars->done == 1);
	const uint32_t values[3] = {1, 2, 3};
	Point point = {};
	object->Prototype(done, values, 3, &point);
	CHECK(object->ivars->done == 1);
	object->Prototype(done, values, 2, &point);
	CHECK(object->ivars->done == 2 && point.x == 2);
	CHECK(OSDynamicCast(OSAction_Everything_Done, done) != nullptr);
	CHECK(OSDynamicCast(OSAction_Everything_Done, tick) == nullptr);
	tick->release();
	done->release();
	timer->release();
}

static void check_functions(Everything *object)
{
	int number = 1;
	CHECK(object->Apply(add, &number) == kIOReturnSuccess && number == 4);
	uint8_t buffer[2] = {};
	const uint32_t in = 6;
	Point point = {};
	CHECK(object->Fill(&point, nullptr, buffer, &in) == kIOReturnSuccess);
	CHECK(point.x == 6 && buffer[1] == 9);
	CHECK(object->Reference(point).x == 1);
	CHECK(object->Overloaded(5) == 1 && object->Overloaded("%d", 5) == 5);
	CHECK(strcmp(Everything::Name(kRed), "red") == 0);
	int numbers[3] = {0, 0, 1};
	CHECK(object->Virtual(numbers) == object);
	CHECK(object->Unannotated(2) == 2 && Everything::StaticUnannotated(2) == -2);
	CHECK(object->Untyped(nullptr) == kIOReturnBadArgument);
	CHECK(object->Later(^{
		      nr_blocks++;
	      }) == kIOReturnSuccess);
	CHECK(nr_blocks == 1);
}

static void check_everything()
{
	Everything *object = OSTypeAlloc(Everything);
	CHECK(object->init());
	check_results(object);
	check_wrong_class(object);
	check_arrays(object);
	check_strings(object);
	check_callbacks(object);
	check_functions(object);
	object->release();
}

/* --- several.iig and derived.iig ------------------------------------------------------------- */

static int nr_first, nr_second, nr_third;

bool First::init()
{
	return super::init();
}

kern_return_t IMPL(First, Start)
{
	nr_first++;
	return Start(provider, SUPERDISPATCH);
}

kern_return_t IMPL(First, Twice)
{
	*result = number * 2;
	return kIOReturnSuccess;
}

void IMPL(First, Tick)
{
	(void)action;
	(void)time;
	nr_first++;
}

int First::Describe() const
{
	return 1;
}

kern_return_t IMPL(Second, Start)
{
	nr_second++;
	return Start(provider, SUPERDISPATCH);
}

kern_return_t IMPL(Second, Twice)
{
	const kern_return_t ret = Twice(n, r, SUPERDISPATCH);
	*r += 1;
	return ret;
}

void IMPL(Second, Tick)
{
	(void)action;
	(void)time;
	nr_second++;
}

int Second::Describe() const
{
	return super::Describe() + 1;
}

bool Helper::init()
{
	return super::init();
}

bool Helper::initWithNumber(uint32_t)
{
	return init();
}

Helper *Helper::withNumber(uint32_t number)
{
	Helper *helper = OSTypeAlloc(HelperOfSecond);
	CHECK(helper->initWithNumber(number));
	return helper;
}

uint32_t HelperOfSecond::number()
{
	return 12;
}

kern_return_t IMPL(Third, Stop)
{
	return Stop(provider, SUPERDISPATCH);
}

void IMPL(Third, Tick)
{
	CHECK(action != nullptr && when == 9 && strcmp(test_last_queue(), "Third") == 0);
	nr_third++;
}

kern_return_t IMPL(Third, AddHelper)
{
	*second = helper->number() == 12 ? this : nullptr;
	return kIOReturnSuccess;
}

static void check_derived()
{
	Third *third = OSTypeAlloc(Third);
	CHECK(third->init());
	CHECK(third->Start(third) == kIOReturnSuccess && nr_first == 1 && nr_second == 1);
	CHECK(third->Stop(third) == kIOReturnSuccess);
	uint32_t result = 0;
	CHECK(third->Twice(5, &result) == kIOReturnSuccess && result == 11);
	CHECK(third->Describe() == 2);
	CHECK(OSDynamicCast(First, third) == third && OSDynamicCast(IOUserClient, third) == nullptr);

	OSAction *action = nullptr;
	CHECK(third->CreateActionTick(0, &action) == kIOReturnSuccess);
	IOTimerDispatchSource *timer = OSTypeAlloc(IOTimerDispatchSource);
	timer->TimerOccurred(action, 9);
	CHECK(nr_third == 1 && nr_second == 1 && nr_first == 1);

	Helper *helper = Helper::withNumber(3);
	Second *second = nullptr;
	CHECK(OSTypeAlloc(Helper) == nullptr);
	CHECK(third->AddHelper(helper, &second) == kIOReturnSuccess && second == third);
	CHECK(Between{4}.method() == 4);
	helper->release();
	timer->release();
	action->release();
	third->release();
}

/* --- styles.iig ------------------------------------------------------------------------------ */

bool Styles::init()
{
	return super::init();
}

void Styles::free()
{
	super::free();
}

kern_return_t IMPL(Styles, Start)
{
	return Start(provider, SUPERDISPATCH);
}

uint32_t IMPL(Styles, Count)
{
	return first + second;
}

/* An int is a result like others, and not whether the call succeeded. */
int IMPL(Styles, Number)
{
	*out = 6;
	return -1;
}

const char *Styles::Constant_Impl() const
{
	return "constant";
}

unsigned long long IMPL(Styles, Long)
{
	return names[2] + number;
}

IOReturn IMPL(Styles, Status)
{
	return argument == nullptr ? kIOReturnBadArgument : kIOReturnSuccess;
}

int Styles::Checked()
{
	return 1;
}

void Styles::Nothing(char, const char *)
{
}

void IMPL(Styles, Tick)
{
	(void)action;
	(void)time;
}

static void check_styles()
{
	Styles *styles = OSTypeAlloc(Styles);
	CHECK(styles->init());
	CHECK(styles->Start(styles) == kIOReturnSuccess);
	CHECK(styles->Count(1, 2) == 3);
	uint32_t number = 0;
	CHECK(styles->Number(&number) == -1 && number == 6);
	CHECK(strcmp(styles->Constant(), "constant") == 0);
	unsigned short names[NAMES] = {0, 0, 7};
	CHECK(styles->Long(1ULL << 40, names) == (1ULL << 40) + 7);
	CHECK(styles->Status(nullptr) == kIOReturnBadArgument);
	CHECK(styles->Checked() == 1);
	Styles::Nothing();
	styles->release();
}

int main()
{
	check_driver();
	check_everything();
	check_derived();
	check_styles();
	uint32_t count = 0;
	CHECK(IOService::GetCount(&count) == kIOReturnSuccess && count >= 10);
	printf("%s\n", nr_failed == 0 ? "all is true" : "not all is true");
	return nr_failed == 0 ? 0 : 1;
}
