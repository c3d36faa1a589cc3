/* SPDX-License-Identifier: MIT
 *
 * DriverKit/OSMetaClass.h - classes of C++ drivers: the contract between the code that `iig`
 * generates and the C++ runtime.
 *
 * Place:   every generated header derives from what is here; the runtime library implements the
 *          functions that are only declared.
 *
 * What iig generates for a class C that derives from S:
 *
 *	extern OSMetaClass *gCMetaClass;          OSTypeID(C); points to a static object
 *	extern const OSClassLoadInformation C_Class;
 *	struct C_M_Msg { arguments; result; };    the message of each new remote method M
 *	#define C_M_ID ...                        its number; never 0, never a number of another method
 *	class C : public S { ... };
 *
 * and a constructor of the shared object that calls OSClassRegister(&C_Class).
 *
 * How a remote call runs. All objects of a driver live in one process, so a message is a pointer:
 *
 *	C::M(args, supermethod)   fills a C_M_Msg on its stack, then supermethod(this, rpc), or
 *	                          Invoke(rpc) when supermethod is NULL
 *	OSMetaClassBase::Invoke   runs Dispatch(rpc) on the object's queue and waits for its end
 *	C::Dispatch (virtual)     _Dispatch(this, rpc) of the object's own class
 *	D::_Dispatch              finds the methods that D declares or overrides by rpc.msgid, the rest
 *	                          goes to its superclass, at last to OSMetaClassBase::_Dispatch
 *	C::M_Invoke               takes the arguments out of the message, calls D::M_Impl
 *
 * Invariants:
 *   M1  A message is read and written by one call at a time and outlives it: Invoke() is synchronous.
 *   M2  Messages of methods with the same parameter and result types have the same layout, so that
 *       an action may deliver the message of its type method to any method with that signature.
 *   M3  M_Invoke returns what the method returned if that is kern_return_t, else
 *       kIOReturnSuccess with the result in the message; the result of a call that was not
 *       delivered is all zeros.
 *   M4  static casts between OSMetaClassBase, OSObject and the classes below change no address.
 */
#ifndef OPENDEXT_DRIVERKIT_OSMETACLASS_H
#define OPENDEXT_DRIVERKIT_OSMETACLASS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <mach/kern_return.h>

/* --- Attributes of the input language -------------------------------------------------------- */

#if defined(__IIG) && __IIG
#define IIG_ANNOTATE(text) __attribute__((annotate(text)))
#else
#define IIG_ANNOTATE(text)
#endif

/*! Class: has methods that the OS implements. Method: implemented by the OS. */
#define IIG_KERNEL IIG_ANNOTATE("kernel")
/*! Method: implemented in the driver's process; can be called as a remote method. */
#define IIG_LOCAL IIG_ANNOTATE("local")
/*! Method or class: plain C++, never remote. */
#define IIG_LOCALONLY IIG_ANNOTATE("localonly")
#define IIG_NATIVE    IIG_ANNOTATE("native")
#define IIG_REMOTE    IIG_ANNOTATE("remote")
#define IIG_LOCALHOST IIG_ANNOTATE("localhost")
#define IIG_INVOKEREPLY IIG_ANNOTATE("invokereply")
#define IIG_REPLY	IIG_ANNOTATE("reply")
/*! Parameter of type OSAction *: calls of the method go to this action. */
#define IIG_TARGET IIG_ANNOTATE("target")
/*! Method: a callback with the signature of Class::Method, delivered by an action. */
#define IIG_TYPE(type) IIG_ANNOTATE("type=" #type)
/*! Method: runs on the object's queue of this name. The name is written without quotes. */
#define IIG_QUEUENAME(name)  IIG_ANNOTATE("queuename=" #name)
#define IIG_EXTENDS(cls)     IIG_ANNOTATE("extends=" #cls)
#define IIG_SERIALIZABLE     IIG_ANNOTATE("serializable")
#define IIG_CONCRETE	     IIG_ANNOTATE("concrete")
#define IIG_PORTMAKESEND     IIG_ANNOTATE("MACH_MSG_TYPE_MAKE_SEND")
#define IIG_PORTCOPYSEND     IIG_ANNOTATE("MACH_MSG_TYPE_COPY_SEND")

/* The short names would be in the way of other programs' names, so only iig sees them. */
#if defined(__IIG) && __IIG
#define KERNEL		IIG_KERNEL
#define LOCAL		IIG_LOCAL
#define LOCALONLY	IIG_LOCALONLY
#define NATIVE		IIG_NATIVE
#define REMOTE		IIG_REMOTE
#define LOCALHOST	IIG_LOCALHOST
#define INVOKEREPLY	IIG_INVOKEREPLY
#define REPLY		IIG_REPLY
#define TARGET		IIG_TARGET
#define TYPE(type)	IIG_TYPE(type)
#define QUEUENAME(name) IIG_QUEUENAME(name)
#define EXTENDS(cls)	IIG_EXTENDS(cls)
#define PORTMAKESEND	IIG_PORTMAKESEND
#define PORTCOPYSEND	IIG_PORTCOPYSEND
#endif

