/* SPDX-License-Identifier: MIT
 *
 * DriverKit/OSSharedPtr.h - pointers that hold one reference each.
 */
#ifndef OPENDEXT_DRIVERKIT_OSSHAREDPTR_H
#define OPENDEXT_DRIVERKIT_OSSHAREDPTR_H

#include <DriverKit/OSObject.h>

#include <cstddef>
#include <type_traits>
#include <utility>

/*! Says whether a new shared pointer takes a reference of its own or takes over the caller's. */
struct OSRetainTag { };
struct OSNoRetainTag { };
inline constexpr OSRetainTag OSRetain{};
inline constexpr OSNoRetainTag OSNoRetain{};

/*! A pointer to a counted object of class T (or below), with one reference; may be NULL. */
template <class T> class OSSharedPtr {
	template <class U> friend class OSSharedPtr;
	template <class U>
	using IfConvertible = std::enable_if_t<std::is_convertible<U *, T *>::value>;

public:
	/*! NULL. */
	OSSharedPtr() noexcept = default;
	OSSharedPtr(std::nullptr_t) noexcept {}
	/*! An object, which may be NULL: with a reference of its own, or with the caller's. */
	explicit OSSharedPtr(T *pointer, OSRetainTag) noexcept : object(pointer) { take(); }
	explicit OSSharedPtr(T *pointer, OSNoRetainTag) noexcept : object(pointer) {}
	/*! The same object, with a reference of its own; or with that of other, which is NULL then. */
	OSSharedPtr(const OSSharedPtr &other) noexcept : object(other.object) { take(); }
	OSSharedPtr(OSSharedPtr &&other) noexcept : object(other.detach()) {}
	template <class U, class = IfConvertible<U>>
	OSSharedPtr(const OSSharedPtr<U> &other) noexcept : object(other.object)
	{
		take();
	}
	template <class U, class = IfConvertible<U>>
	OSSharedPtr(OSSharedPtr<U> &&other) noexcept : object(other.detach())
	{
	}
	/*! Gives the reference back. */
	~OSSharedPtr() noexcept { reset(); }

	/*! Gives the reference back and holds what a new pointer made from other would hold. */
	OSSharedPtr &operator=(const OSSharedPtr &other) noexcept
	{
		OSSharedPtr(other).swap(*this);
		return *this;
	}
	OSSharedPtr &operator=(OSSharedPtr &&other) noexcept
	{
		OSSharedPtr(std::move(other)).swap(*this);
		return *this;
	}
	template <class U, class = IfConvertible<U>>
	OSSharedPtr &operator=(const OSSharedPtr<U> &other) noexcept
	{
		OSSharedPtr(other).swap(*this);
		return *this;
	}
	template <class U, class = IfConvertible<U>>
	OSSharedPtr &operator=(OSSharedPtr<U> &&other) noexcept
	{
		OSSharedPtr(std::move(other)).swap(*this);
		return *this;
	}
	OSSharedPtr &operator=(std::nullptr_t) noexcept
	{
		reset();
		return *this;
	}

	/*! Gives the reference back; the pointer is NULL then. */
	void reset() noexcept
	{
		T *old = detach();
		if (old != nullptr) {
			old->release();
		}
	}
	/*! As a new pointer; gives the old reference back. */
	void reset(T *pointer, OSRetainTag) noexcept
	{
		OSSharedPtr(pointer, OSRetain).swap(*this);
	}
	void reset(T *pointer, OSNoRetainTag) noexcept
	{
		OSSharedPtr(pointer, OSNoRetain).swap(*this);
	}
	/*! The object, +0. The operators must not be used on NULL. */
	T *get() const noexcept { return object; }
	T &operator*() const noexcept { return *object; }
	T *operator->() const noexcept { return object; }
	/*! Whether it is not NULL. */
	explicit operator bool() const noexcept { return object != nullptr; }
	/*! Exchanges the objects; no reference changes. */
	void swap(OSSharedPtr &other) noexcept { std::swap(object, other.object); }
	/*! The object with the reference; the pointer is NULL then. */
	T *detach() noexcept
	{
		T *old = object;
		object = nullptr;
		return old;
	}
	/*! For out-parameters that give a reference: gives the old one back first. */
	T **attach() noexcept
	{
		reset();
		return &object;
	}

private:
	void take() noexcept
	{
		if (object != nullptr) {
			object->retain();
		}
	}
	T *object = nullptr;
};

/*! Whether both are the same object, or both NULL. */
template <class T, class U> bool operator==(const OSSharedPtr<T> &a, const OSSharedPtr<U> &b)
{
	return a.get() == b.get();
}
template <class T, class U> bool operator!=(const OSSharedPtr<T> &a, const OSSharedPtr<U> &b)
{
	return a.get() != b.get();
}
template <class T> bool operator==(const OSSharedPtr<T> &a, const T *b) { return a.get() == b; }
template <class T> bool operator!=(const OSSharedPtr<T> &a, const T *b) { return a.get() != b; }
template <class T> bool operator==(const T *a, const OSSharedPtr<T> &b) { return a == b.get(); }
template <class T> bool operator!=(const T *a, const OSSharedPtr<T> &b) { return a != b.get(); }
template <class T> bool operator==(const OSSharedPtr<T> &a, std::nullptr_t) { return !a; }
template <class T> bool operator!=(const OSSharedPtr<T> &a, std::nullptr_t) { return !!a; }
template <class T> bool operator==(std::nullptr_t, const OSSharedPtr<T> &a) { return !a; }
template <class T> bool operator!=(std::nullptr_t, const OSSharedPtr<T> &a) { return !!a; }
/*! Exchanges the objects of two pointers. */
template <class T> void swap(OSSharedPtr<T> &a, OSSharedPtr<T> &b) noexcept { a.swap(b); }

/*! The object of a shared pointer as one of another class, in a pointer with its own reference. */
template <class To, class From> OSSharedPtr<To> OSStaticPtrCast(const OSSharedPtr<From> &from)
{
	return OSSharedPtr<To>(static_cast<To *>(from.get()), OSRetain);
}
template <class To, class From> OSSharedPtr<To> OSConstPtrCast(const OSSharedPtr<From> &from)
{
	return OSSharedPtr<To>(const_cast<To *>(from.get()), OSRetain);
}
/*! NULL when the object is of another class. */
template <class To, class From> OSSharedPtr<To> OSDynamicPtrCast(const OSSharedPtr<From> &from)
{
	return OSSharedPtr<To>(static_cast<To *>(OSMetaClassBase::safeMetaCast(
				       from.get(), To::sGetMetaClass())),
			       OSRetain);
}

/*! A new object, init() not yet called; NULL as OSTypeAlloc(). */
template <class T> OSSharedPtr<T> OSMakeShared()
{
	return OSSharedPtr<T>(static_cast<T *>(T::sGetMetaClass()->Alloc()), OSNoRetain);
}

#endif