#ifdef __cplusplus

#pragma GCC visibility push(default)

class OSAction;
class OSMetaClass;
class OSMetaClassBase;
class OSObject;

/* --- Messages -------------------------------------------------------------------------------- */

/*! One call on its way: the method's number, and its C_M_Msg. Passed by value. */
struct IORPC {
	uint64_t msgid;
	void *message;
};

/*! Takes a message for an object; SUPERDISPATCH and every _Dispatch have this type. */
typedef kern_return_t (*OSDispatchMethod)(OSMetaClassBase *self, const IORPC rpc);

/*! Message structs are read through the type of any method with the same signature (M2). */
#define OS_MESSAGE __attribute__((may_alias))

/* --- Class information ----------------------------------------------------------------------- */

enum {
	kOSMethodKernel = 1u << 0,   /* the runtime implements it; generated code only declares it */
	kOSMethodOverride = 1u << 1, /* declared by a superclass */
	kOSMethodStatic = 1u << 2,
	kOSMethodPure = 1u << 3, /* prototype for TYPE(): nobody implements it under this number */
	kOSMethodVoid = 1u << 4,
};

/*! What is known about one remote method that a class declares or overrides. */
struct OSMethodInformation {
	uint64_t msgid;	       /* C_M_ID of the class that declares it */
	uint64_t typeid_;      /* TYPE(T::N): T_N_ID, whose message it takes; else 0 */
	const char *name;      /* "Start" */
	const char *queueName; /* QUEUENAME; NULL: as the superclass says, at last the default queue */
	uint32_t messageSize;  /* sizeof(C_M_Msg) of a new method; 0: as typeid_ or superclass say */
	uint32_t flags;	       /* kOSMethod... */
};

enum {
	kOSClassVersion = 1,
};

enum {
	kOSClassCanRemote = 1u << 0, /* declared KERNEL */
	kOSClassLocalOnly = 1u << 1,
	kOSClassAction = 1u << 2, /* OSAction_C_M, made for a TYPE() method */
};

/*!
 * One class. Constant; lives as long as the shared object that holds it.
 *
 * The queue of a message: the first entry with its number and a queueName, searched from the
 * object's class upwards.
 */
struct OSClassLoadInformation {
	uint32_t version;	/* kOSClassVersion */
	uint32_t instanceSize;	/* sizeof(C) */
	const char *name;	/* at most 95 characters, except actions' */
	const OSClassLoadInformation *superClass; /* NULL only for OSObject */
	OSMetaClass *metaClass;			  /* what gCMetaClass points to */
	const OSMethodInformation *methods;
	uint32_t methodCount;
	uint32_t flags; /* kOSClass... */
	/*!
	 * Constructs a C at instance: instanceSize bytes, zeroed, aligned to 16. Only sets up what
	 * the compiler needs; init() is the caller's to call.
	 * @return kIOReturnSuccess; kIOReturnUnsupported for a class with pure methods.
	 */
	kern_return_t (*New)(OSObject *instance);
};

/*!
 * Makes a class known to the runtime, for IOUserClass and for OSTypeAlloc. Generated code calls it
 * while the shared object is loaded; superclasses may come later than classes below them.
 * Threads: any.
 */
void OSClassRegister(const OSClassLoadInformation *information);

/* --- The base of everything ------------------------------------------------------------------ */

/*! The base of all classes. The runtime's own data precedes the instance; there is none in it. */
class OSMetaClassBase {
public:
	/*! Takes one more reference. Threads: any. */
	virtual void retain() const;
	/*! Gives one back; the last one frees the object. Threads: any. */
	virtual void release() const;
	/*! Value equality for property values, identity for other objects. */
	virtual bool isEqualTo(const OSMetaClassBase *other) const;
	/*! The class of the object, as OSTypeID(Class) names it. */
	virtual const OSMetaClass *getMetaClass() const;
	/*!
	 * Runs the method that the message names, here and now, in the calling thread. Generated
	 * classes override it with their _Dispatch.
	 */
	virtual kern_return_t Dispatch(const IORPC rpc);

	/*!
	 * Runs Dispatch(rpc) on the queue that the object has for rpc.msgid, and waits for its end;
	 * at once when the caller is on that queue already. The object is retained meanwhile.
	 * @return what Dispatch returned; kIOReturnOffline when the object takes no calls any more.
	 */
	kern_return_t Invoke(const IORPC rpc);

	/*! Whether the object stands for one of another process: never. */
	bool IsRemote() const;
	/*! The name of the object's class; valid while the object is. */
	const char *GetClassName() const;
	/*! getMetaClass(), under the name that OSTypeIDInst() uses. */
	const OSMetaClass *GetClass() const;

	/*! Where messages end that no class takes. @return kIOReturnUnsupported. */
	static kern_return_t _Dispatch(OSMetaClassBase *self, const IORPC rpc);

	/*! @return object if it is of the class or of one below it; else, and for NULL, NULL. */
	static OSMetaClassBase *safeMetaCast(const OSMetaClassBase *object, const OSMetaClass *to);
	/*! The same, but ends the process with a message when the class is wrong. */
	static OSMetaClassBase *requiredMetaCast(const OSMetaClassBase *object,
						 const OSMetaClass *to);
};

/*! One class, at run time. Static, so retain() and release() do nothing. */
class OSMetaClass : public OSMetaClassBase {
public:
	/*! A constant expression, so that the objects exist before any constructor runs. */
	constexpr explicit OSMetaClass(const OSClassLoadInformation *class_information)
		: information(class_information), runtime(nullptr)
	{
	}

	/*! Does nothing: classes are static. */
	void retain() const override;
	/*! Does nothing. */
	void release() const override;
	/*! Itself. */
	const OSMetaClass *getMetaClass() const override;

	/*!
	 * Makes an instance.
	 * @return +1, zeroed, init() not yet called; NULL without memory, for a class with pure
	 *         methods, or one that the runtime alone can make.
	 */
	OSObject *Alloc() const;
	/*! @return whether this class is other or derives from it. */
	bool IsSubclassOf(const OSMetaClass *other) const;
	/*! The name of the class. */
	const char *getClassName() const;

	const OSClassLoadInformation *information;
	void *runtime; /* the runtime's data about the class */
};

/*!
 * Makes the action of a TYPE() method; CreateAction<Method> calls it.
 * @param actionClass    OSTypeID(OSAction_C_M): the class of the new action, which has no data of
 *                       its own beside OSAction's.
 * @param target         gets the messages; retained until the action is cancelled or freed.
 * @param targetmsgid    C_M_ID: the number under which target gets them.
 * @param msgid          T_N_ID of TYPE(T::N): the number under which the action gets them. The
 *                       action hands {targetmsgid, message} to target->Invoke().
 * @param referenceSize  bytes of GetReference().
 * @return kIOReturnSuccess and +1 in action; kIOReturnNoMemory; kIOReturnBadArgument.
 */
kern_return_t OSActionCreateTyped(const OSMetaClass *actionClass, OSObject *target,
				  uint64_t targetmsgid, uint64_t msgid, size_t referenceSize,
				  OSAction **action);

#pragma GCC visibility pop

/* --- What generated implementations use ------------------------------------------------------ */

#include <new>

/*! OSClassLoadInformation::New for the class C: pure ones cannot be made. */
template <class C, bool pure = __is_abstract(C)> struct OSClassNew {
	/*! Constructs a C in the memory of instance. */
	static kern_return_t New(OSObject *instance)
	{
		return ::new (static_cast<void *>(instance)) C ? KERN_SUCCESS : KERN_FAILURE;
	}
};

template <class C> struct OSClassNew<C, true> {
	/*! Refuses. */
	static kern_return_t New(OSObject *)
	{
		return static_cast<kern_return_t>(0xe00002c7); /* kIOReturnUnsupported */
	}
};

/*!
 * Copies a string into an array of size bytes, cut where it does not fit, always with a NUL.
 * @param source  NULL counts as "".
 */
static inline void OSMessageCopyString(char *destination, size_t size, const char *source)
{
	size_t i = 0;
	for (; source != nullptr && source[i] != '\0' && i + 1 < size; i++) {
		destination[i] = source[i];
	}
	destination[i] = '\0';
}

/* --- What sources use ------------------------------------------------------------------------ */

/*! Head of an implementation: kern_return_t IMPL(MyDriver, Start) { ... } */
#define IMPL(cls, method) cls::method##_Impl(cls##_##method##_Args)
/*! The same inside of a class. */
#define DEFN(cls, method) method##_Impl(cls##_##method##_Args)

/*! Last argument of a call that shall run the superclass' implementation on the same object. */
#define SUPERDISPATCH ((OSDispatchMethod)&super::_Dispatch)

#define OSTypeID(type)	     (g##type##MetaClass)
#define OSTypeIDInst(object) ((object)->GetClass())

/*! The object as a type *, or NULL when it is NULL or of another class. */
#define OSDynamicCast(type, object) \
	((type *)OSMetaClassBase::safeMetaCast((object), OSTypeID(type)))
/*! NULL stays NULL; an object of another class ends the process. */
#define OSRequiredCast(type, object) \
	((type *)OSMetaClassBase::requiredMetaCast((object), OSTypeID(type)))
/*! A new instance, +1; the caller calls init(). NULL on failure. */
#define OSTypeAlloc(type) ((type *)OSTypeID(type)->Alloc())

#define OSSafeReleaseNULL(object)            \
	{                                    \
		if ((object) != nullptr) {   \
			(object)->release(); \
			(object) = nullptr;  \
		}                            \
	}

#endif /* __cplusplus */

#endif
